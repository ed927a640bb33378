"""Open, message and read running cases. Errors of Temporal are raised as those of `client.errors`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

from cases.complaint import Complaint
from cases.contract import (
    CASE_QUERY,
    CASE_WORKFLOW,
    PREVIEW_QUERY,
    TASK_QUEUE,
    line_queue,
    workflow_id,
)
from cases.errors import AfterSalesError, Refusal
from cases.policy.policy import Policy
from cases.views.snapshot import Snapshot
from client.connection import Unreachable, connect
from client.errors import (
    CaseOver,
    NoSuchCase,
    can_be_repeated,
    is_worker_running,
    message_of,
    no_case,
    refused,
    unserved,
)
from client.lists import Json, ending, from_temporal, outcome, was_admitted
from settings import Settings, configured
from workflows.sdk.options import priority

ANSWER_WITHIN = timedelta(seconds=15)
"""For queries and updates. Longer than the 5 s after which another worker takes over from a killed one."""
QUERY_WITHIN = timedelta(seconds=3)
"""For one attempt of a query, repeated until `ANSWER_WITHIN`. One that waits for a killed worker gets no answer."""
GONE_AFTER = timedelta(seconds=90)
"""A worker polls at least once a minute; the server lists it for five minutes after its last poll."""
SKIP_WITHIN = 120
"""Seconds of real time that a skip may take. Skipping days with many deadlines takes a few seconds."""


@dataclass(frozen=True)
class Engine:
    """A connection to the Temporal server at `address`."""

    client: Client
    address: str
    line_queues: frozenset[str] = frozenset()
    """The lines whose cases are opened on task queues of their own."""

    @classmethod
    async def connect(cls, runtime: Runtime | None = None, settings: Settings | None = None) -> Self:
        """Connect (`client.connection`); raises `Unreachable`, or `InvalidInput` for bad settings."""
        settings = settings or configured()
        return cls(*await connect(runtime, settings), settings.line_queues)

    async def open(self, complaint: Complaint, raw: Json, policy: Policy) -> str:
        """Start the case of a valid complaint. Return `opened`, or a sentence if the case exists already.

        The id of a refused complaint may be used again (S34). Raises `Refusal` if the workflow of an earlier case was
        ended in Temporal. `has_begun` returns whether a worker has accepted the complaint.
        """
        async with self._translated(complaint.case_id):
            with suppress(WorkflowAlreadyStartedError):
                await self._start(complaint, raw, policy, WorkflowIDReusePolicy.REJECT_DUPLICATE)
                return "opened"
            there = await self._handle(complaint.case_id).describe(rpc_timeout=ANSWER_WITHIN)
            if there.status is WorkflowExecutionStatus.RUNNING:
                return "already open, nothing started"
            if outcome(there):
                return f"already closed: {outcome(there)}"
            if await self._was_case(there):
                ended = f"case {complaint.case_id} exists, and its workflow was ended in Temporal ({ending(there)})"
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
            task_queue=self.queue_for(complaint.line),
            id_reuse_policy=reuse,
            # Opens one case, as USE_EXISTING does, but shows whether it is new.
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=f"{policy.title.en} · {topic.title.en} · {policy.title.zh} · {topic.title.zh}",
            static_details=f"Received by {complaint.channel} at {complaint.received_at.isoformat()}",
            priority=priority(complaint.line, urgent=complaint.urgent or topic.urgent),
            rpc_timeout=ANSWER_WITHIN,
        )

    def queue_for(self, line: str) -> str:
        """Return the task queue on which cases of a line are opened."""
        return line_queue(line) if line in self.line_queues else TASK_QUEUE

    async def has_begun(self, case_id: str) -> bool:
        """Return whether a worker has accepted the complaint. Raises `NoSuchCase` if it was refused (S34)."""
        async with self._translated(case_id):
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
            if there.status is WorkflowExecutionStatus.FAILED:
                await self._handle(case_id).result(rpc_timeout=ANSWER_WITHIN)
            return there.status is not WorkflowExecutionStatus.RUNNING or was_admitted(there)

    async def _was_case(self, there: WorkflowExecutionDescription) -> bool:
        """Return whether there was a case: not if the run ended before the complaint was accepted, or refused it."""
        if there.status is not WorkflowExecutionStatus.FAILED:
            return was_admitted(there)
        try:
            await self.client.get_workflow_handle(there.id, run_id=there.run_id).result(rpc_timeout=ANSWER_WITHIN)
        except WorkflowFailureError as error:
            return not refused(error)
        return True

    async def send(self, case_id: str, name: str, payload: Json, update_id: str | None = None) -> Any:
        """Send a message as an update and return the case's answer. The same `update_id` is applied only once.

        Raises `Refusal` with the reason that the case gives, and `CaseOver` if it is closed.
        """
        async with self._translated(case_id):
            return await self._handle(case_id).execute_update(name, payload, id=update_id, rpc_timeout=ANSWER_WITHIN)

    async def snapshot(self, case_id: str) -> Snapshot:
        """Return the case as it is now, or its final state if it is closed (then no worker is needed)."""
        handle = self._handle(case_id)
        async with self._translated(case_id):
            there = await self._idle(handle)
            if there.status is WorkflowExecutionStatus.RUNNING:
                found = await self.ask(handle, CASE_QUERY)
            else:
                found = await handle.result(rpc_timeout=ANSWER_WITHIN)
            return Snapshot.model_validate(found)

    async def preview(self, case_id: str, policy: Json) -> Json | None:
        """Ask the case what moving it to that policy would change (S18). None: nothing, or it is closed."""
        handle = self._handle(case_id)
        async with self._translated(case_id):
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
                raise await self._error(error, case_id) from None
        return None

    async def is_open(self, case_id: str) -> bool:
        """Return whether the case accepts messages."""
        try:
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise await self._error(error, case_id) from None
            return False
        return there.status is WorkflowExecutionStatus.RUNNING

    async def ask(
        self, handle: WorkflowHandle[Any, Any], query: str, *given: Any, result_type: type | None = None
    ) -> Any:
        """Query a workflow that was idle just before, and return the answer. Raises what the SDK raises.

        Each attempt is short, because a query that is still pending when another worker takes over from a killed one
        can corrupt the history. A worker answers such a query with `ASK_AGAIN` (docs/findings.md).
        """
        deadline = asyncio.get_running_loop().time() + ANSWER_WITHIN.total_seconds()
        while True:
            try:
                return await handle.query(
                    query, args=given, result_type=result_type, rpc_timeout=min(QUERY_WITHIN, ANSWER_WITHIN)
                )
            except (RPCError, WorkflowQueryFailedError) as error:
                if not can_be_repeated(error) or asyncio.get_running_loop().time() > deadline:
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
        async with self._translated("…"):
            async for row in from_temporal(self.client, *conditions, within=ANSWER_WITHIN):
                yield row

    async def skip(self, case_id: str, time: timedelta) -> datetime:
        """Move the clock of the case forward, on a server that allows it. Return its new time."""
        skipper, handle = TimeSkipper(self.client), self._handle(case_id)
        async with self._translated(case_id):
            try:
                async with asyncio.timeout(SKIP_WITHIN):
                    await skipper.fast_forward(handle, time)
                return await skipper.get_current_time(handle)
            except TimeoutError:
                raise Unreachable(
                    f"the skip of {case_id} did not end within {SKIP_WITHIN} s: {is_worker_running()}"
                ) from None
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

    async def check(self) -> None:
        """Raise `Unreachable` if the server does not answer."""
        async with self._translated("…"):
            await self.is_served(TASK_QUEUE)

    def _handle(self, case_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(workflow_id(case_id))

    @asynccontextmanager
    async def _translated(self, case_id: str) -> AsyncIterator[None]:
        """Convert exceptions from Temporal to `AfterSalesError`."""
        try:
            yield
        except RPCError as error:
            raise await self._error(error, case_id) from None
        except RPCTimeoutOrCancelledError:
            raise await self._no_answer(case_id) from None
        except WorkflowUpdateFailedError as error:
            raise Refusal(message_of(error.cause)) from None
        except WorkflowQueryFailedError as error:
            raise Unreachable(f"{case_id} cannot report its state: {error}") from None
        except WorkflowFailureError as error:
            raise no_case(case_id, error) from None

    async def _error(self, error: RPCError, case_id: str) -> AfterSalesError:
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
        """Return why a case does not answer: perhaps no worker serves its task queue."""
        queue = TASK_QUEUE
        with suppress(RPCError, RPCTimeoutOrCancelledError):
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
            queue = there.task_queue
            if there.task_queue != TASK_QUEUE and not await self.is_served(there.task_queue):
                return Unreachable(unserved(there))
        return Unreachable(f"{case_id} does not answer: {is_worker_running(queue)}")

    async def _not_found(self, case_id: str) -> AfterSalesError:
        """Return why the server found nothing: there is no such case, or it accepts no more messages."""
        try:
            there = await self._handle(case_id).describe(rpc_timeout=ANSWER_WITHIN)
        except RPCError:
            return NoSuchCase(f"no case {case_id} at {self.address}: check the id with starter.py list")
        if outcome(there):
            return CaseOver(f"{case_id} is closed as {outcome(there)}")
        try:
            await self._handle(case_id).result(rpc_timeout=ANSWER_WITHIN)
        except WorkflowFailureError as error:
            return no_case(case_id, error)
        except RPCError:
            return NoSuchCase(f"no case {case_id} at {self.address}: check the id with starter.py list")
        return CaseOver(f"{case_id} is closed")
