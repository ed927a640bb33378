"""A fortnight of cases on one machine: what grows, and what stays as large as it is.

Every day as many cases arrive. Some of them wait for their customers until the next day. In the evening Temporal
forgets the cases that closed some days ago, as it does by itself when their retention ends. Nobody waits for the days
to pass: sizes are measured, not times.
"""

import asyncio
import sqlite3
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from bench.arms import Arm
from bench.counting.measuring import Meter, Run, total
from bench.counting.processes import folder_bytes, sqlite_bytes
from bench.driving import CasePlayer, at_most, each_of, players
from bench.machines import Machine
from bench.shapes import DAMAGE_REPLACED

Row = dict[str, Any]
LOOK_EVERY = 0.2
"""Seconds between two checks whether Temporal has forgotten a case."""
TEXTS = {
    "archive": ("record", "cases"),
    "snapshot for lists": ("snapshot", "case_projection"),
    "search terms": ("terms", "case_terms"),
}
"""The long texts in our database, by column and table."""


@dataclass(frozen=True)
class Fortnight:
    """The size of the measurement."""

    cases: int = 700
    days: int = 14
    retention: int = 3
    """Days for which Temporal keeps a closed case."""
    waiting: float = 0.3
    """The share of a day's cases whose customers answer on the next day."""
    in_flight: int = 10


async def fortnight(arm: Arm, size: Fortnight, run: Run, found: Row) -> None:
    """Fill `days` of `found` with one row for each day, when it is over."""
    found["days"] = []
    run.progress(f"starting {arm.name}")
    async with players(arm, run.folder("fortnight"), [DAMAGE_REPLACED], run.watch) as (player,):
        await run.watch.over(_fortnight(player, size, run, found["days"]))


async def _fortnight(player: CasePlayer, size: Fortnight, run: Run, days: list[Row]) -> None:
    machine, arriving = player.target, size.cases // size.days
    staying = round(arriving * size.waiting)
    waiting: list[str] = []
    closed, kept = 0, deque[list[str]]()
    for day in range(1, size.days + 1):
        meter = Meter(machine)
        played = await each_of(waiting, size.in_flight, player.finish)
        played += await at_most(arriving - staying, size.in_flight, player.play)
        waiting = await at_most(staying, size.in_flight, player.until_offered)
        cost = await meter.read()
        closed += len(played)
        kept.append([each.workflow for each in played])
        if len(kept) > size.retention:
            await each_of(kept.popleft(), size.in_flight, lambda workflow: _forgotten(machine, workflow, run))
        row = {
            "day": day,
            "open": len(waiting),
            "closed": closed,
            "kept": sum(map(len, kept)),
            "cpu_ms": total(cost.cpu_ms) / arriving,
            **_sizes(machine),
        }
        days.append(row)
        run.progress(f"day {day}: {row['server_bytes'] >> 20} MB in Temporal, {row['ours_bytes'] >> 20} MB in ours")


async def _forgotten(machine: Machine, workflow: str, run: Run) -> None:
    """Have Temporal delete a closed case, and wait until it has."""
    asked = DeleteWorkflowExecutionRequest(
        namespace=machine.client.namespace, workflow_execution=WorkflowExecution(workflow_id=workflow)
    )
    await machine.client.workflow_service.delete_workflow_execution(asked)
    while True:
        try:
            await machine.client.get_workflow_handle(workflow).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            run.watch.moved()
            return
        await asyncio.sleep(LOOK_EVERY)


def _sizes(machine: Machine) -> Row:
    """Return the bytes in use in each store, the size of its file, and those of the long texts in our database."""
    server, *ours = machine.files()
    return {
        "server_bytes": sqlite_bytes(server),
        "server_file_bytes": _file_bytes(server),
        "ours_bytes": sum(map(sqlite_bytes, ours)),
        "ours_file_bytes": sum(map(_file_bytes, ours)),
        "logs_bytes": folder_bytes(machine.logs),
        "texts": _text_bytes(ours[0]) if ours else {},
    }


def _file_bytes(file: Path) -> int:
    """Return the size of a SQLite file with its write-ahead log. Space that was freed in it is used again."""
    return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*"))


def _text_bytes(file: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as db:
        return {
            name: int(db.execute(f"SELECT total(length(CAST({column} AS BLOB))) FROM {table}").fetchone()[0])  # noqa: S608 (ours)
            for name, (column, table) in TEXTS.items()
        }
