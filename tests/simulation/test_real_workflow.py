"""A sample of a simulated run goes through the real workflow on a real server, and ends alike, case by case.

Lines that count working days are left out: the real cases begin today, and so their deadlines may differ.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import Client

from policies import read_yaml
from records import Records
from simulation.played import Played
from simulation.run import Run
from simulation.scenario import Scenario
from tests.engine import Workshop
from tests.simulation.real import SimulatedPartners, essence, run_again, simulated
from tests.simulation.worlds import NOVEMBER, in_force
from worker import Parts


def a_day() -> Scenario:
    """A day of the scenario that comes with the program, with many faults, without outages and lost reports."""
    content = read_yaml(NOVEMBER)
    content |= {"starts": "2026-11-11", "days": 1}
    content["arrivals"] |= {"per_day": 90, "peaks": []}
    content["complaints"] = [mix for mix in content["complaints"] if mix["line"] != "organic_food"]
    usual = {"dispatched_after": "9h", "done_after": "34h", "refuses": "8%", "fails": "8%", "no_answer": "8%"}
    content["partners"] = dict.fromkeys(("logistics", "warehouse", "installation"), usual)
    return Scenario.model_validate(content)


def sample(number: int, seed: int) -> list[Played]:
    """The cases with the most messages of each topic first, so that few cases show much."""
    closed: list[Played] = []
    run = Run(a_day(), in_force(), seed)
    run.keep = closed.append
    assert run.play().unfinished == 0
    closed.sort(key=lambda played: (-len(played.said), played.case.id))
    first = {played.case.complaint.topic + played.case.complaint.line: played for played in reversed(closed)}
    telling = sorted(first.values(), key=lambda played: (-len(played.said), played.case.id))
    return [*telling, *(played for played in closed if played not in telling)][:number]


@asynccontextmanager
async def working(client: Client, folder: Path, partners: SimulatedPartners) -> AsyncIterator[Workshop]:
    """A running worker with the simulation's partners."""
    records = Records(f"sqlite:///{folder / 'records.db'}")
    workshop = Workshop(client, Parts(dict(in_force()), partners.ports(), records))
    await workshop.open()
    try:
        yield workshop
    finally:
        await workshop.close()
        records.close()


@pytest.mark.parametrize(
    ("number", "seed"), [(12, 7), pytest.param(60, 8, marks=pytest.mark.long)], ids=["few", "many"]
)
async def test_cases_end_alike_in_the_simulation_and_in_the_real_workflow(
    client: Client, tmp_path: Path, number: int, seed: int
) -> None:
    cases = sample(number, seed)
    assert len(cases) == number

    partners = SimulatedPartners(a_day(), seed)
    async with working(client, tmp_path, partners) as workshop:
        for played in cases:
            real = await run_again(played, workshop, partners, datetime.now(UTC))
            assert essence(real) == essence(simulated(played)), played.case.id
