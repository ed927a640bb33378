"""The needs of a case: what a person has to do next.

Each need has the message for it, its fields and an example payload. It states what is missing and what would be
accepted, so that people can act without knowing the program.
"""

from collections import Counter
from typing import Any

from cases.complaint import pieces
from cases.inbox.messages import MESSAGES
from cases.inbox.taking_over import has_accepted_offer
from cases.progress.assessing import granted
from cases.progress.evidence import is_evidence_required
from cases.reasons import Reason, english
from cases.state.case import Case
from cases.state.finding import PartialFinding
from cases.state.offer import Offer
from cases.state.second_complaint import TakenOver
from cases.state.status import UNDECIDED
from cases.state.step import Step
from cases.state.units import affected_of
from cases.views.need_view import Json, MessageView, NeedView, fields_of, message_with, need
from cases.vocabulary import RemedyKind, Severity, Status, StepState

EXAMPLES: Json = {
    "severity": Severity.MINOR.value,
    "days_late": 1,
    "hours_late": 1,
    "lost": True,
    "upheld": True,
    "liable": "delivery",
    "cause": "what you found",
    "sealed": True,
    "goods_value": "640.00",
}
"""One possible value of each field of a finding."""


def needs(case: Case) -> list[NeedView]:
    """Return what a person has to do.

    Empty if the case continues by itself, or if another case handles it.
    """
    if case.merged_into:
        return []
    found = [_blocked(case, step) for step in case.steps if step.state is StepState.BLOCKED]
    found += [_unknown(case, step) for step in case.steps if step.state is StepState.UNKNOWN and step.since]
    found += [_second(case, record) for record in case.second_complaints if record.case in case.unjudged]
    listed = isinstance(case.needs_offer, Reason) and case.needs_offer.code == "second_complaint"
    match None if case.offer_due else case.status:
        case Status.ASSESSING if case.unjudged and listed:
            pass  # it is in the list already
        case Status.ASSESSING if case.needs_offer or case.exhausted:
            found.append(_another_offer(case))
        case Status.ASSESSING if not case.unsettled:
            found.append(_finding(case))
        case Status.AWAITING_EVIDENCE:
            found.append(_evidence(case))
        case Status.AWAITING_APPROVAL:
            found.append(_approval(case, case.offers[-1]))
        case Status.OFFERING if case.offer and case.offer.undeliverable:
            found.append(_undelivered(case.offer))
        case Status.AWAITING_CONSENT:
            found.append(_consent(case.offers[-1]))
        case Status.FOLLOWING_UP:
            ask = _message("satisfaction-reported", {"score": 5}, values={"score": [1, 2, 3, 4, 5]})
            found.append(need("satisfaction", "the customer's answer to the callback, from 1 (bad) to 5 (good)", ask))
    return found


def _message(name: str, example: Json, **narrowed: Any) -> MessageView:
    return message_with(MESSAGES, name, example, **narrowed)


# The finding, and offers


def _finding(case: Case) -> NeedView:
    """Return the need for facts that are missing from the finding, or for an offer if no rule fits."""
    missing = granted(case).missing
    assess, propose = _assess(case, missing), _propose(case)
    if not missing:
        known = ", ".join(f"{field} {value}" for field, value in case.finding.known().items() if field != "affected")
        text = f"no rule fits the finding ({known or 'empty'}): propose an offer, or assess again"
        return need("no_rule_fits", text, propose, assess)
    text = f"the finding is incomplete: {', '.join(_wanted(case, field) for field in missing)} "
    if not set(missing) & set(PartialFinding.model_fields):
        text += "is not in the complaint and cannot be added; propose an offer"
        return need("finding_incomplete", text, propose)
    text += f"{'is' if len(missing) == 1 else 'are'} missing; assess, or propose an offer"
    return need("finding_incomplete", text, assess, propose)


def _wanted(case: Case, field: str) -> str:
    taken = {each.name: each.values for each in fields_of(MESSAGES["assess"])} | _values(case)
    values = taken.get(field)
    return f"{field} ({_or([str(value) for value in values])})" if values else field


