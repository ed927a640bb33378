"""One run of the fault suite: cases, faults, and then what the books, the histories and the records say of them."""

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
from tests.faults.invariants import Violation, violations
from tests.faults.mischief import Mischief
from tests.faults.people import Life, sandbox_knows
from tests.faults.plots import USUAL, Odds, plots
from tests.postgres import Cluster

IN_FLIGHT = 24
"""Cases whose people are at work at the same time."""


@dataclass
class Run:
    """What a run did and found."""

    seed: int
    lives: list[Life]
    mischief: Mischief
    evidence: Evidence
    violations: list[Violation] = field(default_factory=list)


async def run(  # noqa: PLR0913 (a trial has as many parts)
    folder: Path,
    *,
    seed: int,
    count: int,
    pause: float,
    rounds: int | None = None,
    arm: str | None = None,
    odds: Odds = USUAL,
    cluster: Cluster | None = None,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Run:
    """Live `count` cases through faults every `pause` seconds, of each kind `rounds` times or to the end.

    `odds`: what people and partners do, and how often. `arm`: the control whose workers do wrong.
    Our own records are in `cluster`, or in a SQLite file where there is none. `tell` hears how many cases are done, and
    of how many.
    """
    async with Fleet(folder, arm=arm, cluster=cluster) as fleet:
        engine = await fleet.engine()
        in_force = policies.load(Settings().policies)
        lives = [Life(plot, engine) for plot in plots(seed, count, in_force, odds)]
        mischief = Mischief(fleet, engine, lives, seed, pause, odds.contradict)
        await mischief.begin()
        trouble = asyncio.create_task(mischief.run(rounds))
        try:
            await _all_of(lives, fleet, tell)
            if rounds is not None:
                await trouble  # a quick machine is done with its cases before it has seen every fault
        finally:
            trouble.cancel()
            [died] = await asyncio.gather(trouble, return_exceptions=True)
        await mischief.mend()
        evidence = await gather(fleet, engine, lives)
    if isinstance(died, Exception):  # whatever was found, the cases lived in peace since then
        raise died
    found = Run(seed, lives, mischief, evidence)
    found.violations = violations(lives, mischief.reset, evidence)
    _keep(folder, found)
    return found


async def _all_of(lives: list[Life], fleet: Fleet, tell: Callable[[int, int], None]) -> None:
    """Every case, `IN_FLIGHT` of them at a time."""
    done, room = 0, asyncio.Semaphore(IN_FLIGHT)

    async def one(life: Life) -> None:
        nonlocal done
        async with room:
            await _told(fleet, life)
            await life.play()
        done += 1
        tell(done, len(lives))

    await asyncio.gather(*(one(life) for life in lives))


async def _told(fleet: Fleet, life: Life) -> None:
    """The partners may be away when the order is placed; at last they have to be there."""
    while True:
        try:
            async with fleet.partners_admin() as partners:
                await sandbox_knows(partners, life.plot)
        except httpx.TransportError:
            await asyncio.sleep(0.2)
        else:
            return


def _keep(folder: Path, found: Run) -> None:
    """The history of each case that something is wrong with, and what it is."""
    for violation in found.violations:
        kept = folder / "failures" / violation.case_id.replace("/", "_")
        kept.mkdir(parents=True, exist_ok=True)
        with (kept / "what.txt").open("a", encoding="utf-8") as told:
            told.write(f"seed {found.seed}: {violation.rule}: {violation.what}\n")
        for number, history in enumerate(found.evidence.histories.get(violation.case_id, [])):
            (kept / f"run-{number}.json").write_text(history.to_json(), encoding="utf-8")
        (kept / "last.json").write_text(json.dumps(found.evidence.ends.get(violation.case_id)), encoding="utf-8")
