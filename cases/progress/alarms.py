"""Alarms: everything that a case does at a certain time, such as rungs, daily updates, reminders and callbacks.

An alarm is a name, a time and a sentence for operators. It is derived from the case and never stored. The workflow
derives it again after every change (S3), and checks it again when the timer fires (S5).
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from cases.calendar import length
from cases.policy.policy import Investigation
from cases.progress.assessing import not_found_in_time
from cases.progress.carrying_out import notify_unknown
from cases.progress.closing import call_back, end, retire, settle
from cases.progress.evidence import act_on_missing_evidence, next_reminder
from cases.progress.silence import next_callback, silence_plan
from cases.state.case import Case
from cases.state.escalation import Escalation, next_rung
from cases.state.letter import EscalationNotice, UpdateLetter
from cases.state.promise import Promise
from cases.state.step import CHECK, Step
from cases.state.summary import waits_for
from cases.vocabulary import OfferState, Outcome, PromiseName, Status, StepState


class Alarm(NamedTuple):
    """An action at a certain time. `summary` is shown at the timer in the UI."""

    name: str
    at: datetime
    summary: str


def alarms(case: Case) -> list[Alarm]:
    """Return all alarms of the case."""
    found = [alarm for index in range(len(case.promises)) if (alarm := _rung_alarm(case, index))]
    if case.closing:
        return found
    kinds = (_evidence_alarm, _search_alarm, _unknown_alarm, _update_alarm, _silence_alarm, _callback_alarm)
    return found + [due for kind in kinds if (due := kind(case))]


def alarm(case: Case, name: str) -> Alarm | None:
    """Return the alarm of this name, or None if the case no longer has it."""
    return next((a for a in alarms(case) if a.name == name), None)


def fire(case: Case, name: str, now: datetime) -> None:
    """Carry out the alarm of this name, if it is still due at `now` (S5)."""
    due = alarm(case, name)
    if due is None or due.at > now:
        return
    if name.startswith("promise-"):
        _settle_rung(case, int(name.removeprefix("promise-")), now)
    elif name == "evidence":
        act_on_missing_evidence(case, now)
    elif name == "search":
        _give_up_search(case, now)
    elif name == "unknown":
        _notify_unknown(case)
    elif name == "progress":
        _send_update(case, now)
    elif name == "silence":
        _act_on_silence(case, now)
    else:
        _repeat_callback(case, now)


# Promises and the ladder: G10


def _rung_alarm(case: Case, index: int) -> Alarm | None:
    promise = case.promises[index]
    if (rung := next_rung(promise, case.policy.escalation, urgent=case.urgent)) is None:
        return None
    number, at = rung
    role = case.policy.escalation[number - 1].role
    due = promise.due_at()
    by = f"due {case.clock(due)}" if due else "paused"
    return Alarm(f"promise-{index}", at, f"{promise.name} {by}, then notify {role}")


def _settle_rung(case: Case, index: int, now: datetime) -> None:
    """Settle the next rung: notify its role once (S6), even if it is late (S8).

    A reminder is skipped if it was acknowledged (S23). A breach is always notified (G10).
    """
    promise = case.promises[index]
    promise.check_overdue(now)
    rung = next_rung(promise, case.policy.escalation, urgent=case.urgent)
    if rung is None:
        return
    number, due = rung
    promise.claimed = sorted([*promise.claimed, number])
    if case.policy.escalation[number - 1].share(urgent=case.urgent) == 1:
        promise.hold = 0  # an acknowledged warning does not cover the breach (G10)
    if promise.hold:
        promise.hold -= 1
        case.note("escalation held", now, f"{promise.name}: acknowledged")
        return
    _escalate(case, promise, number, due, now)


def _escalate(case: Case, promise: Promise, number: int, due: datetime, now: datetime) -> None:
    rung = case.policy.escalation[number - 1]
    name, role, share = promise.name, rung.role, rung.share(urgent=case.urgent)
    case.escalations.append(Escalation(promise=name, cycle=promise.cycle, rung=number, role=role, due_at=due))
    event = "promise_warning" if share < 1 else "promise_broken" if share == 1 else "escalation"
    deadline = promise.due_at()
    case.note("escalated", now, f"{name}: {role} notified at {share:.0%} of the time")
    case.notify_staff(
        role,
        event,
        about=EscalationNotice(len(case.escalations) - 1),
        promise=name,
        due_at=deadline.isoformat() if deadline else None,
        rung=number,
        role=role,
        percent=round(share * 100),
        next=waits_for(case, promise.kept_by),
        late=_why_late(case, promise, due, now),
    )


LATE_AFTER = timedelta(minutes=1)
"""A notice that is later than this states that it is late, and why (S8)."""


def _why_late(case: Case, promise: Promise, due: datetime, now: datetime) -> str | None:
    """Return why a rung is notified late: facts were entered late, or there was an outage (S8, S9). None: in time."""
    if now - due <= LATE_AFTER:
        return None
    known = promise.known_at or case.opened_at
    if now - max(due, known, case.opened_at) > LATE_AFTER:
        return "interrupted"
    return "registered_late" if known <= case.opened_at else "entered_late"


# Evidence (G11) and searches (E13)


def _evidence_alarm(case: Case) -> Alarm | None:
    due = next_reminder(case)
    return Alarm("evidence", due[0], f"{', '.join(case.awaited)} asked for: {due[1]}") if due else None


def _searches(case: Case) -> list[tuple[datetime, Investigation, Step]]:
    """Return the searches that are under way, each with the time at which the parcel counts as lost."""
    add = case.policy.working_days.add
    return [
        (add(step.added_at, length(investigation.within)), investigation, step)
        for investigation in case.policy.investigations
        for step in case.unsettled
        if investigation.within
        and step.added_at
        and step.offer == CHECK
        and step.kind is investigation.do
        and step.booked
    ]


def _search_alarm(case: Case) -> Alarm | None:
    searches = _searches(case)
    return Alarm("search", searches[0][0], f"{searches[0][2].id}: found, or it counts as lost") if searches else None


def _give_up_search(case: Case, now: datetime) -> None:
    _, investigation, step = _searches(case)[0]
    not_found_in_time(case, investigation, step, now)


# Steps with an unknown result: S13

UNKNOWN_FOR = timedelta(minutes=15)
"""How long a step's result may be unknown before its owner is notified. Partners usually answer within this time."""


