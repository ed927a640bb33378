"""A workflow runner that takes in only what a workflow task has brought, whatever a query brings (docs/findings.md)."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner

from cases.contract import ASK_AGAIN


class QuerySafeRunner(WorkflowRunner):
    """Runs workflows as `runner` does, and answers a query that would spoil the history with `ASK_AGAIN`.

    A case that is not in the cache is built from its history to answer a query. Events that came since the last
    workflow task are then handed over as if they had been brought by one; what a case does of it (a local activity,
    say) stands in no history, and the next task finds it done already.
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
        """An instance that takes in nothing but what a workflow task has brought."""
        instance = self._runner.create_instance(det)
        activate, length, latest = instance.activate, 0, 0

        def guarded(act: WorkflowActivation) -> WorkflowActivationCompletion:
            nonlocal length, latest
            at = act.timestamp.ToNanoseconds()
            # More of the history and yet no new time, which every workflow task has. An eviction has no time at all.
            if at and not act.is_replaying and at <= latest and 0 < length < act.history_length:
                completion = WorkflowActivationCompletion()
                completion.failed.failure.message = ASK_AGAIN
                return completion
            length, latest = act.history_length, at
            return activate(act)

        instance.activate = guarded  # type: ignore[method-assign]  # the other methods are the SDK's own affair
        return instance
