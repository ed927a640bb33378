"""Adopt, end and list improvement measures (G13)."""

from datetime import datetime

from temporalio.client import RPCTimeoutOrCancelledError, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from cases.contract import MEASURE_WORKFLOW, TASK_QUEUE, measure_workflow_id
from cases.errors import Refusal
from cases.measure.proposed import OPEN_STATES, KnownMeasure, MeasureState
from client.archive import records_of
from client.cases import ANSWER_WITHIN, Engine
from client.connection import Unreachable
from client.errors import message_of
from client.lists import Json, NoDatabase


async def send(engine: Engine, measure_id: str, name: str, payload: Json) -> Json:
    """Send a message to a measure, and start its workflow if it does not run. Return its answer.

    Raises `Refusal` with the reason that the measure gives, and `Unreachable`.
    """
    start: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
        MEASURE_WORKFLOW,
        id=measure_workflow_id(measure_id),
        task_queue=TASK_QUEUE,
        # A measure that has ended is started again to answer from our database, and ends at once.
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary="improvement measure",
    )
    try:
        answer: Json = await engine.client.execute_update_with_start_workflow(
            name, payload, start_workflow_operation=start, rpc_timeout=ANSWER_WITHIN
        )
    except WorkflowUpdateFailedError as error:
        raise Refusal(message_of(error.cause)) from None
    except (RPCError, RPCTimeoutOrCancelledError) as error:
        if not await engine.is_served(TASK_QUEUE):
            raise Unreachable(f"no worker serves task queue {TASK_QUEUE}: start one (python worker.py)") from None
        raise Unreachable(f"{engine.address} has not answered: {error}; send it again") from None
    return answer


def listed(database_url: str, line: str | None, *, ended_too: bool, now: datetime) -> list[Json]:
    """Return the measures in our database as JSON: open ones, or all. `overdue` compares dates in UTC.

    Raises `NoDatabase` if there is none yet, and what `records.Records` raises.
    """
    with records_of(database_url) as records:
        if records is None:
            raise NoDatabase("our database does not exist yet: a worker creates it")
        found = records.measures(line, MeasureState if ended_too else OPEN_STATES)
    return [_row(measure, now) for measure in found]


def _row(measure: KnownMeasure, now: datetime) -> Json:
    late = measure.state is MeasureState.ADOPTED and measure.due_on is not None and measure.due_on < now.date()
    return {**measure.model_dump(mode="json"), "overdue": late}
