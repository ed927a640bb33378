"""A build that cannot take over the cases of this one: its case first does something else."""

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
    """Waits briefly before it looks at the complaint."""

    @workflow.run
    async def run(self, complaint: RawValue) -> Snapshot:
        """Run as before, after a timer that older histories do not have."""
        await workflow.sleep(timedelta(milliseconds=1))
        return await super().run(complaint)
