"""People at work: crews with shifts, and the queue of each team. One person does one piece of work at a time."""

import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from cases.text import same_name
from simulation.agenda import Agenda
from simulation.scenario import Crew, Scenario, Work

HOUR = timedelta(hours=1)


@dataclass
class Person:
    """One person of a crew."""

    name: str
    crew: Crew
    off_at: datetime
    """When the current or latest shift ends."""
    busy: bool = False

    @cached_property
    def key(self) -> str:
        """The name, in the form in which names are compared."""
        return same_name(self.name)


@dataclass(kw_only=True)
class Task:
    """A piece of work that waits for somebody of a team."""

    kind: Work
    team: str
    urgent: bool
    due: datetime
    """When the promise that it serves is due. Work that is due earlier is done first."""
    entered: datetime
    takes: timedelta
    """How long it takes at a pace of 1."""
    begin: Callable[["Person"], None]
    """Called when somebody takes it."""
    done: Callable[["Person"], None]
    """Called when they are done."""
    barred: frozenset[str] = frozenset()
    """Names of those who must not do it, as `same_name` returns them."""
    begun: bool = False
    withdrawn: bool = False


Entry = tuple[bool, datetime, int, Task]
"""A task in its queue: urgent work first, then by time, then by number."""


@dataclass
class Queue:
    """The work that waits for one team."""

    waiting: list[Entry] = field(default_factory=list)
    length: int = 0
    area: float = 0.0
    """The sum over time of the number that waits, in hours."""
    since: datetime | None = None

    def count(self, change: int, now: datetime) -> None:
        """Add to the number that waits."""
        if self.since is not None:
            self.area += self.length * ((now - self.since) / HOUR)
        self.length, self.since = self.length + change, now


Took = Callable[[Task, Person, datetime], None]
"""Called when a person begins a task, with the time at which they will be done."""


class Staff:
    """All people and queues."""

    def __init__(self, scenario: Scenario, agenda: Agenda, took: Took) -> None:
        self._agenda = agenda
        self._zone = scenario.zone
        self._by_arrival = scenario.queue == "arrival"
        self._took = took
        self._numbered = 0
        self.queues: dict[str, Queue] = defaultdict(Queue)
        self._teams: dict[str, list[Person]] = defaultdict(list)
        crews = [
            [Person(f"{crew.name}-{number}", crew, scenario.begins) for number in range(1, crew.people + 1)]
            for crew in scenario.staff
        ]
        # Specialists first, so that those who can do more stay free for what only they can do.
        for person in sorted((each for crew in crews for each in crew), key=lambda each: len(each.crew.teams)):
            for team in person.crew.teams:
                self._teams[team].append(person)
        for people in crews:
            if people:
                # From the day before, because its shift may end on the first day.
                self._plan(people, scenario.begins - timedelta(days=1))

    def add(self, task: Task) -> None:
        """Give a task to somebody who is free, or let it wait."""
        self.queues[task.team].count(1, self._agenda.now)
        for person in self._teams[task.team]:
            if not person.busy and self._agenda.now < person.off_at and person.key not in task.barred:
                self._begin(person, task)
                return
        self._numbered += 1
        order = task.entered if self._by_arrival else task.due
        heapq.heappush(self.queues[task.team].waiting, (not task.urgent, order, self._numbered, task))

    def withdraw(self, task: Task) -> None:
        """Take a task back, unless somebody has begun it."""
        if task.begun or task.withdrawn:
            return
        task.withdrawn = True
        self.queues[task.team].count(-1, self._agenda.now)

    def _plan(self, people: list[Person], day: datetime) -> None:
        """Enter the next shift of a crew, from `day` on, into the agenda."""
        shift = people[0].crew.shift(day.date(), self._zone)
        tomorrow = day + timedelta(days=1)
        if shift is None:
            self._agenda.at(tomorrow, lambda: self._plan(people, tomorrow))
            return
        begins, ends = shift

        def begin() -> None:
            for person in people:
                person.off_at = ends
            for person in people:
                self._take_next(person)
            self._plan(people, tomorrow)

        self._agenda.at(begins, begin)

    def _take_next(self, person: Person) -> None:
        """Let a person who is free and at work take the next task of their teams."""
        while not person.busy and self._agenda.now < person.off_at:
            found = [entry for team in person.crew.teams if (entry := self._first(team, person))]
            if not found:
                return
            first = min(found)
            waiting = self.queues[first[3].team].waiting
            if first is waiting[0]:
                heapq.heappop(waiting)
            else:
                waiting.remove(first)
                heapq.heapify(waiting)
            self._begin(person, first[3])

    def _first(self, team: str, person: Person) -> Entry | None:
        """Return the first task of a team's queue that this person may do."""
        waiting = self.queues[team].waiting
        while waiting and waiting[0][3].withdrawn:
            heapq.heappop(waiting)
        if not waiting or person.key not in waiting[0][3].barred:
            return waiting[0] if waiting else None
        mine = (entry for entry in waiting if not entry[3].withdrawn and person.key not in entry[3].barred)
        return min(mine, default=None)

    def _begin(self, person: Person, task: Task) -> None:
        self.queues[task.team].count(-1, self._agenda.now)
        task.begun = person.busy = True
        ends = self._agenda.now + task.takes / person.crew.pace
        self._took(task, person, ends)
        task.begin(person)

        def done() -> None:
            person.busy = False
            task.done(person)
            self._take_next(person)

        self._agenda.at(ends, done)
