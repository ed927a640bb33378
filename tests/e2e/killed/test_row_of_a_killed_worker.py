"""A worker is killed after a case has changed and before its row is written: the next worker writes it."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from cases.contract import CASE_WORKFLOW, TASK_QUEUE, workflow_id
from embedded import Embedded
from records import Records
from tests.complaints import complaint
from tests.engine import ONCE, OpenCase, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.long]


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Embedded]:
    """Everything on this machine."""
    async with Embedded(data=tmp_path / "data", port=0, ui_port=0, partners_port=0) as machine:
        yield machine


async def test_the_row_shows_a_change_whose_worker_was_killed_while_it_wrote(machine: Embedded, tmp_path: Path) -> None:
    database = tmp_path / "data" / "records.db"
    client = await Client.connect(machine.address)
    content = complaint()
    case_id = content["case_id"]
    id_ = workflow_id(case_id)
    handle = await client.start_workflow(CASE_WORKFLOW, content, id=id_, task_queue=TASK_QUEUE, **ONCE)
    case = OpenCase(case_id, client, handle)
    await case.becomes("assessing")
    with closing(Records(f"sqlite:///{database}")) as records:

        async def row() -> dict[str, Any] | None:
            found = await asyncio.to_thread(records.snapshot_of, case_id)
            return json.loads(found[1]) if found else None

        async def assessing() -> bool:
            return ((await row()) or {}).get("status") == "assessing"

        await eventually(assessing, "the row of the new case")
        with closing(sqlite3.connect(database, isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")  # whoever writes now waits
            await case.signals("complaint-withdrawn", reason="it was found")
            tasks = len(await case.events("WORKFLOW_TASK_STARTED"))
            await eventually(lambda: _started(case, tasks), "a worker that has the signal")
            await machine.kill_worker()
            lock.execute("COMMIT")
        before = await row()
        await machine.start_worker()

        async def closed() -> bool:
            return ((await row()) or {}).get("status") == "closed"

        await eventually(closed, "the row of a closed case")
        after = await row()

    assert before
    assert before["status"] == "assessing"
    assert after == await handle.result()


async def _started(case: OpenCase, tasks: int) -> bool:
    """Whether a worker has begun another workflow task."""
    return len(await case.events("WORKFLOW_TASK_STARTED")) >= tasks
