"""Periodic reviews on a real server: made on a schedule, sent to their readers, and the same after a crash (G13)."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import (
    Client,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    ScheduleRange,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError

from activities.review import ReviewDone, ReviewRequest
from cases.contract import REVIEW_WORKFLOW, TASK_QUEUE
from cases.policy.policy import Policy
from client.cases import Engine
from client.reviewing.schedules import CALENDARS, schedule, unschedule
from records import RecordsUnavailable
from review.period import Every, latest
from tests.engine import Workshop, eventually
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


# On a schedule


@pytest.fixture
async def reviewers(closed_workshop: Workshop) -> Engine:
    """A worker on the task queue that schedules use."""
    closed_workshop.task_queue = TASK_QUEUE
    await closed_workshop.open()
    return Engine(closed_workshop.client, "the server of the tests")


async def test_a_schedule_makes_a_review_for_the_time_at_which_it_fires(
    reviewers: Engine, closed_workshop: Workshop
) -> None:
    """G13: on the first of November, in the time zone of the policies, the review of October."""
    known_as = await schedule(reviewers, "month", "fresh_food", "Asia/Shanghai")
    handle = reviewers.client.get_schedule_handle(known_as)
    try:
        since = datetime(2026, 10, 15, tzinfo=UTC)
        await handle.backfill(ScheduleBackfill(since, since + timedelta(days=30), ScheduleOverlapPolicy.ALLOW_ALL))
        run = f"{known_as}-2026-10-31T22:00:00Z"

        async def finished() -> bool:
            try:
                there = await reviewers.client.get_workflow_handle(run).describe()
            except RPCError:
                return False
            return there.status is WorkflowExecutionStatus.COMPLETED

        await eventually(finished, "the review")
        closed_workshop.taken_in.add(run)
        assert {path.name for path in closed_workshop.parts.reviews.iterdir()} == {
            "review-fresh_food-2026-10-01_2026-10-31"
        }
    finally:
        await unschedule(reviewers, "month", "fresh_food")


@pytest.mark.parametrize(
    ("every", "fires"),
    [
        ("week", ["2026-11-29T22:00", "2026-12-06T22:00"]),
        ("month", ["2026-11-30T22:00", "2026-12-31T22:00"]),
        ("quarter", ["2026-12-31T22:00", "2027-03-31T22:00"]),
    ],
)
def test_a_schedule_fires_at_six_in_the_morning_after_a_period_has_ended(every: str, fires: list[str]) -> None:
    """G13: weekly, monthly, quarterly; in Shanghai."""
    [hour], shanghai = CALENDARS[every].hour, ZoneInfo("Asia/Shanghai")
    for at in fires:
        local = datetime.fromisoformat(f"{at}+00:00").astimezone(shanghai)
        assert local.hour == hour.start == 6
        assert latest(Every(every), local, shanghai).last == local.date() - timedelta(days=1)
        assert matches(CALENDARS[every], local)


def matches(calendar: ScheduleCalendarSpec, at: datetime) -> bool:
    """Whether a calendar contains this day. The server counts Sunday as day 0."""

    def within(ranges: Sequence[ScheduleRange], value: int) -> bool:
        return any(value in range(r.start, max(r.end, r.start) + 1, max(r.step, 1)) for r in ranges)

    return (
        within(calendar.day_of_month, at.day)
        and within(calendar.month, at.month)
        and within(calendar.day_of_week, at.isoweekday() % 7)
    )


async def test_a_schedule_is_changed_in_place_and_stays_paused(client: Client) -> None:
    engine = Engine(client, "the server of the tests")
    known_as = await schedule(engine, "week", None, "Asia/Shanghai")
    handle = client.get_schedule_handle(known_as)
    await handle.pause(note="holidays")

    assert await schedule(engine, "week", None, "Asia/Tokyo") == known_as == "review-week-all"

    there = (await handle.describe()).schedule
    assert (there.state.paused, there.state.note) == (True, "holidays")
    assert there.spec.time_zone_name == "Asia/Tokyo"
    assert await unschedule(engine, "week", None)
    assert not await unschedule(engine, "week", None)
