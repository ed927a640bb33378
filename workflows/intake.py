"""A complaint becomes a case: checked, pinned to a policy, its id claimed for ever (G1)."""

from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, FailureError

from cases.complaint import Complaint
from cases.contract import INVALID_COMPLAINT, workflow_id
from cases.errors import Problem
from cases.progress.assessing import consider, consider_soon
from cases.progress.opening import open_case
from cases.state.case import Case
from workflows.desk import Desk
from workflows.letters import Letters
from workflows.linking import Linking
from workflows.sdk.activity_calls import call
from workflows.sdk.handlers import Unreadable, decoded, decoded_unchecked
from workflows.sdk.options import RECORD

with workflow.unsafe.imports_passed_through():
    from activities.records import Admission, Claim, Records

CONTINUED = "continued_case"
"""The key under which a case that continues as new carries itself; no complaint has it."""


class Intake:
    """Opens the case of a complaint, or takes up the one that continues as new."""

    def __init__(self, desk: Desk, letters: Letters, linking: Linking) -> None:
        self._desk = desk
        self._letters = letters
        self._linking = linking

    async def admit(self, payload: RawValue) -> bool:
        """Open the case; answers whether it continues an earlier run of this workflow.

        Raises the `ApplicationError` with which the workflow of a faulty complaint fails.
        """
        continues = workflow.info().continued_run_id is not None
        try:
            # What continues was written by us, and outgrows what a complaint may be.
            raw = decoded_unchecked(payload) if continues else decoded(payload, workflow.patched)
        except Unreadable as fault:
            raise _invalid(fault.problems) from None
        if continues and isinstance(raw, dict) and CONTINUED in raw:
            self._desk.open(Case.model_validate(raw[CONTINUED]))
            return True
        await self._open(raw)
        return False

    async def _open(self, raw: Any) -> None:
        # Not `workflow.now()`: while a local activity is under way it may be another on replay.
        now = workflow.info().workflow_start_time
        admission = await self._check(raw, now)
        if admission.policy is None:
            raise _invalid(admission.problems)
        complaint = Complaint.model_validate(raw)
        if workflow.info().workflow_id != workflow_id(complaint.case_id):
            belongs = f"belongs to workflow {workflow_id(complaint.case_id)}: start it under that id"
            raise _invalid([Problem(field="case_id", problem=belongs)])
        case = open_case(complaint, admission.policy, now, admission.earlier, admission.account)
        case.rereads_account = admission.rereads_account
        case.projects = admission.projects
        self._desk.open(case)
        self._letters.deliver()  # the acknowledgement goes first
        self._desk.begin(self._claim_id(admission.others))
        if case.looking_up:
            return
        if admission.others is None:  # nor was the account read with it
            self._desk.apply(consider_soon, now)
        else:
            self._desk.apply(consider, now)

    async def _check(self, raw: Any, now: datetime) -> Admission:
        """Checked and pinned; where our records can be asked at once, the case id is claimed in the same call."""
        what = "check the complaint, pin the policy"
        ours = isinstance(raw, dict) and workflow.info().workflow_id == workflow_id(str(raw.get("case_id")))
        run_id = workflow.info().first_execution_run_id if ours else None
        try:
            return await self._desk.quickly(call(Records.admit, raw, now, run_id), summary=what)
        except FailureError as error:
            if isinstance(error, ApplicationError) and error.non_retryable:
                raise
            # Whether it may follow an earlier case our records have to say: they come back.
            return await self._desk.durably(call(Records.admit, raw, now, None), summary=what, options=RECORD)

    async def _claim_id(self, others: list[str] | None) -> None:
        """Our own records keep the id from being used again, and know earlier complaints; down, they delay nothing."""
        if others is None:
            case, run_id = self._desk.case, workflow.info().first_execution_run_id
            claim = Claim(complaint=case.complaint, run_id=run_id, opened_at=case.opened_at)
            others = await self._desk.durably(call(Records.claim, claim), summary="claim the case id", options=RECORD)
        await self._linking.join(others)


def _invalid(problems: list[Problem]) -> ApplicationError:
    """What a faulty complaint that was started directly fails with: the same list that `starter.py open` shows."""
    listed = "; ".join(str(p) for p in problems)
    return ApplicationError(
        f"the complaint was refused: {listed}",
        [p.model_dump() for p in problems],
        type=INVALID_COMPLAINT,
        non_retryable=True,
    )
