"""Carrying out steps: each once, whatever fails in between (G6, S13).

A time-out means *unknown*, never *failed*. The partner is asked by the step's key, and only its "never heard of it"
allows another call; once it may have forgotten the key, nothing is sent again and a person looks.
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
from cases.partner_calls import Receipt, ReceiptState, StepCommand
from cases.policy.remedy_kinds import CLAIMS, MONEY
from cases.progress.carrying_out import (
    apply_receipt,
    contest,
    in_ledger,
    not_done_before,
    numbered,
    refused,
    started,
    unknown,
    unnumbered,
)
from cases.reasons import Reason, Why
from cases.state.step import Step
from cases.vocabulary import Partner, StepState
from workflows import step_calls
from workflows.carrier_claim import CarrierClaim
from workflows.desk import Desk
from workflows.sdk.activity_calls import call, is_over_limit, is_reserved, kind_of, later_try, reason_of
from workflows.sdk.options import FIND, RECORD, STEP

with workflow.unsafe.imports_passed_through():
    from activities.outcomes import REFUSED, TRY_AGAIN
    from activities.refunds import Refunds

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
"""Before a command is sent again that its partner knows nothing of: doubled from the first to the longest."""
NUMBERS = "the partner's number is kept"
"""The patch of cases that take over the partner's own number of a payment that was reported as done."""
LAST_ANSWER = timedelta(seconds=20)
"""How long a case waits for the answer to a payment's call before its record is kept: for one call and one look-up."""


