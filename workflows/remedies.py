"""Carrying out steps, each exactly once, even if calls fail or workers crash (G6, S13).

A time-out means *unknown*, never *failed*. The partner is asked for the step's key, and only the answer "never received
it" allows another call. Once the partner may have forgotten the key, nothing is sent again and a person checks.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

from cases.claim.terms import claim_terms
from cases.contract import claim_workflow_id
from cases.entitlement.step_commands import command_for
from cases.partner_calls import Receipt, StepCommand
from cases.policy.remedy_kinds import CLAIMS, MONEY
from cases.progress.call_outcomes import (
    CallOutcome,
    Found,
    Then,
    Try,
    ask_earlier,
    cleared_up,
    earlier_found,
    outcome,
    reports_cleared_up,
)
from cases.progress.carrying_out import (
    apply_receipt,
    claim_begun,
    is_key_in_use,
    never_paid,
    not_done_before,
    started,
    take_contradictions,
    take_status_requests,
)
from cases.state.step import Step
from cases.vocabulary import Partner
from workflows.carrier_claim import CarrierClaim
from workflows.desk import Desk
from workflows.sdk import step_calls
from workflows.sdk.activity_calls import call, outcome_of
from workflows.sdk.options import FIND, RECORD, STEP

with workflow.unsafe.imports_passed_through():
    from activities.refunds import Refunds

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
"""The pause before a call is repeated that the partner says it never received; doubled after each attempt."""
LAST_ANSWER = timedelta(seconds=20)
"""How long a case waits for the answers to payments before its record is archived: for one call and one look-up."""


class Remedies:
    """Calls the partner of each step as soon as the step may begin."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._releasing = 0
        self._contesting = 0
        self._calling: set[str] = set()
        """Keys of calls that have not been answered."""
        self._paying: list[Step] = []
        """Payments whose outcome is not known yet."""

    @property
    def at_rest(self) -> bool:
        """Whether all contested payments are recorded in the ledger (S27)."""
        return not self._contesting and not self._desk.case.disputed

    def begin(self) -> None:
        """Start all steps that are ready, and all updates of the ledger. Called after every change."""
        case = self._desk.case
        for step in case.ready():
            self._desk.apply(started, step, workflow.now())
            if step.kind in CLAIMS:
                self._desk.begin(self._pursue_carrier(step))
            elif step.partner is not Partner.MESSAGING:
                self._desk.begin(self._carry_out(step))
        while case.unpaid:
            self._desk.begin(self._release(self._desk.apply(lambda case: case.unpaid.pop(0))))
        while case.disputed:
            self._contesting += 1
            self._desk.begin(self._contest(self._desk.apply(lambda case: case.disputed.pop(0))))
        self._ask_about_reports()

    def _ask_about_reports(self) -> None:
        """Ask partners by key: at once if reports contradict each other, daily if a report may have been lost."""
        case = self._desk.case
        if any(step.to_clear_up for step in case.steps):
            for step in self._desk.apply(take_contradictions):
                if workflow.patched("reports that contradict each other are cleared up"):
                    self._desk.begin(self._clear_up(step))
        if case.ask_after:
            for step in self._desk.apply(take_status_requests):
                if step.contested and workflow.patched("a contested step is not asked after"):
                    continue  # a person decides, and the daily question would settle its ledger entry (S27)
                self._desk.begin(self._ask_after(step))

    async def _carry_out(self, step: Step) -> None:
        payments = [step] if step.kind in MONEY else []
        self._paying += payments
        try:
            await self._carry_out_attempt(step)
        finally:
            for payment in payments:
                self._paying.remove(payment)

    async def _carry_out_attempt(self, step: Step) -> None:
        """Call the partner, as often as `outcome` says, until the result of the step is known."""
        if step.number > 1 and workflow.patched("earlier keys are asked") and await self._done_before(step):
            return
        tried, command = Try.begin(self._desk.case, step, workflow.now()), command_for(self._desk.case, step)
        then, sent = await self._send(tried, command), 1
        while then is Then.ASK or (then is Then.SEND and await self._pause(tried, sent)):
            if then is Then.ASK:
                then = await self._ask(tried)
            else:
                then, sent = await self._send(tried, command), sent + 1
        if then is Then.CLEAR_UP:
            found = await self._find(step, step.key(self._desk.case.id))
            self._desk.apply(cleared_up, tried, found, workflow.now())
        elif then is Then.START_OVER:
            await self._carry_out_attempt(step)

    async def _send(self, tried: Try, command: StepCommand) -> Then:
        """Call the partner once to carry out the step. Return what to do next."""
        carrying_out = step_calls.carry_out(tried.step.partner, command, self._desk.case.complaint.order)
        what = f"{command.amount} {command.currency}" if command.amount else ""
        result: CallOutcome
        self._calling.add(command.key)
        try:
            receipt = await self._desk.durably(carrying_out, summary=f"{tried.step.id} {what}".strip(), options=STEP)
            result = Found(receipt)
        except ActivityError as error:
            result = outcome_of(error)
        finally:
            self._calling.discard(command.key)
        return self._desk.apply(outcome, tried, result, workflow.now(), workflow.patched)

    async def _ask(self, tried: Try) -> Then:
        """Ask the partner for the result of the step. Return what to do next."""
        found = Found(await self._find(tried.step, tried.step.key(self._desk.case.id)))
        return self._desk.apply(outcome, tried, found, workflow.now(), workflow.patched)

    async def _done_before(self, step: Step) -> bool:
        """Ask, before a new key is used, whether the step was done under an earlier one (S25).

        The partner is asked about each earlier key until it answers.
        """
        attempt, shown = step.attempts, workflow.patched("the key that is asked for is shown")
        for number in range(step.number - 1, 0, -1):
            key = self._desk.apply(ask_earlier, step, number, workflow.now(), shown=shown)
            found = await self._find(step, key)
            then = self._desk.apply(earlier_found, step, attempt, number, found, workflow.now())
            if then is Then.NOTHING:
                return True
            if then is Then.RELEASE:
                await self._release(key)  # the new key needs the reserved amount
        self._desk.apply(lambda _: not_done_before(step, workflow.now()))
        return False

    async def _pause(self, tried: Try, sent: int) -> bool:
        """Wait before the third and later attempts, so that a partner without a clear answer is not overloaded.

        Return whether the step is still to be sent.
        """
        if sent > 1 and workflow.patched("pause before sending again"):
            wait = min(FIRST_PAUSE * 2 ** (sent - 2), LONGEST_PAUSE)
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: not tried.awaits_result, timeout=wait, timeout_summary=f"then send {tried.step.id} again"
                )
        return tried.awaits_result

    async def _find(self, step: Step, key: str) -> Receipt | None:
        question = step_calls.find(step.partner, key)
        return await self._desk.durably(question, summary=f"was {step.id} done?", options=FIND)

    async def _ask_after(self, step: Step) -> None:
        """Ask the partner for the state of the step: daily, with the progress update, as a report may be lost."""
        try:
            receipt = await self._find(step, step.key(self._desk.case.id))
        except ActivityError:
            return
        if receipt is not None and not step.settled:
            self._desk.apply(apply_receipt, step, receipt, workflow.now())

    async def _clear_up(self, step: Step) -> None:
        """Ask the partner by key after two reports that contradict each other (S26)."""
        number = step.number
        await workflow.wait_condition(lambda: not self._contesting)  # else the ledger would contest a settled entry
        found = await self._find(step, step.key(self._desk.case.id, number))
        self._desk.apply(reports_cleared_up, step, number, found, workflow.now())

    async def _release(self, key: str) -> None:
        """Release the amount reserved for a failed payment (S15), unless its call still returns that it was paid."""
        self._releasing += 1
        if key in self._calling and workflow.patched("free after the call"):
            await workflow.wait_condition(lambda: key not in self._calling)
            await asyncio.sleep(0)
        if not is_key_in_use(self._desk.case, key):
            why = "it was reported as failed"
            await self._desk.durably(call(Refunds.release, key, why), summary=f"release {key}", options=RECORD)
        self._releasing -= 1

    async def _released(self) -> None:
        """Wait for releases that are in progress."""
        if self._releasing:
            await workflow.wait_condition(lambda: not self._releasing)

    async def _contest(self, key: str) -> None:
        """Mark a ledger entry as contested: its amount stays reserved until a person decides (S26, S27)."""
        why = "its partner says both that it was paid and that it was not"
        await self._released()  # else a release in progress would free it again
        await self._desk.durably(call(Refunds.contest, key, why), summary=f"contest {key}", options=RECORD)
        self._contesting -= 1

    async def wait_for_payments(self) -> None:
        """Wait for the answers to payments for a short time: they may contradict what was reported (S26)."""
        if self._paying and workflow.patched("payments are answered before the record is kept"):
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: not self._paying, timeout=LAST_ANSWER, timeout_summary="then the record is kept"
                )

    async def release_unpaid(self) -> None:
        """Release what is reserved for payments that will never be made. Called when the case has closed (S15)."""
        await self._released()
        for step in self._desk.case.steps:
            if never_paid(self._desk.case, step):
                key, why = step.key(self._desk.case.id), str(step.reason or "waived")
                await self._desk.durably(call(Refunds.release, key, why), summary=f"release {step.id}", options=RECORD)

    async def _pursue_carrier(self, step: Step) -> None:
        """Start the workflow of the carrier claim, which outlives the case (B16)."""
        case = self._desk.case
        claim_id = claim_workflow_id(case.id)
        # An earlier cycle of this case may have started it.
        with suppress(WorkflowAlreadyStartedError):
            await workflow.start_child_workflow(
                CarrierClaim.run,
                claim_terms(case),
                id=claim_id,
                # A claim that has ended is not started again, even if the case was reset and has forgotten it.
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=f"carrier claim for {case.id}",
                priority=self._desk.priority,
            )
        self._desk.apply(claim_begun, step, claim_id, workflow.now())
