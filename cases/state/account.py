"""An order's account: the money and the units that the order's other cases have used, from the ledger (S35)."""

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel

from cases.money import Money
from cases.reasons import Reason
from cases.vocabulary import RemedyKind


class Booking(BaseModel):
    """One ledger entry that counts against the order: reserved, paid, or not settled.

    `units` is the number of pieces that it makes good, by SKU.
    """

    case_id: str
    kind: RemedyKind
    amount: Money
    units: dict[str, int] = {}


class Account(BaseModel):
    """An order's ledger without the entries of the case that reads it."""

    paid: Money | None = None
    """The smallest amount that any case stated as paid; None: no case has stated one yet."""
    bought: dict[str, int] = {}
    """The smallest quantity that any case stated, by SKU."""
    bookings: list[Booking] = []


MAX_NAMED = 5
"""The maximum number of entries that a reason lists."""


def taken_by(why: Reason, entries: Iterable[tuple[RemedyKind, str]]) -> Reason:
    """Return `why` with the entries (kind and case) that have used the missing money or units."""
    some = [Reason.of("entry", kind=kind, case=case_id) for kind, case_id in dict.fromkeys(entries)]
    return Reason.of("taken_by", because=why, entries=some[:MAX_NAMED]) if some else why


def units_of(bookings: list[Booking]) -> Counter[str]:
    """Return the total number of pieces made good, by SKU."""
    counted: Counter[str] = Counter()
    for booking in bookings:
        counted.update(booking.units)
    return counted
