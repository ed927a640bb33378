"""What an order's ledger holds beside one case: the money and the units that its other cases have taken (S35)."""

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel

from cases.money import Money
from cases.reasons import Reason
from cases.vocabulary import RemedyKind


class Booking(BaseModel):
    """One entry of the ledger that counts: reserved, paid, or not settled. `units`: pieces made good, by sku."""

    case_id: str
    kind: RemedyKind
    amount: Money
    units: dict[str, int] = {}


class Account(BaseModel):
    """An order's ledger as one of its cases sees it: without the case's own entries."""

    paid: Money | None = None
    """The smallest amount that any case stated as paid; None: no case has stated one yet."""
    bought: dict[str, int] = {}
    """By sku, the smallest quantity that any case stated."""
    bookings: list[Booking] = []


MAX_NAMED = 5
"""Entries that a reason names; there may be many more."""


def taken_by(why: Reason, entries: Iterable[tuple[RemedyKind, str]]) -> Reason:
    """A reason that also names the entries (kind and case) that have taken what is missing."""
    some = [Reason.of("entry", kind=kind, case=case_id) for kind, case_id in dict.fromkeys(entries)]
    return Reason.of("taken_by", because=why, entries=some[:MAX_NAMED]) if some else why


def units_of(bookings: list[Booking]) -> Counter[str]:
    """Pieces made good by sku, together."""
    counted: Counter[str] = Counter()
    for booking in bookings:
        counted.update(booking.units)
    return counted
