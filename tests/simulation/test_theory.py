"""Where theory knows the answer, the simulation gives it: Erlang C and Little's law.

Seeds are fixed, so each test gives the same numbers every time. A tolerance is 3.5 standard errors of the mean over
independent seeds.
"""

import math
from datetime import datetime, timedelta
from functools import partial
from statistics import fmean

import pytest

from cases.vocabulary import PromiseName
from simulation.agenda import Agenda
from simulation.draws import Draws
from simulation.staff import Person, Staff, Task
from tests.simulation.theory import agrees, answered_within, erlang_c, mean_wait
from tests.simulation.worlds import in_force, played, scenario

HOUR = timedelta(hours=1)
SERVICE = 0.1
"""Hours."""


class CallCentre:
    """Calls and people alone, without cases: the staff of the simulation under its event calendar."""

    def __init__(self, people: int, per_hour: float, seed: int, hours: int = 160, warm_up: int = 20) -> None:
        world = scenario(staff=[{"name": "desk", "people": people, "teams": ["customer_service", "managers"]}])
        self.draws, self.agenda = Draws(seed), Agenda(world.begins)
        self.staff = Staff(world, self.agenda, self.took)
        self.counted_from = world.begins + warm_up * HOUR
        self.waits: list[float] = []
        self.all_waits: list[float] = []
        for hour in range(hours):
            for number, after in enumerate(self.draws.arrivals(per_hour, "arrival", hour)):
                self.agenda.at(world.begins + hour * HOUR + after, partial(self.calls, (hour, number)))
        ends = world.begins + (hours + 100) * HOUR
        while self.agenda.now < ends and self.agenda.next():
            pass

    def calls(self, name: object) -> None:
        takes = timedelta(hours=self.draws.exponential(SERVICE, name, "service"))
        self.staff.add(
            Task(
                kind="answer",
                team="customer_service",
                urgent=False,
                due=self.agenda.now,
                entered=self.agenda.now,
                takes=takes,
                begin=lambda _: None,
                done=lambda _: None,
            )
        )

    def took(self, task: Task, _: Person, __: datetime) -> None:
        wait = (self.agenda.now - task.entered) / HOUR
        self.all_waits.append(wait)
        if task.entered >= self.counted_from:
            self.waits.append(wait)


@pytest.mark.parametrize(("people", "per_hour"), [(1, 7.0), (3, 24.0), (6, 51.0)])
def test_waits_of_calls_are_those_of_erlang_c(people: int, per_hour: float) -> None:
    centres = [CallCentre(people, per_hour, seed) for seed in range(1, 13)]

    assert agrees([fmean(w > 0 for w in c.waits) for c in centres], erlang_c(people, per_hour * SERVICE))
    assert agrees([fmean(c.waits) for c in centres], mean_wait(people, per_hour, SERVICE))
    for within in (0.05, 0.1, 0.3):
        shares = [fmean(w <= within for w in c.waits) for c in centres]
        assert agrees(shares, answered_within(within, people, per_hour, SERVICE))


def test_a_wrong_number_of_people_is_noticed() -> None:
    """The control: the tolerance is narrow enough to tell six people from five or seven."""
    centres = [CallCentre(6, 40.0, seed) for seed in range(1, 13)]

    waits = [fmean(c.waits) for c in centres]
    assert agrees(waits, mean_wait(6, 40.0, SERVICE))
    assert not agrees(waits, mean_wait(5, 40.0, SERVICE))
    assert not agrees(waits, mean_wait(7, 40.0, SERVICE))


def test_mean_number_that_waits_is_arrivals_times_mean_wait() -> None:
    """Little's law. The queue's own count over time and the waits of the calls are added up independently."""
    hours, per_hour = 200, 24.0
    centres = [CallCentre(3, per_hour, seed, hours) for seed in range(1, 13)]

    for centre in centres:
        assert math.isclose(centre.staff.queues["customer_service"].area, sum(centre.all_waits), rel_tol=1e-9)
    in_queue = [c.staff.queues["customer_service"].area / hours for c in centres]
    assert agrees(in_queue, per_hour * mean_wait(3, per_hour, SERVICE))


def test_promise_of_a_first_answer_is_kept_as_often_as_erlang_c_says() -> None:
    """E1: the whole engine. A call is answered in time, or the case says that the promise is broken."""
    tallies = [played(scenario(days=3), seed) for seed in range(1, 8)]

    shares = []
    for tally in tallies:
        kept = [count for (_, _, name, *_), count in tally.promises.items() if name is PromiseName.ACKNOWLEDGE]
        assert sum(each.kept + each.broken for each in kept) == tally.opened == tally.complaints
        assert tally.unfinished == 0
        shares.append(sum(each.kept for each in kept) / tally.opened)
    assert in_force()["express"].promises[0].within == "30m"
    assert agrees(shares, answered_within(0.5, 3, 100 / 24, 0.5))


def test_cases_wait_as_long_as_their_queue_is_long() -> None:
    """Little's law in the whole engine, also with customers who hang up and people who go home."""
    world = scenario(
        channels={"hotline": {"team": "customer_service", "patience": "20m", "calls_again": "50%"}},
        staff=[
            {"name": "desk", "people": 4, "teams": ["customer_service", "managers"], "begins": "08:00", "ends": "20:00"}
        ],
    )
    tally = played(world)

    assert tally.abandoned == len(tally.gave_up) > 0
    waited = sum(tally.waits["customer_service"]) + sum(tally.gave_up)
    assert math.isclose(tally.areas["customer_service"], waited / 60, rel_tol=1e-9)
