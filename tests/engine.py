"""A real Temporal server, a real worker with a separate task queue, and a case whose clock can be moved.

Nothing here sleeps to synchronise: every wait is for a condition, and fails after `PATIENCE`.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from cases.contract import CASE_QUERY, CASE_WORKFLOW, workflow_id
from child import Server, StartFailed
from client.cases import Engine
from embedded import SERVER_SETTINGS
from worker import Parts, Workers, build_workers
from workflows.after_sales_case import AfterSalesCase
from workflows.afterwards.improvement_measure import ImprovementMeasure
from workflows.afterwards.later_call import LaterCallToCustomer
from workflows.carrier_claim import CarrierClaim
from workflows.reconcile import ReconcileCases
from workflows.reviewing.service_review import ServiceReview
from workflows.sdk.hardening import FirstArgumentOnly, hardened
from workflows.sdk.page import PageOnRequest

PATIENCE = int(os.environ.get("AFTER_SALES_TEST_PATIENCE", "60"))
"""Seconds after which an expected event has failed to happen: far more than it needs."""
ONCE: dict[str, Any] = {
    "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
}
"""How a case is started (contract, *Names*)."""


@asynccontextmanager
async def serving(folder: Path, settings: dict[str, str] | None = None) -> AsyncIterator[str]:
    """Yield the address of a server in memory, set up as the embedded one; `settings` override it."""
    server = await _launched(folder, settings or {})
    try:
        yield server.address
    finally:
        await server.end(5)


async def _launched(folder: Path, settings: dict[str, str], tries: int = 3) -> Server:
    """Start a server on a free port; on another one if that port was taken meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("temporal")), "server", "start-dev", "--headless"]
    command += ["--ip", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    for name, value in {**SERVER_SETTINGS, **settings}.items():
        command += ["--dynamic-config-value", f"{name}={value}"]
    server = Server("the Temporal server", command, dict(os.environ), folder / f"temporal-{port}.log")
    server.address = f"127.0.0.1:{port}"
    await server.launch()
    try:
        await server.until_ready()
    except BaseException as error:
        await server.end(5)
        if not isinstance(error, StartFailed) or tries == 1:
            raise
        return await _launched(folder, settings, tries - 1)
    return server


async def eventually(condition: Callable[[], Awaitable[Any]], what: str = "the condition") -> Any:
    """Return the first true answer of `condition`; fail if there is none within `PATIENCE`."""
    pause = 0.01
    try:
        async with asyncio.timeout(PATIENCE):
            while not (answer := await condition()):
                await asyncio.sleep(pause)
                pause = min(0.2, 1.3 * pause)
            return answer
    except TimeoutError:
        raise AssertionError(f"{what} did not come about within {PATIENCE} s") from None


def _without_deadlock_detection(worker: Worker) -> None:
    """Let workflow tasks take their time: the SDK fails them after two seconds, which a busy machine exceeds.

    The server would repeat the task, and a repeated task logs its lines again.
    """
    workflow_worker = worker._workflow_worker  # noqa: SLF001 (the SDK has no option for it)
    assert workflow_worker is not None
    assert workflow_worker._deadlock_timeout_seconds == 2  # noqa: SLF001 (still what is switched off here)
    workflow_worker._deadlock_timeout_seconds = None  # noqa: SLF001


@dataclass
class Workshop:
    """The worker of one test; it can be stopped and started again."""

    client: Client
    parts: Parts
    task_queue: str = field(default_factory=lambda: f"test-{uuid4().hex[:8]}")
    taken_in: set[str] = field(default_factory=set)
    """The workflow ids of its cases."""
    _worker: Workers | None = None

    async def open(self, *, max_cached_workflows: int = 1000, **options: Any) -> None:
        """Start the worker."""
        usual = {"task_queues": [self.task_queue], "partners_of": self.task_queue, "sandboxed": True}
        self._worker = build_workers(
            self.client, self.parts, **{**usual, **options, "max_cached_workflows": max_cached_workflows}
        )
        _without_deadlock_detection(self._worker.workers[0])
        await self._worker.__aenter__()

    async def close(self) -> None:
        """Stop the worker, once its activities have ended."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.__aexit__(None, None, None)

    async def take_in(self, complaint: dict[str, Any], **how: Any) -> "OpenCase":
        """Start the case of a complaint."""
        handle = await self.client.start_workflow(
            CASE_WORKFLOW,
            complaint,
            id=workflow_id(complaint["case_id"]),
            task_queue=self.task_queue,
            **{**ONCE, **how},
        )
        self.taken_in.add(handle.id)
        # Without a run id the handle follows the case when it continues as new.
        return OpenCase(complaint["case_id"], self.client, self.client.get_workflow_handle(handle.id))

    async def replay(self) -> None:
        """Replay the histories of all its cases; raise if the code now gives other commands."""
        for taken in self.taken_in:
            await replayer(self.client).replay_workflow(await self.client.get_workflow_handle(taken).fetch_history())


@dataclass
class OpenCase:
    """A case as other programs see it, with a clock that can be moved."""

    id: str
    client: Client
    handle: WorkflowHandle[Any, Any]

    async def snapshot(self) -> dict[str, Any]:
        """The snapshot (contract)."""
        answer: dict[str, Any] = await self.asks(CASE_QUERY)
        return answer

    async def asks(self, query: str, *given: Any, result_type: type | None = None) -> Any:
        """Return the answer to a query; repeat it as the product does if it came too soon (docs/findings.md)."""
        return await Engine(self.client, "").ask(self.handle, query, *given, result_type=result_type)

    async def says(self, message: str, **payload: Any) -> dict[str, Any]:
        """Send an update; return its answer."""
        answer: dict[str, Any] = await self.handle.execute_update(message, payload)
        return answer

    async def signals(self, message: str, **payload: Any) -> None:
        """Send a signal."""
        await self.handle.signal(message, payload)

    async def until(self, holds: Callable[[dict[str, Any]], Any], what: str = "") -> dict[str, Any]:
        """Return the first snapshot for which `holds` is true."""
        seen: dict[str, Any] = {}

        async def look() -> bool:
            # A query before a waiting task can spoil the history (docs/findings.md).
            if (await self.handle.describe()).raw_description.HasField("pending_workflow_task"):
                return False
            seen.update(await self.snapshot())
            return bool(holds(seen))

        await eventually(look, what or f"what was expected of {self.id}")
        return seen

    async def runs(self) -> int:
        """Return how many runs the case has had; each one names the one before."""
        return len(await runs(self.client, self.handle.id))

    async def result(self) -> dict[str, Any]:
        """Return the result of its workflow; raise what the workflow failed with."""
        async with asyncio.timeout(PATIENCE):
            answer: dict[str, Any] = await self.handle.result()
        return answer

    async def becomes(self, status: str) -> dict[str, Any]:
        """Wait until the case has this status; return the snapshot."""
        return await self.until(lambda case: case["status"] == status, f"status {status} of {self.id}")

    async def after(self, **time: float) -> dict[str, Any]:
        """Move this case's clock, let everything happen that became due, and return the snapshot."""
        await TimeSkipper(self.client).fast_forward(self.handle, timedelta(**time))
        await self.at_rest()
        return await self.snapshot()

    async def now(self) -> datetime:
        """Return this case's current time."""
        return await TimeSkipper(self.client).get_current_time(self.handle)

    async def events(self, kind: str | None = None) -> list[HistoryEvent]:
        """Return its history; `kind` as in `TIMER_STARTED`."""
        history = await self.handle.fetch_history()
        wanted = None if kind is None else EventType.Value(f"EVENT_TYPE_{kind}")
        return [event for event in history.events if wanted in (None, event.event_type)]

    async def reset(self, activity: str) -> None:
        """Reset it, as an operator may, to the workflow task that scheduled `activity` for the first time."""
        scheduled = [e.activity_task_scheduled_event_attributes for e in await self.events("ACTIVITY_TASK_SCHEDULED")]
        first = next(attributes for attributes in scheduled if attributes.activity_type.name == activity)
        await self.client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=self.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=self.handle.id),
                reason="to test a reset",
                workflow_task_finish_event_id=first.workflow_task_completed_event_id,
                request_id=uuid4().hex,
                reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
            )
        )

    async def at_rest(self) -> None:
        """Wait until nothing is in progress and no timer is overdue: a skip ends before its timers have fired."""
        await eventually(self._rests, f"rest in {self.id}")

    async def _rests(self) -> bool:
        described = (await self.handle.describe()).raw_description
        # A retry waits for its back-off, possibly for days.
        if described.HasField("pending_workflow_task") or any(a.attempt == 1 for a in described.pending_activities):
            return False
        now, events = await self.now(), await self.events()
        # A run after continue-as-new waits a second before its first task, and cannot be queried until then.
        begun = any(event.HasField("workflow_task_completed_event_attributes") for event in events)
        return begun and all(due > now for due in self._timers(events))

    def _timers(self, events: list[HistoryEvent]) -> list[datetime]:
        """Return when the running timers will fire."""
        waiting = {}
        for event in events:
            if event.HasField("timer_started_event_attributes"):
                length = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
                waiting[event.event_id] = event.event_time.ToDatetime(tzinfo=UTC) + length
            elif event.HasField("timer_fired_event_attributes"):
                waiting.pop(event.timer_fired_event_attributes.started_event_id, None)
            elif event.HasField("timer_canceled_event_attributes"):
                waiting.pop(event.timer_canceled_event_attributes.started_event_id, None)
        return list(waiting.values())


