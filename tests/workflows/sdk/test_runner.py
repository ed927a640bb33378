"""No query corrupts the history: neither one ahead of workflow tasks, nor one during a local activity."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio import activity, workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.worker import (
    Replayer,
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


# Queries that come with a workflow task, while a local activity runs


class Scripted(UnsandboxedWorkflowRunner):
    """Its instance begins local activity 7 with its first activation, and records every activation."""

    def __init__(self) -> None:
        self.activations: list[WorkflowActivation] = []

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        def activate(act: WorkflowActivation) -> WorkflowActivationCompletion:
            completion = WorkflowActivationCompletion(run_id=act.run_id)
            completion.successful.SetInParent()
            if not self.activations:
                completion.successful.commands.add().schedule_local_activity.seq = 7
            for job in act.jobs:
                if job.HasField("query_workflow"):
                    completion.successful.commands.add().respond_to_query.query_id = job.query_workflow.query_id
            self.activations.append(act)
            return completion

        return cast("WorkflowInstance", SimpleNamespace(activate=activate))


def answers(completion: WorkflowActivationCompletion) -> list[str]:
    """Return the ids of the queries that a completion answers; it must be successful."""
    assert completion.HasField("successful")
    return [c.respond_to_query.query_id for c in completion.successful.commands if c.HasField("respond_to_query")]


def query(query_id: str) -> WorkflowActivation:
    act = WorkflowActivation(run_id="r")
    act.jobs.add().query_workflow.query_id = query_id
    return act


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def instance(scripted: Scripted) -> WorkflowInstance:
    """An instance whose local activity runs."""
    made = QuerySafeRunner(scripted).create_instance(cast("WorkflowInstanceDetails", None))
    begin = WorkflowActivation(run_id="r")
    begin.jobs.add().initialize_workflow.SetInParent()
    made.activate(begin)
    return made


def test_query_of_a_task_is_not_answered_while_a_local_activity_runs(
    scripted: Scripted, instance: WorkflowInstance
) -> None:
    """S24: the SDK would complete the task in the middle, and the history would not replay."""
    assert answers(instance.activate(query("1"))) == []
    assert len(scripted.activations) == 1


def test_query_of_a_task_is_answered_once_the_local_activity_has_ended(instance: WorkflowInstance) -> None:
    ended = WorkflowActivation(run_id="r")
    ended.jobs.add().resolve_activity.seq = 7
    instance.activate(ended)

    assert answers(instance.activate(query("1"))) == ["1"]


def test_query_without_a_task_is_answered_in_any_case(instance: WorkflowInstance) -> None:
    """Nobody would ask it again: a workflow that was terminated during a local activity has no more tasks."""
    assert answers(instance.activate(query("legacy_query"))) == ["legacy_query"]


class Gate:
    """Holds a local activity."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.passed = threading.Event()


GATES: dict[str, Gate] = {}
"""By letter."""
ARRIVES = 0.3
"""Seconds until the result of a local activity has surely reached the SDK's core."""


@activity.defn
async def deliver(letter: str) -> None:
    """Deliver a letter once its gate is open."""
    if gate := GATES.get(letter):
        gate.begun.set()
        await gate.open.wait()
        gate.passed.set()


@workflow.defn
class Delivers:
    """Delivers three letters, one at a time, and notes it when no more are waiting."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._delivered: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        while len(self._delivered) < 3:
            await workflow.wait_condition(lambda: bool(self._waiting))
            letter = self._waiting.pop(0)
            await workflow.execute_local_activity(deliver, letter, start_to_close_timeout=timedelta(seconds=30))
            self._delivered.append(letter)
            if not self._waiting:
                workflow.upsert_memo({"none waited after": letter})
        return self._delivered

    @workflow.signal
    def post(self, letter: str) -> None:
        self._waiting.append(letter)

    @workflow.query
    def delivered(self) -> list[str]:
        if self._delivered == ["first"]:
            GATES["second"].passed.wait(MOST - ARRIVES)
            threading.Event().wait(ARRIVES)
        return self._delivered


async def replays(folder: Path, wrapped: Callable[[WorkflowRunner], WorkflowRunner]) -> list[Any]:
    """Return what was wrong with the replay of each of `ROUNDS` histories; stops at the first that fails."""
    failures: list[Any] = []
    async with serving(folder) as address:
        client = await Client.connect(address)
        runner = wrapped(UnsandboxedWorkflowRunner())
        async with Worker(client, task_queue=QUEUE, workflows=[Delivers], activities=[deliver], workflow_runner=runner):
            replayer = Replayer(workflows=[Delivers], workflow_runner=UnsandboxedWorkflowRunner())
            while len(failures) < ROUNDS and not any(failures):
                history = await _query_during_a_local_activity(client, f"delivers-{len(failures)}")
                replayed = await replayer.replay_workflow(history, raise_on_replay_failure=False)
                failures.append(replayed.replay_failure)
    return failures


async def _query_during_a_local_activity(client: Client, id_: str) -> Any:
    """A task brings a query and a letter; another letter comes while that one is being delivered."""
    GATES.update(first=Gate(), second=Gate())
    case = await client.start_workflow(
        Delivers.run, id=id_, task_queue=QUEUE, start_signal="post", start_signal_args=["first"]
    )
    await GATES["first"].begun.wait()
    asked = asyncio.create_task(case.query(Delivers.delivered))
    await asyncio.sleep(0)  # it is sent before the signal is
    await case.describe()
    await case.signal(Delivers.post, "second")
    GATES["first"].open.set()
    await GATES["second"].begun.wait()
    await case.signal(Delivers.post, "third")
    GATES["second"].open.set()
    assert (await asked)[0] == "first"
    assert await case.result() == ["first", "second", "third"]
    return await case.fetch_history()


@pytest.mark.long
async def test_history_of_a_workflow_that_is_queried_during_a_local_activity_replays(tmp_path: Path) -> None:
    """S24: what was recorded in one task is also delivered in it."""
    assert await replays(tmp_path, QuerySafeRunner) == [None] * ROUNDS


@pytest.mark.long
async def test_without_the_guard_such_a_history_does_not_replay(tmp_path: Path) -> None:
    """The control arm: if this fails, the guard is no longer needed."""
    assert "TMPRL1100" in str((await replays(tmp_path, lambda runner: runner))[-1])
