"""A case on which our code always fails, to test how that is reported."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from cases.contract import CASE_WORKFLOW, workflow_id


@workflow.defn(name=CASE_WORKFLOW, sandboxed=False)
class Broken:
    """Has the name of a case, and a fault."""

    @workflow.run
    async def run(self, _: Any) -> None:
        """Raise an error that is no failure for Temporal, so that the task is retried forever."""
        raise RuntimeError("a fault of ours")


@workflow.defn(name=CASE_WORKFLOW, sandboxed=False)
class Unreplayable:
    """Starts a timer the first time only, so that its history cannot be replayed."""

    instances = 0

    @workflow.run
    async def run(self, _: Any) -> None:
        """Wait for the timer; in a replay, wait without one."""
        Unreplayable.instances += 1
        if Unreplayable.instances == 1:
            await workflow.sleep(0.01)
        await workflow.wait_condition(lambda: False)


@asynccontextmanager
async def broken_case(client: Client, kind: type = Broken) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """Run such a case and its worker until the block ends. The worker caches nothing: it replays for each task."""
    queue, case = f"broken-{uuid4().hex}", workflow_id(f"HL-{uuid4().hex}")
    async with Worker(
        client,
        task_queue=queue,
        workflows=[kind],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=0,
    ):
        handle = await client.start_workflow(CASE_WORKFLOW, {}, id=case, task_queue=queue)
        try:
            yield handle
        finally:
            await handle.terminate()