class Remedies:
    """Takes each step to its partner as soon as it may begin."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._releasing = 0
        self._contesting = 0
        self._calling: set[str] = set()
        """Keys of calls that have not been answered."""
        self._paying: list[Step] = []
        """Payments whose outcome is being established."""

    @property
    def at_rest(self) -> bool:
        """Whether the ledger knows of everything that is contested (S27)."""
        return not self._contesting and not self._desk.case.disputed

    def begin(self) -> None:
        """Begin every step that is ready, and ask after those that nobody has heard of; called after every change."""
        case = self._desk.case
        for step in case.ready():
            started(case, step, workflow.now())
            if step.kind in CLAIMS:
                self._desk.begin(self._pursue_carrier(step))
            elif step.partner is not Partner.MESSAGING:
                self._desk.begin(self._carry_out(step))
            self._desk.changed()
        while case.unpaid:
            self._desk.begin(self._release(case.unpaid.pop(0)))
        while case.disputed:
            self._contesting += 1
            self._desk.begin(self._contest(case.disputed.pop(0)))
        while case.ask_after:
            step_id = case.ask_after.pop(0)
            if (waiting := case.step(step_id)) and waiting.reference and not waiting.settled:
                self._desk.begin(self._ask_after(waiting))

    async def _carry_out(self, step: Step) -> None:
        payments = [step] if step.kind in MONEY else []
        self._paying += payments
        try:
            await self._carry_out_attempt(step, step.attempts)
        finally:
            for payment in payments:
                self._paying.remove(payment)
        self._desk.changed()

    async def _carry_out_attempt(self, step: Step, attempt: int) -> None:
        if step.number > 1 and workflow.patched("earlier keys are asked") and await self._done_before(step, attempt):
            return
        receipt = await self._outcome(step, attempt)
        if receipt is not None and step.attempts == attempt:  # after a failed report it may have been tried anew
            await self._answered(step, receipt)

    async def _outcome(self, step: Step, attempt: int) -> Receipt | None:
        """Ask for the step until its partner has said what became of it; None where that is settled already."""
        case, command = self._desk.case, command_for(self._desk.case, step)
        last_call, sent = workflow.now() + case.policy.send_again_within, 0
        while True:
            sent += 1
            try:
                return await self._call(step, command)
            except ActivityError as error:
                if not step.waits(attempt):
                    await self._failed_after_report(step, attempt, error)
                    return None
                if kind_of(error) in {REFUSED, TRY_AGAIN}:
                    await self._not_done(step, error)
                    return None
                found = await self._ask(step, command.key, reason_of(error))
            if found is not None or not step.waits(attempt):
                return found
            if workflow.now() >= last_call:
                refused(case, step, Reason.of("forgotten", who=step.partner), workflow.now(), final=False)
                return None
            await self._pause(step, attempt, sent)
            if not step.waits(attempt):
                return None

    async def _failed_after_report(self, step: Step, attempt: int, error: ActivityError) -> None:
        """A report has said meanwhile how it stands: a refusal of what it says was done is a contradiction (S26).

        After any other failure the number of a payment is asked for: the reporter need not know it.
        """
        case = self._desk.case
        if step.attempts != attempt or step.state is not StepState.DONE:
            return
        if kind_of(error) == REFUSED:
            if step.contradicts(ReceiptState.FAILED) and workflow.patched("contradictions are cleared up"):
                await self._clear_up(step, step.number)
        elif step.kind in MONEY and workflow.patched(NUMBERS):
            found = await self._find(step, step.key(case.id))
            if found is not None and step.attempts == attempt:
                await self._answered(step, found)

    async def _not_done(self, step: Step, error: ActivityError) -> None:
        """A final no, or half a day without a way to the partner; or the ledger knows of a later try."""
        if number := later_try(error):
            step.number = number
            await self._carry_out_attempt(step, step.attempts)
            return
        refused(
            self._desk.case,
            step,
            reason_of(error),
            workflow.now(),
            final=kind_of(error) == REFUSED,
            over_limit=is_over_limit(error),
            reserved=is_reserved(error),
        )

    async def _answered(self, step: Step, receipt: Receipt) -> None:
        """The partner's answer; where a report has said the opposite, it is asked by key (S26)."""
        case, key = self._desk.case, step.key(self._desk.case.id)
        if step.contradicts(receipt.state) and workflow.patched("contradictions are cleared up"):
            # A failure that was reported has freed the next key already.
            await self._clear_up(step, step.number - step.failed)
            return
        if unnumbered(case, step, receipt) and workflow.patched(NUMBERS):
            numbered(case, step, receipt)
        apply_receipt(case, step, receipt, workflow.now())
        if key in case.unpaid and not workflow.patched("the case frees what was reserved"):
            case.unpaid.remove(key)  # the activity has done so

    async def _clear_up(self, step: Step, number: int) -> None:
        """Report and answer contradict each other: the partner's books decide, else a person (S26)."""
        case, attempt = self._desk.case, step.attempts
        step.number = number
        found = await self._ask(step, step.key(case.id), Reason.of("contradiction", who=step.partner))
        if not step.waits(attempt):
            return  # somebody reported it while we were asking
        if found is not None and found.state is ReceiptState.DONE:
            apply_receipt(case, step, found, workflow.now())
        else:
            contest(case, step, Reason.of("contradiction", who=step.partner), workflow.now())

    async def _done_before(self, step: Step, attempt: int) -> bool:
        """Before anything is sent under a new key: what became of the earlier ones (S25).

        What the partner did under one of them is the outcome. It is asked until it answers.
        """
        case = self._desk.case
        shown = workflow.patched("the key that is asked for is shown")
        for number in range(step.number - 1, 0, -1):
            key = step.key(case.id, number)
            why = Reason.of("earlier_key", who=step.partner, key=key)
            found = await self._ask(step, key, why, earlier=number if shown else None)
            if not step.waits(attempt):
                return True  # somebody reported it while we were asking
            if found is not None and found.state is not ReceiptState.FAILED:
                step.number = number
                apply_receipt(case, step, found, workflow.now())
                return True
            if number in step.disputed and found is None:
                step.number = number
                contest(case, step, Reason.of("contradiction", who=step.partner), workflow.now())
                return True
            if number in step.disputed:
                step.disputed.remove(number)
                if in_ledger(case, step):
                    await self._release(key)  # the new key needs the room
        not_done_before(step, workflow.now())
        self._desk.changed()
        return False

    async def _pause(self, step: Step, attempt: int, sent: int) -> None:
        """Before it is sent a third time, and so on: a partner that says nothing clear is not stormed."""
        if sent > 1 and workflow.patched("pause before sending again"):
            wait = min(FIRST_PAUSE * 2 ** (sent - 2), LONGEST_PAUSE)
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: not step.waits(attempt), timeout=wait, timeout_summary=f"then send {step.id} again"
                )

    async def _call(self, step: Step, command: StepCommand) -> Receipt:
        carrying_out = step_calls.carry_out(step.partner, command, self._desk.case.complaint.order)
        what = f"{command.amount} {command.currency}" if command.amount else ""
        summary = f"{step.id} {what}".strip()
        self._calling.add(command.key)
        try:
            return await self._desk.durably(carrying_out, summary=summary, options=STEP)
        finally:
            self._calling.discard(command.key)

    async def _ask(self, step: Step, key: str, why: Why, earlier: int | None = None) -> Receipt | None:
        """Nobody knows whether it was done, now or by an earlier try: what the partner knows of it."""
        unknown(self._desk.case, step, why, workflow.now())
        step.asking = earlier
        self._desk.changed()
        return await self._find(step, key)

    async def _find(self, step: Step, key: str) -> Receipt | None:
        question = step_calls.find(step.partner, key)
        return await self._desk.durably(question, summary=f"was {step.id} done?", options=FIND)

    async def _ask_after(self, step: Step) -> None:
        """A report may have been lost: once a day, with the update, the partner is asked how the step stands."""
        try:
            receipt = await self._find(step, step.key(self._desk.case.id))
        except ActivityError:
            return
        if receipt is not None and not step.settled:
            apply_receipt(self._desk.case, step, receipt, workflow.now())
            self._desk.changed()

    async def _release(self, key: str) -> None:
        """A payment has failed: what is reserved for it is free again (S15), unless its call still says otherwise."""
        self._releasing += 1
        if key in self._calling and workflow.patched("free after the call"):
            await workflow.wait_condition(lambda: key not in self._calling)
            await asyncio.sleep(0)
        if not self._is_spoken_for(key):
            why = "it was reported as failed"
            await self._desk.durably(call(Refunds.release, key, why), summary=f"release {key}", options=RECORD)
        self._releasing -= 1

    async def _released(self) -> None:
        """Wait for releases that are under way."""
        if self._releasing:
            await workflow.wait_condition(lambda: not self._releasing)

    def _is_spoken_for(self, key: str) -> bool:
        """Whether the answer to the call has meanwhile contradicted the report that it failed (S26)."""
        case = self._desk.case
        return any(s.key(case.id) == key and s.state is not StepState.WAIVED for s in case.steps)

    async def _contest(self, key: str) -> None:
        """Neither paid nor free: the ledger counts it as taken, and says so (S26, S27)."""
        why = "its partner says both that it was paid and that it was not"
        await self._released()  # or a release that is under way would free it again
        await self._desk.durably(call(Refunds.contest, key, why), summary=f"contest {key}", options=RECORD)
        self._contesting -= 1

    async def payments_answered(self) -> None:
        """Wait a little for the answers to payments, which may contradict what was reported of them (S26)."""
        if self._paying and workflow.patched("payments are answered before the record is kept"):
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: not self._paying, timeout=LAST_ANSWER, timeout_summary="then the record is kept"
                )

    async def release_unpaid(self) -> None:
        """At the end of a case: what was reserved for payments that will never be made is free again (S15)."""
        case = self._desk.case
        await self._released()
        for step in case.steps:
            if in_ledger(case, step) and step.attempts and step.state is StepState.WAIVED and not step.uncertain:
                why = str(step.reason or "waived")
                await self._desk.durably(
                    call(Refunds.release, step.key(case.id), why), summary=f"release {step.id}", options=RECORD
                )

    async def _pursue_carrier(self, step: Step) -> None:
        """The carrier claim has a process of its own, which outlives the case (B16)."""
        case = self._desk.case
        claim_id = claim_workflow_id(case.id)
        # An earlier cycle of this case may have begun it.
        with suppress(WorkflowAlreadyStartedError):
            await workflow.start_child_workflow(
                CarrierClaim.run,
                claim_terms(case),
                id=claim_id,
                # One that has ended, which a reset case may have forgotten, is not begun again.
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=f"carrier claim for {case.id}",
                priority=self._desk.priority,
            )
        case.links.append({"kind": "carrier_claim", "workflow": claim_id})
        apply_receipt(case, step, Receipt(reference=claim_id, state=ReceiptState.DONE), workflow.now())
        self._desk.changed()
