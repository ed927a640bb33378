"""Runs of the comparison of our database with Temporal's cases: on a schedule, or started by a command."""

from datetime import timedelta

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowFailureError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ActivityError
from temporalio.service import RPCError

from cases.contract import RECONCILE_WORKFLOW, TASK_QUEUE
from cases.errors import AfterSalesError
from client.cases import ANSWER_WITHIN, Engine
from client.connection import Unreachable
from client.reconciling import Progress

SCHEDULE = "after-sales-reconcile"
"""The id of the schedule; its runs have ids that begin with it."""
MANUAL_RUN = f"{SCHEDULE}-now"
"""The id of a comparison started by a command. A second command waits for the one that is running."""
LONGEST = timedelta(hours=6)
"""Time-out of a comparison. One that was started on a build without workers must not block the next one."""


class NotReconciled(AfterSalesError):
    """A comparison failed; the text says why."""


async def schedule(client: Client, every: timedelta) -> None:
    """Create the schedule and start the first run, or update it if it differs. One that was paused stays paused.

    Raises `Unreachable` if the server has no schedules, or refuses.
    """
    wanted = Schedule(
        action=ScheduleActionStartWorkflow(
            RECONCILE_WORKFLOW,
            id=SCHEDULE,
            task_queue=TASK_QUEUE,
            execution_timeout=LONGEST,
            static_summary="compares our database with the cases that Temporal has",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every)]),
        # A missed run is not repeated, because the next one compares everything.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)),
    )

    def update(seen: ScheduleUpdateInput) -> ScheduleUpdate | None:
        there = seen.description.schedule
        if (there.spec.intervals, there.policy) == (wanted.spec.intervals, wanted.policy) and _same_action(there):
            return None
        wanted.state = there.state
        return ScheduleUpdate(wanted)

    try:
        try:
            await client.create_schedule(SCHEDULE, wanted, trigger_immediately=True, rpc_timeout=ANSWER_WITHIN)
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(SCHEDULE).update(update, rpc_timeout=ANSWER_WITHIN)
    except (RPCError, RPCTimeoutOrCancelledError) as error:
        where = f"in namespace {client.namespace}"
        raise Unreachable(f"the schedule {SCHEDULE} cannot be created {where}: {error}") from None


def _same_action(there: Schedule) -> bool:
    action = there.action
    return isinstance(action, ScheduleActionStartWorkflow) and (
        (action.workflow, action.task_queue, action.execution_timeout) == (RECONCILE_WORKFLOW, TASK_QUEUE, LONGEST)
    )


async def reconcile(engine: Engine) -> Progress:
    """Compare once, now, and return what was healed. Raises `Unreachable`, or `NotReconciled` with the reason."""
    try:
        if not await engine.is_served(TASK_QUEUE):
            raise Unreachable(f"no worker serves task queue {TASK_QUEUE}: start one (python worker.py)")
        run = await engine.client.start_workflow(
            RECONCILE_WORKFLOW,
            id=MANUAL_RUN,
            task_queue=TASK_QUEUE,
            execution_timeout=LONGEST,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            result_type=Progress,
            rpc_timeout=ANSWER_WITHIN,
        )
        done: Progress = await run.result()
    except WorkflowFailureError as error:
        cause = error.cause
        why = cause.cause if isinstance(cause, ActivityError) and cause.cause else cause
        raise NotReconciled(f"not all cases were compared: {getattr(why, 'message', why)}") from None
    except (RPCError, RPCTimeoutOrCancelledError) as error:
        raise Unreachable(f"{engine.address} has stopped answering: {error}") from None
    return done
