"""The notation for amounts in policies, and their value for one order, rounded once at the end (S16).

5% of order                                    12.00
10-20% of affected items                       5 x freight
1% of order per day late, at most 30% of order declared value x damaged share
affected items less 12.00                      goods value x damaged share, at most 5 x freight
"""

import re
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from cases.money import rounded

_NUM = r"\d+(?:\.\d+)?"
_BASES = "order|affected items|freight|declared value|goods value"
_TERM = re.compile(
    rf"^(?:(?P<low>{_NUM})(?:\s*[-–]\s*(?P<high>{_NUM}))?\s*% of (?P<share_of>{_BASES})"
    rf"|(?P<times>{_NUM})\s*[x×] (?P<times_of>{_BASES})|(?P<whole>{_BASES})|(?P<fixed>{_NUM}))"
    r"(?P<per> per day late)?(?P<damaged>\s*[x×] damaged share)?$"
)


class Base(StrEnum):
    """The value that a share or a multiple refers to."""

    ORDER = "order"
    AFFECTED_ITEMS = "affected items"
    FREIGHT = "freight"
    DECLARED_VALUE = "declared value"
    GOODS_VALUE = "goods value"


class Term(NamedTuple):
    """`low` to `high` times a base, optionally per day late or times the damaged share. Base None: a fixed number."""

    low: Decimal
    high: Decimal
    base: Base | None
    per_day_late: bool
    damaged: bool


class Amount(NamedTuple):
    """A term, with an optional deduction and an optional maximum."""

    term: Term
    less: Term | None
    at_most: Term | None


class Sums(NamedTuple):
    """The values from which the amounts of one case are computed, in the order's currency."""

    bases: dict[Base, Decimal | None]
    days_late: int | None
    damaged_share: Decimal | None
    digits: int
    """The digits after the point in the order's currency."""


def _term(text: str) -> Term:
    match = _TERM.match(text.strip())
    if not match:
        raise ValueError(
            f'"{text.strip()}" is not an amount; write 5% of order, 10-20% of order, 1% of order per day late, '
            "5 x freight, affected items or 12.00"
        )
    base = match["share_of"] or match["times_of"] or match["whole"]
    low = Decimal(match["low"]) / 100 if match["low"] else Decimal(match["times"] or match["fixed"] or 1)
    high = Decimal(match["high"]) / 100 if match["high"] else low
    if high < low:
        raise ValueError(f'"{text.strip()}" ends below its beginning')
    return Term(low, high, Base(base) if base else None, bool(match["per"]), bool(match["damaged"]))


@lru_cache(maxsize=512)
def amount(text: str) -> Amount:
    """Return the amount in `text`. Raise ValueError with the accepted forms."""
    main, _, cap = text.partition(", at most ")
    main, _, off = main.partition(" less ")
    return Amount(_term(main), _term(off) if off else None, _term(cap) if cap else None)


def _checked(text: str) -> str:
    amount(text)
    return text


AmountText = Annotated[str, AfterValidator(_checked)]
"""An amount in this notation. The text is stored unchanged."""


def _of_the_order(text: str) -> str:
    for term in (t for t in amount(text) if t is not None):
        varies = term.per_day_late or term.damaged or term.base is Base.AFFECTED_ITEMS
        if varies or term.low != term.high:
            raise ValueError(f'"{text}" is not a limit for an order: write a single amount, such as 30% of order')
    return text


OrderLimitText = Annotated[str, AfterValidator(_of_the_order)]
"""An amount that is the same for every complaint about an order: no range, and independent of the finding."""


def needs(text: str, sums: Sums) -> list[str]:
    """Return the fields of the finding or the order that `text` needs and that are not known."""
    missing = []
    for term in (t for t in amount(text) if t is not None):
        if term.per_day_late and sums.days_late is None:
            missing.append("days_late")
        if term.damaged and sums.damaged_share is None:
            missing.append("severity")
        if term.base is not None and sums.bases[term.base] is None:
            name = term.base.replace(" ", "_")
            missing.append(name if term.base is Base.GOODS_VALUE else f"order.{name}")
    return missing


def evaluate(text: str, sums: Sums) -> tuple[Decimal, Decimal]:
    """Return the low and the high end of the amount in `text`, rounded to the currency's minor unit."""
    term, less, at_most = amount(text)
    ends = []
    for end in (term.low, term.high):
        value = _value(term, end, sums)
        if less:
            value = max(Decimal(0), value - _value(less, less.low, sums))
        if at_most:
            value = min(value, _value(at_most, at_most.low, sums))
        ends.append(rounded(value, sums.digits))
    return ends[0], ends[1]


def _value(term: Term, factor: Decimal, sums: Sums) -> Decimal:
    base = Decimal(1) if term.base is None else (sums.bases[term.base] or Decimal(0))
    value = factor * base
    if term.per_day_late:
        value *= sums.days_late or 0
    if term.damaged:
        value *= sums.damaged_share or Decimal(0)
    return value
