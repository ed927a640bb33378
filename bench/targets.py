"""The targets of the engine: each is a number measured in this run that passes or misses a limit.

Ratios compare arms of the same run, so they mean the same on a slow machine and on a fast one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bench.arms import BARE, ENCRYPTED, PLAIN
from bench.compare import total_cpu
from bench.counting.measuring import total
from bench.shapes import DAMAGE_REPLACED, DELAY_ANSWERED

Row = dict[str, Any]


class Target(NamedTuple):
    """`value` must be at most `limit`, or at least with `at_least`. None: not measured in this run."""

    name: str
    value: float | None
    limit: float
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """`pass`, `miss` or `not measured`."""
        if self.value is None:
            return "not measured"
        passed = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "pass" if passed else "miss"


def of_comparison(rows: Sequence[Row]) -> list[Target]:
    """Return the targets for the cost and the times of one case."""
    found = {(row["arm"], row["case"]): row for row in rows}
    bare, damage = found.get((BARE, BARE)), found.get((PLAIN, DAMAGE_REPLACED.name))
    answered, encrypted = found.get((PLAIN, DELAY_ANSWERED.name)), found.get((ENCRYPTED, DAMAGE_REPLACED.name))
    return [
        Target("CPU of a damage-replaced case ÷ of a bare case", _ratio(damage, bare, total_cpu), 1.0),
        Target("CPU of a delay case answered without consent ÷ of a bare case", _ratio(answered, bare, total_cpu), 0.5),
        Target(
            "start to acknowledgement ÷ bare start to first activity, one a second", _ratio(damage, bare, _first), 1
        ),
        Target("history events of a damage-replaced case", _median(damage, "events"), 60),
        Target("billable actions of a damage-replaced case", _median(damage, "billable"), 16),
        Target("CPU of an encrypted damage-replaced case ÷ of a plain one", _ratio(encrypted, damage, total_cpu), 1.15),
    ]


def of_scale(rows: Sequence[Row], burst: Row | None, backlog: Row | None) -> list[Target]:
    """Return the targets for many cases at once."""
    few, many = (min(rows, key=_open), max(rows, key=_open)) if rows else (None, None)
    cost = "CPU of a case"
    if few and many:
        cost = f"CPU of a case with {many['open']} open ÷ with {few['open']}"
    ratio = None if few is many else _ratio(many, few, lambda row: total(row["cpu_ms"]))
    return [
        Target(cost, ratio, 1.3),
        Target("share of a burst acknowledged in time", burst["kept"] if burst else None, 1.0, at_least=True),
        Target("acknowledging an urgent case behind a backlog ÷ on an idle machine, p99", _behind(backlog), 2),
        Target(
            "share of another line's cases acknowledged in time meanwhile",
            backlog["other_line_kept"] if backlog else None,
            1.0,
            at_least=True,
        ),
    ]


def of_fortnight(days: Sequence[Row], retention: int) -> list[Target]:
    """Return the targets for what grows: the last day, compared with the one after Temporal first forgot cases."""
    full = next((row for row in days if row["day"] == retention + 2), None)
    last = days[-1] if days and days[-1] is not full else None

    def ratio(what: str) -> float | None:
        return _ratio(last, full, lambda row: row[what])

    return [
        Target("bytes in Temporal on the last day ÷ when it first forgot cases", ratio("server_bytes"), 1.2),
        Target("size of its file, likewise", ratio("server_file_bytes"), 1.2),
        Target("CPU of a case, likewise", ratio("cpu_ms"), 1.3),
        Target("kB that our database has grown by, for each case", _growth(full, last), 80),
    ]


def _growth(full: Row | None, last: Row | None) -> float | None:
    if not full or not last:
        return None
    return float(last["ours_bytes"] - full["ours_bytes"]) / 1024 / int(last["closed"] - full["closed"])


def _behind(backlog: Row | None) -> float | None:
    """Return the ratio for urgent cases, or None if the backlog had gone before the last of them was acknowledged."""
    if not backlog or not backlog["left"]:
        return None
    return float(backlog["behind"]["urgent_s"]["p99"]) / float(backlog["idle"]["urgent_s"]["p99"])


def _open(row: Row) -> int:
    return int(row["open"])


def _first(row: Row) -> float | None:
    """Return the median milliseconds to the first effect at a slow pace, or None if nothing was paced."""
    times = row["paced_ms"].get("first")
    return float(times["p50"]) if times else None


def _median(row: Row | None, what: str) -> float | None:
    return float(row[what]["median"]) if row else None


def _ratio(one: Row | None, other: Row | None, of: Any) -> float | None:
    above, below = one and of(one), other and of(other)
    return float(above) / float(below) if above and below else None