def _next_unknown(case: Case) -> Step | None:
    return next((s for s in case.steps if s.state is StepState.UNKNOWN and not s.told), None)


def _unknown_alarm(case: Case) -> Alarm | None:
    step = _next_unknown(case)
    if step is None or step.since is None:
        return None
    return Alarm("unknown", step.since + UNKNOWN_FOR, f"was {step.id} done? then notify its owner")


def _notify_unknown(case: Case) -> None:
    if (step := _next_unknown(case)) is not None:
        notify_unknown(case, step)


# The daily update: G7


def _update_alarm(case: Case) -> Alarm | None:
    """Return the alarm for the daily update, shortly before its owner would be warned. Each promise has one update."""
    promise = case.promise(PromiseName.PROGRESS_UPDATE)
    waiting_to_go = any(letter.about == UpdateLetter() for letter in case.letters)
    if case.status is not Status.EXECUTING or promise is None or not promise.live or promise.announced:
        return None
    warned = promise.due_at(case.policy.escalation[0].share(urgent=case.urgent))
    if waiting_to_go or warned is None:
        return None
    early = min(length(case.policy.progress_before_warning).amount, (warned - promise.started_at) / 2)
    return Alarm("progress", warned - early, "daily update to the customer")


def _send_update(case: Case, now: datetime) -> None:
    steps = [
        {"kind": s.kind, "state": s.state, **s.remedy.model_dump(mode="json", include={"amount", "items"})}
        for s in case.steps
        if s.cycle == case.cycle
    ]
    case.note("update", now, f"{sum(not s.settled for s in case.steps)} steps open")
    case.ask_after = [s.id for s in case.unsettled]
    case.notify_customer("progress", about=UpdateLetter(), steps=steps)


# Silence: G5


def _silence_alarm(case: Case) -> Alarm | None:
    plan = silence_plan(case)
    if case.status is not Status.AWAITING_CONSENT or case.silence_steps >= len(plan):
        return None
    at, what = plan[case.silence_steps]
    return Alarm("silence", at, f"no answer to {case.offers[-1].id}: {what}")


def _act_on_silence(case: Case, now: datetime) -> None:
    """Carry out what is due. If an outage delayed several reminders, only one is sent."""
    plan = silence_plan(case)
    due = [what for at, what in plan[case.silence_steps :] if at <= now]
    case.silence_steps += len(due)
    offer = case.offers[-1]
    if "close" in due:
        case.note("no response", now, f"{offer.id} expired")
        retire(case, OfferState.EXPIRED)
        case.ending = Outcome.NO_RESPONSE
        case.enter(Status.EXECUTING)
        settle(case, now)
        return
    if "remind" in due:
        options = [o.model_dump(mode="json", exclude_none=True) for o in offer.options]
        closes = next(at for at, what in plan if what == "close")
        case.note("reminded", now, offer.id)
        case.notify_customer("reminder", offer=offer.id, options=options, closes_at=closes.isoformat())
    if any(what.startswith("notify") for what in due):
        case.note("silence", now, f"{case.policy.silence.tell} notified")
        since = offer.delivered_at.isoformat() if offer.delivered_at else None
        closes_at = plan[-1][0].isoformat()
        case.notify_staff(case.policy.silence.tell, "silence", offer=offer.id, since=since, closes_at=closes_at)


# Callbacks: G8


def _callback_alarm(case: Case) -> Alarm | None:
    if case.status is not Status.FOLLOWING_UP or case.called_at is None:
        return None
    rules = case.policy.callback
    what = f"call back, attempt {case.callbacks + 1}" if case.callbacks < rules.attempts else "close as unreachable"
    return Alarm("callback", next_callback(case, case.called_at), f"no answer yet: {what}")


def _repeat_callback(case: Case, now: datetime) -> None:
    if case.callbacks < case.policy.callback.attempts:
        call_back(case, now)
    else:
        end(case, Outcome.UNREACHABLE, now)
