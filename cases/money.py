"""Money is decimal, has its order's currency, and is rounded half up to the minor unit, once, at the end."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

WHOLE_UNITS_ONLY = frozenset({"JPY", "KRW", "VND"})
"""Currencies without a minor unit; all others that we take have two digits."""

CENT = Decimal("0.01")
_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
MAX_AMOUNT = Decimal("999999999.99")


def rounded(value: Decimal, currency: str) -> Decimal:
    """`value` in the minor unit of `currency`, half up; always written with two digits."""
    unit = Decimal(1) if currency in WHOLE_UNITS_ONLY else CENT
    return value.quantize(unit, rounding=ROUND_HALF_UP).quantize(CENT)


def _parse(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError('must be a decimal string such as "640.00"')  # noqa: TRY004 (pydantic wants ValueError)
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise ValueError('must be a decimal string such as "640.00"')
        if value.startswith("-") and value.strip("-0."):
            raise ValueError("must not be negative")
    amount = Decimal(value)
    if not amount.is_finite() or abs(amount) > MAX_AMOUNT:
        raise ValueError(f"must be at most {MAX_AMOUNT}")
    if amount < 0:
        raise ValueError("must not be negative")
    if amount != amount.quantize(CENT):
        raise ValueError("has more than two digits after the point")
    return amount.quantize(CENT)


Money = Annotated[
    Decimal,
    BeforeValidator(_parse),
    PlainSerializer(lambda value: f"{value:.2f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d{1,2})?$", "examples": ["640.00"]}),
]
"""A non-negative amount; `"640.00"` in JSON."""
