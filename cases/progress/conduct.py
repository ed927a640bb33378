"""How a case goes on: found → offered → agreed → carried out → asked → closed (G3–G9)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from cases.complaint import Complaint
from cases.entitlement.granting import Assessment, assess, check_finding
from cases.entitlement.payout_limits import approved
from cases.entitlement.within_order import still_affected, within
from cases.partner_calls import Receipt, StepFinding
from cases.policy.policy import Investigation
from cases.policy.remedy_kinds import MONEY
from cases.progress.closing import call_back, end, retire
from cases.progress.promises_kept import carried_out, nothing_to_keep, steps_moved
from cases.progress.silence import closes_at
from cases.reasons import Reason, Why
from cases.state.case import Case
from cases.state.finding import Finding, PartialFinding
from cases.state.offer import Offer, Option, Remedy, describe
from cases.state.step import CHECK, PRECAUTION, Step, depends_on
from cases.state.summary import about_step, paid
from cases.vocabulary import (
    KeptWhen,
    OfferState,
    Outcome,
    Partner,
    PromiseName,
    RemedyKind,
    Role,
    Starts,
    Status,
    StepState,
)

UNDECIDED = frozenset(
    {
        Status.RECEIVED,
        Status.ASSESSING,
        Status.AWAITING_EVIDENCE,
        Status.AWAITING_APPROVAL,
        Status.OFFERING,
        Status.AWAITING_CONSENT,
    }
)
"""Where a new finding or another offer still changes what will be done."""

NOTHING_OFFERED = frozenset({Status.RECEIVED, Status.ASSESSING, Status.AWAITING_EVIDENCE})
"""Where the finding is still being established."""

# Finding


def consider(case: Case, at: datetime) -> Assessment:
    """Work out the offer from the finding; where something is missing, see to it that somebody establishes it."""
    # What another complaint brought that is new nothing but a person judges (G12).
    found = Assessment() if case.unjudged else granted(case)
    for investigation in _fresh_investigations(case, found):
        case.add_step(Remedy(kind=investigation.do, at_once=True), CHECK, at)
    if case.awaited:
        case.status = Status.AWAITING_EVIDENCE
        return Assessment(missing=[*found.missing, *(f"evidence: {kind}" for kind in case.awaited)])
    for why in found.withheld:
        case.note("not offered", at, str(why))
    if found.options:
        make_offer(case, found.options, at, rule=found.rule, outcome=found.outcome)
        return found
    retire(case, OfferState.REPLACED)
    case.status = Status.ASSESSING
    case.exhausted = Reason.of("order_exhausted", reasons=found.withheld) if found.withheld else None
    if case.exhausted:
        case.tell(Role.OWNER, "needs_offer", reason=case.exhausted)
        case.note("assessing", at, f"a person has to judge: {case.exhausted}")
    elif case.contested or case.unjudged:
        case.tell(Role.OWNER, "needs_offer", reason=case.needs_offer)
        case.note("assessing", at, f"a person has to judge: {case.needs_offer}")
    elif not any(s.offer == CHECK and s.cycle == case.cycle for s in case.unsettled):
        case.tell(Role.OWNER, "needs_assessment", missing=found.missing, severities=case.topic.severities)
        case.note(
            "assessing",
            at,
            f"a person has to establish: {', '.join(found.missing)}" if found.missing else "no rule fits",
        )
    return found


def granted(case: Case) -> Assessment:
    """What the policy grants, as far as the order's ledger has room for it (S35)."""
    finding, why = still_affected(case)
    found = granted_by_policy(case, finding)
    if found.options:
        found = found.model_copy(update={"withheld": why})
    return within(case, found, finding)


def granted_by_policy(case: Case, finding: Finding) -> Assessment:
    """What the policy grants; an inquiry that nothing answers by itself waits for an agent's words (M14).

    Nothing by itself where another case about the same was settled, or is open: it might be granted twice (G12).
    """
    if case.contested:
        return Assessment()
    # A case that knows its order's account is held to it afterwards, where it can say why.
    refunded = Decimal(0) if case.account else case.refunded
    found = assess(case.policy, _with_delivery(case), finding, refunded=refunded)
    source = case.topic.answered_from
    nobody_knows = source == "agent" or (source == "trail" and case.look_ups.trail is None)
    return Assessment(missing=["cause"]) if nobody_knows and case.finding.cause is None else found


def _with_delivery(case: Case) -> Complaint:
    """The complaint, with the delivery that its trail shows where intake did not know it (M11)."""
    order, trail = case.complaint.order, case.look_ups.trail
    if order is None or order.delivered_at or trail is None or trail.delivered_at is None:
        return case.complaint
    delivered = order.model_copy(update={"delivered_at": trail.delivered_at})
    return case.complaint.model_copy(update={"order": delivered})


