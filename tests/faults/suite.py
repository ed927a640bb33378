"""One run of the fault suite: cases, faults, and the audit afterwards."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

import policies
from settings import Settings
from tests.faults.evidence import Evidence, gather
from tests.faults.fleet import Fleet
from tests.faults.injector import FaultInjector
from tests.faults.invariants import Violation, violations
from tests.faults.people import Life, sandbox_knows
from tests.faults.scenarios import USUAL, Odds, scenarios
from tests.postgres import Cluster

IN_FLIGHT = 24
"""Cases that are played at the same time."""


@dataclass
class Run:
    """What a run did and found."""

    seed: int
    lives: list[Life]
    injector: FaultInjector
    evidence: Evidence
    violations: list[Violation] = field(default_factory=list)


async def run(  # noqa: PLR0913 (the parameters of a run)
    folder: Path,
    *,
    seed: int,
    count: int,
    pause: float,
    rounds: int | None = None,
    arm: str | None = None,
    odds: Odds = USUAL,
    cluster: Cluster | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Run:
    """Run `count` cases while faults happen every `pause` seconds: `rounds` of each kind, or until the cases end.

    `odds`: how often people and partners do what. `arm`: the control whose workers have a deliberate fault.
    `cluster`: keeps our records; None for a SQLite file. `progress`: gets the number of finished cases, and of all.
    """
    async with Fleet(folder, arm=arm, cluster=cluster) as fleet:
        engine = await fleet.engine()
        in_force = policies.load(Settings().policies)
        lives = [Life(scenario, engine) for scenario in scenarios(seed, count, in_force, odds)]
        injector = FaultInjector(fleet, engine, lives, seed, pause, odds.contradict)
        await injector.begin()
        injecting = asyncio.create_task(injector.run(rounds))
        try:
            await _play_all(lives, fleet, progress)
            if rounds is not None:
                await injecting  # a fast machine finishes its cases before every fault has happened
        finally:
            injecting.cancel()
            [died] = await asyncio.gather(injecting, return_exceptions=True)
        await injector.repair_all()
        evidence = await gather(fleet, engine, lives)
    if isinstance(died, Exception):  # the cases ran without faults after that, so the run proves nothing
        raise died
    found = Run(seed, lives, injector, evidence)
    found.violations = violations(lives, injector.reset, evidence)
    _keep(folder, found)
    return found


async def _play_all(lives: list[Life], fleet: Fleet, progress: Callable[[int, int], None]) -> None:
    """Play every case, `IN_FLIGHT` at a time."""
    done, room = 0, asyncio.Semaphore(IN_FLIGHT)

    async def one(life: Life) -> None:
        nonlocal done
        async with room:
            await _register_order(fleet, life)
            await life.play()
        done += 1
        progress(done, len(lives))

    await asyncio.gather(*(one(life) for life in lives))


async def _register_order(fleet: Fleet, life: Life) -> None:
    """Register the order with the sandbox, which may be down at first."""
    while True:
        try:
            async with fleet.partners_admin() as partners:
                await sandbox_knows(partners, life.scenario)
        except httpx.TransportError:
            await asyncio.sleep(0.2)
        else:
            return


def _keep(folder: Path, found: Run) -> None:
    """Save the violations and the histories of each case that violates a rule."""
    for violation in found.violations:
        kept = folder / "failures" / violation.case_id.replace("/", "_")
        kept.mkdir(parents=True, exist_ok=True)
        with (kept / "what.txt").open("a", encoding="utf-8") as why:
            why.write(f"seed {found.seed}: {violation.rule}: {violation.what}\n")
        for number, history in enumerate(found.evidence.histories.get(violation.case_id, [])):
            (kept / f"run-{number}.json").write_text(history.to_json(), encoding="utf-8")
        (kept / "last.json").write_text(json.dumps(found.evidence.ends.get(violation.case_id)), encoding="utf-8")
