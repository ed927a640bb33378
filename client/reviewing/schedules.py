"""Schedules of periodic reviews (G13)."""

from datetime import timedelta

from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import REVIEW_WORKFLOW, TASK_QUEUE
from client.cases import ANSWER_WITHIN, Engine
from client.connection import Unreachable

HOUR = 6
"""When reviews are made, in the time zone of the policies: before people begin to work."""
MISSED = timedelta(days=7)
"""A review whose time came while the server was down is made if it is up again within this time."""
LONGEST = timedelta(days=2)
"""Time-out of one review and its notice."""
CALENDARS = {
    "week": ScheduleCalendarSpec(hour=[ScheduleRange(HOUR)], day_of_week=[ScheduleRange(1)]),
    "month": ScheduleCalendarSpec(hour=[ScheduleRange(HOUR)], day_of_month=[ScheduleRange(1)]),
    "quarter": ScheduleCalendarSpec(
        hour=[ScheduleRange(HOUR)], day_of_month=[ScheduleRange(1)], month=[ScheduleRange(1, 12, 3)]
    ),
}


def schedule_id(every: str, line: str | None) -> str:
    """Return the id of a schedule. Its runs have ids that begin with it."""
    return f"review-{every}-{line or 'all'}"


async def schedule(engine: Engine, every: str, line: str | None, zone: str) -> str:
    """Create or update the schedule of a review, and return its id. One that was paused stays paused.

    Raises `Unreachable` if the server refuses.
    """
    known_as = schedule_id(every, line)
    wanted = Schedule(
        action=ScheduleActionStartWorkflow(
            REVIEW_WORKFLOW,
            {"every": every, "line": line},
            id=known_as,
            task_queue=TASK_QUEUE,
            execution_timeout=LONGEST,
            static_summary=f"review of the latest {every}: {line or 'every line'}",
        ),
        spec=ScheduleSpec(calendars=[CALENDARS[every]], time_zone_name=zone),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=MISSED),
    )

    def update(seen: ScheduleUpdateInput) -> ScheduleUpdate:
        wanted.state = seen.description.schedule.state
        return ScheduleUpdate(wanted)

    try:
        try:
            await engine.client.create_schedule(known_as, wanted, rpc_timeout=ANSWER_WITHIN)
        except ScheduleAlreadyRunningError:
            await engine.client.get_schedule_handle(known_as).update(update, rpc_timeout=ANSWER_WITHIN)
    except RPCError as error:
        raise Unreachable(f"the schedule {known_as} cannot be created: {error}") from None
    return known_as


async def unschedule(engine: Engine, every: str, line: str | None) -> bool:
    """Delete the schedule of a review; return whether there was one. Raises `Unreachable` if the server refuses."""
    try:
        await engine.client.get_schedule_handle(schedule_id(every, line)).delete(rpc_timeout=ANSWER_WITHIN)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise Unreachable(f"the schedule {schedule_id(every, line)} cannot be deleted: {error}") from None
    return True