def _or(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _values(case: Case) -> Json:
    """Return the values of a finding that are possible for this topic and order."""
    order = case.complaint.order
    values: Json = {"severity": case.topic.severities} if case.topic.severities else {}
    return values | ({"affected": [item.sku for item in order.items]} if order and order.items else {})


def _assess(case: Case, missing: list[str], **more: Any) -> MessageView:
    wanted = tuple(field for field in missing if field in PartialFinding.model_fields)
    values = _values(case)
    example = {field: values.get(field, [None])[0] or EXAMPLES[field] for field in wanted if field in EXAMPLES}
    example |= more
    if not example:
        example = {"upheld": True}
    return _message("assess", example, values=values, required=(*wanted, *_signed(case)))


def _propose(case: Case) -> MessageView:
    """Return the message `propose`. Its example is what the policy grants, or an apology, which needs no approval."""
    options = [option.model_dump(mode="json", exclude_defaults=True) for option in granted(case).options]
    apology = {"key": "apology", "remedies": [{"kind": RemedyKind.APOLOGY.value}]}
    return _message("propose", {"options": options or [apology]}, required=_signed(case))


def _signed(case: Case) -> tuple[str, ...]:
    """Return `by` for claims: a second person decides on them, so both must give their names (S20)."""
    return ("by",) if case.topic.audit else ()


def _another_offer(case: Case) -> NeedView:
    """Return the need for another offer, with the reason. If the order is exhausted, it names the other cases (S35)."""
    if case.exhausted:
        text = f"{case.exhausted}: propose an offer for approval by another person, or assess again"
        return need("order_exhausted", text, _propose(case), _assess(case, []))
    text = f"{case.needs_offer}: propose another offer, or assess again"
    return need("offer_needed", text, _propose(case), _assess(case, granted(case).missing))


def _second(case: Case, record: TakenOver) -> NeedView:
    """Return the need to assess what another complaint adds to the finding (G12)."""
    text = f"{record.case} is a second complaint about the same matter; still to be judged: {', '.join(record.news)}"
    if case.status not in UNDECIDED:
        later = _message("note", {"text": f"{record.case}: what was agreed about it"})
        return need("second_complaint", f"{text}; make an offer for it when the steps are done", later)
    about = Counter(pieces(record.adds))
    if not has_accepted_offer(case):
        about |= pieces(affected_of(case.complaint, case.finding))
    affected = {"affected": [{"sku": sku, "quantity": count} for sku, count in about.items()]} if about else {}
    text += "; assess again, or propose an offer"
    return need("second_complaint", text, _assess(case, granted(case).missing, **affected), _propose(case))


def _evidence(case: Case) -> NeedView:
    kinds = [kind.value for kind in case.awaited]
    shown = [{"kind": kind, "uri": f"https://files.example.com/{kind}"} for kind in kinds]
    required = is_evidence_required(case)
    meanwhile = "required for the decision" if required else "to continue without it: assess"
    text = f"evidence from the customer ({', '.join(kinds)}): evidence-received; {meanwhile}"
    received = _message("evidence-received", {"evidence": shown}, values={"evidence": kinds})
    return need("evidence", text, received, *([] if required else [_assess(case, granted(case).missing)]))


def _approval(case: Case, offer: Offer) -> NeedView:
    who = "a manager" if offer.over_limits else f"the {case.topic.audit} team"
    beyond = f" ({'; '.join(map(str, offer.over_limits))})" if offer.over_limits else ""
    not_by = f", but not {offer.made_by}" if offer.made_by else ""
    chosen, required = {"approval": offer.id}, ("by",)
    return need(
        "approval",
        f"offer {offer.id} needs approval by {who}{not_by}{beyond}: approve or reject",
        _message("approve", chosen, required=required, values={"approval": [offer.id]}),
        _message("reject", chosen, required=required, values={"approval": [offer.id]}),
    )


def _undelivered(offer: Offer) -> NeedView:
    why = f"offer {offer.id} did not reach the customer ({offer.undeliverable})"
    text = f"{why}: inform them, then send contact-made or their answer"
    return need("offer_undelivered", text, _message("contact-made", {"note": "explained the offer"}), *_answers(offer))


def _consent(offer: Offer) -> NeedView:
    keys = ", ".join(f"{number} {option.key}" for number, option in enumerate(offer.options, start=1))
    text = f"the customer's answer to offer {offer.id}: customer-approved ({keys}) or customer-declined"
    return need("consent", text, *_answers(offer))


def _answers(offer: Offer) -> tuple[MessageView, MessageView]:
    """Return the messages with which the customer accepts or declines."""
    keys = [option.key for option in offer.options]
    named = {"offer": [offer.id], "option": keys}
    several = ("option",) if len(keys) > 1 else ()
    yes = _message("customer-approved", {"offer": offer.id, "option": keys[0]}, values=named, required=several)
    no = _message("customer-declined", {"offer": offer.id, "reason": "what the customer said"}, values=named)
    return yes, no


# Steps


def _blocked(case: Case, step: Step) -> NeedView:
    """Return the need to resolve a blocked step: a headline, its amount or items, a line per choice, and the key."""
    key = step.key(case.id)
    lines = [
        f"step {step.id} is blocked: {_because(step)}",
        f"  {_amount_or_items(case, step)}" if _amount_or_items(case, step) else "",
        f"  retry: {_retry(step)}",
        "  replace: drop the step; an agent makes another offer",
        "  waive: drop the step",
        f"  key {key}",
    ]
    values = {"step": [step.id], "action": ["retry", "replace", "waive"], "dependents": ["waive", "carry_out"]}
    example = {"step": step.id, "action": "retry", "reason": "what has changed"}
    message = _message("resolve-step", example, values=values, required=("by",) if step.over_limit else ())
    return need("step_blocked", "\n".join(line for line in lines if line), message)


def _retry(step: Step) -> str:
    """Return what a retry does. If the step is contested, the partner is first asked about the old key (S25)."""
    if step.contested:
        return f"ask {step.partner} about the earlier request; only if nothing was done, send it again under a new key"
    return f"send it to {step.partner} again{' (only for a person who did not prepare it)' if step.over_limit else ''}"


def _because(step: Step) -> str:
    """Return the reason, without the part that the choices repeat."""
    reason = step.reason or "the partner could not carry it out"
    if isinstance(reason, Reason) and reason.code == "approvable":
        because = reason.params["because"]
        return english(because if isinstance(because, str) else Reason.model_validate(because))
    return str(reason)


def _amount_or_items(case: Case, step: Step) -> str:
    if step.remedy.amount is not None:
        return f"{step.remedy.amount} {case.currency}"
    return ", ".join(f"{item.quantity} × {item.sku}" for item in step.remedy.items or [])


def _unknown(case: Case, step: Step) -> NeedView:
    since = f" (since {case.clock(step.since)})" if step.since else ""
    text = f"step {step.id}: the partner has not reported whether it was done{since}; it is being asked"
    key = step.key_in_question(case.id)
    values = {"step": [step.id], "key": [key], "state": ["done", "failed"]}
    example = {"step": step.id, "state": "done", "key": key}
    return need("step_unknown", text, _message("step-reported", example, values=values))
