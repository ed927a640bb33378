"""Two complaints about one order and topic: they are linked, or the older case handles both (G12, S22).

The policy decides which. To be merged, the later case signals the older one (`ComplaintLinked`) and waits until it
closes (`CaseClosed`). Facts that the later case receives meanwhile are passed on. If the older case is gone, the later
one continues alone.
"""

from datetime import datetime

from pydantic import BaseModel, ValidationError

from cases import rate_limit
from cases.complaint import CaseId
from cases.contract import CASE_CLOSED, COMPLAINT_LINKED, MAX_INPUT_BYTES
from cases.errors import Refusal, problems_of
from cases.inbox import messages as m
from cases.inbox.repeats import remember, repeated
from cases.inbox.taking_over import take_over, withdrawn
from cases.patches import Holds, always
from cases.progress.assessing import consider_soon
from cases.progress.closing import retire
from cases.progress.evidence import evidence_received, request_evidence
from cases.progress.promises import OWED_BY_HANDLING_CASE, hand_over, take_back
from cases.progress.silence import record_contact
from cases.reasons import Reason
from cases.state.case import Case
from cases.state.letter import OfferLetter
from cases.state.promise import Promise
from cases.state.second_complaint import ComplaintLinked, Promised, SecondComplaint
from cases.state.status import UNDECIDED
from cases.vocabulary import KeptWhen, LinkKind, OfferState, Outcome, Status, StepState

COMPLAINT_WITHDRAWN = "complaint-withdrawn"
MAX_LINKS = 100
"""The maximum number of related cases in a case, so that a flood of complaints does not fill its history."""


class CaseClosed(BaseModel):
    """The signal that `case` has closed with `outcome`. Without an outcome, it could not accept the complaint."""

    case: CaseId
    outcome: Outcome | None = None


BETWEEN_CASES: dict[str, type[ComplaintLinked | CaseClosed]] = {
    COMPLAINT_LINKED: ComplaintLinked,
    CASE_CLOSED: CaseClosed,
}
"""Signals between cases. They are not part of the contract, but are validated like any other input."""


def read(name: str, payload: object) -> ComplaintLinked | CaseClosed:
    """Return the signal in `payload` (decoded JSON). Raise `Refusal` with all faulty fields."""
    try:
        return BETWEEN_CASES[name].model_validate(payload)
    except ValidationError as error:
        raise Refusal(f"{name}: " + "; ".join(str(problem) for problem in problems_of(error))) from None


# The older case


def link(case: Case, later: ComplaintLinked, at: datetime) -> bool:
    """Take over the later complaint, or record that it is handled separately. Return False if neither is possible.

    That is so if this case is closed, is merged itself, or has reached the rate limit.
    """
    if later.case == case.id:
        raise Refusal(f"{later.case} is this case: it cannot be linked to itself")
    if case.closing or case.merged_into:
        return False
    kind = LinkKind.MERGED if later.merges else LinkKind.RELATED
    known = {"kind": kind, "case": later.case} in case.links
    says_more = later.merges and bool(later.complaint or later.evidence or later.withdrawn is not None)
    if (known and not says_more) or (not later.merges and len(case.links) >= MAX_LINKS):
        return True
    if later.merges:
        if rate_limit.too_much(case.paces, COMPLAINT_LINKED, at, case):
            return False
        rate_limit.count(case.paces, COMPLAINT_LINKED, at)
    if not known:
        _set_link(case, kind, later.case)
        how = "handled here" if later.merges else "handled separately"
        case.note("linked", at, f"{later.case}: a further complaint about the same, {how}")
    record_contact(case, at, at)
    if later.withdrawn is not None:
        withdrawn(case, later.case, later.withdrawn, at)
    elif later.merges and later.complaint:
        take_over(case, later, later.complaint, at)
    elif later.merges and (fresh := [e for e in later.evidence if e not in case.evidence]):
        evidence_received(case, fresh, at, at)
    return True


def merged(case: Case) -> list[str]:
    """Return the cases whose complaints this one also handles."""
    return [link["case"] for link in case.links if link["kind"] == LinkKind.MERGED]


# The later case


def can_merge(case: Case) -> bool:
    """Return whether the policy merges complaints, and the case has no accepted offer, begun step or merged case."""
    begun = any(step.begun for step in case.steps) or case.policy.second_complaint != "merge"
    if case.status not in UNDECIDED or begun or case.closing or case.accepted or case.merged_into or merged(case):
        return False
    # The older case limits the size of this message like that of any other input.
    return len(link_message(case, merges=True).model_dump_json().encode()) <= MAX_INPUT_BYTES


def link_message(case: Case, *, merges: bool) -> ComplaintLinked:
    """Return the signal to the older case. With `merges`, it contains everything that this case claims and is owed."""
    if not merges:
        return ComplaintLinked(case=case.id, merges=False)
    complaint = case.complaint
    said = complaint.model_dump(include=set(SecondComplaint.model_fields))
    by_agents = {fact.field for fact in case.finding.facts if fact.source == "agent"}
    found = {name: value for name, value in case.finding.known().items() if name in by_agents}
    return ComplaintLinked(
        case=case.id,
        merges=True,
        evidence=case.evidence,
        complaint=SecondComplaint.model_validate({**said, "urgent": case.urgent, "found": found}),
        promises=[_promised(p) for p in case.promises if p.live and p.kept_by in OWED_BY_HANDLING_CASE],
    )


