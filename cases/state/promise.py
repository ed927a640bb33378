"""Promises: a time budget, and the segments in which the clock ran (S1). Deadlines are derived, never stored.

Pauses are a set of reasons, and the clock runs while the set is empty (S2). A promise kept late stays broken. A fact
counts as of when it happened, even if it is entered later (S9). Of several facts the earliest counts (S32).
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from cases.calendar import WORKED, Duration, Length, WorkCalendar, length
from cases.policy.policy import PromiseRule
from cases.vocabulary import KeptWhen, PromiseName, PromiseState


class Segment(BaseModel):
    """A period in which the clock ran, and why it stopped (`kept`, `void`, or the reason of a pause)."""

    ran_from: AwareDatetime
    ran_until: AwareDatetime | None = None
    why_stopped: str | None = None


class Wait(BaseModel):
    """A period in which one reason paused the clock. `until` is None while it still does."""

    reason: str
    since: AwareDatetime
    until: AwareDatetime | None = None


class Replaced(BaseModel):
    """The time allowed and the calendar of a promise until its case was moved to another policy (S18)."""

    within: Duration
    calendar: WorkCalendar
    until: AwareDatetime


class Promise(BaseModel):
    """One time commitment to the customer, in one cycle of the case."""

    rule: str
    name: PromiseName
    kept_by: KeptWhen
    cycle: int
    within: Duration
    pausable: bool
    calendar: WorkCalendar
    started_at: AwareDatetime
    segments: list[Segment]
    state: PromiseState = PromiseState.OPEN
    pauses: set[str] = set()
    waits: list[Wait] = []
    """All pauses, oldest first. The segments follow from them. Empty in cases that are older than this field."""
    kept_at: AwareDatetime | None = None
    ended: bool = False
    """True once the promise was carried out (late or not) or lapsed. The clock has stopped permanently."""
    lapsed_at: AwareDatetime | None = None
    """When the promise lapsed: nothing is owed any more."""
    known_at: AwareDatetime | None = None
    """When the event that started the clock was entered, if it had happened earlier (S9)."""
    claimed: list[int] = []
    """Rungs that are settled: notified, skipped, or already past on arrival (S6)."""
    hold: int = 0
    """The number of rungs to skip, because a person acknowledged an escalation."""
    announced: bool = False
    """True if its letter could not be delivered by any channel: a person has to act, and it is not sent again."""
    moved_at: AwareDatetime | None = None
    """When its case was moved to its current policy (S18). No rung counts as due before that time."""
    replaced: list[Replaced] = []
    """The earlier terms, oldest first."""

    @classmethod
    def of(cls, rule: PromiseRule, at: datetime, *, cycle: int, calendar: WorkCalendar) -> "Promise":
        """Return the promise that a policy's rule makes, with the clock running from `at`."""
        return cls(
            rule=rule.rule,
            name=rule.name,
            kept_by=rule.kept_by,
            cycle=cycle,
            within=rule.within,
            pausable=rule.pausable,
            calendar=calendar,
            started_at=at,
            segments=[Segment(ran_from=at)],
        )

    def in_place_of(self, other: "Promise", claimed: list[int]) -> "Promise":
        """Return this promise with the clock of another one, so that its running time and pauses are preserved (F3).

        `claimed` are the rungs that count as settled, because they were settled for the other promise.
        """
        copied = {
            "claimed": claimed,
            "hold": other.hold if claimed else 0,
            "segments": [s.model_copy() for s in other.segments],
            "pauses": other.pauses,
            "waits": [w.model_copy() for w in other.waits],
            "state": other.state,
        }
        return self.model_copy(update=copied)

    @property
    def budget(self) -> Length:
        """The time allowed."""
        return length(self.within)

    @property
    def live(self) -> bool:
        """Return whether the promise is still owed."""
        return not self.ended

    def ran_at(self, at: datetime) -> bool:
        """Return whether the promise had not ended at `at`."""
        until = self.segments[-1].ran_until
        return not self.ended or until is None or at < until

    @property
    def running(self) -> bool:
        """Return whether the promise is neither kept nor broken yet."""
        return self.state in (PromiseState.OPEN, PromiseState.PAUSED)

    @property
    def provisional(self) -> bool:
        """Return whether the deadline depends on working days that are not certain yet (S12, S33)."""
        due = self.due_at()
        return due is not None and self.calendar.provisional(self.started_at, due, self.budget.measure)

    def consumed(self, until: datetime) -> timedelta:
        """Return the time used up by `until`, in the budget's measure."""
        ran = (
            calendar.between(s.ran_from, min(s.ran_until or until, until), self.budget.measure)
            for s, calendar in self._stretches()
        )
        return sum(ran, timedelta())

    def due_at(self, share: float = 1.0) -> datetime | None:
        """Return when `share` of the budget is used up, or None while the clock is paused before that point."""
        left = self.budget.amount * share
        for segment, calendar in self._stretches():
            at = calendar.add(segment.ran_from, Length(left, self.budget.measure))
            if segment.ran_until is None or at <= segment.ran_until or segment.why_stopped in {"kept", "void"}:
                return at
            left -= calendar.between(segment.ran_from, segment.ran_until, self.budget.measure)
        return None

    def _stretches(self) -> Iterator[tuple[Segment, WorkCalendar]]:
        """Yield the segments, split where the calendar was replaced, each with its calendar (S18, S33)."""
        measure = self.budget.measure
        editions = [
            (terms.calendar if length(terms.within).measure is measure else self.calendar, terms.until)
            for terms in self.replaced
            if measure in WORKED
        ]
        if not editions:
            yield from ((segment, self.calendar) for segment in self.segments)
            return
        for segment in self.segments:
            since, end = segment.ran_from, segment.ran_until
            for calendar, until in editions:
                if since < until and (end is None or until < end):
                    yield Segment(ran_from=since, ran_until=until), calendar
                    since = until
                elif since < until and end is not None and end <= until:
                    yield segment.model_copy(update={"ran_from": since}), calendar
                    break
            else:
                yield segment.model_copy(update={"ran_from": since}), self.calendar

    def keep(self, at: datetime) -> None:
        """Record that the promise was carried out at `at`. If that is late, it stays broken.

        The earliest fact counts (S32). An earlier fact also corrects a later one, or the lapse of the promise.
        """
        if self.ended and at >= (self.kept_at or self.lapsed_at or self.segments[-1].ran_until or at):
            return
        self.kept_at, self.lapsed_at = at, None
        self._judge()
        self._end(at, "kept")

    def _judge(self) -> None:
        """Set the state to kept or broken, by the time at which the promise was carried out."""
        if self.kept_at:
            self.state = PromiseState.KEPT if self._in_time(self.kept_at) else PromiseState.BROKEN

    def _in_time(self, at: datetime) -> bool:
        """Return whether `at` was in time, by the terms that were in force then (S9, S18)."""
        then = next((terms for terms in self.replaced if at < terms.until), None)
        judged = self.model_copy(update={"within": then.within, "calendar": then.calendar}) if then else self
        return judged.consumed(at) <= judged.budget.amount

    def lapse(self, at: datetime) -> None:
        """Record that nothing is owed any more. A broken promise stays broken."""
        if not self.live:
            return
        self.check_overdue(at)
        if self.state is not PromiseState.BROKEN:
            self.state = PromiseState.VOID
        self.lapsed_at = at
        self._end(at, "void")

    def check_overdue(self, now: datetime) -> None:
        """Mark the promise as broken if its time is used up."""
        due = self.due_at()
        if self.state is PromiseState.OPEN and due is not None and due <= now:
            self.state = PromiseState.BROKEN

    def pause(self, reason: str, at: datetime) -> None:
        """Pause the clock for one more reason. Promises that are not pausable ignore it (G11)."""
        if not (self.pausable and self.live) or reason in self.pauses:
            return
        if not self.pauses:
            self.check_overdue(at)
            self._stop(at, reason)
            if self.state is PromiseState.OPEN:
                self.state = PromiseState.PAUSED
        self.pauses = {*self.pauses, reason}
        self.waits.append(Wait(reason=reason, since=at))

    def resume(self, reason: str, at: datetime) -> None:
        """Remove one reason for a pause. The clock continues from `at` if it was the last reason (S2).

        If the reason ended earlier than was known, the clock ran from that time on (S32).
        """
        wait = next((w for w in reversed(self.waits) if w.reason == reason), None)
        if reason not in self.pauses:
            if wait and wait.until and at < wait.until:
                wait.until = at
                self._run_anew()
            return
        if wait:
            wait.until = at
        self.pauses = self.pauses - {reason}
        if not self.pauses and self.live:
            self.segments.append(Segment(ran_from=max(at, self.segments[-1].ran_until or at)))
            if self.state is PromiseState.PAUSED:
                self.state = PromiseState.OPEN

    def take_terms(self, rule: PromiseRule, calendar: WorkCalendar, awaited: Collection[str], now: datetime) -> None:
        """Apply another policy's time, pauses and calendar from `now` on. Time already used stays used (S18, S33).

        `awaited` is the evidence that the case waits for. It pauses the clock if the new rule is pausable.
        """
        self.check_overdue(now)
        if not self.running:
            return
        self.replaced.append(Replaced(within=self.within, calendar=self.calendar, until=now))
        self.calendar = calendar
        self.within, self.pausable = rule.within, rule.pausable
        due = self.due_at()
        if due is not None and due <= now:
            self.state = PromiseState.BROKEN  # also while it is paused
        if not self.pausable:
            for reason in sorted(self.pauses):
                self.resume(reason, now)
        elif self.running:
            for reason in awaited:
                self.pause(reason, now)

    def begin_at(self, at: datetime) -> None:
        """Move the start to `at`, because the starting event happened earlier than was known (S32)."""
        if at < self.started_at:
            self.started_at = self.segments[0].ran_from = at
            self._judge()

    def _run_anew(self) -> None:
        """Compute the segments again from all pauses. A kept promise is judged again."""
        segments, since = [], self.segments[0].ran_from
        for wait in sorted(self.waits, key=lambda w: w.since):
            if wait.until is not None and wait.until <= max(since, wait.since):
                continue
            if wait.since >= since:
                segments.append(Segment(ran_from=since, ran_until=wait.since, why_stopped=wait.reason))
            if wait.until is None:
                break
            since = wait.until
        else:
            segments.append(Segment(ran_from=since))
        self.segments = segments
        if end := self.kept_at or self.lapsed_at:
            self._end(end, "kept" if self.kept_at else "void")
        self._judge()

    def _end(self, at: datetime, why: str) -> None:
        """Stop the clock permanently at `at`. Time after `at` does not count."""
        self.ended = True
        self.segments = [s for s in self.segments if s.ran_from <= at] or self.segments[:1]
        last = self.segments[-1]
        if last.ran_until is not None and last.ran_until > at:
            last.ran_until = None
        self._stop(at, why)

    def _stop(self, at: datetime, why: str) -> None:
        last = self.segments[-1]
        if last.ran_until is None:
            last.ran_until = max(at, last.ran_from)
            last.why_stopped = why
