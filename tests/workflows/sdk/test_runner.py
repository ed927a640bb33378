"""Messages that come with a query but with no workflow task are refused, because no history would contain them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)

from cases.contract import ASK_AGAIN
from tests.engine import serving
from workflows.sdk.runner import QuerySafeRunner

QUEUE = "q"
HELD = threading.Event()
"""Until it is set, no other task gets a slot of the worker."""
MOST = 1.5
"""Seconds for which a workflow may block: the SDK takes two for a deadlock."""
ROUNDS = 12


@workflow.defn
class Receives:
    """Counts its signals."""

    def __init__(self) -> None:
        self._received = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self._received > 0)
        return self._received

    @workflow.signal
    def receive(self) -> None:
        self._received += 1

    @workflow.query
    def received(self) -> int:
        return self._received


@workflow.defn
class Holds:
    """Keeps a slot of its worker."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def hold(self) -> None:
        HELD.wait(MOST)


class Watched(UnsandboxedWorkflowRunner):
    """Records the history lengths at which signals arrive, for each run."""

    def __init__(self) -> None:
        self.signalled_at: list[tuple[str, int]] = []

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = super().create_instance(det)
        activate: Callable[[WorkflowActivation], WorkflowActivationCompletion] = instance.activate

        def noted(act: WorkflowActivation) -> WorkflowActivationCompletion:
            if any(job.HasField("signal_workflow") for job in act.jobs):
                self.signalled_at.append((act.run_id, act.history_length))
            return activate(act)

        instance.activate = noted  # type: ignore[method-assign]
        return instance


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    HELD.clear()
    yield
    HELD.set()


async def strays(folder: Path, wrapped: Callable[[WorkflowRunner], WorkflowRunner]) -> tuple[int, list[BaseException]]:
    """Return how many signals came with a query, in `ROUNDS` trials or until one did, and the failed queries."""
    watched = Watched()
    failures: list[BaseException] = []
    found = 0
    async with serving(folder) as address:
        client = await Client.connect(address)
        async with Worker(
            client,
            task_queue=QUEUE,
            workflows=[Receives, Holds],
            workflow_runner=wrapped(watched),
            max_cached_workflows=2,
            max_concurrent_workflow_tasks=2,
        ):
            for number in range(ROUNDS):
                HELD.clear()
                failures += await _query_while_signalled(client, number)
                case = client.get_workflow_handle(f"receives-{number}")
                history = await case.fetch_history()
                begun = {e.event_id for e in history.events if e.HasField("workflow_task_started_event_attributes")}
                run_id = (await case.describe()).run_id
                found += sum(run == run_id and length not in begun for run, length in watched.signalled_at)
                if found or failures:
                    break
    return found, failures


async def _query_while_signalled(client: Client, number: int) -> list[BaseException]:
    """A workflow that is in no cache gets a query and a signal before a worker has a slot for either."""
    case = await client.start_workflow(Receives.run, id=f"receives-{number}", task_queue=QUEUE)
    await case.query(Receives.received)
    for other in range(2):  # they run it from the cache
        there = await client.start_workflow(Receives.run, id=f"other-{number}-{other}", task_queue=QUEUE)
        await there.query(Receives.received)
    # One slot is for tasks of cached workflows, the other for new ones.
    holder = await client.start_workflow(Holds.run, id=f"holds-{number}", task_queue=QUEUE)
    await holder.query("__stack_trace")
    await holder.signal(Holds.hold)
    await client.start_workflow(Holds.run, id=f"holds-too-{number}", task_queue=QUEUE, start_signal="hold")
    questions = [asyncio.create_task(case.query(Receives.received)) for _ in range(6)]
    await asyncio.sleep(0)  # they are sent before the signal is
    await client.get_workflow_handle(f"holds-{number}").describe()
    await case.signal(Receives.receive)
    HELD.set()
    answers = await asyncio.gather(*questions, return_exceptions=True)
    await case.result()
    return [answer for answer in answers if isinstance(answer, BaseException)]


@pytest.mark.long
async def test_query_takes_in_nothing_that_no_task_has_brought(tmp_path: Path) -> None:
    """S13: its effects would be in no history."""
    found, failures = await strays(tmp_path, QuerySafeRunner)

    assert found == 0
    assert failures
    assert all(isinstance(failure, WorkflowQueryFailedError) and str(failure) == ASK_AGAIN for failure in failures)


@pytest.mark.long
async def test_without_the_guard_a_query_takes_in_what_no_task_has_brought(tmp_path: Path) -> None:
    """The control arm: if this fails, the guard is no longer needed."""
    found, _ = await strays(tmp_path, lambda runner: runner)

    assert found > 0
