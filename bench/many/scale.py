"""Many cases at once: open, arriving, due in one second, after a killed worker, and behind a backlog.

A case that waits for days has left the worker's cache when its customer answers. So the cost of a case is measured on
two sets: new cases are opened, and the same number of old cases is finished.
"""

import asyncio
import random
import shutil
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.arms import Arm
from bench.counting.measuring import Meter, Run, memory, storage, total
from bench.counting.numbers import percentile
from bench.driving import Answer, CasePlayer, NotAsPlanned, Work, at_most, at_pace, each_of, players
from bench.machines import Machine
from bench.shapes import ACKNOWLEDGED, ANOTHER_LINE, DAMAGE_REPLACED, WARNING
from client.lists import overdue
from settings import ROOT

Row = dict[str, Any]
PROMISED = 600
"""Seconds within which a complaint about damage has to be acknowledged (B1; in organic food 30 minutes, O6)."""
WARNED_AT = 0.8
"""The share of a promise's time after which its owner is warned (G10)."""
CALMLY, HARD = 5, 50
"""Concurrent cases: when a customer's waiting time is measured, and when complaints arrive in a burst."""
EVERY = 0.2
"""Seconds between two urgent complaints, and between two of another line."""
PROGRESS_EVERY = 10
"""Seconds between two lines about the progress."""


@dataclass(frozen=True)
class Scale:
    """The size of the measurement."""

    open: tuple[int, ...] = (1000, 5000, 20000)
    turned: int = 100
    """Cases opened, and cases finished, to measure the cost of a case."""
    cut_off: int = 200
    """Customers who agree while no worker is running."""
    burst: int = 5000
    timers: int = 5000
    due_in: float | None = None
    """Seconds until the timers are due; None: enough time to open the cases."""
    in_flight: int = 20
    backlog: int = 5000
    """Plain cases that wait for a worker when urgent ones, and those of another line, arrive."""
    urgent: int = 100
    """Urgent cases, and cases of another line."""


async def scale(arm: Arm, size: Scale, run: Run, found: Row) -> None:
    """Fill `found` with the requested parts, each when it is measured: `open`, `burst`, `timers`, `backlog`."""
    if size.open:
        found["open"] = {"rows": []}
        await many_open(arm, size, run, found["open"])
    if size.burst:
        found["burst"] = await burst(arm, size, run)
    if size.timers:
        found["timers"] = await timers(arm, size, run)
    if size.backlog:
        found["backlog"] = await backlog(arm, size, run)


async def many_open(arm: Arm, size: Scale, run: Run, found: Row) -> None:
    """Fill `rows` with one row for each number of open cases, and `restart` with how cases continue after a kill."""
    run.progress(f"starting {arm.name}")
    async with players(arm, run.folder("open"), [DAMAGE_REPLACED], run.watch) as (player,):
        await run.watch.over(_many_open(player, size, run, found))


async def _many_open(player: CasePlayer, size: Scale, run: Run, found: Row) -> None:
    machine = player.target
    await at_most(CALMLY, CALMLY, player.play)
    waiting: list[str] = []
    empty_memory, empty_storage = memory(machine), storage(machine)
    for wanted in size.open:
        began, had = time.monotonic(), len(waiting)
        opening = _counted(f"open cases of {wanted}", player.until_offered, run, had)
        waiting += await at_most(wanted - had, size.in_flight, opening)
        row = {
            "open": wanted,
            "opened_per_second": (wanted - had) / (time.monotonic() - began),
            "memory_bytes": {role: now - empty_memory[role] for role, now in memory(machine).items()},
            "storage_bytes_each": (storage(machine) - empty_storage) / wanted,
        }
        turned, waiting = await _turned_over(player, waiting, size)
        found["rows"].append(row | turned | {"listing": await _listed(machine)})
        run.progress(f"{wanted} open: {total(turned['cpu_ms']):.0f} ms of CPU for a case")
    found["restart"] = await _worker_dies(player, waiting, size, run)


