"""The claim against a carrier outlives its case: filed within its window, and followed until it is settled (B16).

What the carrier pays is recorded and set against what was paid out. The carrier answers with `step-reported`, or
somebody enters what was recovered with `claim-settled`.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel, ValidationError
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError

from cases.calendar import length
from cases.case import Case
from cases.commands import ReceiptState, StepCommand
from cases.errors import Refusal
from cases.messages import StepReported
from cases.money import Money
from cases.names import CLAIM_SETTLED, CLAIM_WORKFLOW, RemedyKind, claim_workflow_id
from cases.telling import contact_of
from workflows.doors import decoded
from workflows.errands import durably, kind_of, sentence
from workflows.options import FIND, RECORD, STEP

with workflow.unsafe.imports_passed_through():
    from activities.logistics import Logistics
    from activities.outcomes import UNKNOWN
    from activities.records import ClaimRecord, Records


class ClaimTerms(BaseModel):
    """What is claimed, and the window in which it can be filed."""

    command: StepCommand
    carrier: str
    claimed: Money
    not_before: AwareDatetime
    not_after: AwareDatetime
    documents: list[str]


class ClaimSettled(BaseModel):
    """What the carrier paid in the end; 0.00 when it refused."""

    recovered: Money
    detail: str = ""
    by: str | None = None


def claim_terms(case: Case) -> ClaimTerms:
    """The claim for what the customer paid for the order, in the window that the policy sets (B16)."""
    order = case.complaint.order
    if order is None:
        raise ValueError("a carrier claim needs an order")
    terms, add = case.policy.carrier_claim, case.policy.working_days.add
    promised = order.promised_at or case.complaint.received_at
    trail = case.look_ups.trail
    carrier = order.carrier or (trail and trail.carrier) or "the carrier"
    return ClaimTerms(
        command=StepCommand(
            key=f"{case.id}/carrier_claim",
            case_id=case.id,
            step=RemedyKind.CARRIER_CLAIM,
            kind=RemedyKind.CARRIER_CLAIM,
            order_id=order.order_id,
            currency=order.currency,
            amount=order.amount,
            contact=contact_of(case),
            tracking_no=order.tracking_no,
            carrier=carrier,
            note=f"documents: {', '.join(terms.documents)}",
            reply_to=claim_workflow_id(case.id),
        ),
        carrier=carrier,
        claimed=order.amount,
        not_before=add(promised, length(terms.not_before)),
        not_after=add(promised, length(terms.not_after)),
        documents=terms.documents,
    )


@workflow.defn(name=CLAIM_WORKFLOW)
class CarrierClaim:
    """One claim against one carrier."""

    def __init__(self) -> None:
        self._state = "waiting"
        self._recovered: Decimal | None = None
        self._detail = ""
        self._filed_at: AwareDatetime | None = None
        self._terms: ClaimTerms | None = None

    @workflow.run
    async def run(self, terms: ClaimTerms) -> dict[str, Any]:
        """Wait for the window, file, and wait for the carrier's answer."""
        self._terms = terms
        await self._record()
        wait = terms.not_before - workflow.now()
        if wait > timedelta():
            await self._settled_or(wait, f"the carrier takes claims from {terms.not_before:%Y-%m-%d}")
        if self._recovered is None:
            await self._file(terms)
        await workflow.wait_condition(lambda: self._recovered is not None)
        await self._record()
        return self.claim()

    @workflow.query
    def claim(self) -> dict[str, Any]:
        """How the claim stands."""
        terms = self._terms
        return {
            "case_id": terms.command.case_id if terms else None,
            "state": self._state,
            "claimed": f"{terms.claimed:.2f}" if terms else None,
            "recovered": f"{self._recovered:.2f}" if self._recovered is not None else None,
            "filed_at": self._filed_at.isoformat() if self._filed_at else None,
            "detail": self._detail,
        }

    @workflow.signal(
        name="step-reported", description="The carrier's word: done pays the claim in full, failed refuses it"
    )
    def step_reported(self, payload: RawValue = None) -> None:  # type: ignore[assignment]
        """The carrier's word on the claim."""
        report = self._read(StepReported, payload)
        if not isinstance(report, StepReported) or self._recovered is not None or self._terms is None:
            return
        self._detail = report.detail
        if report.state is ReceiptState.DONE:
            self._settle(self._terms.claimed)
        elif report.state is ReceiptState.FAILED:
            self._settle(Decimal(0))

    @workflow.signal(name=CLAIM_SETTLED, description="What the carrier paid: {recovered, detail}; 0.00 if it refused")
    def claim_settled(self, payload: RawValue = None) -> None:  # type: ignore[assignment]
        """Somebody enters what was recovered."""
        settled = self._read(ClaimSettled, payload)
        if isinstance(settled, ClaimSettled) and self._recovered is None:
            self._detail = settled.detail
            self._settle(settled.recovered)

    def _read(self, model: type[BaseModel], payload: RawValue) -> BaseModel | None:
        try:
            return model.model_validate(decoded(payload))
        except (Refusal, ValidationError) as error:
            workflow.logger.warning("message refused", extra={"why": type(error).__name__})
            return None

    def _settle(self, recovered: Decimal) -> None:
        self._recovered = recovered
        self._state = "paid" if recovered else "refused"

    async def _file(self, terms: ClaimTerms) -> None:
        while self._recovered is None:
            try:
                await durably(Logistics.carry_out, terms.command, summary=f"claim {terms.claimed}", options=STEP)
            except ActivityError as error:
                self._detail = sentence(error)
                if kind_of(error) == UNKNOWN and not await self._arrived(terms):
                    continue
                if kind_of(error) != UNKNOWN:
                    if workflow.now() >= terms.not_after:
                        return self._settle(Decimal(0))
                    await self._settled_or(timedelta(days=1), "the carrier did not take the claim: try again")
                    continue
            self._state, self._filed_at = "filed", workflow.now()
            return await self._record()
        return None

    async def _arrived(self, terms: ClaimTerms) -> bool:
        found = await durably(Logistics.find, terms.command.key, summary="was the claim filed?", options=FIND)
        return found is not None

    async def _settled_or(self, wait: timedelta, why: str) -> None:
        try:
            await workflow.wait_condition(lambda: self._recovered is not None, timeout=wait, timeout_summary=why)
        except TimeoutError:
            return

    async def _record(self) -> None:
        terms = self._terms
        if terms is None:
            return
        record = ClaimRecord(
            case_id=terms.command.case_id,
            order_id=terms.command.order_id,
            carrier=terms.carrier,
            state=self._state,
            currency=terms.command.currency,
            claimed=terms.claimed,
            filed_at=self._filed_at,
            recovered=self._recovered or Decimal(0),
            closed_at=workflow.now() if self._recovered is not None else None,
        )
        await durably(Records.record_claim, record, summary=f"claim {self._state}", options=RECORD)