def _promised(promise: Promise) -> Promised:
    return Promised.model_validate(promise.model_dump(include=set(Promised.model_fields)))


def withdrawal_message(case: Case, name: str, payload: object) -> ComplaintLinked | None:
    """Return the signal to the older case for a withdrawal of this complaint, or None for another message."""
    if name != COMPLAINT_WITHDRAWN:
        return None
    message = m.read(name, payload, holds=lambda _: False)
    reason = message.reason if isinstance(message, m.ComplaintWithdrawn) else ""
    return ComplaintLinked(case=case.id, merges=True, withdrawn=reason)


def merge(case: Case, first: str, at: datetime) -> None:
    """Merge this case into `first`. This case then makes no offers, and `first` owes its promises."""
    _set_link(case, LinkKind.MERGED_INTO, first)
    retire(case, OfferState.REPLACED)
    case.letters = [letter for letter in case.letters if not isinstance(letter.about, OfferLetter)]
    for step in case.unsettled:
        step.enter(StepState.WAIVED, at, Reason.of("handled_by", case=first))
    hand_over(case, at)
    case.awaited = []
    case.enter(Status.RECEIVED)
    case.note("merged", at, f"{first} is older and handles it")
    case.notify_customer("linked", other_case_id=first)


def relate(case: Case, other: str, at: datetime, *, running: bool) -> None:
    """Handle the complaint separately. If the other case is `running`, the customer is informed."""
    _set_link(case, LinkKind.RELATED, other)
    case.note(
        "related", at, f"{other} is about the same, and {'is handled separately' if running else 'cannot be reached'}"
    )
    if running:
        case.notify_customer("linked", other_case_id=other)
        if not case.offers and not case.merged_into:
            # An automatic offer could grant the same thing twice.
            case.needs_offer = Reason.of("contested_open", case=other)


def continue_alone(case: Case, at: datetime, why: str) -> None:
    """Begin a new cycle with new promises, because the case that this one was merged into is gone (S10)."""
    first = case.merged_into
    if first is None or case.closing:
        return
    _set_link(case, LinkKind.RELATED, first)
    case.note("continues alone", at, f"{first} {why}")
    case.cycle += 1
    case.reminded = False
    take_back(case, at)
    request_evidence(case, at)
    if not case.looking_up:
        consider_soon(case, at)


def close_with(case: Case, first: CaseClosed, at: datetime) -> None:
    """Close this case, because the case that it was merged into has closed. There is no second report (G9)."""
    if case.merged_into is None or case.merged_into != first.case:
        raise Refusal(f"{case.id} is not merged into {first.case}: it closes by itself")
    if case.closing:
        return
    if first.outcome is None:
        continue_alone(case, at, "had already closed")
        return
    for promise in case.promises:
        promise.lapse(at)
    case.outcome, case.closed_at = first.outcome, at
    case.enter(Status.CLOSED)
    case.note("closed", at, f"{first.outcome}, with {first.case}")


def is_for_older_case(case: Case, name: str) -> bool:
    """Return whether a message is a fact to pass on to the case that this one was merged into."""
    return bool(case.merged_into) and not case.closing and name in m.FACTS


def pass_on(case: Case, name: str, payload: object, at: datetime, holds: Holds = always) -> bool:
    """Record that a fact is passed on to the case that this one was merged into. Raise `Refusal` if it must not be.

    Return False if the same message was passed on before (S31). An answer to an offer of this case is refused, because
    the other case would take it as an answer to its own offer (S19).
    """
    message = m.read(name, payload, holds=holds)
    if repeated(case.seen, name, message, holds) and holds(m.REPEATS):
        return False
    m.check_digits(name, message, case.currency, holds)
    if isinstance(message, m.CustomerApproved | m.CustomerDeclined) and case.offers:
        raise Refusal(
            f"{case.id} was merged into {case.merged_into}, and its own offers are no longer valid: "
            f"answer the offer of {case.merged_into}"
        )
    if why := rate_limit.too_much(case.paces, name, at, case):
        raise Refusal(why)
    rate_limit.count(case.paces, name, at)
    if isinstance(message, m.ContactMade):
        case.keep(KeptWhen.CUSTOMER_REACHED, at)
    case.note("passed on", at, f"{name} to {case.merged_into}", message.by)
    return True


def passed_on(case: Case, name: str, payload: object) -> None:
    """Record that the case that this one was merged into has received the fact."""
    remember(case.seen, name, m.read(name, payload, holds=lambda _: False))


def _set_link(case: Case, kind: LinkKind, other: str) -> None:
    """Set the only link to another case. A follow-up's link to its predecessor is kept."""
    ours = (LinkKind.MERGED, LinkKind.MERGED_INTO, LinkKind.RELATED)
    case.links = [x for x in case.links if x["kind"] not in ours or x["case"] != other]
    case.links.append({"kind": kind, "case": other})