async def _turned_over(player: CasePlayer, waiting: list[str], size: Scale) -> tuple[Row, list[str]]:
    """Open some cases, and finish as many others at random. Return the cost of each, and the cases still open."""
    meter = Meter(player.target)
    fresh = await at_most(size.turned, size.in_flight, player.until_offered)
    opened = (await meter.read()).cpu_ms
    leaving = set(random.sample(waiting, size.turned))
    meter = Meter(player.target)
    played = await each_of(sorted(leaving), CALMLY, player.finish)
    finished = (await meter.read()).cpu_ms
    row = {
        "cpu_ms": {role: (opened[role] + finished[role]) / size.turned for role in opened},
        "to_open_ms": total(opened) / size.turned,
        "to_finish_ms": total(finished) / size.turned,
        "consent_ms": _percentiles([1000 * (p.effect - p.agreed) for p in played if p.agreed]),
    }
    return row, [case_id for case_id in waiting if case_id not in leaving] + fresh


async def _listed(machine: Machine) -> Row:
    """Return the seconds to list the open cases, sorted by what is due next, and to list the overdue ones."""
    began = time.monotonic()
    found = [row async for row in machine.engine.cases("ExecutionStatus = 'Running'")]
    found.sort(key=lambda row: row["next_due_at"] or "9")
    listed = time.monotonic()
    late = [row async for row in machine.engine.cases(*overdue(datetime.now(UTC)))]
    return {"open": len(found), "seconds": listed - began, "overdue": len(late), "overdue_s": time.monotonic() - listed}


async def _worker_dies(player: CasePlayer, waiting: list[str], size: Scale, run: Run) -> Row:
    """Kill the workers, let customers agree, start the workers again. Return how long it takes until steps begin."""
    machine = player.target
    run.progress(f"the worker is killed with {len(waiting)} cases open")
    for _ in range(machine.arm.workers):
        await machine.kill_worker()
    chosen = random.sample(waiting, min(size.cut_off, len(waiting)))
    await each_of(chosen, HARD, player.agree)
    launched = time.time()
    await machine.start_worker()
    ready = time.time()
    begun = [await player.until_handed(case_id, "step") - launched for case_id in chosen]
    return {"cases": len(chosen), "ready_s": ready - launched, "progress_s": _percentiles(begun)}


async def burst(arm: Arm, size: Scale, run: Run) -> Row:
    """Send a burst of complaints. Return how long it takes until each is acknowledged."""
    run.progress(f"starting {arm.name}, for {size.burst} complaints at once")
    async with players(arm, run.folder("burst"), [DAMAGE_REPLACED], run.watch) as (player,):
        return await run.watch.over(_burst(player, size, run))


async def _burst(player: CasePlayer, size: Scale, run: Run) -> Row:
    began = time.time()
    opened = await at_most(size.burst, HARD, _counted("complaints sent", player.open, run))
    sent = time.time() - began

    async def acknowledged(case: tuple[str, float]) -> float:
        return await player.until_handed(case[0], ACKNOWLEDGED) - case[1]

    took = await each_of(opened, len(opened), acknowledged)
    return {
        "complaints": len(opened),
        "sent_s": sent,
        "acknowledged_per_second": len(opened) / (time.time() - began),
        "kept": sum(seconds <= PROMISED for seconds in took) / len(took),
        "acknowledged_s": _percentiles(took),
    }


async def timers(arm: Arm, size: Scale, run: Run) -> Row:
    """Let many owners be due for a warning in the same second. Return how late each was warned.

    Raises `NotAsPlanned` if the cases were not all open by then.
    """
    folder, due_in = run.folder("timers"), size.due_in or 30 + size.timers / 10
    policies = _with_result_within(folder / "policies", due_in / WARNED_AT)
    where = {**arm.settings, "env": {**arm.of("env"), "AFTER_SALES_POLICIES": str(policies)}}
    run.progress(f"starting {arm.name}, for {size.timers} timers in the same second")
    async with players(replace(arm, settings=where), folder / "data", [DAMAGE_REPLACED], run.watch) as (player,):
        return await run.watch.over(_timers(player, size, due_in, run))


