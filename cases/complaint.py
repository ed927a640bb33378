"""The complaint that a customer sent. It is validated once, on arrival, and never changes (G1)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cases.calendar import Instant
from cases.errors import InvalidInput, Problem
from cases.input.drafts import collect_problems, read_draft
from cases.money import Money, excess_digits, unsupported_currency
from cases.scalars import NUMERIC, Flag
from cases.text import ALL_VISIBLE, NOT_BLANK, Clean, Identifier, Long, Name, Phone, Short, blank
from cases.vocabulary import Channel, EvidenceKind, Wish

OUR_CURRENCY = "CNY"
"""The default currency of an order, and the currency of payments without an order."""

CLOCK_SKEW = timedelta(seconds=60)
"""How far a sender's clock may be ahead of ours. A later time is refused as "in the future"."""

LIVE_CHANNELS = frozenset({Channel.HOTLINE, Channel.CHAT})
"""Channels on which an agent answers the customer live, so that the customer has been reached (G2)."""

WITHOUT_ORDER = frozenset({"inquiry", "tracking", "suggestion"})
"""Topics that need neither an order nor a description."""

CaseId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]


class Strict(BaseModel):
    """A base for input models. Unknown fields are refused, because a misspelt field would silently lose data."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Evidence(Strict):
    """A reference to evidence from the customer. The evidence itself is stored elsewhere."""

    kind: EvidenceKind
    uri: Annotated[str, StringConstraints(min_length=1, max_length=2_000), Clean, NOT_BLANK]


Kind = TypeVar("Kind", bound=str)


def lacking(wanted: Iterable[Kind], given: Iterable[str]) -> list[Kind]:
    """Return the kinds of `wanted` evidence that are not in `given`. A video also counts as a photo (F10)."""
    kinds = set(given)
    if EvidenceKind.VIDEO in kinds:
        kinds.add(EvidenceKind.PHOTO)
    return [kind for kind in wanted if kind not in kinds]


class Customer(Strict):
    """The customer who complains: a name, and a phone number or an email address."""

    name: Name
    phone: Phone | None = None
    email: (
        Annotated[
            str,
            StringConstraints(pattern=r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$", max_length=254),
            ALL_VISIBLE,
        ]
        | None
    ) = None
    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")] = "zh-CN"


class Affected(Strict):
    """A quantity, in pieces, of one of the order's items."""

    sku: Identifier
    quantity: Annotated[int, Field(gt=0, le=1_000_000), NUMERIC]


class Item(Affected):
    """One line of an order. `unit_price` is in the order's currency."""

    name: Short = "—"
    unit_price: Money


def pieces(items: Iterable[Affected]) -> Counter[str]:
    """Return the total number of pieces of each SKU."""
    counted: Counter[str] = Counter()
    for item in items:
        counted[item.sku] += item.quantity
    return counted


class Order(Strict):
    """The order complained about. `amount` is the total that the customer paid; it includes `freight`."""

    order_id: Identifier
    amount: Money
    freight: Money = Decimal("0.00")
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = OUR_CURRENCY
    promised_at: Instant | None = None
    delivered_at: Instant | None = None
    tracking_no: Identifier | None = None
    carrier: Identifier | None = None
    declared_value: Money | None = None
    goods_value: Money | None = None
    install_address: Short | None = None
    items: Annotated[list[Item], Field(max_length=500)] = []


class Complaint(Strict):
    """A customer's complaint, as the contract defines it."""

    case_id: CaseId
    line: Identifier
    topic: Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)?$", max_length=100)]
    channel: Channel
    received_at: Instant
    customer: Customer
    order: Order | None = None
    description: Long = ""
    wish: Wish | None = None
    affected: Annotated[list[Affected], Field(min_length=1, max_length=500)] | None = None
    evidence: Annotated[list[Evidence], Field(max_length=100)] = []
    urgent: Flag = False
    answered_at: Instant | None = None
    follows: CaseId | None = None
    """The closed case that this complaint follows (G12)."""

    @property
    def affected_items(self) -> list[Item]:
        """The items complained about, with their prices. All items of the order, if the complaint names none."""
        if self.order is None:
            return []
        if self.affected is None:
            return list(self.order.items)
        by_sku = {item.sku: item for item in self.order.items}
        return [by_sku[a.sku].model_copy(update={"quantity": a.quantity}) for a in self.affected]


