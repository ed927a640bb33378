"""Open, message and read running cases. Each error is an exception whose text is one sentence.

AfterSalesError
├── Unreachable    the server or the worker does not answer
├── NoSuchCase     the server has no such case
└── Refusal
    └── CaseOver   the case is closed and accepts no more messages
"""

import asyncio
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

from cases.complaint import Complaint
from cases.contract import (
    ASK_AGAIN,
    CASE_ID_TAKEN,
    CASE_QUERY,
    CASE_WORKFLOW,
    INVALID_COMPLAINT,
    PREVIEW_QUERY,
    TASK_QUEUE,
    workflow_id,
)
from cases.errors import AfterSalesError, Refusal
from cases.policy.policy import Policy
from cases.views import search_attributes as attributes
from cases.views.search_attributes import SearchAttribute
from cases.views.snapshot import Snapshot
from client.connection import Unreachable, connect
from client.late_reports import records_of
from settings import Settings
from workflows.sdk.options import URGENT, USUAL

ANSWER_WITHIN = timedelta(seconds=15)
"""For queries and updates. Longer than a case waits for a killed worker before another takes it over (5 s)."""
A_QUESTION = timedelta(seconds=3)
"""For one attempt of a query, repeated until `ANSWER_WITHIN`. The server holds a query longer for a killed worker."""
GONE_AFTER = timedelta(seconds=90)
"""A worker polls at least once a minute; the server lists it for five minutes after its last poll."""
SKIP_WITHIN = 120
"""Seconds of real time that a skip may take; days with many deadlines take a few seconds."""

Json = dict[str, Any]


class NoSuchCase(AfterSalesError):
    """The server has no such case."""


class CaseOver(Refusal):
    """The case is closed."""


