"""Two variants have the same complaints, customers and handling times, so their difference has a small variance."""

from statistics import variance

from simulation.draws import Draws
from simulation.reading import AS_IS, World
from simulation.run import Run
from simulation.scenario import Scenario
from simulation.summing import simulation
from simulation.tally import Tally
from tests.simulation.worlds import in_force, scenario

SEEDS = range(1, 9)


def roster(people: int) -> Scenario:
    """A busy day with so many people."""
    staff = [{"name": "desk", "people": people, "teams": ["customer_service", "managers"]}]
    return scenario(days=1, arrivals={"per_day": 100, "hours": [1.0] * 24}, staff=staff)


def answered_in_time(tally: Tally) -> float:
    kept = sum(each.kept for each in tally.promises.values())
    return kept / tally.opened


def shares(world: Scenario, first: int) -> list[float]:
    return [answered_in_time(Run(world, in_force(), first + seed).play()) for seed in SEEDS]


def test_difference_on_common_random_numbers_varies_less_than_on_independent_ones() -> None:
    three = shares(roster(3), 0)
    four, others = shares(roster(4), 0), shares(roster(4), 1000)

    common = [b - a for a, b in zip(three, four, strict=True)]
    independent = [b - a for a, b in zip(three, others, strict=True)]

    assert min(common) > 0
    assert variance(common) < 0.6 * variance(independent)


def test_complaints_and_handling_times_do_not_depend_on_the_roster() -> None:
    """With so many people that nobody waits, the same work is done in the same hours."""
    one, other = (Run(roster(people), in_force(), 3).play() for people in (40, 50))

    assert one.received_on == other.received_on
    assert one.busy == other.busy
    assert one.promises == other.promises


def test_another_time_for_a_promise_is_compared_as_the_same_promise() -> None:
    express = in_force()["express"]
    stricter = [
        rule.model_copy(update={"within": "5m"}) if rule.name == "acknowledge" else rule for rule in express.promises
    ]
    policies = {**in_force(), "express": express.model_copy(update={"promises": stricter})}
    worlds = [World(AS_IS, roster(3), in_force()), World("drafts", roster(3), policies)]

    found = simulation(worlds, [[Run(world.scenario, world.policies, 1).play()] for world in worlds])

    assert found.comparison
    by_name = {each.name: each for each in found.comparison.differences}
    assert by_name["promise.express.E1.acknowledge"].difference.mean < 0
    assert by_name["question"].difference.mean < 0


def test_draw_depends_on_its_name_only() -> None:
    first, second = Draws(1), Draws(1)

    forwards = [first.uniform("a"), first.uniform("b")]
    backwards = [second.uniform("b"), second.uniform("a")]

    assert forwards == backwards[::-1]
    assert Draws(2).uniform("a") != first.uniform("a")
    assert all(0 < Draws(seed).uniform("x") < 1 for seed in range(1000))
