"""Enter what a customer said at the later call about a closed case (G13)."""

from temporalio.client import RPCTimeoutOrCancelledError, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import later_call_workflow_id
from cases.errors import Refusal
from cases.later_call.later_call import ANSWERED, LaterCallView
from client.cases import ANSWER_WITHIN, Engine
from client.connection import Unreachable
from client.errors import is_worker_running, message_of
from client.lists import Json


async def answer(engine: Engine, case_id: str, payload: Json) -> Json:
    """Send the answer to the case's later call, and return its reply. It may come before the call is due.

    Raises `Refusal` with the reason that the call gives, or if there is none, and `Unreachable`.
    """
    handle = engine.client.get_workflow_handle(later_call_workflow_id(case_id))
    try:
        there = await handle.describe(rpc_timeout=ANSWER_WITHIN)
        if there.status is WorkflowExecutionStatus.RUNNING:
            reply: Json = await handle.execute_update(ANSWERED, payload, rpc_timeout=ANSWER_WITHIN)
            return reply
        if there.status is WorkflowExecutionStatus.COMPLETED:
            known = LaterCallView.model_validate(await handle.result(rpc_timeout=ANSWER_WITHIN))
            raise Refusal(f"{_ended(known)}; nothing changes it")
        raise Refusal(f"the later call of {case_id} was ended in Temporal")
    except WorkflowUpdateFailedError as error:
        raise Refusal(message_of(error.cause)) from None
    except RPCTimeoutOrCancelledError:
        raise Unreachable(f"the later call of {case_id} does not answer: {is_worker_running()}") from None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND or "amespace" in error.message:
            raise Unreachable(f"{engine.address} has not answered: {error}") from None
        why = "it is not closed, nothing was carried out, its policy asks for none, or it was long ago"
        raise Refusal(f"{case_id} has no later call: {why}") from None


def _ended(known: LaterCallView) -> str:
    if known.answered_at:
        return f"the later call of {known.case_id} was answered on {known.answered_at.date()}, entered by {known.by}"
    return f"the later call of {known.case_id} was given up, because nobody entered an answer"