async def _timers(player: CasePlayer, size: Scale, due_in: float, run: Run) -> Row:
    received = datetime.now(UTC).replace(microsecond=0)
    due = (received + timedelta(seconds=due_in)).timestamp()

    async def arrives() -> str:
        case_id, _ = await player.open(received_at=received.isoformat())
        await player.until_handed(case_id, DAMAGE_REPLACED.says[0].after)
        return case_id

    opened = await at_most(size.timers, HARD, _counted("cases with a timer", arrives, run))
    if time.time() >= due:
        raise NotAsPlanned(f"opening {size.timers} cases took longer than {due_in:.0f} s: set more with --due-in")
    while time.time() < due:
        await asyncio.sleep(min(1, due - time.time()))
        run.watch.moved()  # waiting for the due time is not a stall
    meter = Meter(player.target)
    late = [await player.until_handed(case_id, WARNING) - due for case_id in opened]
    cost = await meter.read()
    twice = sum(len(player.handovers.times(case_id, WARNING)) > 1 for case_id in opened)
    return {
        "timers": len(opened),
        "late_s": _percentiles(late),
        "per_second": len(late) / max(late),
        "cpu_ms": {role: spent / len(opened) for role, spent in cost.cpu_ms.items()},
        "twice": twice,
    }


async def backlog(arm: Arm, size: Scale, run: Run) -> Row:
    """Return how soon urgent cases and cases of another line are acknowledged: idle, and behind a backlog."""
    run.progress(f"starting {arm.name}, for a backlog of {size.backlog} cases")
    async with players(arm, run.folder("backlog"), [DAMAGE_REPLACED, ANOTHER_LINE], run.watch) as (flooded, other):
        return await run.watch.over(_backlog(flooded, other, size, run))


async def _backlog(flooded: CasePlayer, other: CasePlayer, size: Scale, run: Run) -> Row:
    async def acknowledged(player: CasePlayer, **more: Any) -> float:
        case_id, sent = await player.open(**more)
        return await player.until_handed(case_id, ACKNOWLEDGED) - sent

    async def both() -> tuple[float, float]:
        urgent, another = acknowledged(flooded, urgent=True), acknowledged(other)
        one, two = await asyncio.gather(urgent, another)
        return one, two

    await at_most(CALMLY, CALMLY, both)  # warms up
    idle = await at_pace(size.urgent, EVERY, both)
    machine = flooded.target
    for _ in range(machine.arm.workers):
        await machine.kill_worker()
    waiting = await at_most(size.backlog, HARD, _counted("complaints that wait for a worker", flooded.open, run))
    await machine.start_worker()
    began = time.time()
    behind = await at_pace(size.urgent, EVERY, both)
    took = time.time() - began
    plain = [await flooded.until_handed(case_id, ACKNOWLEDGED) - began for case_id, _ in waiting]
    return {
        "plain": len(waiting),
        "left": sum(after > took for after in plain),
        "other_line_kept": sum(another <= PROMISED for _, another in behind) / len(behind),
        "plain_s": _percentiles(plain),
        "idle": _of_both(idle),
        "behind": _of_both(behind),
    }


def _of_both(measured: list[tuple[float, float]]) -> Row:
    urgent, another = zip(*measured, strict=True)
    return {"urgent_s": _percentiles(list(urgent)), "other_line_s": _percentiles(list(another))}


def _with_result_within(folder: Path, seconds: float) -> Path:
    """Copy the policies, with the detailed result for building materials promised within `seconds`."""
    shutil.copytree(ROOT / "policies", folder)
    file = folder / "building_materials.yaml"
    before, usual, after = file.read_text(encoding="utf-8").partition("name: detailed_result, within: 48h")
    if not usual:
        raise NotAsPlanned(f"{file.name} does not promise the detailed result as the bench expects")
    file.write_text(f"{before}name: detailed_result, within: {seconds:.0f}s{after}", encoding="utf-8")
    return folder


def _counted(what: str, work: Work[Answer], run: Run, had: int = 0) -> Work[Answer]:
    """Return the same work, which also prints how often it has been done."""
    done, printed = had, time.monotonic()

    async def counted() -> Answer:
        nonlocal done, printed
        answer = await work()
        done += 1
        if time.monotonic() - printed > PROGRESS_EVERY:
            printed = time.monotonic()
            run.progress(f"{what}: {done}")
        return answer

    return counted


def _percentiles(values: list[float]) -> dict[str, float]:
    named = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "worst": 1.0}
    return {name: percentile(values, share) for name, share in named.items()}
