"""The escalation ladder of a promise: which rung is due next, and which are already settled (G10, S6)."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel

from cases.policy.every_line import Rung
from cases.state.promise import Promise
from cases.vocabulary import PromiseState, Role


class Escalation(BaseModel):
    """A notice to the next role on the ladder (G10). `due_at` and `sent_at` show whether an outage delayed it (S8)."""

    promise: str
    cycle: int
    rung: int
    role: Role
    due_at: AwareDatetime
    sent_at: AwareDatetime | None = None
    acknowledged_by: str | None = None
    remark: str | None = None


def next_rung(promise: Promise, ladder: list[Rung], *, urgent: bool) -> tuple[int, datetime] | None:
    """Return the lowest rung (from 1) that is not settled, and when it is due. None while paused or at the top.

    A rung that was due before its promise ended stays due. After an outage, the event that ends the promise may be
    processed before the earlier timer (S8).
    """
    for number, rung in enumerate(ladder, start=1):
        if number not in promise.claimed:
            due = promise.due_at(rung.share(urgent=urgent))
            if due and promise.moved_at:
                due = max(due, promise.moved_at)
            return (number, due) if due and promise.ran_at(due) else None
    return None


def settle_past_rungs(promise: Promise, ladder: list[Rung], now: datetime, *, urgent: bool) -> None:
    """Settle the rungs of a promise that were past when the case was opened (G10).

    The rung that reports the breach stays due, so that a promise that is broken on arrival is escalated once. A promise
    that was already kept is not escalated.
    """
    promise.check_overdue(now)
    if promise.state is PromiseState.KEPT:
        promise.claimed = list(range(1, len(ladder) + 1))
    if promise.state is not PromiseState.BROKEN:
        return
    for number, rung in enumerate(ladder, start=1):
        due = promise.due_at(rung.share(urgent=urgent))
        if rung.at != 1.0 and due is not None and due <= now:
            promise.claimed.append(number)


def rungs_settled_by(old: Promise, new: Promise, ladder: list[Rung], now: datetime, *, urgent: bool) -> list[int]:
    """Return the rungs of `new`, which replaces `old`, whose role was notified about `old` for the same due time.

    Rungs of `old` that are due by `now` count as notified, because their notices will still be sent.
    """
    clock = new.in_place_of(old, [])
    shares = [rung.share(urgent=urgent) for rung in ladder]
    notified = {
        (rung.role, due)
        for number, (rung, share) in enumerate(zip(ladder, shares, strict=True), start=1)
        if (due := old.due_at(share)) and (number in old.claimed or due <= now)
    }
    settled = enumerate(zip(ladder, shares, strict=True), start=1)
    return [number for number, (rung, share) in settled if (rung.role, clock.due_at(share)) in notified]
