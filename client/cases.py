"""Running cases from outside: open one, tell it something, read it. What goes wrong comes out as one sentence.

AfterSalesError
├── Unreachable    nothing, or no worker, answers; says where it was looked for
├── NoSuchCase     there is no such case at that address
└── Refusal
    └── CaseOver   the case has closed: it takes no more messages
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
"""For queries and updates: longer than a case waits after its worker was killed (5 s) and it moves to another one."""
A_QUESTION = timedelta(seconds=3)
"""For one query, asked again until `ANSWER_WITHIN`: shorter than the server keeps it for a worker that was killed."""
GONE_AFTER = timedelta(seconds=90)
"""A worker asks for work at least once a minute; the server names it for five after its last time."""
SKIP_WITHIN = 120
"""Seconds of real time that skipping may take; days with many deadlines take a few."""

Json = dict[str, Any]


class NoSuchCase(AfterSalesError):
    """There is no such case."""


class CaseOver(Refusal):
    """The case has closed."""


@dataclass(frozen=True)
class Engine:
    """A connection to the Temporal server at `address`."""

    client: Client
    address: str

    @classmethod
    async def connect(cls, runtime: Runtime | None = None, settings: Settings | None = None) -> Self:
        """Connect (`client.connection`); raises `Unreachable`, `KeyFault`, or `InvalidInput` for bad settings."""
        return cls(*await connect(runtime, settings))

    async def open(self, complaint: Complaint, raw: Json, policy: Policy) -> str:
        """Start the case of a complaint that passed the door; says `opened`, or what there is already.

        An id under which a complaint was refused is free (S34). Raises `Refusal` for one whose case ended otherwise
        than cases do. Whether a worker takes the complaint in says `has_begun`.
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
            if await self._lived(there):
                ended = f"case {complaint.case_id} is there, and its workflow was ended ({_ending(there)}) in Temporal"
                raise Refusal(f"{ended}: a case id is used once, give this complaint another")
            with suppress(WorkflowAlreadyStartedError):
                await self._start(complaint, raw, policy, WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
                return "opened"
        return "already open, nothing started"  # somebody else was faster

    async def _start(self, complaint: Complaint, raw: Json, policy: Policy, reuse: WorkflowIDReusePolicy) -> None:
        topic = policy.topics[complaint.topic]
        await self.client.start_workflow(
            CASE_WORKFLOW,
            raw,
            id=workflow_id(complaint.case_id),
            task_queue=TASK_QUEUE,
            id_reuse_policy=reuse,
            # One case, as with USE_EXISTING; but this answer tells a new case from one that was there.
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=f"{policy.title.en} · {topic.title.en} · {policy.title.zh} · {topic.title.zh}",
            static_details=f"Received by {complaint.channel} at {complaint.received_at.isoformat()}",
            priority=URGENT if complaint.urgent or topic.urgent else USUAL,
            rpc_timeout=ANSWER_WITHIN,
        )

    async def has_begun(self, case_id: str) -> bool:
        """Whether a worker has taken the complaint in; raises `NoSuchCase` where it was refused (S34)."""
        async with self._sentences(case_id):
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
            if there.status is WorkflowExecutionStatus.FAILED:
                await self._handle(case_id).result(rpc_timeout=ANSWER_WITHIN)
            return there.status is not WorkflowExecutionStatus.RUNNING or _was_admitted(there)

    async def _lived(self, there: WorkflowExecutionDescription) -> bool:
        """Whether there was a case: a run that ended before its complaint was taken in, or by refusing it, was none."""
        if there.status is not WorkflowExecutionStatus.FAILED:
            return _was_admitted(there)
        try:
            await self.client.get_workflow_handle(there.id, run_id=there.run_id).result(rpc_timeout=ANSWER_WITHIN)
        except WorkflowFailureError as error:
            return not _refused(error)
        return True

    async def tell(self, case_id: str, name: str, payload: Json) -> Any:
        """Send a message as an update; the case's answer.

        Raises `Refusal` with the sentence of the case, and `CaseOver` where it has closed.
        """
        async with self._sentences(case_id):
            return await self._handle(case_id).execute_update(name, payload, rpc_timeout=ANSWER_WITHIN)

    async def snapshot(self, case_id: str) -> Snapshot:
        """The case as it is now, or as it was when it closed (then no worker is needed)."""
        handle = self.client.get_workflow_handle(workflow_id(case_id), result_type=Snapshot)
        async with self._sentences(case_id):
            there = await self._at_rest(handle)
            if there.status is WorkflowExecutionStatus.RUNNING:
                found: Snapshot = await self.ask(handle, CASE_QUERY, result_type=Snapshot)
            else:
                found = await handle.result(rpc_timeout=ANSWER_WITHIN)
            return found

    async def preview(self, case_id: str, policy: Json) -> Json | None:
        """What moving the case to that policy would change, as it says itself (S18); None: nothing, or it is over."""
        handle = self._handle(case_id)
        async with self._sentences(case_id):
            there = await self._at_rest(handle)
            if there.status is not WorkflowExecutionStatus.RUNNING:
                return None
            now = await TimeSkipper(self.client).get_current_time(handle)
            asked = {"policy": policy, "now": now.isoformat()}
            found: Json | None = await self.ask(handle, PREVIEW_QUERY, asked)
            return found

    async def complaint(self, case_id: str) -> Json | None:
        """What the case was started with; None where the server knows of no such case, or no longer."""
        try:
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
            # A case that continued as new was started with itself; its first run with the complaint.
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
        """Whether the case takes messages."""
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
        """The answer to a query of a workflow that was at rest a moment ago; raises what the SDK raises.

        Asked in short: a question that still waits when a killed worker's work goes to another one can spoil the
        history, and one that would have is answered with `ASK_AGAIN` (docs/findings.md).
        """
        patience = asyncio.get_running_loop().time() + ANSWER_WITHIN.total_seconds()
        while True:
            try:
                return await handle.query(
                    query, args=given, result_type=result_type, rpc_timeout=min(A_QUESTION, ANSWER_WITHIN)
                )
            except (RPCError, WorkflowQueryFailedError) as error:
                if not _unheard(error) or asyncio.get_running_loop().time() > patience:
                    raise
            await self._at_rest(handle)

    async def _at_rest(self, handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription:
        """The workflow once no task of it waits for a worker, as long as one can be expected to come.

        A query before that can spoil the history (docs/findings.md).
        """
        patience = asyncio.get_running_loop().time() + ANSWER_WITHIN.total_seconds()
        while True:
            there = await handle.describe(rpc_timeout=ANSWER_WITHIN)
            if there.task_queue != TASK_QUEUE and not await self.is_served(there.task_queue):
                raise Unreachable(unserved(there))
            late = asyncio.get_running_loop().time() > patience
            if late or not there.raw_description.HasField("pending_workflow_task"):
                return there
            await asyncio.sleep(0.05)

    async def cases(self, *conditions: str) -> AsyncIterator[Json]:
        """The cases that the server still knows, latest first: what their search attributes tell.

        `conditions` are in the language of Temporal's visibility, such as `CaseTeam = 'quality'`; all have to hold.
        """
        query = " AND ".join((f"WorkflowType = '{CASE_WORKFLOW}'", *conditions))
        known: set[str] = set()
        async with self._sentences("…"):
            async for execution in self.client.list_workflows(query, rpc_timeout=ANSWER_WITHIN):
                # The server's list tells each run; one that went on in another is not the case as it is now, and of
                # a complaint that was refused and sent again the latest counts.
                went_on = execution.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
                if not went_on and not (execution.id in known and not _was_admitted(execution)):
                    yield _row(execution)
                known.add(execution.id)

    async def skip(self, case_id: str, time: timedelta) -> datetime:
        """Move that case's clock forward, on a server that allows it; what time it then is there."""
        skipper, handle = TimeSkipper(self.client), self._handle(case_id)
        async with self._sentences(case_id):
            try:
                async with asyncio.timeout(SKIP_WITHIN):
                    await skipper.fast_forward(handle, time)
                return await skipper.get_current_time(handle)
            except TimeoutError:
                raise Unreachable(f"{case_id} has not come through that time in {SKIP_WITHIN} s: {_WORKER}") from None
            except RuntimeError as error:
                if "overridden by a later" not in str(error):
                    raise
                raise Refusal(f"somebody else moves the clock of {case_id} just now: look, then skip again") from None
            except RPCError as error:
                if error.status is not RPCStatusCode.UNIMPLEMENTED:
                    raise
                raise Refusal(
                    f'{self.address} lets nobody skip time: only the server of "starter.py up" does'
                ) from None

    async def is_served(self, queue: str) -> bool:
        """Whether a worker has lately asked that task queue for work."""
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
        """Whatever Temporal raises, as a sentence."""
        try:
            yield
        except RPCError as error:
            raise await self._sentence(error, case_id) from None
        except RPCTimeoutOrCancelledError:
            raise await self._silent(case_id) from None
        except WorkflowUpdateFailedError as error:
            raise Refusal(_words(error.cause)) from None
        except WorkflowQueryFailedError as error:
            raise Unreachable(f"{case_id} cannot tell how it stands: {error}") from None
        except WorkflowFailureError as error:
            raise _no_case(case_id, error) from None

    async def _sentence(self, error: RPCError, case_id: str) -> AfterSalesError:
        """What an answer of the server means for somebody who asked about a case."""
        match error.status:
            case RPCStatusCode.NOT_FOUND if "amespace" in error.message:
                return Unreachable(f"{self.address} has no namespace {self.client.namespace}: set TEMPORAL_NAMESPACE")
            case RPCStatusCode.NOT_FOUND:
                return await self._not_there(case_id)
            case RPCStatusCode.CANCELLED | RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.FAILED_PRECONDITION:
                return await self._silent(case_id)
            case RPCStatusCode.INVALID_ARGUMENT if "search attribute" in error.message:
                return Unreachable(
                    f"{self.address} does not know our search attributes yet: start a worker, it adds them"
                )
            case RPCStatusCode.UNAVAILABLE:
                return Unreachable(f"{self.address} has stopped answering: is the server still up?")
        return Unreachable(f"{self.address} says: {error.message}")

    async def _silent(self, case_id: str) -> AfterSalesError:
        """Why a case does not answer: it was started where no worker is, or the worker is away."""
        with suppress(RPCError, RPCTimeoutOrCancelledError):
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
            if there.task_queue != TASK_QUEUE and not await self.is_served(there.task_queue):
                return Unreachable(unserved(there))
        return Unreachable(f"{case_id} does not answer: {_WORKER}")

    async def _not_there(self, case_id: str) -> AfterSalesError:
        """Not found means two things: there never was such a case, or it takes no more messages."""
        try:
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
        except RPCError:
            return NoSuchCase(f"no case {case_id} at {self.address}: check the id, or look with starter.py list")
        if _outcome(there):
            return CaseOver(f"{case_id} is closed as {_outcome(there)}")
        try:
            await self._handle(case_id).result(rpc_timeout=ANSWER_WITHIN)
        except WorkflowFailureError as error:
            return _no_case(case_id, error)
        except RPCError:
            return NoSuchCase(f"no case {case_id} at {self.address}: check the id, or look with starter.py list")
        return CaseOver(f"{case_id} is closed")


def equals(attribute: SearchAttribute, value: str) -> str:
    """A condition for `Engine.cases`; `value` comes from a stranger."""
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{attribute.name} = '{quoted}'"


def overdue(now: datetime) -> list[str]:
    """Conditions for `Engine.cases`: still open, and a promise was broken or is past its time."""
    broken, due = attributes.BROKEN_PROMISES.name, attributes.NEXT_DUE_AT.name
    return ["ExecutionStatus = 'Running'", f"({broken} IS NOT NULL OR {due} < '{now.isoformat()}')"]


class Archived(NamedTuple):
    """A closed case in our own records: its final snapshot, and the complaint that it was opened with, as JSON."""

    record: Snapshot
    complaint: Json | None


def archived(case_id: str, database_url: str) -> Archived | None:
    """A closed case in our own records; None where they have none."""
    with records_of(database_url) as records:
        row = records.case(case_id) if records else None
    if not row or not row["record"]:
        return None
    return Archived(Snapshot.model_validate(row["record"]), row["complaint"])


_WORKER = f"is a worker running for task queue {TASK_QUEUE}? Start one (python worker.py), then look (starter.py show)"


def unserved(there: WorkflowExecutionDescription) -> str:
    """What to do about a workflow on a task queue of its own that no worker serves."""
    queue = there.task_queue
    return (
        f"no worker serves task queue {queue}, on which {there.id} was started; cases belong on {TASK_QUEUE}: "
        f"temporal workflow terminate --workflow-id {shlex.quote(there.id)}, then start it again there"
    )


def _unheard(error: RPCError | WorkflowQueryFailedError) -> bool:
    """Whether no worker has answered a query, and one may when it is asked again."""
    if isinstance(error, WorkflowQueryFailedError):
        return str(error) == ASK_AGAIN
    return error.status in (RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED)


def _words(error: BaseException) -> str:
    """The sentence alone: the SDK puts the error's type before it."""
    return error.message if isinstance(error, ApplicationError) else str(error)


def _no_case(case_id: str, error: WorkflowFailureError) -> AfterSalesError:
    """What a workflow that ended without a result means for somebody who asks for its case (S34)."""
    words = _words(error.cause)
    if _refused(error):
        again = "; correct it and send it again under the same id" if _kind(error) == INVALID_COMPLAINT else ""
        return NoSuchCase(f"there is no case {case_id} of this complaint: {words}{again}")
    return NoSuchCase(f"case {case_id} has no result: its workflow was ended in Temporal ({words})")


def _refused(error: WorkflowFailureError) -> bool:
    """Whether a workflow failed because its complaint was refused: there never was a case."""
    return _kind(error) in (INVALID_COMPLAINT, CASE_ID_TAKEN)


def _kind(error: WorkflowFailureError) -> str | None:
    cause: BaseException | None = error.cause
    while cause is not None and not isinstance(cause, ApplicationError):
        cause = cause.__cause__
    return cause.type if cause is not None else None


def _was_admitted(execution: WorkflowExecution) -> bool:
    """Whether a worker has taken the complaint in, and shown it."""
    return _value(execution, attributes.STATUS) is not None


def _outcome(execution: WorkflowExecution) -> str | None:
    """How a case ended; None where it has not, or has not as cases do."""
    outcome: str | None = _value(execution, attributes.OUTCOME)
    return outcome


def _ending(execution: WorkflowExecution) -> str:
    """How a closed case ended: its outcome, else what became of its workflow."""
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
    """The value, or the first of several; None where the workflow has none."""
    return next(iter(execution.search_attributes.get(attribute.name, [])), None)
