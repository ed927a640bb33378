"""What goes wrong with a case, as exceptions whose text is one sentence.

AfterSalesError
├── Unreachable    the server or the worker does not answer (`client.connection`)
├── NoSuchCase     the server has no such case
├── NoSuchWebhook  there is no such webhook
└── Refusal
    └── CaseOver   the case is closed and accepts no more messages
"""

import shlex

from temporalio.client import WorkflowExecutionDescription, WorkflowFailureError, WorkflowQueryFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import ASK_AGAIN, CASE_ID_TAKEN, INVALID_COMPLAINT, TASK_QUEUE, line_queue
from cases.errors import AfterSalesError, Refusal
from client.lists import was_admitted
from policies import known_policies


class NoSuchCase(AfterSalesError):
    """The server has no such case."""


class NoSuchWebhook(AfterSalesError):
    """There is no webhook with this id, or not for the caller."""


class CaseOver(Refusal):
    """The case is closed."""


def worker_for(queue: str) -> str | None:
    """Return the command that starts a worker for a task queue; None if it is not a queue of this program."""
    if queue == TASK_QUEUE:
        return "python worker.py"
    line = next((line for line in known_policies() if queue == line_queue(line)), None)
    return f"python worker.py --lines {line}" if line else None


def is_worker_running(queue: str = TASK_QUEUE) -> str:
    """Return the question to ask if a workflow on a task queue does not answer."""
    start = worker_for(queue)
    then = f" Start one ({start}), then run starter.py show" if start else ""
    return f"is a worker running for task queue {queue}?{then}"


def unserved(there: WorkflowExecutionDescription) -> str:
    """Return what to do about a workflow on a task queue that no worker serves."""
    why = f"no worker serves task queue {there.task_queue}, on which {there.id} was started"
    if start := worker_for(there.task_queue):
        return f"{why}: start one ({start})"
    if was_admitted(there):
        return f"{why}: start the worker again that served it"
    end = f"temporal workflow terminate --workflow-id {shlex.quote(there.id)}"
    return f"{why}, and there is no case yet: {end}, then start it on {TASK_QUEUE}"


def can_be_repeated(error: RPCError | WorkflowQueryFailedError) -> bool:
    """Return whether no worker answered the query, so that it may be repeated."""
    if isinstance(error, WorkflowQueryFailedError):
        return str(error) == ASK_AGAIN
    return error.status in (RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED)


def message_of(error: BaseException) -> str:
    """Return the sentence alone: the SDK puts the error's type before it."""
    return error.message if isinstance(error, ApplicationError) else str(error)


def no_case(case_id: str, error: WorkflowFailureError) -> AfterSalesError:
    """Return the exception for a workflow that ended without a result (S34)."""
    words = message_of(error.cause)
    if refused(error):
        again = "; correct it and send it again under the same id" if _kind(error) == INVALID_COMPLAINT else ""
        return NoSuchCase(f"there is no case {case_id} for this complaint: {words}{again}")
    return NoSuchCase(f"case {case_id} has no result: its workflow was ended in Temporal ({words})")


def refused(error: WorkflowFailureError) -> bool:
    """Return whether a workflow failed because its complaint was refused, so that there is no case."""
    return _kind(error) in (INVALID_COMPLAINT, CASE_ID_TAKEN)


def _kind(error: WorkflowFailureError) -> str | None:
    cause: BaseException | None = error.cause
    while cause is not None and not isinstance(cause, ApplicationError):
        cause = cause.__cause__
    return cause.type if cause is not None else None
