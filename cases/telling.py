"""What a case tells others: an option in words, its money by kind, a step as a command. Nothing changes by it."""

from decimal import Decimal
from typing import Any

from cases.case import Case
from cases.commands import Contact, Payment, Shipment, StepCommand
from cases.complaint import Affected
from cases.errors import Refusal
from cases.limits import approved, payout_limit
from cases.names import (
    GOODS,
    MONEY,
    SHIPMENTS,
    TO_SOURCE,
    PromiseName,
    PromiseState,
    RemedyKind,
    Status,
    StepState,
)
from cases.offer import Option
from cases.step import Step

MAX_TOLD = 500
"""Characters of the customer's words that a partner reads."""


def page(headline: str, sections: dict[str, list[str]]) -> str:
    """A page in the Temporal UI, in Markdown; sections without lines are left out."""
    shown = "\n\n".join(
        f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines) for title, lines in sections.items() if lines
    )
    return f"{headline}\n\n{shown}"


PAID_AS = {
    "refund": TO_SOURCE,
    "compensation": {RemedyKind.COMPENSATION, RemedyKind.CLAIM_PAYMENT},
    "coupon": {RemedyKind.COUPON},
}
"""Under which heading of the snapshot's `paid` a kind of money stands."""


def describe(option: Option) -> str:
    """An option in a few words."""
    parts = []
    for r in option.remedies:
        items = " ".join(f"{i.quantity} × {i.sku}" for i in r.items or [])
        parts.append(" ".join(str(p) for p in (r.kind, r.amount, items) if p))
    return f"{option.key} ({', '.join(parts)})"


def contact_of(case: Case) -> Contact:
    """Whom partners reach."""
    customer = case.complaint.customer
    return Contact(name=customer.name, phone=customer.phone, email=customer.email, locale=customer.locale)


def command_for(case: Case, step: Step) -> StepCommand:
    """What is asked of the partner, under the step's business key (S13)."""
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
    books: dict[str, Any] = {
        **dict(command),
        "makes_good": step.makes_good,
        "bought": [Affected(sku=i.sku, quantity=i.quantity) for i in order.items if i.sku in skus],
        "approved": approved(case, step),
    }
    if step.kind in MONEY:
        return Payment(**books, limit=payout_limit(case, step))
    return Shipment(**books, paid=order.amount) if step.kind in SHIPMENTS else command


def _note(case: Case, step: Step) -> str:
    """What the partner reads; goods of an order that lists no items are sent as its papers, or the customer, say."""
    order, parts = case.complaint.order, [case.finding.cause or ""]
    if step.kind in GOODS and order and not order.items:
        parts.append(
            f"order {order.order_id} lists no items here: its papers say what it is about. The complaint: "
            f"{case.complaint.description[:MAX_TOLD]}"
        )
    return "; ".join(part for part in parts if part)


def about_step(case: Case, step: Step) -> dict[str, Any]:
    """What a notice says of a step: which one, its worth, why it stands as it does, and its key for engineers."""
    return {
        "step": step.id,
        "kind": step.kind,
        "partner": step.partner,
        **step.remedy.model_dump(mode="json", include={"amount", "items"}),
        "reason": step.reason,
        "key": step.key(case.id),
    }


ANYHOW = frozenset(
    {
        PromiseName.ACKNOWLEDGE,
        PromiseName.ASSIGN,
        PromiseName.DISPATCH,
        PromiseName.PRELIMINARY_PLAN,
        PromiseName.PROGRESS_UPDATE,
    }
)
"""Promises that are kept by the same act whatever the case waits for."""


def waits_for(case: Case, promise: PromiseName) -> str | None:
    """What holds a promise up, where it is something else than the promise's own act: a word of `situation`."""
    if promise in ANYHOW:
        return None
    if any(step.state is StepState.BLOCKED for step in case.steps):
        return "blocked"
    if any(step.state is StepState.UNKNOWN for step in case.steps):
        return "unknown"
    if case.status is Status.OFFERING and case.offer and case.offer.undeliverable:
        return "undelivered"
    return {
        Status.AWAITING_EVIDENCE: "evidence",
        Status.AWAITING_APPROVAL: "approval",
        Status.AWAITING_CONSENT: "consent",
    }.get(case.status)


def paid(case: Case) -> dict[str, str]:
    """Money that has gone out, by kind; what is under way is not in it."""
    done = [s for s in case.steps if s.state is StepState.DONE]
    return {
        name: f"{sum((s.remedy.amount or Decimal(0) for s in done if s.kind in kinds), Decimal(0)):.2f}"
        for name, kinds in PAID_AS.items()
    }


def broken(case: Case) -> list[str]:
    """Names of the promises that were not kept in time, in order."""
    return list(dict.fromkeys(p.name.value for p in case.promises if p.state is PromiseState.BROKEN))
