"""Periodic reviews on a real server: made on a schedule, sent to their readers, and the same after a crash (G13)."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

from activities.review import ReviewDone, ReviewRequest
from cases.contract import REVIEW_WORKFLOW
from cases.policy.policy import Policy
from records import RecordsUnavailable
from review.period import Every
from tests.engine import Workshop
from tests.fakes import FakePartners
from tests.replay.scene import fails
from tests.review.data import fill
from worker import Parts


@pytest.fixture
async def closed_workshop(
    client: Client, partners: FakePartners, written_policies: dict[str, Policy], tmp_path: Path
) -> AsyncIterator[Workshop]:
    """A worker with the fixed data set, that has not started yet."""
    records = fill(f"sqlite:///{tmp_path / 'records.db'}", cases=200)
    workshop = Workshop(client, Parts(dict(written_policies), partners.ports(), records, tmp_path / "reviews"))
    yield workshop
    await workshop.close()
    await workshop.replay()
    records.close()


async def review(workshop: Workshop, every: Every, line: str | None = None) -> ReviewDone:
    workflow = f"review-{uuid4().hex}"
    done: ReviewDone = await workshop.client.execute_workflow(
        REVIEW_WORKFLOW,
        ReviewRequest(every=every, line=line),
        id=workflow,
        task_queue=workshop.task_queue,
        result_type=ReviewDone,
    )
    workshop.taken_in.add(workflow)
    return done


def written(workshop: Workshop, done: ReviewDone) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(done.folder) / "review.json").read_text(encoding="utf-8"))
    assert Path(done.folder).parent == workshop.parts.reviews
    return found


async def test_a_review_is_written_and_its_readers_are_notified_once(
    workshop: Workshop, partners: FakePartners
) -> None:
    """G13: a message with the three sentences that matter."""
    done = await review(workshop, Every.QUARTER, "fresh_food")

    assert written(workshop, done)["line"] == "fresh_food"
    [notice] = partners.messaging.notices.values()
    assert (notice.role, notice.team, notice.key) == ("manager", "review", done.review_id)
    assert set(notice.facts) >= {"decide", "kept", "satisfied", "folder"}


async def test_a_database_that_is_down_delays_the_review(workshop: Workshop) -> None:
    fails(workshop.parts.records, "derive_facts", RecordsUnavailable("down"))

    done = await review(workshop, Every.MONTH)

    assert written(workshop, done)["line"] is None


async def test_a_line_without_a_policy_fails_at_once(workshop: Workshop) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await review(workshop, Every.MONTH, "fish")

    cause = failed.value.cause
    assert isinstance(cause, ActivityError)
    assert isinstance(cause.cause, ApplicationError)
    assert "fish is not one of building_materials, express" in str(cause.cause)
