"""A promise is a ledger: a budget, and the segments in which its clock ran (S1); deadlines are derived, never stored.

Pauses are a set of reasons, and the clock runs when the set is empty (S2). A promise kept late stays broken. A fact
that arrives late is judged by when it happened (S9), and of several the earliest counts, whenever it is entered (S32).
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from cases.calendar import WORKED, Duration, Length, WorkCalendar, length
from cases.policy.policy import PromiseRule
from cases.vocabulary import KeptWhen, PromiseName, PromiseState


class Segment(BaseModel):
    """A stretch in which the clock ran, and why it then stopped (`kept`, `void`, or what was waited for)."""

    ran_from: AwareDatetime
    ran_until: AwareDatetime | None = None
    why_stopped: str | None = None


class Wait(BaseModel):
    """How long one reason stopped the clock; `until` is None while it still does."""

    reason: str
    since: AwareDatetime
    until: AwareDatetime | None = None


class Replaced(BaseModel):
    """What a promise allowed, and was counted by, until its case was moved to another policy (S18)."""

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
    """All pauses, oldest first; the segments follow from them (empty in cases that began before it was recorded)."""
    kept_at: AwareDatetime | None = None
    ended: bool = False
    """Carried out, late or not, or nothing owed any more: the clock has stopped for good."""
    lapsed_at: AwareDatetime | None = None
    """Since when nothing is owed any more."""
    known_at: AwareDatetime | None = None
    """When what it counts from was entered, where that happened earlier (S9)."""
    claimed: list[int] = []
    """Rungs that are settled: notified, skipped, or already past on arrival (S6)."""
    hold: int = 0
    """Rungs to let pass, because somebody acknowledged an escalation."""
    announced: bool = False
    """Its letter was written and no channel took it: a person has to see to it, and it is not written again."""
    moved_at: AwareDatetime | None = None
    """When its case was moved to the policy that it is under now (S18): none of its rungs was due before that."""
    replaced: list[Replaced] = []
    """The terms before those that count now, oldest first."""

    @classmethod
    def of(cls, rule: PromiseRule, at: datetime, *, cycle: int, calendar: WorkCalendar) -> "Promise":
        """The promise that a policy's rule makes, running from `at`."""
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
        """With the clock of another promise, so that time which has run, or stood still, is not lost (F3).

        `claimed`: the rungs that are settled for it, because they were for the other one.
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
        """Whether the customer still waits for it."""
        return not self.ended

    def ran_at(self, at: datetime) -> bool:
        """Whether it had not yet ended at `at`."""
        until = self.segments[-1].ran_until
        return not self.ended or until is None or at < until

    @property
    def running(self) -> bool:
        """Whether it is neither kept nor broken yet."""
        return self.state in (PromiseState.OPEN, PromiseState.PAUSED)

    @property
    def provisional(self) -> bool:
        """Whether the deadline rests on working days that are not known for certain (S12, S33)."""
        due = self.due_at()
        return due is not None and self.calendar.provisional(self.started_at, due, self.budget.measure)

    def consumed(self, until: datetime) -> timedelta:
        """Time of the budget used up to `until`, in the budget's measure."""
        ran = (
            calendar.between(s.ran_from, min(s.ran_until or until, until), self.budget.measure)
            for s, calendar in self._stretches()
        )
        return sum(ran, timedelta())

    def due_at(self, share: float = 1.0) -> datetime | None:
        """When `share` of the budget will be, or was, used up; None while paused before that point."""
        left = self.budget.amount * share
        for segment, calendar in self._stretches():
            at = calendar.add(segment.ran_from, Length(left, self.budget.measure))
            if segment.ran_until is None or at <= segment.ran_until or segment.why_stopped in {"kept", "void"}:
                return at
            left -= calendar.between(segment.ran_from, segment.ran_until, self.budget.measure)
        return None

    def _stretches(self) -> Iterator[tuple[Segment, WorkCalendar]]:
        """The segments, cut where the calendar was replaced, each with the one that it is counted by (S18, S33)."""
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
        """The promise was carried out at `at`: in time, or late and then it stays broken.

        The earliest fact counts (S32): one that is entered after a later one, or after the promise lapsed, corrects it.
        """
        if self.ended and at >= (self.kept_at or self.lapsed_at or self.segments[-1].ran_until or at):
            return
        self.kept_at, self.lapsed_at = at, None
        self._judge()
        self._end(at, "kept")

    def _judge(self) -> None:
        """In time or late, by when it was carried out."""
        if self.kept_at:
            self.state = PromiseState.KEPT if self._in_time(self.kept_at) else PromiseState.BROKEN

    def _in_time(self, at: datetime) -> bool:
        """By the terms of when it was carried out, which a move may have replaced before it was reported (S9, S18)."""
        then = next((terms for terms in self.replaced if at < terms.until), None)
        judged = self.model_copy(update={"within": then.within, "calendar": then.calendar}) if then else self
        return judged.consumed(at) <= judged.budget.amount

    def lapse(self, at: datetime) -> None:
        """Nothing is owed any more; what broke stays broken."""
        if not self.live:
            return
        self.check_overdue(at)
        if self.state is not PromiseState.BROKEN:
            self.state = PromiseState.VOID
        self.lapsed_at = at
        self._end(at, "void")

    def check_overdue(self, now: datetime) -> None:
        """Mark it as broken if its time is used up."""
        due = self.due_at()
        if self.state is PromiseState.OPEN and due is not None and due <= now:
            self.state = PromiseState.BROKEN

    def pause(self, reason: str, at: datetime) -> None:
        """Stop the clock for one more reason; only pausable promises do (G11)."""
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
        """One reason is gone; the clock runs on from `at` when it was the last (S2).

        Where the reason turns out to have gone earlier than was known, the clock ran from then on (S32).
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
        """From now on with the time, the pauses and the calendar of another policy; what was consumed stays (S18, S33).

        `awaited`: what the case waits for, which stops the clock where the new rule allows it.
        """
        self.check_overdue(now)
        if not self.running:
            return
        self.replaced.append(Replaced(within=self.within, calendar=self.calendar, until=now))
        self.calendar = calendar
        self.within, self.pausable = rule.within, rule.pausable
        due = self.due_at()
        if due is not None and due <= now:
            self.state = PromiseState.BROKEN  # also while it stands still
        if not self.pausable:
            for reason in sorted(self.pauses):
                self.resume(reason, now)
        elif self.running:
            for reason in awaited:
                self.pause(reason, now)

    def begin_at(self, at: datetime) -> None:
        """What it counts from turns out to have happened earlier than was known (S32)."""
        if at < self.started_at:
            self.started_at = self.segments[0].ran_from = at
            self._judge()

    def _run_anew(self) -> None:
        """Work out when the clock ran, from all pauses; what was kept is judged again."""
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
        """The clock has stopped for good: what ran after `at` did not count."""
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
