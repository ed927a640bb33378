"""The figures of a simulation, over all its seeds: what is published as JSON, and what the page and the table show.

An interval is the 95 % confidence interval of the mean over seeds (Student's t). It says how far the mean may be off
because the months are random, not how much one month differs from another.
"""

import math
from collections.abc import Iterable
from datetime import date
from statistics import fmean, stdev
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cases.policy.parts import Titles
from cases.vocabulary import Outcome, PromiseName, Role

Hours = Annotated[list[float | None], Field(min_length=24, max_length=24)]
"""One value for each hour of a day, from midnight. null: nobody is at work."""

T_95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""The 97.5 % quantile of Student's t for 1 to 30 degrees of freedom."""


def t_95(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t (to 0.3 % beyond 30 degrees of freedom)."""
    return T_95[degrees - 1] if degrees <= len(T_95) else 1.96 + 2.4 / degrees


class View(BaseModel):
    """A base for published figures."""

    model_config = ConfigDict(frozen=True)


class Figure(View):
    """The mean over seeds, and its 95 % interval. `low` and `high` are null with one seed."""

    mean: float
    low: float | None
    high: float | None

    @classmethod
    def of(cls, values: list[float]) -> "Figure":
        """Return the figure for one value of each seed."""
        mean = fmean(values)
        if len(values) == 1:
            return cls(mean=_short(mean), low=None, high=None)
        off = t_95(len(values) - 1) * stdev(values) / math.sqrt(len(values))
        return cls(mean=_short(mean), low=_short(mean - off), high=_short(mean + off))

    def within(self, least: float, most: float = math.inf) -> "Figure":
        """Return the figure with its interval limited to the values that are possible."""
        if self.low is None or self.high is None:
            return self
        return self.model_copy(update={"low": max(least, self.low), "high": min(most, self.high)})


def amount(values: Iterable[float]) -> Figure:
    """Return the figure for numbers that are never negative, one of each seed."""
    return Figure.of(list(values)).within(0.0)


def share(values: Iterable[float | None]) -> Figure | None:
    """Return the figure for shares, for the seeds that have one; None if none has."""
    known = [value for value in values if value is not None]
    return Figure.of(known).within(0.0, 1.0) if known else None


def _short(value: float) -> float:
    return round(value, 6)


Verdict = Literal["yes", "no", "open"]
"""`open`: the target lies within the interval, so these seeds do not decide it."""


class Answer(View):
    """The scenario's question, and the answer."""

    text: Titles
    promise: PromiseName
    line: str | None
    """null: all lines."""
    on: date | None
    """null: all days."""
    target: float
    kept: Figure | None
    """The share of these promises that was kept; null if none was made."""
    verdict: Verdict


class PromiseFigures(View):
    """One promise of one line. Promises that lapsed, because nothing was owed any more, do not count."""

    line: str
    rule: str
    promise: PromiseName
    within: str
    made: Figure
    """Promises that were kept or broken, per run."""
    kept: Figure | None
    """The share that was kept."""
    system: Figure | None
    """The share that was broken while messaging was down."""
    kept_that_day: Figure | None
    """The share that was kept of complaints received on the day of the question."""


class DayFigures(View):
    """One day, by when complaints were received."""

    day: date
    complaints: Figure
    abandoned: Figure
    """Customers who hung up before they were answered."""
    kept: Figure | None
    """The share of the promise in question."""


class TeamFigures(View):
    """The work that waited for one team."""

    team: str
    tasks: Figure
    wait_mean: Figure
    """Minutes, over all tasks."""
    wait_95: Figure
    """Minutes: the 95th percentile."""
    queue_that_day: Hours
    """The mean number of tasks that waited, on the day of the question."""


class CrewFigures(View):
    """The load of one crew: hours of work per hour at work. More than 1: they worked on after their shift."""

    crew: str
    title: Titles | None
    people: int
    teams: list[str]
    load: Figure | None
    load_that_day: Hours
    """By hour, on the day of the question."""


class Result(View):
    """The figures of one variant of a scenario."""

    variant: str
    """The name of the variant, `as_is`, or the folder of its policies."""
    title: Titles | None
    policies: dict[str, str]
    """The version of each line's policy."""
    answer: Answer
    that_day: date
    """The day of the question, or else the day with the most complaints."""
    complaints: Figure
    opened: Figure
    abandoned: Figure
    """Calls that were hung up before they were answered."""
    unfinished: Figure
    """Cases that did not close within 60 days after the last day."""
    days_to_close: Figure
    """The median, in days."""
    satisfied: Figure | None
    """The share of scores of 4 or 5 among all scores."""
    promises: list[PromiseFigures]
    days: list[DayFigures]
    teams: list[TeamFigures]
    crews: list[CrewFigures]
    escalations: dict[Role, Figure]
    outcomes: dict[Outcome, Figure]
    paid: dict[str, Figure]
    """Yuan, by heading: refund, compensation, coupon."""


QUESTION = "question"
"""The name of the difference in the promise in question."""


class Difference(View):
    """One figure of both variants, and the difference of the second to the first."""

    name: str
    """What is compared: `question` (the promise in question, on its day), or a name such as
    `promise.building_materials.B1.acknowledge`, `wait.logistics` (minutes) or `paid.refund`."""
    a: Figure
    b: Figure
    difference: Figure
    """Computed for each seed and then averaged, as both variants had the same complaints."""


class Comparison(View):
    """Two variants on the same complaints."""

    a: str
    b: str
    differences: list[Difference]


class Simulation(View):
    """A simulation: what `simulate --json` prints."""

    title: Titles
    starts: date
    days: int
    seeds: list[int]
    results: list[Result]
    """One, or two with `--compare`."""
    comparison: Comparison | None
