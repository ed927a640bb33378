"""Subjects that are worse than their peers (G13): beyond what chance and the usual differences of peers explain."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cases.errors import InvalidInput, Problem
from cases.measure.proposed import Proposal
from cases.text import comparable
from cases.views.facts import INSTALLATION
from cases.vocabulary import Liable
from records.facts.queries import PLACES
from review.figures import Cases, Decision, Level, Point, Promises
from review.figures import Funnel as FunnelFigure
from review.statistics import (
    Z_95,
    Z_998,
    Funnel,
    Limits,
    funnel_of_ratios,
    funnel_of_shares,
    ratio_limits,
    share_limits,
)

FEWEST_CASES = 10
"""A subject with fewer cases, or fewer than this many to be expected, is not compared."""
FEWEST_PEERS = 5
"""With fewer subjects the differences between peers cannot be estimated."""
BROKEN, COMPLAINTS = "broken", "complaints"
RESPONSIBLE = {
    "carrier": Liable.DELIVERY.value,
    "route": Liable.DELIVERY.value,
    "warehouse": Liable.WAREHOUSE.value,
    "crew": INSTALLATION,
    "product": Liable.SUPPLIER.value,
}
"""The party whose share is compared: in how many of its cases it was found responsible."""
PROPOSALS = {
    "carrier": Proposal.CHANGE_CARRIER,
    "route": Proposal.CHANGE_ROUTE,
    "warehouse": Proposal.RETRAIN,
    "crew": Proposal.RETRAIN,
    "product": Proposal.STOCK,
    "team": Proposal.RETRAIN,
}
QUERY = {BROKEN: "due_promises"}
"""The query of a figure; all others are counted from `closed_cases`."""
Volumes = Mapping[str, Mapping[str, int]]
"""How many orders each subject handled in the period, by dimension."""


@dataclass(frozen=True)
class Compared:
    """The figures of one funnel."""

    dimension: str
    figure: str
    subjects: Sequence[str]
    hits: Sequence[int]
    sizes: Sequence[float]
    held_back: int

    @property
    def is_comparable(self) -> bool:
        """Whether there are enough subjects, and anything to compare."""
        return len(self.subjects) >= FEWEST_PEERS and any(self.hits)

    def funnel(self) -> Funnel:
        """Return the limits of these subjects."""
        if self.figure == COMPLAINTS:
            return funnel_of_ratios(self.hits, self.sizes)
        return funnel_of_shares(self.hits, [int(size) for size in self.sizes])


def compared(promises: Sequence[Promises], cases: Sequence[Cases], volumes: Volumes) -> list[Compared]:
    """Return what is compared: teams by broken promises, and what handled the order by who was responsible.

    With `volumes`, also by complaints for the number of orders. Dimensions with too few subjects are left out.
    """
    found = [("team", BROKEN, figures_of("team", BROKEN, promises, cases))]
    for place in PLACES:
        party = RESPONSIBLE[place]
        found.append((place, party, figures_of(place, party, promises, cases)))
        if volume := volumes.get(place):
            complaints = {c.subject: c.n for c in cases if c.dimension == place}
            expected = sum(complaints.get(subject, 0) for subject in volume) / sum(volume.values())
            rows = [(subject, complaints.get(subject, 0), expected * n) for subject, n in sorted(volume.items())]
            found.append((place, COMPLAINTS, rows))
    return [each for each in (_compared(*one) for one in found) if each.is_comparable]


def figures_of(
    dimension: str, figure: str, promises: Iterable[Promises], cases: Iterable[Cases]
) -> list[tuple[str, int, float]]:
    """Return what each subject's share is made of: promises `broken` by us, or cases of a responsible party."""
    if figure == BROKEN:
        # Promises that only an outage or a late registration broke say nothing about a team.
        return [(p.subject, p.ours, float(p.kept.hits + p.ours)) for p in promises if p.dimension == dimension]
    return [(c.subject, c.parties.get(figure, 0), float(c.n)) for c in cases if c.dimension == dimension]


