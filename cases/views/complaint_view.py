"""The parts of a snapshot about the complaint and the finding."""

from typing import Annotated, Any, Self

from pydantic import AwareDatetime, ConfigDict, Field

from cases.state.case import Case
from cases.state.second_complaint import TakenOver
from cases.views.view_fields import Amount, Omittable, Quantity, View, one_of
from cases.vocabulary import Channel, EvidenceKind, Liable, Severity, Wish

ALWAYS_WRITTEN = ConfigDict(json_schema_serialization_defaults_required=True)
"""Workers write every field. Complaints that an earlier build wrote to our database lack fields without a value."""


class ItemView(View):
    """A quantity of one of the order's items."""

    sku: str
    quantity: Quantity


class OrderItemView(ItemView):
    """One line of an order."""

    name: str
    unit_price: Amount


class CustomerView(View):
    """The customer who complains, with contact details."""

    model_config = ALWAYS_WRITTEN

    name: str
    phone: str | None = None
    email: str | None = None
    locale: str


class EvidenceView(View):
    """A reference to evidence from the customer."""

    kind: Annotated[str, one_of(EvidenceKind)]
    uri: str


class OrderView(View):
    """The order complained about."""

    model_config = ALWAYS_WRITTEN

    order_id: str
    amount: Amount
    freight: Amount
    currency: str
    promised_at: AwareDatetime | None = None
    delivered_at: AwareDatetime | None = None
    tracking_no: str | None = None
    carrier: str | None = None
    declared_value: Amount | None = None
    goods_value: Amount | None = None
    install_address: str | None = None
    items: list[OrderItemView]


class ComplaintView(View):
    """A complaint as received, including personal data (complaint.json). Fields that it left out are null."""

    model_config = ALWAYS_WRITTEN

    case_id: str
    line: str
    topic: str
    channel: Annotated[str, one_of(Channel)]
    received_at: AwareDatetime
    customer: CustomerView
    order: OrderView | None = None
    description: str
    wish: Annotated[str, one_of(Wish)] | None = None
    affected: list[ItemView] | None = None
    """null: every item."""
    evidence: list[EvidenceView]
    urgent: bool
    answered_at: AwareDatetime | None = None
    follows: str | None = None


class SecondComplaintView(View):
    """A later complaint about the same order and topic that this case also handles, including personal data."""

    received_at: AwareDatetime
    channel: Annotated[str, one_of(Channel)]
    customer: CustomerView
    description: str
    wish: Annotated[str, one_of(Wish)] | None
    affected: list[ItemView] | None
    urgent: bool
    case: str
    withdrawn: str | None
    """Why its customer withdrew it."""
    judged: bool
    """Whether a person has assessed what it adds."""

    @classmethod
    def of(cls, case: Case, record: TakenOver) -> Self:
        """Return the complaint as it was received, and whether a person has assessed it."""
        return cls(
            received_at=record.received_at,
            channel=record.channel,
            customer=record.customer,
            description=record.description,
            wish=record.wish,
            affected=record.affected,
            urgent=record.urgent,
            case=record.case,
            withdrawn=record.withdrawn,
            judged=record.case not in case.unjudged,
        )


class HandledByView(View):
    """Who handled the order before the complaint, from the complaint and the partners' records."""

    carrier: Omittable[str] = None
    route: Omittable[str] = None
    warehouse: Omittable[str] = None
    installer: Omittable[str] = None

    @classmethod
    def of(cls, case: Case) -> Self:
        """Return what is known so far."""
        order, found = case.complaint.order, case.look_ups
        return cls(
            carrier=(order and order.carrier) or (found.trail and found.trail.carrier),
            route=found.trail and found.trail.route,
            warehouse=found.dispatch and found.dispatch.warehouse,
            installer=found.installation and found.installation.installer,
        )


class FactView(View):
    """One fact from one source."""

    field: str
    value: Any
    source: str
    at: AwareDatetime
    by: Omittable[str] = None


class FindingView(View):
    """The current finding. Fields that are not established are absent."""

    severity: Omittable[Annotated[str, one_of(Severity)]] = None
    days_late: Omittable[Annotated[int, Field(ge=0)]] = None
    hours_late: Omittable[Annotated[float, Field(ge=0)]] = None
    lost: Omittable[bool] = None
    upheld: Omittable[bool] = None
    liable: Omittable[Annotated[str, one_of(Liable)]] = None
    cause: Omittable[str] = None
    sealed: Omittable[bool] = None
    goods_value: Omittable[Amount] = None
    affected: Omittable[list[ItemView]] = None
    facts: list[FactView]
    """Every fact that was ever stated, oldest first. An agent's fact overrides one from a look-up."""
