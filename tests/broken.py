"""A case on which our code fails, again and again: for tests of how that is noticed."""

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
    """What is named like a case, and has a fault."""

    @workflow.run
    async def run(self, _: Any) -> None:
        """Raise what is no failure in Temporal's sense, so that the task is tried again and again."""
        raise RuntimeError("a fault of ours")


@asynccontextmanager
async def broken_case(client: Client) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """A case of that kind, and its worker; both end with the block."""
    queue, case = f"broken-{uuid4().hex}", workflow_id(f"HL-{uuid4().hex}")
    async with Worker(client, task_queue=queue, workflows=[Broken], workflow_runner=UnsandboxedWorkflowRunner()):
        handle = await client.start_workflow(CASE_WORKFLOW, {}, id=case, task_queue=queue)
        try:
            yield handle
        finally:
            await handle.terminate()
