"""The requests to partners for steps, each with the step's business key (S13)."""

from typing import Any

from cases.complaint import Affected
from cases.entitlement.payout_limits import approved, payout_limit
from cases.errors import Refusal
from cases.partner_calls import Contact, Payment, Shipment, StepCommand
from cases.policy.remedy_kinds import GOODS, MONEY
from cases.state.case import Case
from cases.state.step import Step
from cases.vocabulary import Partner

MAX_PROBLEMS = 500
"""The maximum length of the customer's description in a request to a partner."""


def contact_of(case: Case) -> Contact:
    """Return the customer as a contact for partners."""
    customer = case.complaint.customer
    return Contact(name=customer.name, phone=customer.phone, email=customer.email, locale=customer.locale)


def command_for(case: Case, step: Step) -> StepCommand:
    """Return the request to the partner, with the step's business key (S13). Raise `Refusal` without an order."""
    order = case.complaint.order
    if order is None:
        raise Refusal(f"{step.id} needs an order")
    command = StepCommand(
        key=step.key(case.id),
        case_id=case.id,
        step=step.id,
        kind=step.kind,
        order_id=order.order_id,
        currency=order.currency,
        amount=step.remedy.amount,
        items=(step.remedy.items or []) if step.kind in GOODS else [],
        contact=contact_of(case),
        address=order.install_address,
        tracking_no=order.tracking_no,
        carrier=order.carrier,
        note=_note(case, step),
    )
    skus = {item.sku for item in step.makes_good}
    booked: dict[str, Any] = {
        **dict(command),
        "makes_good": step.makes_good,
        "bought": [Affected(sku=i.sku, quantity=i.quantity) for i in order.items if i.sku in skus],
        "approved": approved(case, step),
    }
    if step.kind in MONEY:
        return Payment(**booked, limit=payout_limit(case, step))
    return Shipment(**booked, paid=order.amount) if step.partner is Partner.WAREHOUSE else command


def _note(case: Case, step: Step) -> str:
    """Return the note for the partner. For goods of an order without items, it quotes the complaint."""
    order, parts = case.complaint.order, [case.finding.cause or ""]
    if step.kind in GOODS and order and not order.items:
        parts.append(
            f"order {order.order_id} lists no items here: its papers say what it is about. The complaint: "
            f"{case.complaint.description[:MAX_PROBLEMS]}"
        )
    return "; ".join(part for part in parts if part)
