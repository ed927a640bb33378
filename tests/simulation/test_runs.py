"""Whole runs: every case ends, faults of partners have consequences, and the same seed gives the same month."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from cases.policy.remedy_kinds import GOODS
from cases.vocabulary import Outcome, PromiseName, StepState
from policies import read_yaml
from simulation.played import Played
from simulation.reading import AS_IS, World
from simulation.run import Run
from simulation.runs import play_all
from simulation.scenario import Scenario
from simulation.tally import Kept, Tally
from tests.simulation.worlds import NOVEMBER, in_force, played, scenario

DAMAGE: dict[str, Any] = {
    "line": "building_materials", "topic": "transport.damage", "share": 1, "channels": {"app": 1}, "on_record": 1.0,
}  # fmt: skip
BUILDING: dict[str, Any] = {
    "channels": {},
    "complaints": [DAMAGE],
    "orders": {"building_materials": {"amount": 9000}},
    "staff": [{"name": "all", "people": 9, "teams": ["logistics", "managers"]}],
    "arrivals": {"per_day": 20, "hours": [1.0] * 24},
}


def two_days_of_november(**changes: Any) -> Scenario:
    """A small version of the scenario that comes with the program: every line, topic, channel and fault."""
    content = read_yaml(NOVEMBER)
    content["arrivals"] |= {"per_day": 60}
    content |= {"starts": "2026-11-11", "days": 2, **changes}
    content["arrivals"]["peaks"] = content["arrivals"]["peaks"][:2]
    return Scenario.model_validate(content)


def kept(tally: Tally, wanted: PromiseName) -> Kept:
    """What became of the promises of this name."""
    found = [each for (_, _, name, _, _), each in tally.promises.items() if name is wanted]
    return Kept(sum(e.kept for e in found), sum(e.broken for e in found), sum(e.system for e in found))


def test_every_case_of_every_line_ends() -> None:
    tally = played(two_days_of_november())

    assert tally.unfinished == 0
    assert tally.closed == tally.opened > 150
    assert tally.outcomes.keys() >= {Outcome.SATISFIED, Outcome.INFORMED, Outcome.REJECTED, Outcome.UNREACHABLE}
    assert {line for line, *_ in tally.promises} == set(in_force())
    assert tally.opened <= tally.complaints


def test_the_same_seed_gives_the_same_run_in_any_process() -> None:
    """A simulation that was killed and is repeated ends alike."""
    world = World(AS_IS, two_days_of_november(), in_force())

    once = Run(world.scenario, world.policies, 2).play()
    [again] = play_all([world], [1, 2])

    assert again[1] == once
    assert again[0] != replace(once, seed=1)


def test_promise_that_breaks_while_messaging_is_down_is_counted_as_such() -> None:
    outage = {"messaging": {"outages": [{"begins": "2026-11-02T06:00:00+08:00", "lasts": "3h"}]}}

    fine, down = played(scenario(**BUILDING)), played(scenario(**BUILDING, partners=outage))

    assert kept(fine, PromiseName.ACKNOWLEDGE).broken == 0
    broken = kept(down, PromiseName.ACKNOWLEDGE)
    assert broken.system == broken.broken > 0
    assert down.escalations["team_lead"] > fine.escalations["team_lead"]


DOWN = {"begins": "2026-11-02T00:00:00+08:00"}


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        ({"no_answer": "100%"}, True),
        ({"report_lost": "100%"}, True),
        ({"outages": [{**DOWN, "lasts": "10h"}]}, True),
        ({"outages": [{**DOWN, "lasts": "7 days"}]}, False),
        ({"refuses": "100%"}, False),
        ({"fails": "100%"}, False),
    ],
    ids=["no answer", "report lost", "down for hours", "down for days", "refuses", "fails"],
)
def test_steps_end_whatever_a_partner_does(fault: dict[str, Any], done: bool) -> None:
    """G6, S13: a partner is asked for what is unknown or not reported; what it cannot do goes to an agent."""
    cases: list[Played] = []
    faulty = dict.fromkeys(("warehouse", "logistics", "installation"), fault)
    run = Run(scenario(**BUILDING, partners=faulty), in_force(), 1)
    run.keep = cases.append

    assert run.play().unfinished == 0

    steps = [step for each in cases for step in each.case.steps]
    assert done == all(step.state is StepState.DONE for step in steps if step.kind in GOODS and step.begun)
    assert done != any(offer.over_limits for each in cases for offer in each.case.offers)  # money in place of goods


def test_claim_is_approved_by_another_person_than_who_assessed_it() -> None:
    """S20: with one person in both teams nothing is decided; with two, everything is."""
    claim = {"line": "express", "topic": "claim.damage", "share": 1, "channels": {"app": 1}, "evidence_sent": 1.0}
    alone = {"name": "both", "people": 1, "teams": ["service", "claims", "managers"]}

    def decided(people: int) -> Counter[str]:
        staff = [{**alone, "people": people}]
        arrivals = {"per_day": 8, "hours": [1.0] * 24}
        return played(scenario(channels={}, complaints=[claim], staff=staff, arrivals=arrivals)).outcomes

    assert Outcome.SATISFIED not in decided(1)
    assert Outcome.SATISFIED in decided(2)


def test_callers_hang_up_and_some_call_again() -> None:
    terms = {"team": "customer_service", "patience": {"mean": "10m", "shape": "exponential"}}
    stay = played(scenario(channels={"hotline": {"team": "customer_service"}}))
    lost = played(scenario(channels={"hotline": terms}))
    again = played(scenario(channels={"hotline": {**terms, "calls_again": 1.0, "again_after": "30m"}}))

    assert stay.abandoned == 0
    assert lost.opened == lost.complaints - lost.abandoned < stay.opened
    assert again.opened == again.complaints == stay.complaints
    assert sum(again.abandoned_on.values()) == again.abandoned > 0


def test_all_work_is_done_within_the_shift() -> None:
    day = {"name": "all", "people": 2, "teams": ["logistics", "managers"], "begins": "09:00", "ends": "17:00"}

    tally = played(scenario(**{**BUILDING, "staff": [day]}))

    by_hour = [sum(tally.busy["all"][hour::24]) for hour in range(24)]
    assert sum(by_hour[:9]) == 0 < sum(by_hour[9:17])
    assert tally.at_work["all"][8:18] == [0, *[2.0] * 8, 0]
