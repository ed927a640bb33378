"""`starter.py watch`: print a line for each change, so that the output can be piped."""

import asyncio
from collections.abc import Callable
from typing import Any

from cases.views.snapshot import Snapshot
from cases.vocabulary import Status
from client.cases import Engine
from console.reading import clock, entry, plain, zone_of

EVERY = 1.0
"""Seconds between two queries."""

Json = dict[str, Any]


async def follow_case(case_id: str, show: Callable[[str], None], raw: Callable[[Json], None] | None) -> None:
    """Print the timeline of a case as it grows, until it closes. With `raw`, pass it each changed snapshot instead."""
    engine, shown = await Engine.connect(), 0
    last: Snapshot | None = None
    while True:
        seen = await engine.snapshot(case_id)
        if seen != last and raw:
            raw(seen.as_json())
        elif seen != last:
            for line in seen.timeline[shown:]:
                show(entry(line, seen.policy.timezone))
            shown = len(seen.timeline)
            if last is None or seen.status != last.status:
                ended = f" as {seen.outcome}" if seen.outcome else ""
                show(plain(f"{case_id} is {seen.status}{ended}"))
        last = seen
        if seen.status == Status.CLOSED:
            return
        await asyncio.sleep(EVERY)


async def follow_all(show: Callable[[str], None], raw: Callable[[Json], None] | None) -> None:
    """Print every open case that appears, changes or closes, until interrupted."""
    engine = await Engine.connect()
    last: dict[str, Json] = {}
    while True:
        seen = {row["case_id"]: row async for row in engine.cases("ExecutionStatus = 'Running'")}
        changed = [row for case_id, row in seen.items() if row != last.get(case_id)]
        changed += [{**row, "status": Status.CLOSED} for case_id, row in last.items() if case_id not in seen]
        for row in changed:
            if raw:
                raw(row)
            else:
                due = (
                    f"  due {clock(row['next_due_at'], zone_of(row['line']))}" if row["status"] != Status.CLOSED else ""
                )
                broken = f"  broken {plain(row['broken_promises'])}" if row["broken_promises"] else ""
                show(plain(f"{row['case_id']}  {row['line']} {row['topic']}  {row['status']}{due}{broken}"))
        last = seen
        await asyncio.sleep(EVERY)
