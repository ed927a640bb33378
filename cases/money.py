"""Money: decimal amounts in the order's currency, rounded half up to the minor unit once, at the end.

CLDR defines how many digits a currency has (S30). Calculations for a case use the digits that were recorded with its
policy, so that a new release of CLDR cannot change a replay.
"""

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, PlainSerializer, WithJsonSchema

from cases.errors import Problem

KEPT_DIGITS = 2
"""Digits after the point with which every amount is stored and written, in any currency."""
CENT = Decimal("0.01")
_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
MAX_AMOUNT = Decimal("999999999.99")


@cache
def _in_use() -> dict[str, int]:
    """Return the digits of every currency that is legal tender today, by its code."""
    from babel.core import get_global  # noqa: PLC0415 (slow to load, and `--help` needs no currency)

    fractions, territories = get_global("currency_fractions"), get_global("territory_currencies")
    tender = {code for used in territories.values() for code, _, until, tender in used if tender and until is None}
    return {code: fractions.get(code, fractions["DEFAULT"])[0] for code in tender}


def digits_of(currency: str) -> int:
    """Return the digits after the point in `currency`, at most `KEPT_DIGITS`; `KEPT_DIGITS` if it is unknown."""
    return min(_in_use().get(currency, KEPT_DIGITS), KEPT_DIGITS)


def unsupported_currency(currency: str) -> str | None:
    """Return why `currency` is not supported, or None if it is (S30)."""
    digits = _in_use().get(currency)
    if digits is None:
        return f"{currency} is not a currency in use: give a code from ISO 4217, such as CNY"
    if digits > KEPT_DIGITS:
        return f"{currency} is not supported: it has {digits} digits after the point, and only {KEPT_DIGITS} are kept"
    return None


def rounded(value: Decimal, digits: int) -> Decimal:
    """Return `value` rounded half up to `digits` digits after the point. The result always has two digits."""
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP).quantize(CENT)


def excess_digits(value: Any, currency: str, where: str = "") -> Iterator[Problem]:
    """Yield a problem for every amount in `value` (a model or a list) with more digits than its currency (S30)."""
    if isinstance(value, Decimal):
        digits = digits_of(currency)
        if value != rounded(value, digits):
            has = "none" if digits == 0 else f"only {digits}"
            yield Problem(field=where, problem=f"has digits after the point, and {currency} has {has}")
        return
    fields = value.__dict__.items() if isinstance(value, BaseModel) else []
    for name, part in enumerate(value) if isinstance(value, list) else fields:
        yield from excess_digits(part, currency, f"{where}.{name}" if where else str(name))


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
    return abs(amount).quantize(CENT)  # "-0" is zero, and is written without a sign


Money = Annotated[
    Decimal,
    BeforeValidator(_parse),
    PlainSerializer(lambda value: f"{value:.2f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d{1,2})?$", "examples": ["640.00"]}),
]
"""A non-negative amount; `"640.00"` in JSON."""