def _fresh_investigations(case: Case, found: Assessment) -> list[Investigation]:
    """What has to be looked into, and has not been in this cycle (B17, E13)."""
    begun = {s.kind for s in case.steps if s.offer == CHECK and s.cycle == case.cycle}
    return [i for i in case.policy.investigations if i.establishes in found.missing and i.do not in begun]


def not_found_in_time(case: Case, investigation: Investigation, step: Step, at: datetime) -> None:
    """A search has had its time and nothing turned up: the parcel is lost (E13)."""
    step.turn(StepState.DONE, at, Reason.of("nothing_found", within=investigation.within))
    case.learn(PartialFinding(lost=True), step.kind, at)
    if case.status in NOTHING_OFFERED:
        consider(case, at)


# Offer and consent


def make_offer(  # noqa: PLR0913 (what an offer is)
    case: Case,
    options: list[Option],
    at: datetime,
    *,
    rule: str | None = None,
    outcome: Outcome | None = None,
    made_by: str | None = None,
    over: Sequence[Why] = (),
) -> Offer:
    """Put an offer in place of the one before; beyond an agent's limits, or for a claim, it waits for approval (G4)."""
    retire(case, OfferState.REPLACED)
    waits = bool(over or case.topic.audit)
    offer = Offer(
        id=f"o{len(case.offers) + 1}",
        state=OfferState.AWAITING_APPROVAL if waits else OfferState.OPEN,
        made_at=at,
        options=options,
        cycle=case.cycle,
        rule=rule,
        outcome=outcome,
        made_by=made_by,
        over_limits=list(over),
    )
    case.offers.append(offer)
    case.needs_offer, case.exhausted, case.unjudged = None, None, []
    if waits:
        case.status = Status.AWAITING_APPROVAL
        why = "; ".join(map(str, offer.over_limits)) or case.topic.audit
        case.note("awaiting approval", at, f"{offer.id}: {why}", made_by)
        to, team = (Role.MANAGER, None) if over else (Role.TEAM_LEAD, case.topic.audit)
        beyond = offer.over_limits or [Reason.of("audit", team=case.topic.audit)]
        case.tell(to, "needs_approval", to_team=team, approval=offer.id, over=beyond, options=_options(offer))
    else:
        publish(case, offer, at)
    return offer


def publish(case: Case, offer: Offer, at: datetime) -> None:
    """Put an offer to the customer; what is done at once begins now (G5)."""
    offer.state = OfferState.OPEN
    case.status = Status.OFFERING
    case.silence_steps = 0
    case.note("offered", at, f"{offer.id}: {' or '.join(describe(o) for o in offer.options)}", offer.made_by)
    if offer.outcome is None:
        case.begin_promises(Starts.FINDING, at)
        _put_to_customer(case, offer, at)
    if case.topic.answered_from == "policy":
        case.tell(Role.OWNER, "suggestion")
    for remedy in (r for option in offer.options for r in option.remedies if r.at_once):
        _begin_once(case, remedy, offer, at)
    if not offer.consent_required:
        accept(case, offer, offer.options[0], at)


def _put_to_customer(case: Case, offer: Offer, at: datetime) -> None:
    """The letter with findings and options; where nothing is due, the explanation or the answer says all there is."""
    case.say(
        "offer",
        about=f"offer:{offer.id}",
        offer=offer.id,
        consent_required=offer.consent_required,
        reply_by=closes_at(case, at).isoformat(),
        options=_options(offer),
        finding=case.finding.known(),
    )


def _options(offer: Offer) -> list[dict[str, Any]]:
    return [option.model_dump(mode="json", exclude_none=True) for option in offer.options]


def delivered_offer(case: Case, offer: Offer, at: datetime) -> None:
    """Findings and offer have reached the customer: the detailed result is delivered (B4)."""
    offer.delivered_at = at
    case.keep(KeptWhen.OFFER_DELIVERED, at, cycle=offer.cycle)
    if case.status is Status.OFFERING and offer is case.offer and offer.state is OfferState.OPEN:
        case.status = Status.AWAITING_CONSENT


def accept(case: Case, offer: Offer, option: Option, at: datetime, by: str | None = None) -> None:
    """The customer's yes, or an offer that needs none: the rest of the option is carried out."""
    offer.state = OfferState.ACCEPTED
    offer.accepted = option.key
    case.ending = offer.outcome
    case.status = Status.EXECUTING
    if offer.consent_required:
        case.note("agreed", at, f"{offer.id}: {option.key}", by)
        case.keep(KeptWhen.OFFER_DELIVERED, at, cycle=offer.cycle)
    for remedy in option.remedies:
        if not remedy.at_once:
            case.add_step(remedy, offer.id, at)
    _order_steps(case, offer)
    if offer.outcome is None:
        case.begin_promises(Starts.CONSENT, at)
    nothing_to_keep(case, at)
    settle(case, at)


