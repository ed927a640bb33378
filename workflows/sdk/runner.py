"""A workflow runner in which no query corrupts the history (docs/findings.md)."""

from collections.abc import Callable, Sequence

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner

from cases.contract import ASK_AGAIN

DIRECT = "legacy_query"
"""The id of a query that the server sends without a workflow task. Queries that come with a task have other ids."""


class QuerySafeRunner(WorkflowRunner):
    """Runs workflows as `runner` does, but does not answer a query if the answer would corrupt the history."""

    def __init__(self, runner: WorkflowRunner) -> None:
        self._runner = runner

    def prepare_workflow(self, defn: workflow._Definition) -> None:
        """As `runner` does."""
        self._runner.prepare_workflow(defn)

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        """As `runner` does."""
        self._runner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return an instance whose activations are guarded."""
        instance = self._runner.create_instance(det)
        instance.activate = _Guard(instance.activate).activate  # type: ignore[method-assign]  # only this is changed
        return instance


class _Guard:
    """Passes on the activations of one instance, except queries that come at the wrong time."""

    def __init__(self, activate: Callable[[WorkflowActivation], WorkflowActivationCompletion]) -> None:
        self._activate = activate
        self._length = 0
        self._latest = 0
        self._running: set[int] = set()
        """The local activities that have no result yet."""

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Activate the instance."""
        completion = WorkflowActivationCompletion()
        if self._is_ahead_of_tasks(act):
            completion.failed.failure.message = ASK_AGAIN
            return completion
        self._length, self._latest = act.history_length, act.timestamp.ToNanoseconds()
        self._running -= {job.resolve_activity.seq for job in act.jobs if job.HasField("resolve_activity")}
        if self._running and any(_came_with_task(job) for job in act.jobs):
            # The task continues without the answer, and the server sends the query again afterwards.
            completion.successful.SetInParent()
            return completion
        completion = self._activate(act)
        commands = completion.successful.commands
        self._running |= {c.schedule_local_activity.seq for c in commands if c.HasField("schedule_local_activity")}
        return completion

    def _is_ahead_of_tasks(self, act: WorkflowActivation) -> bool:
        """Return whether the activation has events that no workflow task has delivered.

        To answer a query for a case that is not in the cache, the SDK replays its history. It also applies events that
        arrived after the last workflow task, as if they belonged to one. Commands that result from them (such as a
        local activity) are not in the history, and the next workflow task would not issue them again.
        """
        at = act.timestamp.ToNanoseconds()
        # The history is longer but the time is not later, as it is in every workflow task. Evictions have no time.
        return bool(at) and not act.is_replaying and at <= self._latest and 0 < self._length < act.history_length


def _came_with_task(job: WorkflowActivationJob) -> bool:
    """Return whether this is a query that came with a workflow task.

    If it is answered while a local activity runs, the SDK completes the task at once. The result of the local activity
    may then be recorded in this task but delivered in the next one. A replay delivers it in this one.
    """
    return job.HasField("query_workflow") and job.query_workflow.query_id != DIRECT
