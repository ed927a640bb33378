"""Opening a case: the complaint is checked, its policy is fixed, and its id is claimed permanently (G1)."""

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
"""The key of the state that a case passes to its next run. No complaint has this key."""


class Intake:
    """Opens the case of a complaint, or restores a case from its previous run."""

    def __init__(self, desk: Desk, letters: Letters, linking: Linking) -> None:
        self._desk = desk
        self._letters = letters
        self._linking = linking

    async def admit(self, payload: RawValue) -> bool:
        """Open the case. Return whether it continues an earlier run of this workflow.

        Raises `ApplicationError` if the complaint is invalid, which fails the workflow.
        """
        continues = workflow.info().continued_run_id is not None
        try:
            # The state of a continued case is ours, and may be larger than a complaint is allowed to be.
            raw = decoded_unchecked(payload) if continues else decoded(payload, workflow.patched)
        except Unreadable as fault:
            raise _invalid(fault.problems) from None
        if continues and isinstance(raw, dict) and CONTINUED in raw:
            self._desk.open(Case.model_validate(raw[CONTINUED]))
            return True
        await self._open(raw)
        return False

    async def _open(self, raw: Any) -> None:
        # Not `workflow.now()`: while a local activity runs, it may differ on replay.
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
        self._letters.deliver()  # the acknowledgement is sent first
        self._desk.begin(self._claim_id(admission.others))
        if case.looking_up:
            return
        if admission.others is None:  # then the order's account was not read either
            self._desk.apply(consider_soon, now)
        else:
            self._desk.apply(consider, now)

    async def _check(self, raw: Any, now: datetime) -> Admission:
        """Check the complaint and fix its policy. If our database is available, claim the case id in the same call."""
        what = "check the complaint, pin the policy"
        ours = isinstance(raw, dict) and workflow.info().workflow_id == workflow_id(str(raw.get("case_id")))
        run_id = workflow.info().first_execution_run_id if ours else None
        try:
            return await self._desk.quickly(call(Records.admit, raw, now, run_id), summary=what)
        except FailureError as error:
            if isinstance(error, ApplicationError) and error.non_retryable:
                raise
            # Only our database knows whether it may follow an earlier case, so wait until it is available.
            return await self._desk.durably(call(Records.admit, raw, now, None), summary=what, options=RECORD)

    async def _claim_id(self, others: list[str] | None) -> None:
        """Claim the id in our database, and join earlier cases. A database that is down does not delay the case."""
        if others is None:
            case, run_id = self._desk.case, workflow.info().first_execution_run_id
            claim = Claim(complaint=case.complaint, run_id=run_id, opened_at=case.opened_at)
            others = await self._desk.durably(call(Records.claim, claim), summary="claim the case id", options=RECORD)
        await self._linking.join(others)


def _invalid(problems: list[Problem]) -> ApplicationError:
    """Return the error of a workflow whose complaint is invalid. It lists what `starter.py open` would print."""
    listed = "; ".join(str(p) for p in problems)
    return ApplicationError(
        f"the complaint was refused: {listed}",
        [p.model_dump() for p in problems],
        type=INVALID_COMPLAINT,
        non_retryable=True,
    )
