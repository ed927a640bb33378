"""The end of a case: its record is archived (G9), even if an operator cancels the workflow."""

from contextlib import suppress

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from cases.contract import later_call_workflow_id
from cases.later_call.later_call import later_call_terms
from cases.progress.closing import cancel, is_outcome_open, is_over
from cases.views.inquiry_answer import inquiry_answer
from cases.views.snapshot import Snapshot
from cases.vocabulary import Outcome
from workflows.afterwards.later_call import LaterCallToCustomer
from workflows.desk import Desk
from workflows.linking import Linking
from workflows.remedies import Remedies
from workflows.sdk.activity_calls import call
from workflows.sdk.options import RECORD

with workflow.unsafe.imports_passed_through():
    from activities.records import Closing as Record
    from activities.records import Records


class Closing:
    """Closes a cancelled case, and archives the record of every case."""

    def __init__(self, desk: Desk, remedies: Remedies, linking: Linking) -> None:
        self._desk = desk
        self._remedies = remedies
        self._linking = linking

    async def wind_up(self) -> None:
        """Close a case whose workflow was cancelled. Calls in progress are finished; the customer gets the report."""
        case = self._desk.case
        await workflow.wait_condition(lambda: case.closing or not is_outcome_open(case))
        if not case.closing:
            self._desk.apply(cancel, workflow.now())
        await self._desk.until(lambda: is_over(case))

    async def archive(self) -> Snapshot:
        """Archive the final snapshot, and again if a message changes the case after that (S22). Return the last one."""
        record = await self._archive()
        await workflow.wait_condition(
            lambda: self._linking.at_rest and self._remedies.at_rest and workflow.all_handlers_finished()
        )
        while record != Snapshot.of(self._desk.case):
            record = await self._archive()
            await workflow.wait_condition(lambda: self._remedies.at_rest)
        return record

    async def arrange_later_call(self) -> None:
        """Start the workflow of the later call, if the policy asks for one (G13). It outlives the case."""
        case = self._desk.case
        terms = later_call_terms(case)
        if terms is None:
            return
        with suppress(WorkflowAlreadyStartedError):  # the case was reset
            await workflow.start_child_workflow(
                LaterCallToCustomer.run,
                terms,
                id=later_call_workflow_id(case.id),
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=f"later call about {case.id}",
            )

    async def _archive(self) -> Snapshot:
        case, record = self._desk.case, Snapshot.of(self._desk.case)
        closing = Record(
            case_id=case.id,
            closed_at=case.closed_at or workflow.now(),
            outcome=case.outcome or Outcome.WITHDRAWN,
            record=record.as_json(),
            complaint=case.complaint.model_dump(mode="json", exclude_none=True),
            answer=inquiry_answer(case),
            vouched=case.vouched,
        )
        # Not as a local activity: if the worker crashes, the repeated task may end differently from the record.
        await self._desk.durably(call(Records.archive, closing), summary="archive the record", options=RECORD)
        return record
