"""Carrying out steps: each once, whatever fails in between (G6, S13).

A time-out means *unknown*, never *failed*. The partner is asked by the step's key, and only its "never heard of it"
allows another call; once it may have forgotten the key, nothing is sent again and a person looks.
"""

from contextlib import suppress
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

from cases.claim_terms import claim_terms
from cases.commands import Receipt, ReceiptState, StepCommand
from cases.conduct import heard, refused, started, unknown
from cases.names import MONEY, Partner, RemedyKind, StepState, claim_workflow_id
from cases.reasons import Reason, Why
from cases.step import Step
from cases.telling import command_for
from workflows.carrier_claim import CarrierClaim
from workflows.desk import Desk
from workflows.errands import is_over_limit, kind_of, reason_of
from workflows.options import FIND, RECORD, STEP

with workflow.unsafe.imports_passed_through():
    from activities.installation import Installation
    from activities.logistics import Logistics
    from activities.outcomes import REFUSED, TRY_AGAIN
    from activities.refunds import Refunds
    from activities.warehouse import Warehouse

PARTNERS: dict[Partner, Any] = {
    Partner.WAREHOUSE: Warehouse,
    Partner.LOGISTICS: Logistics,
    Partner.INSTALLATION: Installation,
    Partner.REFUNDS: Refunds,
}


class Remedies:
    """Takes each step to its partner as soon as it may begin."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._releasing = 0

    def begin(self) -> None:
        """Begin every step that is ready, and ask after those that nobody has heard of; called after every change."""
        case = self._desk.case
        for step in case.ready():
            started(case, step, workflow.now())
            if step.kind is RemedyKind.CARRIER_CLAIM:
                self._desk.begin(self._pursue_carrier(step))
            elif step.partner is not Partner.MESSAGING:
                self._desk.begin(self._carry_out(step))
            self._desk.changed()
        while case.unpaid:
            self._desk.begin(self._release(case.unpaid.pop(0)))
        while case.ask_after:
            step_id = case.ask_after.pop(0)
            if (waiting := case.step(step_id)) and waiting.reference and not waiting.settled:
                self._desk.begin(self._ask_after(waiting))

    async def _carry_out(self, step: Step) -> None:
        case = self._desk.case
        command = command_for(case, step)
        last_call, attempt = workflow.now() + case.policy.send_again_within, step.attempts
        while True:
            try:
                receipt = await self._call(step, command)
            except ActivityError as error:
                if not step.waits(attempt):
                    return None  # a report has told meanwhile how it stands
                if (kind := kind_of(error)) in {REFUSED, TRY_AGAIN}:
                    over_limit, why = is_over_limit(error), reason_of(error)
                    refused(case, step, why, workflow.now(), final=kind == REFUSED, over_limit=over_limit)
                    return self._desk.changed()
                found = await self._ask(step, command.key, reason_of(error))
                if step.settled or (found is None and not step.waits(attempt)):
                    return self._desk.changed()  # somebody reported it while we were asking
                if found is None and workflow.now() < last_call:
                    continue
                if found is None:
                    why = Reason.of("forgotten", who=step.partner)
                    refused(case, step, why, workflow.now(), final=False)
                    return self._desk.changed()
                receipt = found
            if step.attempts == attempt:  # after a failed report it may have been tried anew
                heard(case, step, receipt, workflow.now())
            return self._desk.changed()

    async def _call(self, step: Step, command: StepCommand) -> Receipt:
        partner = PARTNERS[step.partner]
        order = self._desk.case.complaint.order
        arguments = [command, order.amount] if step.kind in MONEY and order else [command]
        what = f"{command.amount} {command.currency}" if command.amount else ""
        summary = f"{step.id} {what}".strip()
        receipt: Receipt = await self._desk.durably(partner.carry_out, *arguments, summary=summary, options=STEP)
        return receipt

    async def _ask(self, step: Step, key: str, why: Why) -> Receipt | None:
        """Nobody knows whether it was done: what the partner knows of it."""
        unknown(self._desk.case, step, why, workflow.now())
        self._desk.changed()
        return await self._find(step, key)

    async def _find(self, step: Step, key: str) -> Receipt | None:
        partner = PARTNERS[step.partner]
        found: Receipt | None = await self._desk.durably(
            partner.find, key, summary=f"was {step.id} done?", options=FIND
        )
        return found

    async def _ask_after(self, step: Step) -> None:
        """A report may have been lost: once a day, with the update, the partner is asked how the step stands."""
        try:
            receipt = await self._find(step, step.key(self._desk.case.id))
        except ActivityError:
            return
        if receipt is not None and not step.settled:
            heard(self._desk.case, step, receipt, workflow.now())
            self._desk.changed()

    async def _release(self, key: str) -> None:
        """A payment was reported as failed: what is reserved for it is free again (S15)."""
        self._releasing += 1
        why = "it was reported as failed"
        await self._desk.durably(Refunds.release, key, why, summary=f"release {key}", options=RECORD)
        self._releasing -= 1

    async def release_unpaid(self) -> None:
        """At the end of a case: what was reserved for payments that will never be made is free again (S15)."""
        case = self._desk.case
        if self._releasing:
            await workflow.wait_condition(lambda: not self._releasing)
        for step in case.steps:
            booked = step.kind in MONEY or (case.account and step.makes_good)
            if booked and step.attempts and step.state is StepState.WAIVED and not step.uncertain:
                why = str(step.reason or "waived")
                await self._desk.durably(
                    Refunds.release, step.key(case.id), why, summary=f"release {step.id}", options=RECORD
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
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=f"carrier claim for {case.id}",
                priority=self._desk.priority,
            )
        case.links.append({"kind": "carrier_claim", "workflow": claim_id})
        heard(case, step, Receipt(reference=claim_id, state=ReceiptState.DONE), workflow.now())
        self._desk.changed()
