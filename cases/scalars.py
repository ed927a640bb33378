"""Booleans and numbers as in JSON: a text is neither, and `true` is not a number.

Text is refused only in new input (`NEW_INPUT`), because values that were recorded before this rule must stay readable.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from cases.text import NEW_INPUT


def _flag(value: Any, info: ValidationInfo) -> Any:
    if info.context is NEW_INPUT and not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _number(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")  # noqa: TRY004 (pydantic wants ValueError)
    if info.context is NEW_INPUT and not isinstance(value, int | float):
        raise ValueError("must be a number, without quotes")
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
"""`true` or `false`."""

NUMERIC = BeforeValidator(_number)
"""A validator for `int` and `float`. Place it after `Field(ge=…)`, else the JSON Schema has no `minimum`. `5.0` is a
whole number, as in JSON Schema."""
