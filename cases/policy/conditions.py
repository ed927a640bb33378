"""The notation for conditions on the finding in policies. A condition is true, false or not known yet.

severity: minor          days_late: 1 to 2         hours_late: over 2 up to 24
lost: true               days_late: over 5         liable: not customer
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from cases.vocabulary import Liable, Severity

_NUMBER = r"(\d+(?:\.\d+)?)"
_RANGE = re.compile(
    rf"^(?:{_NUMBER} to {_NUMBER}|over {_NUMBER}(?: up to {_NUMBER})?|up to {_NUMBER}|under {_NUMBER})$"
)

NUMERIC = frozenset({"days_late", "hours_late", "days_since_delivery"})
YES_NO = frozenset({"lost", "upheld", "sealed", "insured", "every_item_affected"})
CHOICES: dict[str, list[str]] = {"severity": list(Severity), "liable": list(Liable)}
FIELDS = NUMERIC | YES_NO | CHOICES.keys()


class Bounds(BaseModel):
    """A range of numbers. `over` and `under` exclude the bound, `at_least` and `up_to` include it."""

    model_config = ConfigDict(frozen=True)

    over: float | None = None
    at_least: float | None = None
    up_to: float | None = None
    under: float | None = None

    def hold(self, value: float) -> bool:
        """Return whether `value` is in the range."""
        return (
            (self.over is None or value > self.over)
            and (self.at_least is None or value >= self.at_least)
            and (self.up_to is None or value <= self.up_to)
            and (self.under is None or value < self.under)
        )


def bounds(text: str) -> Bounds:
    """Return the range in a text: `1 to 2`, `over 5`, `over 2 up to 24`, `up to 2` or `under 1`.

    Raise ValueError with the accepted forms.
    """
    match = _RANGE.match(text.strip())
    if not match:
        raise ValueError(f'"{text}" is not a range; write 1 to 2, over 5, over 2 up to 24, up to 2 or under 1')
    low, high, over, over_to, up_to, under = (float(g) if g else None for g in match.groups())
    begins, ends = (low, high) if low is not None else (over, over_to)
    if begins is not None and ends is not None and begins > ends:
        raise ValueError(f'"{text}" ends before it begins')
    return Bounds(
        over=over, at_least=low, up_to=next((x for x in (high, over_to, up_to) if x is not None), None), under=under
    )


def _checked(when: dict[str, Any]) -> dict[str, Any]:
    for field, wanted in when.items():
        if field not in FIELDS:
            raise ValueError(f"{field} is not a field of a finding; there are {', '.join(sorted(FIELDS))}")
        if field in NUMERIC:
            bounds(str(wanted))
        elif field in YES_NO and not isinstance(wanted, bool):
            raise ValueError(f"{field} is true or false, not {wanted!r}")
        elif field in CHOICES and (not isinstance(wanted, str) or wanted.removeprefix("not ") not in CHOICES[field]):
            raise ValueError(f"{field} is {' or '.join(CHOICES[field])}, not {wanted!r}")
    return when


When = Annotated[dict[str, bool | str], AfterValidator(_checked)]
"""Conditions by field. All of them must be true."""


def unmet(when: dict[str, bool | str], known: dict[str, Any]) -> bool:
    """Return whether at least one condition is known to be false."""
    return any(known.get(field) is not None and not _holds(wanted, known[field]) for field, wanted in when.items())


def unknown(when: dict[str, bool | str], known: dict[str, Any]) -> list[str]:
    """Return the fields that have to be established before the conditions can be evaluated."""
    return [field for field in when if known.get(field) is None]


def _holds(wanted: bool | str, value: Any) -> bool:
    if isinstance(wanted, bool):
        return bool(value) is wanted
    if isinstance(value, (int, float)):
        return bounds(wanted).hold(value)
    return bool(value != wanted.removeprefix("not ")) if wanted.startswith("not ") else bool(value == wanted)
