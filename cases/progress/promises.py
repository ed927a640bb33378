"""Begin, keep and end promises, by the table of events in `cases.policy.promise_events`."""

from collections.abc import Collection
from datetime import UTC, datetime

from cases.partner_calls import ReceiptState
from cases.policy.promise_events import EVENTS
from cases.policy.remedy_kinds import GOODS, RETURNS, VISITS
from cases.state.case import Case
from cases.state.step import CHECK, PRECAUTION, Step
from cases.vocabulary import KeptWhen, RemedyKind, Starts, StepState

OWED_AGAIN = frozenset(name for name, event in EVENTS.items() if event.owed_again)
OWED_BY_HANDLING_CASE = frozenset(name for name, event in EVENTS.items() if not event.of_each_complaint)

# Promises that are made again


def promise_again(case: Case, at: datetime) -> None:
    """Promise a result again, in a new cycle, to a customer who is not satisfied (S10)."""
    for starts in (Starts.RECEIVED, Starts.DOCUMENTS):
        case.begin_promises(starts, at, only=OWED_AGAIN)


def promise_update(case: Case, at: datetime) -> None:
    """Promise the customer another update, because steps are open (G7)."""
    case.begin_promises(Starts.CONSENT, at, only={KeptWhen.UPDATE_DELIVERED})


def hand_over(case: Case, at: datetime) -> None:
    """Lapse the promises that the case which now handles the complaint owes instead (G12)."""
    for promise in case.promises:
        if promise.kept_by in OWED_BY_HANDLING_CASE:
            promise.lapse(at)


def take_back(case: Case, at: datetime) -> None:
    """Begin the promises again that were handed over, because the case handles its complaint again (G12, S10)."""
    case.begin_promises(Starts.RECEIVED, at, only=OWED_BY_HANDLING_CASE)


# Promises that steps keep


def keep_by_steps(case: Case, cycle: int) -> None:
    """Keep the promises that the steps of `cycle` keep, as of the last of these steps."""
    for event, (choices, *_) in EVENTS.items():
        steps = next((found for kinds in choices if (found := _agreed(case, kinds, cycle))), [])
        times = [_reached_at(event, step) for step in steps]
        known = [at for at in times if at]
        if steps and len(known) == len(steps):
            case.keep(event, max(known), cycle=cycle)


def carried_out_at(case: Case, at: datetime) -> datetime:
    """Return when everything agreed in this cycle had been done: `at`, or later if a step was done later."""
    done = [s.reached(ReceiptState.DONE) for s in case.steps if s.cycle == case.cycle and s.state is StepState.DONE]
    return max([at, *(each for each in done if each)])


def happened_earlier(case: Case, step: Step, state: ReceiptState, at: datetime) -> bool:
    """Apply a report that a step reached a state earlier than was known, and return whether it is one (S32)."""
    got_there = step.state is StepState.DONE or step.state.value == state.value
    so_far = {ReceiptState.DISPATCHED: MOVED, ReceiptState.DONE: (ReceiptState.DONE,)}.get(state, ())
    known = step.reached(*so_far)
    if not got_there or not so_far or known is None or at >= known:
        return False
    step.heard_at[state] = at
    case.note("step was earlier", at, f"{step.id}: {state}")
    keep_by_steps(case, step.cycle)
    owed = [s for s in case.steps if s.cycle == step.cycle and s.offer not in NOT_AGREED]
    if all(s.settled for s in owed) and case.accepted and case.accepted.cycle == step.cycle:
        case.keep(KeptWhen.CARRIED_OUT, max(_settled_at(s) for s in owed), cycle=step.cycle)
    return True


def _settled_at(step: Step) -> datetime:
    at = step.reached(ReceiptState.DONE) if step.state is StepState.DONE else step.since
    return at or step.added_at or datetime.min.replace(tzinfo=UTC)


def lapse_unkeepable(case: Case, at: datetime) -> None:
    """Lapse the promises that no step of the accepted offer can keep."""
    for promise in case.promises:
        choices = EVENTS[promise.kept_by].steps
        if choices and not any(_agreed(case, kinds, case.cycle) for kinds in choices):
            promise.lapse(at)


NOT_AGREED = (CHECK, PRECAUTION)
"""The values of `Step.offer` for steps without an offer that the customer accepted."""

MOVED = (ReceiptState.DISPATCHED, ReceiptState.DONE)


def _agreed(case: Case, kinds: Collection[RemedyKind], cycle: int) -> list[Step]:
    """Return the steps of these kinds that are owed to the customer in a cycle."""
    return [
        s
        for s in case.steps
        if s.kind in kinds and s.cycle == cycle and s.offer not in NOT_AGREED and s.state is not StepState.WAIVED
    ]


def _reached_at(event: KeptWhen, step: Step) -> datetime | None:
    """Return when the step reached the state that `event` needs, or None if it has not."""
    if step.kind in VISITS:
        return step.reached(*MOVED) if step.state in (StepState.DISPATCHED, StepState.DONE) else None
    if event is KeptWhen.MADE_GOOD and step.kind in RETURNS:
        return step.reached(ReceiptState.ACCEPTED, *MOVED) if step.booked else None
    goods = MOVED if step.kind in GOODS else (ReceiptState.DONE,)
    return step.reached(*goods) if step.sent_or_done else None


def entered_late(case: Case, due: list[datetime | None], now: datetime) -> None:
    """Mark the promises that begin or resume by an earlier event as known since `now`, when it was entered (S9).

    `due` is when each promise was due before.
    """
    for index, promise in enumerate(case.promises):
        if promise.live and (index >= len(due) or promise.due_at() != due[index]):
            promise.known_at = now
