"""Compares our database with the cases that Temporal has, page by page, and reports what was healed."""

from temporalio import workflow

from cases.contract import RECONCILE_WORKFLOW
from workflows.sdk.activity_calls import call, durably
from workflows.sdk.options import RECONCILE

with workflow.unsafe.imports_passed_through():
    from activities.reconcile import Reconcile
    from client.reconciling import Progress, Wrong

RECONCILED = "after_sales_reconciled_total"
HEALED = "after_sales_rows_healed_total"
COUNTERS = {
    RECONCILED: "Comparisons of our database with Temporal that were finished",
    HEALED: "Rows of cases in our database that were wrong, by what was wrong",
}
"""Metrics that a worker exports in addition to `workflows.counts.COUNTERS`, with their help texts."""


@workflow.defn(name=RECONCILE_WORKFLOW)
class ReconcileCases:
    """One comparison of all open cases."""

    @workflow.run
    async def run(self, progress: Progress | None = None) -> Progress:
        """Compare all pages. Return what was healed. Fails if our database is down for longer than the retries last."""
        progress = progress or Progress()
        while not progress.done:
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(progress)
            page = "rows" if progress.listed else "workflows"
            progress = await durably(call(Reconcile.page, progress), summary=f"compare open {page}", options=RECONCILE)
        self._report(progress)
        return progress

    def _report(self, progress: Progress) -> None:
        healed = {f"healed_{what}": count for what, count in progress.counts.items()}
        extra = {"compared": progress.compared, "unanswered": progress.unanswered, **healed}
        workflow.logger.info("reconciled", extra=extra)
        counters = {name: workflow.metric_meter().create_counter(name, COUNTERS[name]) for name in COUNTERS}
        counters[RECONCILED].add(1)
        for what in Wrong:
            # Zero as well: a counter that appears with its first event hides that event from `increase`.
            counters[HEALED].add(progress.counts.get(what, 0), {"what": what})