def _compared(dimension: str, figure: str, rows: Sequence[tuple[str, int, float]]) -> Compared:
    large = [row for row in rows if row[2] >= FEWEST_CASES]
    subjects, hits, sizes = zip(*large, strict=True) if large else ((), (), ())
    return Compared(dimension, figure, subjects, hits, sizes, len(rows) - len(large))


def points(one: Compared, funnel: Funnel) -> list[Point]:
    """Return each subject in its funnel, the worst first, without the cases behind it."""
    found = []
    for subject, hits, size, z in zip(one.subjects, one.hits, one.sizes, funnel.z, strict=True):
        limits = limits_at(one.figure, funnel, size)
        found.append(
            Point(
                subject=subject,
                hits=hits,
                n=size,
                value=hits / size,
                z=z,
                low_998=limits.low_998,
                low_95=limits.low_95,
                high_95=limits.high_95,
                high_998=limits.high_998,
                level=_level(z),
                cases=[],
            )
        )
    return sorted(found, key=lambda point: (-point.z, point.subject))


def limits_at(figure: str, funnel: Funnel | FunnelFigure, size: float) -> Limits:
    """Return the limits of a funnel for a subject of this size: its cases, or what was to be expected."""
    if figure == COMPLAINTS:
        return ratio_limits(funnel.tau2, size)
    return share_limits(funnel.target, funnel.tau2, size)


def _level(z: float) -> Level:
    if z > Z_998:
        return Level.ALARM
    if z > Z_95:
        return Level.WATCH
    return Level.BETTER if z < -Z_998 else Level.USUAL


def decisions(funnels: Iterable[FunnelFigure], line_of: Callable[[str, str], str | None]) -> list[Decision]:
    """Return what needs a decision: every subject beyond the limits of 99.8 %, the most cases above its peers first.

    `line_of` names the line of business with most cases of a dimension's subject.
    """
    found = [
        (
            point.hits - funnel.target * point.n,
            Decision(
                dimension=funnel.dimension,
                subject=point.subject,
                figure=funnel.figure,
                value=point.value,
                against=funnel.target,
                hits=point.hits,
                n=point.n,
                proposal=PROPOSALS[funnel.dimension],
                cases=point.cases,
                query=QUERY.get(funnel.figure, "closed_cases"),
                line=line_of(funnel.dimension, point.subject),
            ),
        )
        for funnel in funnels
        for point in funnel.points
        if point.level == Level.ALARM
    ]
    return [each for _, each in sorted(found, key=lambda one: (-one[0], one[1].dimension, one[1].subject))]


def read_volumes(path: Path) -> Volumes:
    """Return the numbers of orders in a CSV file with the columns dimension, subject and orders.

    Raises `InvalidInput` with a sentence for each line that cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise InvalidInput([Problem(field="volumes", problem=f"{path} cannot be read: {why}")]) from None
    rows = list(csv.reader(text.splitlines()))
    columns = ["dimension", "subject", "orders"]
    if not rows or [each.strip().lower() for each in rows[0]] != columns:
        raise InvalidInput([Problem(field="volumes", problem=f"{path}: the first line must be {','.join(columns)}")])
    found: dict[str, dict[str, int]] = {}
    problems = []
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        dimension, subject, orders = [*(each.strip() for each in row), "", "", ""][: len(columns)]
        if dimension not in PLACES:
            problems.append(f"line {number}: {dimension[:40]!a} is not one of {', '.join(PLACES)}")
        elif not subject or not (orders.isascii() and orders.isdecimal() and 0 < int(orders) < 10**12):
            problems.append(f"line {number}: needs a subject and a number of orders over 0")
        else:
            found.setdefault(dimension, {})[comparable(subject)] = int(orders)
    if problems:
        raise InvalidInput([Problem(field="volumes", problem=each) for each in problems])
    return found
