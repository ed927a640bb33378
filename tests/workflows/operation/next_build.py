"""A build that cannot take over the cases of this one: its case does something else first."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue

from cases.contract import CASE_WORKFLOW
from cases.inbox.messages import FACTS, MESSAGES
from cases.views.snapshot import Snapshot
from workflows.after_sales_case import AfterSalesCase
from workflows.sdk.handlers import handles


@workflow.defn(name=CASE_WORKFLOW)
@handles(signals=FACTS, updates=MESSAGES)
class NextCase(AfterSalesCase):
    """Waits a moment before it looks at the complaint."""

    @workflow.run
    async def run(self, complaint: RawValue) -> Snapshot:
        """As before, after a timer that no older history has."""
        await workflow.sleep(timedelta(milliseconds=1))
        return await super().run(complaint)
