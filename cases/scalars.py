"""Truth values and numbers as JSON has them: text that looks like one is none, and `true` is no number.

What was recorded before a rule existed has to be read for ever, so text is refused only `AT_THE_DOOR`.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from cases.text import AT_THE_DOOR


def _flag(value: Any, info: ValidationInfo) -> Any:
    if info.context is AT_THE_DOOR and not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _number(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")  # noqa: TRY004 (pydantic wants ValueError)
    if info.context is AT_THE_DOOR and not isinstance(value, int | float):
        raise ValueError("must be a number, without quotes")
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
"""`true` or `false`."""

NUMERIC = BeforeValidator(_number)
"""For `int` and `float`; it stands after `Field(ge=…)`, or the JSON Schema would not say `minimum`. `5.0` is a whole
number, as in JSON Schema."""