def _begin_once(case: Case, remedy: Remedy, offer: Offer, at: datetime) -> None:
    """Begin what is done at once, unless another option, an earlier offer or a precaution has begun it already."""
    if not any(s.remedy == remedy and s.cycle == case.cycle and s.state is not StepState.WAIVED for s in case.steps):
        case.add_step(remedy, offer.id, at)


def _order_steps(case: Case, offer: Offer) -> None:
    """What an earlier offer of this cycle has begun at once counts as well: money waits for that crew, too."""
    others = [s for s in case.steps if s.cycle == offer.cycle and s.offer != CHECK and s.state is not StepState.WAIVED]
    for step in (s for s in others if s.offer == offer.id and not s.begun):
        step.after = depends_on(step.kind, [s for s in others if s is not step])


# Steps


def started(case: Case, step: Step, at: datetime) -> None:
    """A step is about to be asked of its partner; what is only said goes out as a letter."""
    step.attempts += 1
    step.reference = None
    step.turn(StepState.RUNNING, at)
    if step.partner is Partner.MESSAGING:
        trail, record = case.look_ups.trail, case.look_ups.installation
        case.say(
            step.kind,
            about=f"step:{step.id}",
            **case.finding.known(),
            expected_at=trail.expected_at.isoformat() if trail and trail.expected_at else None,
            installed_by=record.expected_at.isoformat() if record and record.expected_at else None,
            due=case.ending is not Outcome.REJECTED,
            **_words(case, step),
        )


def _words(case: Case, step: Step) -> dict[str, Any]:
    """What one kind of message says beyond the finding."""
    if step.kind is RemedyKind.ANSWER:
        trail = case.look_ups.trail if case.topic.answered_from == "trail" else None
        return {"text": case.finding.cause, "trail_state": trail.state if trail else None}
    if step.kind is RemedyKind.EXPLANATION:
        searched = any(s.kind is RemedyKind.SEARCH and s.state is StepState.DONE for s in case.steps)
        return {"found": searched and case.finding.lost is False}
    if step.kind is RemedyKind.STOP_USE_NOTICE:
        return {
            "items": [{"sku": i.sku, "name": i.name, "quantity": i.quantity} for i in case.complaint.affected_items]
        }
    return {}


def heard(case: Case, step: Step, receipt: Receipt, at: datetime) -> None:
    """A partner's word on a step: from its answer, or reported later."""
    before, key = step.state, step.key(case.id)
    step.heard(receipt, at)
    if step.state is before:
        return
    money = f", {step.remedy.amount} {case.currency} as {step.reference}" if step.remedy.amount else ""
    case.note(f"step {step.state}", at, f"{step.id}{money}{f': {receipt.detail}' if receipt.detail else ''}")
    steps_moved(case, step.cycle)
    if step.state is StepState.BLOCKED:
        if in_ledger(case, step):
            case.unpaid.append(key)
        _blocked(case, step, at)
    if receipt.finding:
        _found(case, step, receipt.finding, at)
    elif step.offer == CHECK and step.settled and case.status is Status.ASSESSING:
        consider(case, at)
    settle(case, at)


def in_ledger(case: Case, step: Step) -> bool:
    """Whether the order's ledger has an entry of it: money, and goods of cases that know the order's account (S35).

    Units of other cases are counted as well, and stay so: their histories know of no release.
    """
    return step.kind in MONEY or bool(case.account and step.makes_good)


def refused(  # noqa: PLR0913 (what a refusal is)
    case: Case,
    step: Step,
    reason: Why,
    at: datetime,
    *,
    final: bool = True,
    over_limit: bool = False,
    reserved: bool = False,
) -> None:
    """The step cannot be done: it goes to a person, and money that moved stays moved (G6, S17).

    `over_limit`: it is the order's limit that refused it, up to a manager's limit somebody may approve it (S15).
    `reserved`: the ledger has reserved a payment for it, which is free again now.
    """
    if reserved:
        case.unpaid.append(step.key(case.id))
    if final:
        step.number += 1
    step.over_limit = over_limit
    if over_limit and not approved(case, step):
        reason = Reason.of("approvable", because=reason)
    step.turn(StepState.BLOCKED, at, reason)
    _blocked(case, step, at)


def unknown(case: Case, step: Step, reason: Why, at: datetime) -> None:
    """The partner may or may not have done it: it is asked before anything is sent again (S13)."""
    step.uncertain = True
    step.turn(StepState.UNKNOWN, at, reason)
    case.note("step unknown", at, f"{step.id}: {reason}")

    if isinstance(reason, Reason) and reason.code == "key_reused":
        tell_unknown(case, step)


