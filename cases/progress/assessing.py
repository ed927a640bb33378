"""From a finding to an offer: missing facts are investigated, and a person decides what no rule covers (G3, G4)."""

from datetime import datetime
from decimal import Decimal

from cases.complaint import Complaint
from cases.entitlement.granting import Assessment, assess
from cases.entitlement.within_order import limit_to_account, still_affected
from cases.policy.policy import Investigation
from cases.progress.closing import retire
from cases.progress.offering import make_offer
from cases.progress.promises import entered_late
from cases.reasons import Reason
from cases.state.case import Case
from cases.state.finding import Finding, PartialFinding
from cases.state.offer import Remedy
from cases.state.status import NOTHING_OFFERED
from cases.state.step import CHECK, Step
from cases.vocabulary import (
    OfferState,
    Role,
    Status,
    StepState,
)


def consider_soon(case: Case, at: datetime) -> None:
    """Request an offer as of `at`, which is computed once the order's account has been read again (S35).

    Other cases of the order may have used something since the last read. Cases without an account, and cases that an
    older worker admitted, compute the offer at once.
    """
    if case.rereads_account and case.account is not None:
        case.offer_due = at
    else:
        consider(case, at)


def consider_due(case: Case, now: datetime) -> None:
    """Compute the offer that was waiting for the order's account, unless it is no longer wanted (S35)."""
    at, case.offer_due = case.offer_due, None
    if at is None or case.closing or case.merged_into or case.status not in NOTHING_OFFERED:
        return
    due = [promise.due_at() for promise in case.promises]
    consider(case, at)
    if at < now:
        entered_late(case, due, now)


def consider(case: Case, at: datetime) -> Assessment:
    """Make the offer that the finding allows, or have the missing facts established. Return the assessment.

    Call this only if the order's account has just been read; otherwise call `consider_soon` (S35).
    """
    case.offer_due = None
    # Only a person can judge what another complaint added (G12).
    found = Assessment() if case.unjudged else granted(case)
    for investigation in _fresh_investigations(case, found):
        case.add_step(Remedy(kind=investigation.do, at_once=True), CHECK, at)
    if case.awaited:
        case.enter(Status.AWAITING_EVIDENCE)
        return Assessment(missing=[*found.missing, *(f"evidence: {kind}" for kind in case.awaited)])
    for why in found.withheld:
        case.note("not offered", at, str(why))
    if found.options:
        make_offer(case, found.options, at, rule=found.rule, outcome=found.outcome)
        return found
    retire(case, OfferState.REPLACED)
    case.enter(Status.ASSESSING)
    case.exhausted = Reason.of("order_exhausted", reasons=found.withheld) if found.withheld else None
    if case.exhausted:
        case.notify_staff(Role.OWNER, "needs_offer", reason=case.exhausted)
        case.note("assessing", at, f"a person has to judge: {case.exhausted}")
    elif case.contested or case.unjudged:
        case.notify_staff(Role.OWNER, "needs_offer", reason=case.needs_offer)
        case.note("assessing", at, f"a person has to judge: {case.needs_offer}")
    elif not any(s.offer == CHECK and s.cycle == case.cycle for s in case.unsettled):
        case.notify_staff(Role.OWNER, "needs_assessment", missing=found.missing, severities=case.topic.severities)
        case.note(
            "assessing",
            at,
            f"a person has to establish: {', '.join(found.missing)}" if found.missing else "no rule fits",
        )
    return found


def granted(case: Case) -> Assessment:
    """Return what the policy grants, limited to what is left in the order's account (S35)."""
    finding, why = still_affected(case)
    found = granted_by_policy(case, finding)
    if found.options:
        found = found.model_copy(update={"withheld": why})
    return limit_to_account(case, found, finding)


def granted_by_policy(case: Case, finding: Finding) -> Assessment:
    """Return what the policy grants. An inquiry without an automatic answer waits for an agent's answer (M14).

    Nothing is granted automatically if another case about the matter is settled or open, because it could be granted
    twice (G12).
    """
    if case.contested:
        return Assessment()
    # If there is an account, `limit_to_account` applies it afterwards and states the reasons.
    refunded = Decimal(0) if case.account else case.refunded
    found = assess(case.policy, _with_delivery(case), finding, refunded=refunded)
    source = case.topic.answered_from
    unanswered = source == "agent" or (source == "trail" and case.look_ups.trail is None)
    return Assessment(missing=["cause"]) if unanswered and case.finding.cause is None else found


def _with_delivery(case: Case) -> Complaint:
    """Return the complaint with the delivery time from the tracking history, if the complaint has none (M11)."""
    order, trail = case.complaint.order, case.look_ups.trail
    if order is None or order.delivered_at or trail is None or trail.delivered_at is None:
        return case.complaint
    delivered = order.model_copy(update={"delivered_at": trail.delivered_at})
    return case.complaint.model_copy(update={"order": delivered})


def _fresh_investigations(case: Case, found: Assessment) -> list[Investigation]:
    """Return the investigations that are needed and have not begun in this cycle (B17, E13)."""
    begun = {s.kind for s in case.steps if s.offer == CHECK and s.cycle == case.cycle}
    return [i for i in case.policy.investigations if i.establishes in found.missing and i.do not in begun]


def not_found_in_time(case: Case, investigation: Investigation, step: Step, at: datetime) -> None:
    """Record that a search found nothing in time: the parcel counts as lost (E13)."""
    step.enter(StepState.DONE, at, Reason.of("nothing_found", within=investigation.within))
    case.add_to_finding(PartialFinding(lost=True), step.kind, at)
    if case.status in NOTHING_OFFERED:
        consider_soon(case, at)