def read_complaint(raw: Any, now: datetime) -> tuple[Complaint, list[Problem]]:
    """Return the complaint in `raw` and its problems. If there are any, it is a draft (`cases.input.drafts`)."""
    if not isinstance(raw, dict):
        raise InvalidInput([Problem(field="(whole)", problem="must be a JSON object, a complaint")])
    complaint, problems = read_draft(Complaint, raw)
    problems += collect_problems(_CHECKS_OF_TIMES, complaint, now)
    return complaint, problems + collect_problems(_CHECKS, complaint)


def _received(complaint: Complaint, now: datetime) -> Iterator[Problem]:
    yield from _not_later("received_at", complaint.received_at, now)


def _delivered(complaint: Complaint, now: datetime) -> Iterator[Problem]:
    if complaint.order:
        yield from _not_later("order.delivered_at", complaint.order.delivered_at, now)


def _answered(complaint: Complaint, now: datetime) -> Iterator[Problem]:
    yield from _not_later("answered_at", complaint.answered_at, now)
    if complaint.answered_at and complaint.answered_at < complaint.received_at:
        yield Problem(field="answered_at", problem="is before received_at")


def _picked_up(complaint: Complaint) -> Iterator[Problem]:
    if complaint.answered_at and complaint.channel not in LIVE_CHANNELS:
        only = f"is for {' and '.join(sorted(LIVE_CHANNELS))} only: {complaint.channel} is not answered live"
        yield Problem(field="answered_at", problem=only)


def _not_later(field: str, at: datetime | None, now: datetime) -> Iterator[Problem]:
    if at is not None and at > now + CLOCK_SKEW:
        future = f"{at.isoformat()} is in the future (it is {now.isoformat(timespec='seconds')})"
        yield Problem(field=field, problem=future)


def _reachable(complaint: Complaint) -> Iterator[Problem]:
    if not complaint.customer.phone and not complaint.customer.email:
        yield Problem(field="customer", problem="needs a phone or an email, so that we can reply")


def _ordered(complaint: Complaint) -> Iterator[Problem]:
    if complaint.topic not in WITHOUT_ORDER and complaint.order is None:
        yield Problem(field="order", problem=f"is required for topic {complaint.topic}")


def _described(complaint: Complaint) -> Iterator[Problem]:
    if complaint.topic not in WITHOUT_ORDER and blank(complaint.description):
        yield Problem(field="description", problem=f"is required for topic {complaint.topic}")


def _freight(complaint: Complaint) -> Iterator[Problem]:
    if complaint.order and complaint.order.freight > complaint.order.amount:
        yield Problem(field="order.freight", problem="is more than order.amount, which includes it")


def _counted(complaint: Complaint) -> Iterator[Problem]:
    """Check that the currency is supported and that no amount has more digits than the currency has (S30)."""
    if order := complaint.order:
        if why := unsupported_currency(order.currency):
            yield Problem(field="order.currency", problem=why)
        else:
            yield from excess_digits(order, order.currency, "order")


def _listed_once(complaint: Complaint) -> Iterator[Problem]:
    skus = [item.sku for item in complaint.order.items] if complaint.order else []
    if len(set(skus)) != len(skus):
        yield Problem(field="order.items", problem="names the same sku twice")


def _affected(complaint: Complaint) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, affected in enumerate(complaint.affected or []):
        sku = getattr(affected, "sku", None)  # a draft may have none
        if sku is None:
            continue
        if sku in seen:
            yield Problem(field=f"affected.{index}.sku", problem=f"{sku} is named twice")
        seen.add(sku)


def _affected_was_ordered(complaint: Complaint) -> Iterator[Problem]:
    order = complaint.order
    ordered = {item.sku: getattr(item, "quantity", None) for item in order.items} if order else {}
    for index, affected in enumerate(complaint.affected or []):
        where, sku = f"affected.{index}", getattr(affected, "sku", None)
        if sku is None:
            continue
        if sku not in ordered:
            yield Problem(field=f"{where}.sku", problem=f"{sku} is not among order.items")
        elif (most := ordered[sku]) is not None and getattr(affected, "quantity", 0) > most:
            yield Problem(field=f"{where}.quantity", problem=f"is more than the {most} ordered")


def _follows(complaint: Complaint) -> Iterator[Problem]:
    if complaint.follows == complaint.case_id:
        yield Problem(field="follows", problem="names the case itself: give the new complaint another case_id")


_CHECKS_OF_TIMES = (_received, _delivered, _answered)
_CHECKS = (
    *(_picked_up, _reachable, _ordered, _described, _freight),
    *(_counted, _listed_once, _affected, _affected_was_ordered, _follows),
)
"""Checks across fields. Each reads only the few fields that it needs, so that a fault elsewhere does not skip it."""
