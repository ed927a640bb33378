"""A worker is killed in the middle of a review: the next one makes the same review, and nothing is half written."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.review import ReviewDone, ReviewRequest
from cases.contract import REVIEW_WORKFLOW, TASK_QUEUE
from embedded import Embedded
from policies import known_policies
from review.making import Wanted, make, zone_of
from review.period import Every, latest
from tests.engine import eventually
from tests.review.data import fill

pytestmark = pytest.mark.e2e


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Embedded]:
    """Everything on this machine."""
    async with Embedded(data=tmp_path / "data", port=0, ui_port=0, partners_port=0) as machine:
        yield machine


async def test_a_review_whose_worker_was_killed_ends_alike(machine: Embedded, tmp_path: Path) -> None:
    """G13"""
    client = await Client.connect(machine.address, data_converter=pydantic_data_converter)
    database, reviews = tmp_path / "data" / "records.db", tmp_path / "data" / "reviews"
    with closing(fill(f"sqlite:///{database}", cases=100)) as records:
        with closing(sqlite3.connect(database, isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")  # whoever derives facts now waits
            handle = await client.start_workflow(
                REVIEW_WORKFLOW,
                ReviewRequest(every=Every.QUARTER),
                id="review",
                task_queue=TASK_QUEUE,
                result_type=ReviewDone,
            )

            async def begun() -> bool:
                return reviews.exists() and any(reviews.iterdir())

            await eventually(begun, "a worker that makes the review")
            await machine.kill_worker()
            lock.execute("COMMIT")
        half = {path.name for path in reviews.iterdir()}
        await machine.start_worker()
        done = await handle.result()
        text = (Path(done.folder) / "review.json").read_text(encoding="utf-8")

        policies = known_policies()
        now = datetime.fromisoformat(json.loads(text)["made_at"])
        wanted = Wanted(latest(Every.QUARTER, now, zone_of(policies, None)), now)
        undisturbed = make(records, policies, wanted)

    assert all(name.startswith(".") for name in half)
    assert json.loads(text) == json.loads(undisturbed.model_dump_json())
    assert [path.name for path in reviews.iterdir() if not path.name.startswith(".")] == [done.review_id]
