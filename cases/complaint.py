"""A complaint is what arrived from the customer: it is checked once, at the door, and never changes (G1)."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from cases.calendar import Instant, Whole
from cases.errors import InvalidInput, Problem, problems_of
from cases.money import Money
from cases.names import Channel, EvidenceKind, Wish

CLOCK_SKEW = timedelta(seconds=60)
"""How far ahead of ours a sender's clock may be before its time counts as "in the future"."""

WITHOUT_ORDER = frozenset({"inquiry", "tracking", "suggestion"})
"""Topics that need neither an order nor a description."""

CaseId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
Clean = AfterValidator(lambda text: _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text))
"""People write anything: what gives orders to a terminal, or what a database cannot hold, is taken out."""
ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
Short = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=ONE_LINE), Clean]
Long = Annotated[str, StringConstraints(max_length=10_000), Clean]


class Strict(BaseModel):
    """A model at the door: unknown fields are refused, because a misspelt one would silently lose a fact."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Evidence(Strict):
    """A reference to something the customer showed; never the thing itself."""

    kind: EvidenceKind
    uri: Annotated[str, StringConstraints(min_length=1, max_length=2_000), Clean]


Kind = TypeVar("Kind", bound=str)


def lacking(wanted: Iterable[Kind], given: Iterable[str]) -> list[Kind]:
    """The kinds that nobody has shown; a video serves as a photo (F10)."""
    kinds = set(given)
    if EvidenceKind.VIDEO in kinds:
        kinds.add(EvidenceKind.PHOTO)
    return [kind for kind in wanted if kind not in kinds]


class Customer(Strict):
    """Who complains: a name and at least one way to reach them."""

    name: Short
    phone: Short | None = None
    email: (
        Annotated[
            str, StringConstraints(pattern=r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$", max_length=254)
        ]
        | None
    ) = None
    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")] = "zh-CN"

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.phone and not self.email:
            raise ValueError("needs a phone or an email, or nobody can be answered")
        return self


class Affected(Strict):
    """Some of an order's items: which, and how many (pieces)."""

    sku: Short
    quantity: Annotated[Whole, Field(gt=0, le=1_000_000)]


class Item(Affected):
    """One position of an order; `unit_price` in the order's currency."""

    name: Short = "—"
    unit_price: Money


def pieces(items: Iterable[Affected]) -> Counter[str]:
    """How many pieces of each sku, together."""
    counted: Counter[str] = Counter()
    for item in items:
        counted[item.sku] += item.quantity
    return counted


class Order(Strict):
    """The order complained about; `amount` is all that the customer paid, `freight` the part of it that is freight."""

    order_id: Short
    amount: Money
    freight: Money = Decimal("0.00")
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CNY"
    promised_at: Instant | None = None
    delivered_at: Instant | None = None
    tracking_no: Short | None = None
    carrier: Short | None = None
    declared_value: Money | None = None
    goods_value: Money | None = None
    install_address: Short | None = None
    items: Annotated[list[Item], Field(max_length=500)] = []


class Complaint(Strict):
    """What arrived from the customer, as the contract describes it."""

    case_id: CaseId
    line: Short
    topic: Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)?$", max_length=100)]
    channel: Channel
    received_at: Instant
    customer: Customer
    order: Order | None = None
    description: Long = ""
    wish: Wish | None = None
    affected: Annotated[list[Affected], Field(min_length=1, max_length=500)] | None = None
    evidence: Annotated[list[Evidence], Field(max_length=100)] = []
    urgent: bool = False
    answered_at: Instant | None = None
    follows: CaseId | None = None
    """The closed case that this complaint takes up again (G12)."""

    @property
    def affected_items(self) -> list[Item]:
        """The items complained about, with their prices; all of the order's when none are named."""
        if self.order is None:
            return []
        if self.affected is None:
            return list(self.order.items)
        by_sku = {item.sku: item for item in self.order.items}
        return [by_sku[a.sku].model_copy(update={"quantity": a.quantity}) for a in self.affected]


def check_complaint(raw: Any, now: datetime) -> Complaint:
    """The complaint in `raw` (decoded JSON), or `InvalidInput` naming every problem by its field.

    What only a policy can tell (line, topic, items that cost more than the order) is checked by
    `cases.policy.check_against`.
    """
    if not isinstance(raw, dict):
        raise InvalidInput([Problem(field="(whole)", problem="must be a JSON object, a complaint")])
    try:
        complaint = Complaint.model_validate(raw)
    except ValidationError as error:
        raise InvalidInput(problems_of(error)) from None
    problems = [*_times(complaint, now), *_order(complaint)]
    if complaint.follows == complaint.case_id:
        problems.append(
            Problem(field="follows", problem="names the case itself: give the new complaint another case_id")
        )
    if problems:
        raise InvalidInput(problems)
    return complaint


def _times(complaint: Complaint, now: datetime) -> list[Problem]:
    times = {"received_at": complaint.received_at, "answered_at": complaint.answered_at}
    if complaint.order:
        times["order.delivered_at"] = complaint.order.delivered_at
    problems = [
        Problem(field=field, problem=f"{at.isoformat()} is in the future (it is {now.isoformat(timespec='seconds')})")
        for field, at in times.items()
        if at is not None and at > now + CLOCK_SKEW
    ]
    if complaint.answered_at and complaint.answered_at < complaint.received_at:
        problems.append(Problem(field="answered_at", problem="is before received_at"))
    return problems


def _order(complaint: Complaint) -> list[Problem]:
    problems = []
    if complaint.topic not in WITHOUT_ORDER:
        if complaint.order is None:
            problems.append(Problem(field="order", problem=f"is required for topic {complaint.topic}"))
        if not complaint.description.strip():
            problems.append(Problem(field="description", problem=f"is required for topic {complaint.topic}"))
    if complaint.order is None:
        return problems
    order = complaint.order
    if order.freight > order.amount:
        problems.append(Problem(field="order.freight", problem="is more than order.amount, which includes it"))
    ordered = {item.sku: item.quantity for item in order.items}
    if len(ordered) != len(order.items):
        problems.append(Problem(field="order.items", problem="names the same sku twice"))
    return problems + _affected(complaint, ordered)


def _affected(complaint: Complaint, ordered: dict[str, int]) -> list[Problem]:
    problems = []
    seen: set[str] = set()
    for index, affected in enumerate(complaint.affected or []):
        where = f"affected.{index}"
        if affected.sku not in ordered:
            problems.append(Problem(field=f"{where}.sku", problem=f"{affected.sku} is not among order.items"))
        elif affected.quantity > ordered[affected.sku]:
            problems.append(
                Problem(field=f"{where}.quantity", problem=f"is more than the {ordered[affected.sku]} ordered")
            )
        if affected.sku in seen:
            problems.append(Problem(field=f"{where}.sku", problem=f"{affected.sku} is named twice"))
        seen.add(affected.sku)
    return problems
