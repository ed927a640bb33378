"""A workflow runner that ignores history events which arrive with a query (docs/findings.md)."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner

from cases.contract import ASK_AGAIN


class QuerySafeRunner(WorkflowRunner):
    """Runs workflows as `runner` does, but answers a query that would corrupt the history with `ASK_AGAIN`.

    To answer a query for a case that is not in the cache, the SDK replays its history. It also applies events that
    arrived after the last workflow task, as if they belonged to one. Commands that result from them (such as a local
    activity) are not in the history, and the next workflow task would not issue them again.
    """

    def __init__(self, runner: WorkflowRunner) -> None:
        self._runner = runner

    def prepare_workflow(self, defn: workflow._Definition) -> None:
        """As `runner` does."""
        self._runner.prepare_workflow(defn)

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        """As `runner` does."""
        self._runner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return an instance that applies only events of workflow tasks."""
        instance = self._runner.create_instance(det)
        activate, length, latest = instance.activate, 0, 0

        def guarded(act: WorkflowActivation) -> WorkflowActivationCompletion:
            nonlocal length, latest
            at = act.timestamp.ToNanoseconds()
            # The history is longer but the time is not later, as it is in every workflow task. Evictions have no time.
            if at and not act.is_replaying and at <= latest and 0 < length < act.history_length:
                completion = WorkflowActivationCompletion()
                completion.failed.failure.message = ASK_AGAIN
                return completion
            length, latest = act.history_length, at
            return activate(act)

        instance.activate = guarded  # type: ignore[method-assign]  # the other methods are not changed
        return instance
