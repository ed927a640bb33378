"""Opening a case for a complaint: promises start, it is acknowledged, and evidence is requested (G1, G2)."""

from datetime import datetime

from cases.complaint import Complaint
from cases.entitlement.follow_up import Earlier
from cases.entitlement.granting import check_finding
from cases.policy.policy import Policy
from cases.progress.evidence import request_evidence
from cases.reasons import Reason
from cases.state.account import Account
from cases.state.case import Case
from cases.state.escalation import settle_past_rungs
from cases.state.letter import Acknowledgement
from cases.state.offer import Remedy
from cases.state.step import PRECAUTION
from cases.vocabulary import KeptWhen, LinkKind, PromiseName, Starts


def open_case(
    complaint: Complaint, policy: Policy, now: datetime, earlier: Earlier | None = None, account: Account | None = None
) -> Case:
    """Return a new case. Its promises run from when the complaint was received (S9), and it is acknowledged (G2).

    It takes over the finding and evidence of the `earlier` case that it follows (G12). `account` is what the order's
    other cases have used (S35).
    """
    pinned = policy.slice_for(complaint)
    topic = pinned.topics[complaint.topic]
    inherited = earlier is not None and earlier.urgent and earlier.topic == complaint.topic
    case = Case(
        complaint=complaint,
        policy=pinned,
        opened_at=now,
        urgent=complaint.urgent or topic.urgent or inherited,
        urgent_by_word=inherited,
        team=topic.team,
        owner=topic.owner,
        evidence=list(complaint.evidence),
        looking_up=list(topic.look_up) if complaint.order else [],
    )
    case.note("received", complaint.received_at, f"{complaint.topic} through {complaint.channel}")
    if earlier:
        _take_up(case, earlier, now)
    _begin_promises(case, now)
    result = case.promise(PromiseName.DETAILED_RESULT) or case.promise(PromiseName.SOLUTION)
    due = result.due_at() if result else None
    case.notify_customer(
        "acknowledged",
        about=Acknowledgement(),
        result_due=due.isoformat() if due else None,
        next=_what_is_next(case),
        asked=case.topic.look_up,
    )
    for precaution in pinned.precautions:
        case.add_step(Remedy(kind=precaution.do, at_once=True), PRECAUTION, now)
    request_evidence(case, now)
    case.account = account
    return case


def _what_is_next(case: Case) -> str:
    """Return the label for what happens next, for the acknowledgement (G2)."""
    if case.topic.answered_from:
        return "verify" if case.topic.answered_from == "trail" and case.complaint.order else "answer"
    if case.topic.lacking(case.evidence):
        return "evidence"
    if any(i.establishes == "lost" for i in case.policy.investigations):
        return "search"
    return "verify" if case.topic.look_up else "contact"


def _take_up(case: Case, earlier: Earlier, now: datetime) -> None:
    """Take over the finding, the evidence and the payments of the earlier case, but not its offers (S14, S19)."""
    case.links.append({"kind": LinkKind.FOLLOWS, "case": earlier.case_id})
    case.add_evidence(earlier.evidence)
    case.paid_before = earlier.paid
    case.note("follows", now, f"{earlier.case_id}, which closed as {earlier.outcome}")
    same = earlier.topic == case.complaint.topic
    if same and not check_finding(case.policy, case.complaint, earlier.finding):
        case.finding = earlier.finding
    if earlier.settled:
        case.needs_offer = Reason.of("contested_closed", case=earlier.case_id, outcome=earlier.outcome)


def _begin_promises(case: Case, now: datetime) -> None:
    """Begin the promises that run from receipt. A call or chat that was answered has reached the customer (G2, M1)."""
    complaint = case.complaint
    case.begin_promises(Starts.RECEIVED, complaint.received_at)
    by_call = {rule.name for rule in case.policy.promised(urgent=case.urgent) if rule.picking_up_counts}
    by_call &= {promise.name for promise in case.promises if promise.kept_by is KeptWhen.CUSTOMER_REACHED}
    for promise in case.promises:
        if complaint.answered_at and promise.name in by_call:
            promise.keep(complaint.answered_at)
            case.note("answered", complaint.answered_at, f"{complaint.channel} picked up")
        settle_past_rungs(promise, case.policy.escalation, now, urgent=case.urgent)
