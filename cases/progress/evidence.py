"""Evidence: it is requested and arrives, is requested again, or the case continues without it (G11)."""

from datetime import datetime

from cases.calendar import length
from cases.complaint import Evidence, lacking
from cases.progress.assessing import consider_soon
from cases.progress.closing import end
from cases.progress.silence import documents_since, record_contact
from cases.state.case import Case
from cases.vocabulary import Outcome, Starts, Status


def request_evidence(case: Case, now: datetime) -> None:
    """Request the missing evidence once, and pause the promises that may wait for it (G11)."""
    missing = case.topic.lacking(case.evidence)
    if not missing:
        return case.begin_promises(Starts.DOCUMENTS, case.complaint.received_at)
    case.awaited, case.asked_at = missing, now
    for promise in case.promises:
        for kind in missing:
            promise.pause(kind, now)
    case.note("evidence asked for", now, ", ".join(missing))
    case.notify_customer("evidence_request", kinds=missing)
    return None


def evidence_received(case: Case, evidence: list[Evidence], at: datetime, now: datetime, by: str | None = None) -> None:
    """Add evidence from the customer, resume the promises that waited for it, and continue once none is awaited.

    If the evidence turns out to have arrived earlier, the clocks run from that time (S32).
    """
    case.add_evidence(evidence)
    case.note("evidence", at, ", ".join(e.kind for e in evidence), by)
    record_contact(case, at, now)
    wanted = {*case.topic.evidence, *case.awaited}
    shown = wanted - set(lacking(wanted, (e.kind for e in evidence)))
    for kind in shown:
        case.shown_at[kind] = min(at, case.shown_at.get(kind, at))
    came = [kind for kind in case.awaited if kind in shown]
    _no_longer_awaited(case, at, sorted(shown))
    if case.awaited:
        return
    _documents_complete(case)
    if came and case.status is Status.AWAITING_EVIDENCE:
        consider_soon(case, at)


def _documents_complete(case: Case) -> None:
    """Begin the promises that run from complete documents, as of the arrival of the last one."""
    if not case.topic.evidence or case.topic.lacking(case.evidence):
        return
    at = max(case.shown_at.get(kind, case.complaint.received_at) for kind in case.topic.evidence)
    case.begin_promises(Starts.DOCUMENTS, at)
    names = {rule.name for rule in case.policy.promises if rule.starts is Starts.DOCUMENTS}
    for promise in case.promises:
        if promise.name in names and promise.cycle == 1:
            promise.begin_at(at)


def continue_without(case: Case, at: datetime, why: str) -> None:
    """Stop waiting for evidence. The caller decides what happens next."""
    case.note("evidence missing", at, f"{', '.join(case.awaited)}: {why}")
    _no_longer_awaited(case, at, [str(kind) for kind in case.awaited])


def _no_longer_awaited(case: Case, at: datetime, kinds: list[str]) -> None:
    case.awaited = [kind for kind in case.awaited if kind not in kinds]
    for promise in case.promises:
        for kind in kinds:
            promise.resume(kind, at)


def is_evidence_required(case: Case) -> bool:
    """Return whether the case cannot be decided without the awaited evidence, as for claims (E3)."""
    return bool(case.awaited) and case.policy.evidence.go_on_after is None


def next_reminder(case: Case) -> tuple[datetime, str] | None:
    """Return what happens next if no evidence arrives, and when: `remind`, `go on without it` or `close`."""
    if not case.awaited or case.asked_at is None:
        return None
    terms, add = case.policy.evidence, case.policy.working_days.add
    # Closing waits until the customer has been silent. Continuing without evidence does not: it harms no customer.
    since = case.asked_at if terms.go_on_after else documents_since(case, case.asked_at)
    if not case.reminded:
        return add(since, length(terms.remind_after)), "remind"
    if terms.close_after:
        return add(since, length(terms.close_after)), "close"
    return (add(since, length(terms.go_on_after)), "go on without it") if terms.go_on_after else None


def act_on_missing_evidence(case: Case, now: datetime) -> None:
    """Do what is due: remind the customer, then continue without the evidence, or end the case if it is required."""
    due = next_reminder(case)
    if due is None:
        return
    match due[1]:
        case "remind":
            case.reminded = True
            case.note("evidence asked for again", now, ", ".join(case.awaited))
            after = next_reminder(case)
            closes = after[0].isoformat() if after and after[1] == "close" else None
            case.notify_customer("evidence_reminder", kinds=case.awaited, closes_at=closes)
        case "close":
            case.note("no response", now, f"{', '.join(case.awaited)} never came")
            end(case, Outcome.NO_RESPONSE, now)
        case _:
            continue_without(case, now, "it did not come in time")
            if case.status is Status.AWAITING_EVIDENCE:
                consider_soon(case, now)
