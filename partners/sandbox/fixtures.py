"""What the sandbox's partners know of an order comes from an editable file; orders that are not in it behave well.

A file is YAML or JSON: order id → entry (`OrderFixture`), `"*"` for every other order. Times are RFC 3339 or
relative to the moment somebody asks (`-3d`, `+2h`, `-30m`, `now`), so that a file does not age.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError

from cases.errors import InvalidInput, Problem, problems_of
from cases.look_ups import LookUps
from cases.partner_calls import Sentence, StepCommand, StepFinding
from cases.policy.remedy_kinds import ESTABLISHING, FROM_STOCK, MONEY, ROWS, VISITS
from cases.vocabulary import Partner, RemedyKind
from partners.wire import ReportedState

ANY_ORDER = "*"
DELAY = 0.3
"""Seconds between one report and the next where the file does not say."""

_RELATIVE = re.compile(r"([+-]\d{1,5}(?:\.\d{1,6})?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DISPATCHED = {"warehouse": "WH-1", "dispatched_at": "-2d", "condition": "packed and sealed"}


class Reported(BaseModel):
    """One thing that the partner reports of a step, `after` seconds from the one before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: ReportedState
    after: Annotated[float, Field(ge=0, le=86_400)] = DELAY
    detail: Sentence = ""


Way = list[Reported] | Literal["never"]


class OrderFixture(LookUps):
    """One order: what look-ups answer, what is in stock (pieces by sku), how steps go on, what the customer says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stock: dict[str, Annotated[int, Field(ge=0)]] = {}
    crew: Literal["none"] | None = None
    inspection: StepFinding | None = None
    search: StepFinding | None = None
    reports: Way = [Reported(state=ReportedState.DISPATCHED), Reported(state=ReportedState.DONE)]
    reports_by_kind: dict[RemedyKind, Way] = {}
    satisfaction: Annotated[int, Field(ge=1, le=5)] | None = None

    def refusal(self, partner: Partner, command: StepCommand) -> str | None:
        """Why the partner cannot do it, as a sentence; None where it can."""
        if (does := ROWS[command.kind].partner) is not partner:
            return f"{partner} does not do {command.kind}, {does} does"
        if command.kind in MONEY and not command.amount:
            return f"{command.kind} needs an amount above 0.00"
        if command.kind in VISITS and self.crew == "none":
            return "no crew"
        if command.kind in FROM_STOCK:
            for item in command.items:
                left = self.stock.get(item.sku, item.quantity)
                if left < item.quantity:
                    return f"out of stock: {item.sku} ({left} left)"
        return None

    def way(self, kind: RemedyKind) -> list[Reported]:
        """What is reported of a step of this kind, in order; of money, which is done at once, only what is asked for.

        A report on a payment can contradict its answer, or take it back days later (S26, S27).
        """
        way = self.reports_by_kind.get(kind, [] if kind in MONEY else self.reports)
        return [] if way == "never" else way

    def finding(self, kind: RemedyKind) -> StepFinding | None:
        """What a step of this kind establishes."""
        found: StepFinding | None = getattr(self, kind, None) if kind in ESTABLISHING else None
        return found


class Fixtures:
    """The file's entries under the changes that were made at run time; `changes` finds those of an order."""

    def __init__(self, entries: dict[str, Any], changes: Callable[[str], dict[str, Any]] = lambda _: {}) -> None:
        self._entries = entries
        self._changes = changes

    def of(self, order_id: str, now: datetime) -> OrderFixture:
        """The entry of this order as of `now`."""
        return _fixture(order_id, self._entry(order_id), now)

    def checked(self, order_id: str, change: dict[str, Any], now: datetime) -> OrderFixture:
        """The entry as it would be with `change` on top; raises `InvalidInput`."""
        return _fixture(order_id, self._entry(order_id) | change, now)

    def _entry(self, order_id: str) -> dict[str, Any]:
        return {**(self._entries.get(order_id) or self._entries.get(ANY_ORDER) or {}), **self._changes(order_id)}


def load(path: Path) -> dict[str, Any]:
    """The entries of a file, every one checked; raises `InvalidInput` naming file, order and field."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _TimesAsText
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InvalidInput([Problem(field=str(path), problem=f"cannot be read ({reason})")]) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "a fault"
        raise InvalidInput([Problem(field=str(path), problem=f"is not YAML or JSON: {what}{where}")]) from None
    if not isinstance(raw, dict | None):
        raise InvalidInput([Problem(field=str(path), problem="must map order ids to entries")])
    entries = {str(order_id): entry for order_id, entry in (raw or {}).items()}
    problems: list[Problem] = []
    for order_id, entry in entries.items():
        try:
            _fixture(order_id, entry, datetime.now(UTC))
        except InvalidInput as error:
            problems += [Problem(field=f"{path}: {p.field}", problem=p.problem) for p in error.problems]
    if problems:
        raise InvalidInput(problems)
    return entries


class _TimesAsText(SafeConstructor):
    """YAML's own times lose their offset; ours are read by the models, like JSON's."""


_TimesAsText.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def _fixture(order_id: str, entry: Any, now: datetime) -> OrderFixture:
    if not isinstance(entry, dict | None):
        raise InvalidInput([Problem(field=order_id, problem="must be a mapping")])
    try:
        return OrderFixture.model_validate(_resolved({"dispatch": _DISPATCHED, **(entry or {})}, now))
    except ValidationError as error:
        raise InvalidInput(
            [Problem(field=f"{order_id}.{p.field}", problem=p.problem) for p in problems_of(error)]
        ) from None


def _resolved(value: Any, now: datetime, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _resolved(inner, now, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, now, name) for inner in value]
    if isinstance(value, str) and (name == "at" or name.endswith("_at")):
        if value == "now":
            return now.isoformat()
        if match := _RELATIVE.fullmatch(value):
            return (now + timedelta(**{_UNITS[match[2]]: float(match[1])})).isoformat()
    return value
