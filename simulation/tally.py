"""What one run counts, as plain numbers that can be sent between processes."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

from cases.policy.remedy_kinds import PAID_AS
from cases.state.case import Case
from cases.state.promise import Promise
from cases.vocabulary import PromiseName, PromiseState, StepState
from simulation.played import Played
from simulation.scenario import Scenario
from simulation.staff import Person, Task

HOUR = timedelta(hours=1)


@dataclass
class Kept:
    """Promises that were kept and broken. Those that lapsed, because nothing was owed any more, do not count."""

    kept: int = 0
    broken: int = 0
    system: int = 0
    """Broken ones of which the letter was ready in time and messaging was down."""

    @property
    def share(self) -> float | None:
        """The share that was kept; None if there were none."""
        return self.kept / (self.kept + self.broken) if self.kept + self.broken else None

    @property
    def system_share(self) -> float | None:
        """The share that was broken while messaging was down; None if there were none."""
        return self.system / (self.kept + self.broken) if self.kept + self.broken else None


PromiseKey = tuple[str, str, PromiseName, str, date]
"""The line, rule, name and time of a promise, and the day on which the complaint was received."""


@dataclass
class Tally:
    """The figures of one run."""

    seed: int
    complaints: int = 0
    opened: int = 0
    abandoned: int = 0
    closed: int = 0
    unfinished: int = 0
    promises: defaultdict[PromiseKey, Kept] = field(default_factory=partial(defaultdict, Kept))
    outcomes: Counter[str] = field(default_factory=Counter)
    scores: Counter[int] = field(default_factory=Counter)
    escalations: Counter[str] = field(default_factory=Counter)
    paid: defaultdict[str, Decimal] = field(default_factory=partial(defaultdict, Decimal))
    waits: defaultdict[str, list[float]] = field(default_factory=partial(defaultdict, list))
    """Minutes that tasks waited, by team."""
    queued: dict[str, list[float]] = field(default_factory=dict)
    """The mean number of tasks that waited, by team, in each hour of the period."""
    busy: dict[str, list[float]] = field(default_factory=dict)
    """Hours of work, by crew, in each hour of the period."""
    at_work: dict[str, list[float]] = field(default_factory=dict)
    """People at work, by crew, in each hour of the period."""
    days_open: list[float] = field(default_factory=list)
    received_on: Counter[date] = field(default_factory=Counter)
    abandoned_on: Counter[date] = field(default_factory=Counter)
    gave_up: list[float] = field(default_factory=list)
    """Minutes after which customers hung up."""
    areas: dict[str, float] = field(default_factory=dict)
    """The sum over time of the number of tasks that waited, by team, in hours."""


class Counting:
    """Fills a tally while a run goes on."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.tally = Tally(seed)
        self._scenario = scenario
        self._begins = scenario.begins
        self._hours = scenario.days * 24
        for crew in scenario.staff:
            self.tally.busy[crew.name] = [0.0] * self._hours
            at_work = self.tally.at_work[crew.name] = [0.0] * self._hours
            for day in [scenario.starts - timedelta(days=1), *scenario.dates]:
                if shift := crew.shift(day, scenario.zone):
                    self._spread(at_work, *shift, crew.people)

    def took(self, task: Task, person: Person, ends: datetime) -> None:
        """Count a task that a person begins now."""
        begins = ends - task.takes / person.crew.pace
        self.tally.waits[task.team].append((begins - task.entered).total_seconds() / 60)
        queued = self.tally.queued.setdefault(task.team, [0.0] * self._hours)
        self._spread(queued, task.entered, begins)
        self._spread(self.tally.busy[person.crew.name], begins, ends)

    def arrived(self, at: datetime) -> None:
        """Count a complaint."""
        self.tally.complaints += 1
        self.tally.received_on[at.astimezone(self._scenario.zone).date()] += 1

    def hung_up(self, task: Task, now: datetime) -> None:
        """Count a customer who did not wait for an answer."""
        self.tally.abandoned += 1
        self.tally.gave_up.append((now - task.entered).total_seconds() / 60)
        self.tally.abandoned_on[now.astimezone(self._scenario.zone).date()] += 1
        queued = self.tally.queued.setdefault(task.team, [0.0] * self._hours)
        self._spread(queued, task.entered, now)

    def ended(self, played: Played) -> None:
        """Count a case that has closed, or that has not ended with the run."""
        tally, case = self.tally, played.case
        day = case.complaint.received_at.astimezone(self._scenario.zone).date()
        if case.closed_at:
            tally.closed += 1
            tally.outcomes[case.outcome or ""] += 1
            tally.days_open.append((case.closed_at - case.complaint.received_at) / timedelta(days=1))
        else:
            tally.unfinished += 1
        for promise in case.promises:
            counted = tally.promises[case.complaint.line, promise.rule, promise.name, promise.within, day]
            counted.kept += promise.state is PromiseState.KEPT
            if promise.state is PromiseState.BROKEN:
                counted.broken += 1
                counted.system += _messaging_was_down(promise, played)
        tally.scores.update(each.score for each in case.satisfaction)
        tally.escalations.update(escalation.role.value for escalation in case.escalations)
        for heading, amount in _paid(case).items():
            tally.paid[heading] += amount

    def _spread(self, hours: list[float], begins: datetime, ends: datetime, weight: float = 1.0) -> None:
        """Add a period to the hours that it lies in, as far as they belong to the scenario."""
        since, until = (begins - self._begins) / HOUR, (ends - self._begins) / HOUR
        first, last = max(0, int(since)), min(self._hours, int(until) + 1)
        for hour in range(first, last):
            hours[hour] += weight * max(0.0, min(until, hour + 1) - max(since, hour))


def _messaging_was_down(promise: Promise, played: Played) -> bool:
    """Return whether the promise was due while a letter waited for messaging."""
    due = promise.due_at()
    return due is not None and any(since <= due < until for since, until in played.held)


def _paid(case: Case) -> Mapping[str, Decimal]:
    done = [step for step in case.steps if step.state is StepState.DONE]
    return {
        heading: sum((s.remedy.amount or Decimal(0) for s in done if s.kind in kinds), Decimal(0))
        for heading, kinds in PAID_AS.items()
    }