def tell_unknown(case: Case, step: Step) -> None:
    """Its owner is told, once, that nobody knows whether a step was done."""
    step.told = True
    since = step.since.isoformat() if step.since else None
    case.tell(Role.OWNER, "step_unknown", **about_step(case, step), since=since)


def not_done_before(step: Step, at: datetime) -> None:
    """Its partner did nothing under an earlier key: the step may be sent under the new one (S25)."""
    step.uncertain = False
    step.turn(StepState.RUNNING, at)


def contest(case: Case, step: Step, reason: Why, at: datetime) -> None:
    """Its partner says both that it was done and that it was not: nothing is free, and a person decides (S26, S27).

    The customer is not asked whether they are satisfied meanwhile.
    """
    step.contested = step.uncertain = True
    step.turn(StepState.BLOCKED, at, reason)
    if in_ledger(case, step):
        case.disputed.append(step.key(case.id))
    if case.status is Status.FOLLOWING_UP:
        case.status = Status.EXECUTING
        case.begin_promises(Starts.CONSENT, at, only={KeptWhen.UPDATE_DELIVERED})
    _blocked(case, step, at)


def taken_back(case: Case, step: Step, detail: str, at: datetime) -> None:
    """A partner reports a step as failed that it had reported as done (S27)."""
    because = {"code": "taken_back_because", "words": detail} if detail else {"code": "taken_back"}
    contest(case, step, Reason.of(who=step.partner, **because), at)


def _blocked(case: Case, step: Step, at: datetime) -> None:
    step.team = case.team
    case.note("step blocked", at, f"{step.id}: {step.reason}")
    case.tell(Role.OWNER, "step_blocked", **about_step(case, step), team=case.team, paid=paid(case))


def _found(case: Case, step: Step, finding: StepFinding, at: datetime) -> None:
    case.show(finding.evidence)
    facts = PartialFinding.model_validate(finding.model_dump(exclude={"evidence"}))
    if problems := check_finding(case.policy, case.complaint, facts):
        case.note("finding ignored", at, f"{step.id}: {'; '.join(str(p) for p in problems)}")
        return
    case.learn(facts, step.kind, at)
    if case.status in NOTHING_OFFERED and step.cycle == case.cycle:
        consider(case, at)


def waive(case: Case, step: Step, reason: Why, at: datetime, *, carry_out_dependents: bool = False) -> None:
    """A step that will not be carried out; nor will what depends on it, unless a person says otherwise (S28)."""
    _waive(case, step, reason, at, carry_out_dependents=carry_out_dependents)
    if not case.needs_offer:
        steps_moved(case, case.cycle)
        nothing_to_keep(case, at)
    settle(case, at)


def _waive(case: Case, step: Step, reason: Why, at: datetime, *, carry_out_dependents: bool) -> None:
    step.turn(StepState.WAIVED, at, reason)
    case.note("step waived", at, f"{step.id}: {reason}")
    for dependent in [s for s in case.steps if s.state is StepState.WAITING and step.id in s.after]:
        if carry_out_dependents:
            dependent.after.remove(step.id)
        else:
            _waive(case, dependent, Reason.of("depends_on", step=step.id), at, carry_out_dependents=False)


def settle(case: Case, at: datetime) -> None:
    """When nothing is left to carry out, go on: another offer, the end, or the callback."""
    if case.status is not Status.EXECUTING or any(s.offer != CHECK for s in case.unsettled):
        return
    progress = case.promise(PromiseName.PROGRESS_UPDATE)
    if progress:
        progress.lapse(at)
    if case.accepted and not case.ending and not case.needs_offer and _nothing_carried_out(case):
        case.needs_offer = Reason.of("nothing_carried_out", offer=case.accepted.id)
    if case.needs_offer:
        case.status = Status.ASSESSING
        case.tell(Role.OWNER, "needs_offer", reason=case.needs_offer)
        return
    if case.accepted:
        case.keep(KeptWhen.CARRIED_OUT, carried_out(case, at), cycle=case.cycle)
    if case.ending:
        end(case, case.ending, at)
    else:
        case.status = Status.FOLLOWING_UP
        case.callbacks = 0
        call_back(case, at)


def _nothing_carried_out(case: Case) -> bool:
    """Whether every step of this cycle was waived; nobody asks then whether the customer is satisfied (S28)."""
    agreed = [s for s in case.steps if s.cycle == case.cycle and s.offer not in (CHECK, PRECAUTION)]
    return bool(agreed) and all(s.state is StepState.WAIVED and not s.uncertain for s in agreed)