@dataclass(frozen=True)
class Engine:
    """A connection to the Temporal server at `address`."""

    client: Client
    address: str

    @classmethod
    async def connect(cls, runtime: Runtime | None = None, settings: Settings | None = None) -> Self:
        """Connect (`client.connection`); raises `Unreachable`, or `InvalidInput` for bad settings."""
        return cls(*await connect(runtime, settings))

    async def open(self, complaint: Complaint, raw: Json, policy: Policy) -> str:
        """Start the case of a valid complaint. Return `opened`, or a sentence if the case exists already.

        The id of a refused complaint may be used again (S34). Raises `Refusal` if the workflow of an earlier case was
        ended in Temporal. `has_begun` returns whether a worker has accepted the complaint.
        """
        async with self._sentences(complaint.case_id):
            with suppress(WorkflowAlreadyStartedError):
                await self._start(complaint, raw, policy, WorkflowIDReusePolicy.REJECT_DUPLICATE)
                return "opened"
            there = await self._handle(complaint.case_id).describe(rpc_timeout=ANSWER_WITHIN)
            if there.status is WorkflowExecutionStatus.RUNNING:
                return "already open, nothing started"
            if _outcome(there):
                return f"already closed: {_outcome(there)}"
            if await self._was_case(there):
                ended = f"case {complaint.case_id} exists, and its workflow was ended in Temporal ({_ending(there)})"
                raise Refusal(f"{ended}: a case id cannot be reused, choose another")
            with suppress(WorkflowAlreadyStartedError):
                await self._start(complaint, raw, policy, WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
                return "opened"
        return "already open, nothing started"  # another caller was faster

    async def _start(self, complaint: Complaint, raw: Json, policy: Policy, reuse: WorkflowIDReusePolicy) -> None:
        topic = policy.topics[complaint.topic]
        await self.client.start_workflow(
            CASE_WORKFLOW,
            raw,
            id=workflow_id(complaint.case_id),
            task_queue=TASK_QUEUE,
            id_reuse_policy=reuse,
            # Opens one case, as USE_EXISTING does, but shows whether it is new.
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=f"{policy.title.en} · {topic.title.en} · {policy.title.zh} · {topic.title.zh}",
            static_details=f"Received by {complaint.channel} at {complaint.received_at.isoformat()}",
            priority=URGENT if complaint.urgent or topic.urgent else USUAL,
            rpc_timeout=ANSWER_WITHIN,
        )

    async def has_begun(self, case_id: str) -> bool:
        """Return whether a worker has accepted the complaint. Raises `NoSuchCase` if it was refused (S34)."""
        async with self._sentences(case_id):
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
            if there.status is WorkflowExecutionStatus.FAILED:
                await self._handle(case_id).result(rpc_timeout=ANSWER_WITHIN)
            return there.status is not WorkflowExecutionStatus.RUNNING or _was_admitted(there)

    async def _was_case(self, there: WorkflowExecutionDescription) -> bool:
        """Return whether there was a case: not if the run ended before the complaint was accepted, or refused it."""
        if there.status is not WorkflowExecutionStatus.FAILED:
            return _was_admitted(there)
        try:
            await self.client.get_workflow_handle(there.id, run_id=there.run_id).result(rpc_timeout=ANSWER_WITHIN)
        except WorkflowFailureError as error:
            return not _refused(error)
        return True

    async def send(self, case_id: str, name: str, payload: Json) -> Any:
        """Send a message as an update and return the case's answer.

        Raises `Refusal` with the reason that the case gives, and `CaseOver` if it is closed.
        """
        async with self._sentences(case_id):
            return await self._handle(case_id).execute_update(name, payload, rpc_timeout=ANSWER_WITHIN)

    async def snapshot(self, case_id: str) -> Snapshot:
        """Return the case as it is now, or its final state if it is closed (then no worker is needed)."""
        handle = self._handle(case_id)
        async with self._sentences(case_id):
            there = await self._idle(handle)
            if there.status is WorkflowExecutionStatus.RUNNING:
                found = await self.ask(handle, CASE_QUERY)
            else:
                found = await handle.result(rpc_timeout=ANSWER_WITHIN)
            return Snapshot.model_validate(found)

    async def preview(self, case_id: str, policy: Json) -> Json | None:
        """Ask the case what moving it to that policy would change (S18). None: nothing, or it is closed."""
        handle = self._handle(case_id)
        async with self._sentences(case_id):
            there = await self._idle(handle)
            if there.status is not WorkflowExecutionStatus.RUNNING:
                return None
            now = await TimeSkipper(self.client).get_current_time(handle)
            asked = {"policy": policy, "now": now.isoformat()}
            found: Json | None = await self.ask(handle, PREVIEW_QUERY, asked)
            return found

    async def complaint(self, case_id: str) -> Json | None:
        """Return the complaint that the case was started with; None if the server has no such case (any more)."""
        try:
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
            # Only the first run was started with the complaint; later runs were started with the state of the case.
            first = there.raw_description.workflow_execution_info.first_run_id or there.run_id
            run = self.client.get_workflow_handle(workflow_id(case_id), run_id=first)
            async for event in run.fetch_history_events(page_size=1, rpc_timeout=ANSWER_WITHIN):
                given = event.workflow_execution_started_event_attributes.input.payloads
                found: Json = (await self.client.data_converter.decode(given))[0]
                return found
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise await self._sentence(error, case_id) from None
        return None

    async def is_open(self, case_id: str) -> bool:
        """Return whether the case accepts messages."""
        try:
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise await self._sentence(error, case_id) from None
            return False
        return there.status is WorkflowExecutionStatus.RUNNING

    async def ask(
        self, handle: WorkflowHandle[Any, Any], query: str, *given: Any, result_type: type | None = None
    ) -> Any:
        """Return the answer to a query of a workflow that was idle just before. Raises what the SDK raises.

        Each attempt is short, because a query that is still pending when another worker takes over from a killed one
        can corrupt the history. A worker answers such a query with `ASK_AGAIN` (docs/findings.md).
        """
        deadline = asyncio.get_running_loop().time() + ANSWER_WITHIN.total_seconds()
        while True:
            try:
                return await handle.query(
                    query, args=given, result_type=result_type, rpc_timeout=min(A_QUESTION, ANSWER_WITHIN)
                )
            except (RPCError, WorkflowQueryFailedError) as error:
                if not _can_be_repeated(error) or asyncio.get_running_loop().time() > deadline:
                    raise
            await self._idle(handle)

    async def _idle(self, handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription:
        """Wait until no workflow task is pending, at most `ANSWER_WITHIN`, and return the workflow's description.

        A query before that can corrupt the history (docs/findings.md).
        """
        deadline = asyncio.get_running_loop().time() + ANSWER_WITHIN.total_seconds()
        while True:
            there = await handle.describe(rpc_timeout=ANSWER_WITHIN)
            if there.task_queue != TASK_QUEUE and not await self.is_served(there.task_queue):
                raise Unreachable(unserved(there))
            late = asyncio.get_running_loop().time() > deadline
            if late or not there.raw_description.HasField("pending_workflow_task"):
                return there
            await asyncio.sleep(0.05)

    async def cases(self, *conditions: str) -> AsyncIterator[Json]:
        """Yield the cases that the server still has, latest first, with their search attributes.

        `conditions` are Temporal list filters, such as `CaseTeam = 'quality'`; all must hold.
        """
        query = " AND ".join((f"WorkflowType = '{CASE_WORKFLOW}'", *conditions))
        known: set[str] = set()
        async with self._sentences("…"):
            async for execution in self.client.list_workflows(query, rpc_timeout=ANSWER_WITHIN):
                # The server lists every run. A run that continued as new is not the current state of the case, and of a
                # complaint that was refused and sent again only the latest run counts.
                continued = execution.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
                if not continued and not (execution.id in known and not _was_admitted(execution)):
                    yield _row(execution)
                known.add(execution.id)

    async def skip(self, case_id: str, time: timedelta) -> datetime:
        """Move the clock of the case forward, on a server that allows it. Return its new time."""
        skipper, handle = TimeSkipper(self.client), self._handle(case_id)
        async with self._sentences(case_id):
            try:
                async with asyncio.timeout(SKIP_WITHIN):
                    await skipper.fast_forward(handle, time)
                return await skipper.get_current_time(handle)
            except TimeoutError:
                raise Unreachable(f"{case_id} did not get through that time in {SKIP_WITHIN} s: {_WORKER}") from None
            except RuntimeError as error:
                if "overridden by a later" not in str(error):
                    raise
                raise Refusal(f"another skip of {case_id} is in progress: check its state, then try again") from None
            except RPCError as error:
                if error.status is not RPCStatusCode.UNIMPLEMENTED:
                    raise
                raise Refusal(f'{self.address} cannot skip time: only the server of "starter.py up" can') from None

    async def is_served(self, queue: str) -> bool:
        """Return whether a worker has recently polled that task queue."""
        asked = DescribeTaskQueueRequest(
            namespace=self.client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        found = await self.client.workflow_service.describe_task_queue(asked, timeout=ANSWER_WITHIN)
        now = datetime.now(UTC)
        return any(now - p.last_access_time.ToDatetime(tzinfo=UTC) < GONE_AFTER for p in found.pollers)

    def _handle(self, case_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(workflow_id(case_id))

    @asynccontextmanager
    async def _sentences(self, case_id: str) -> AsyncIterator[None]:
        """Convert exceptions from Temporal to `AfterSalesError`."""
        try:
            yield
        except RPCError as error:
            raise await self._sentence(error, case_id) from None
        except RPCTimeoutOrCancelledError:
            raise await self._no_answer(case_id) from None
        except WorkflowUpdateFailedError as error:
            raise Refusal(_message_of(error.cause)) from None
        except WorkflowQueryFailedError as error:
            raise Unreachable(f"{case_id} cannot report its state: {error}") from None
        except WorkflowFailureError as error:
            raise _no_case(case_id, error) from None

    async def _sentence(self, error: RPCError, case_id: str) -> AfterSalesError:
        """Return the exception for an error of the server about a case."""
        match error.status:
            case RPCStatusCode.NOT_FOUND if "amespace" in error.message:
                return Unreachable(f"{self.address} has no namespace {self.client.namespace}: set TEMPORAL_NAMESPACE")
            case RPCStatusCode.NOT_FOUND:
                return await self._not_found(case_id)
            case RPCStatusCode.CANCELLED | RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.FAILED_PRECONDITION:
                return await self._no_answer(case_id)
            case RPCStatusCode.INVALID_ARGUMENT if "search attribute" in error.message:
                return Unreachable(
                    f"{self.address} does not have our search attributes yet: start a worker, which adds them"
                )
            case RPCStatusCode.UNAVAILABLE:
                return Unreachable(f"{self.address} has stopped answering: is the server still running?")
        return Unreachable(f"{self.address} says: {error.message}")

    async def _no_answer(self, case_id: str) -> AfterSalesError:
        """Return why a case does not answer: wrong task queue, or no worker is running."""
        with suppress(RPCError, RPCTimeoutOrCancelledError):
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
            if there.task_queue != TASK_QUEUE and not await self.is_served(there.task_queue):
                return Unreachable(unserved(there))
        return Unreachable(f"{case_id} does not answer: {_WORKER}")

    async def _not_found(self, case_id: str) -> AfterSalesError:
        """Return why the server found nothing: there is no such case, or it accepts no more messages."""
        try:
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
        except RPCError:
            return NoSuchCase(f"no case {case_id} at {self.address}: check the id with starter.py list")
        if _outcome(there):
            return CaseOver(f"{case_id} is closed as {_outcome(there)}")
        try:
            await self._handle(case_id).result(rpc_timeout=ANSWER_WITHIN)
        except WorkflowFailureError as error:
            return _no_case(case_id, error)
        except RPCError:
            return NoSuchCase(f"no case {case_id} at {self.address}: check the id with starter.py list")
        return CaseOver(f"{case_id} is closed")


def equals(attribute: SearchAttribute, value: str) -> str:
    """Return a condition for `Engine.cases`. `value` is escaped."""
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{attribute.name} = '{quoted}'"


def overdue(now: datetime) -> list[str]:
    """Return conditions for `Engine.cases`: still open, and a promise was broken or is past its deadline."""
    broken, due = attributes.BROKEN_PROMISES.name, attributes.NEXT_DUE_AT.name
    return ["ExecutionStatus = 'Running'", f"({broken} IS NOT NULL OR {due} < '{now.isoformat()}')"]


class Archived(NamedTuple):
    """A closed case in our database: its final snapshot, and the complaint that it was opened with, as JSON."""

    record: Snapshot
    complaint: Json | None


def archived(case_id: str, database_url: str) -> Archived | None:
    """Return a closed case from our database, or None."""
    with records_of(database_url) as records:
        row = records.case(case_id) if records else None
    if not row or not row["record"]:
        return None
    return Archived(Snapshot.model_validate(row["record"]), row["complaint"])


_WORKER = f"is a worker running for task queue {TASK_QUEUE}? Start one (python worker.py), then run starter.py show"


def unserved(there: WorkflowExecutionDescription) -> str:
    """Return what to do about a workflow on another task queue, which no worker serves."""
    queue = there.task_queue
    return (
        f"no worker serves task queue {queue}, on which {there.id} was started; cases belong on {TASK_QUEUE}: "
        f"temporal workflow terminate --workflow-id {shlex.quote(there.id)}, then start it again there"
    )


def _can_be_repeated(error: RPCError | WorkflowQueryFailedError) -> bool:
    """Return whether no worker answered the query, so that it may be repeated."""
    if isinstance(error, WorkflowQueryFailedError):
        return str(error) == ASK_AGAIN
    return error.status in (RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED)


def _message_of(error: BaseException) -> str:
    """Return the sentence alone: the SDK puts the error's type before it."""
    return error.message if isinstance(error, ApplicationError) else str(error)


def _no_case(case_id: str, error: WorkflowFailureError) -> AfterSalesError:
    """Return the exception for a workflow that ended without a result (S34)."""
    words = _message_of(error.cause)
    if _refused(error):
        again = "; correct it and send it again under the same id" if _kind(error) == INVALID_COMPLAINT else ""
        return NoSuchCase(f"there is no case {case_id} for this complaint: {words}{again}")
    return NoSuchCase(f"case {case_id} has no result: its workflow was ended in Temporal ({words})")


def _refused(error: WorkflowFailureError) -> bool:
    """Return whether a workflow failed because its complaint was refused, so that there is no case."""
    return _kind(error) in (INVALID_COMPLAINT, CASE_ID_TAKEN)


def _kind(error: WorkflowFailureError) -> str | None:
    cause: BaseException | None = error.cause
    while cause is not None and not isinstance(cause, ApplicationError):
        cause = cause.__cause__
    return cause.type if cause is not None else None


def _was_admitted(execution: WorkflowExecution) -> bool:
    """Return whether a worker has accepted the complaint; it then sets the status."""
    return _value(execution, attributes.STATUS) is not None


def _outcome(execution: WorkflowExecution) -> str | None:
    """Return how a case ended; None if it is open or its workflow was ended in Temporal."""
    outcome: str | None = _value(execution, attributes.OUTCOME)
    return outcome


def _ending(execution: WorkflowExecution) -> str:
    """Return the outcome of a closed case, else the status of its workflow."""
    return str(_outcome(execution) or (execution.status.name.lower() if execution.status else "unknown"))


def _row(execution: WorkflowExecution) -> Json:
    due, closed = _value(execution, attributes.NEXT_DUE_AT), execution.close_time
    running = execution.status is WorkflowExecutionStatus.RUNNING
    no_case = execution.status is WorkflowExecutionStatus.FAILED and not _was_admitted(execution)
    return {
        "case_id": execution.id.removeprefix(workflow_id("")),
        "line": _value(execution, attributes.LINE),
        "topic": _value(execution, attributes.TOPIC),
        "status": _value(execution, attributes.STATUS) if running else "refused" if no_case else "closed",
        "outcome": None if running else "no case" if no_case else _ending(execution),
        "team": _value(execution, attributes.TEAM),
        "order_id": _value(execution, attributes.ORDER),
        "urgent": bool(_value(execution, attributes.URGENT)),
        "broken_promises": list(execution.search_attributes.get(attributes.BROKEN_PROMISES.name, [])),
        "escalation_rung": _value(execution, attributes.ESCALATION_RUNG) or 0,
        "next_due_at": due.isoformat() if isinstance(due, datetime) else None,
        "opened_at": execution.start_time.isoformat(),
        "closed_at": closed.isoformat() if closed else None,
    }


def _value(execution: WorkflowExecution, attribute: SearchAttribute) -> Any:
    """Return the value of a search attribute, or the first of several; None if it is not set."""
    return next(iter(execution.search_attributes.get(attribute.name, [])), None)
