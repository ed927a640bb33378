"""Fixtures: what the sandbox's partners know about each order, from an editable file.

A file is YAML or JSON: order id → entry (`OrderFixture`), `"*"` for all other orders. Without an entry everything
succeeds. Times are RFC 3339, or relative to the time of the request (`-3d`, `+2h`, `-30m`, `now`), so that a file does
not become outdated.
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
"""Default seconds between one report and the next."""

_RELATIVE = re.compile(r"([+-]\d{1,5}(?:\.\d{1,6})?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DISPATCHED = {"warehouse": "WH-1", "dispatched_at": "-2d", "condition": "packed and sealed"}


class Reported(BaseModel):
    """One report of the partner on a step, `after` seconds after the previous one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: ReportedState
    after: Annotated[float, Field(ge=0, le=86_400)] = DELAY
    detail: Sentence = ""


Reports = list[Reported] | Literal["never"]


class OrderFixture(LookUps):
    """One order: answers to look-ups, stock (pieces by sku), reports on steps, and the customer's satisfaction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stock: dict[str, Annotated[int, Field(ge=0)]] = {}
    crew: Literal["none"] | None = None
    inspection: StepFinding | None = None
    search: StepFinding | None = None
    reports: Reports = [Reported(state=ReportedState.DISPATCHED), Reported(state=ReportedState.DONE)]
    reports_by_kind: dict[RemedyKind, Reports] = {}
    satisfaction: Annotated[int, Field(ge=1, le=5)] | None = None

    def refusal(self, partner: Partner, command: StepCommand) -> str | None:
        """Return the reason why the partner cannot carry out the step, or None if it can."""
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

    def reports_on(self, kind: RemedyKind) -> list[Reported]:
        """Return the reports on a step of this kind, in order. Payments have none unless `reports_by_kind` sets them.

        A report on a payment can contradict its answer, or take it back days later (S26, S27).
        """
        reports = self.reports_by_kind.get(kind, [] if kind in MONEY else self.reports)
        return [] if reports == "never" else reports

    def finding(self, kind: RemedyKind) -> StepFinding | None:
        """Return the finding of a step of this kind, or None."""
        found: StepFinding | None = getattr(self, kind, None) if kind in ESTABLISHING else None
        return found


class Fixtures:
    """The file's entries, with the changes made at run time. `changes` returns those of an order."""

    def __init__(self, entries: dict[str, Any], changes: Callable[[str], dict[str, Any]] = lambda _: {}) -> None:
        self._entries = entries
        self._changes = changes

    def of(self, order_id: str, now: datetime) -> OrderFixture:
        """Return the entry of this order at the time `now`."""
        return _fixture(order_id, self._entry(order_id), now)

    def checked(self, order_id: str, change: dict[str, Any], now: datetime) -> OrderFixture:
        """Return the entry with `change` applied. Raises `InvalidInput`."""
        return _fixture(order_id, self._entry(order_id) | change, now)

    def _entry(self, order_id: str) -> dict[str, Any]:
        return {**(self._entries.get(order_id) or self._entries.get(ANY_ORDER) or {}), **self._changes(order_id)}


def load(path: Path) -> dict[str, Any]:
    """Read and check the entries of a file. Raises `InvalidInput` with file, order and field."""
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
    """Keeps times as text, because YAML's own times lose their offset. The models parse them."""


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
