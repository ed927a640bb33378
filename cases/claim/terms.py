"""The terms that a case passes to its carrier claim: amount, documents, and the window for filing (B16)."""

from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel

from cases.calendar import length
from cases.complaint import Order
from cases.contract import claim_workflow_id
from cases.entitlement.step_commands import contact_of
from cases.money import Money
from cases.partner_calls import Document, StepCommand
from cases.state.case import Case
from cases.views.search_attributes import OF_CLAIMS
from cases.vocabulary import RemedyKind


class ClaimTerms(BaseModel):
    """The amount, the documents, and the window for filing. Amounts are in the order's currency."""

    command: StepCommand
    carrier: str
    claimed: Money
    not_before: AwareDatetime
    not_after: AwareDatetime
    needed: list[str]
    """Names of the documents that the policy requires."""
    send_again_within: timedelta
    """How long a key can be sent again. After that the carrier may have forgotten it (S13)."""
    attributes: dict[str, str | bool]
    """The claim's search attributes."""
    facts: dict[str, Any]
    """The facts in every notice about the claim. No personal data."""


def claim_terms(case: Case) -> ClaimTerms:
    """Return the terms of a claim for the order's amount, in the policy's window (B16)."""
    order = case.complaint.order
    if order is None:
        raise ValueError("a carrier claim needs an order")
    terms, add = case.policy.carrier_claim, case.policy.working_days.add
    promised = order.promised_at or case.complaint.received_at
    trail = case.look_ups.trail
    carrier = order.carrier or (trail and trail.carrier) or "the carrier"
    return ClaimTerms(
        command=StepCommand(
            key=claim_key(case.id),
            case_id=case.id,
            step=RemedyKind.CARRIER_CLAIM,
            kind=RemedyKind.CARRIER_CLAIM,
            order_id=order.order_id,
            currency=order.currency,
            amount=order.amount,
            contact=contact_of(case),
            tracking_no=order.tracking_no,
            carrier=carrier,
            note=case.finding.cause or "",
            documents=_documents(case, order),
            reply_to=claim_workflow_id(case.id),
        ),
        carrier=carrier,
        claimed=order.amount,
        not_before=add(promised, length(terms.not_before)),
        not_after=add(promised, length(terms.not_after)),
        needed=terms.documents,
        send_again_within=case.policy.send_again_within,
        attributes={attribute.name: attribute.of(case) for attribute in OF_CLAIMS},
        facts=case.staff_facts,
    )


def claim_key(case_id: str, number: int = 1) -> str:
    """Return the business key of the `number`th attempt to send a case's claim to the carrier."""
    key = f"{case_id}/{RemedyKind.CARRIER_CLAIM}"
    return key if number == 1 else f"{key}/{number}"


def claim_number(case_id: str, key: str) -> int:
    """Return the number in a key from `claim_key`."""
    number = key.removeprefix(claim_key(case_id)).removeprefix("/")
    return int(number) if number else 1


def _documents(case: Case, order: Order) -> list[Document]:
    """Return the case's documents: the order, the partners' records, and the customer's evidence."""
    stated = {"order_id", "amount", "freight", "currency", "promised_at", "declared_value", "goods_value", "items"}
    found = [Document(name="order", facts=order.model_dump(mode="json", include=stated, exclude_none=True))]
    if trail := case.look_ups.trail:
        facts = trail.model_dump(mode="json", exclude={"events"}, exclude_none=True)
        last = max(trail.events, key=lambda event: event.at, default=None)
        found.append(
            Document(name="trail", facts={**facts, **({"last": last.model_dump(mode="json")} if last else {})})
        )
    if dispatch := case.look_ups.dispatch:
        # The carrier does not need the name of the person who packed it.
        facts = dispatch.model_dump(mode="json", exclude={"packed_by"}, exclude_none=True)
        found.append(Document(name="dispatch_record", facts=facts))
    return found + [Document(name=e.kind, uri=e.uri) for e in case.evidence]