async def runs(client: Client, workflow: str) -> list[WorkflowHistory]:
    """Return the histories of a workflow's runs, latest first; empty if there is no such workflow."""
    found: list[WorkflowHistory] = []
    try:
        run_id = (await client.get_workflow_handle(workflow).describe()).run_id
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return found
    while run_id:
        found.append(await client.get_workflow_handle(workflow, run_id=run_id).fetch_history())
        run_id = found[-1].events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return found


def promise(case: dict[str, Any], name: str, cycle: int = 1) -> dict[str, Any]:
    """Return the latest promise of this name and cycle in a snapshot."""
    found: dict[str, Any] = [p for p in case["promises"] if (p["name"], p["cycle"]) == (name, cycle)][-1]
    return found


def step(case: dict[str, Any], step_id: str) -> dict[str, Any]:
    """Return the step with this id in a snapshot; empty if there is none."""
    return next((s for s in case["steps"] if s["id"] == step_id), {"state": None, "reference": None})


def replayer(client: Client | None = None) -> Replayer:
    """Return a replayer for histories of `client`: like the worker, but without the sandbox, four times as fast.

    In debug mode the SDK does not fail a workflow task that takes over two seconds, as it may on a busy machine.
    """
    return Replayer(
        debug_mode=True,
        workflows=[
            AfterSalesCase,
            CarrierClaim,
            ImprovementMeasure,
            LaterCallToCustomer,
            ReconcileCases,
            ServiceReview,
        ],
        # Encrypted payloads can be decrypted in their own namespace only.
        namespace=client.namespace if client else "default",
        data_converter=hardened(client.data_converter if client else pydantic_data_converter),
        interceptors=[FirstArgumentOnly(), PageOnRequest()],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
