"""The page of a review: one HTML file without scripts, that needs nothing else and can be printed (G13)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from cases.policy.policy import Policy
from review.charts import DRAWN, funnel_chart, times_chart
from review.counting import MEASURES
from review.figures import ALL, Review
from review.outliers import FEWEST_CASES
from review.texts import Words

MOST_ROWS = 12
"""Rows of a table. The others are in the JSON."""
PROMISES_BY = ("line", "topic", "promise", "team", "channel", "owner", "party", "cause")
CASES_BY = ("line", "topic", "party", "cause")


def page(review: Review, policies: Mapping[str, Policy], locale: str) -> str:
    """Return the review as an HTML document in a language."""
    words = Words(locale, policies)
    by_line = {(t.measure, t.dimension): t for t in review.times if t.dimension == ALL}
    times = [
        (measure, by_line[measure, ALL], times_chart(lines, words))
        for measure in MEASURES
        if (lines := [t for t in review.times if t.measure == measure and t.dimension == "line"])
    ]
    funnels = [(f, funnel_chart(f, words)) for f in review.funnels]
    return _template().render(
        review=review,
        w=words,
        zone=ZoneInfo(review.timezone),
        promises=review.promises[0],
        cases=review.cases[0],
        resolve=by_line.get(("to_resolve", ALL)),
        at=_scale(review),
        funnels=funnels,
        fewest=FEWEST_CASES,
        most_drawn=DRAWN,
        promise_tables=_tables(review.promises, PROMISES_BY, lambda row: (-row.ours, -row.kept.n, row.subject)),
        times=times,
        case_tables=_tables(review.cases, CASES_BY, lambda row: (-row.n, row.subject)),
        money=_money(review),
    )


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.j2")


def _tables(rows: Sequence[Any], dimensions: Sequence[str], order: Any) -> list[tuple[str, list[Any], int]]:
    """Return a table for each dimension that has rows: the first, and how many are left out."""
    found = []
    whole = [row for row in rows if row.dimension == ALL]
    for dimension in dimensions:
        of_it = sorted((row for row in rows if row.dimension == dimension), key=order)
        if of_it:
            total = whole if dimension == "line" and len(of_it) > 1 else []
            found.append((dimension, [*of_it[:MOST_ROWS], *total], max(0, len(of_it) - MOST_ROWS)))
    return found


def _money(review: Review) -> list[tuple[str, str, int, Decimal]]:
    """Return what was paid by remedy over all lines, the most first."""
    sums: dict[tuple[str, str], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for each in review.money:
        n, amount = sums[each.remedy, each.currency]
        sums[each.remedy, each.currency] = (n + each.n, amount + each.amount)
    return [(*key, *value) for key, value in sorted(sums.items(), key=lambda item: (item[0][1], -item[1][1]))]


def _scale(review: Review) -> Any:
    """Return a function that places a share on the axis of the targets, in percent: from the lowest value to 100 %."""
    shown: list[float] = []
    for t in review.attainment:
        shown += [t.target, t.target if t.before.share is None else t.before.share]
        shown += [t.now.interval.low] if t.now.interval else []
    lowest = max(0.0, min(shown, default=0.0) - 0.05)
    return lambda share: round(100 * (share - lowest) / (1 - lowest), 2)
