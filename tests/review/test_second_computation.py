"""Another program counts the exported files again, and agrees to the last digit (G13)."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from statsmodels.stats.proportion import (  # type: ignore[import-untyped]
    confint_proportions_2indep,
    proportion_confint,
)

from records import Records
from records.facts.queries import DIMENSIONS
from review.counting import FEWEST_OF_A_CAUSE
from review.exports import export
from review.figures import ALL, Rate, Review
from review.making import Reader
from tests.review.data import WANTED

DIGITS = 12


@pytest.fixture(scope="module")
def database(filled: Records, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The exports of the review, as tables."""
    folder = tmp_path_factory.mktemp("exports")
    export(filled, WANTED.scope(), folder, Reader(filled))
    with duckdb.connect() as connection:
        for name in ("cases", "promises"):
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM read_parquet('{folder / name}.parquet')")  # noqa: S608 (our own files)
        yield connection


def counted(database: duckdb.DuckDBPyConnection, what: str, dimension: str, table: str) -> dict[str, tuple[Any, ...]]:
    column = {"promise": "name", "rule": "line || '/' || rule", ALL: "''"}.get(dimension, dimension)
    sql = f"SELECT {column} AS subject, {what} FROM {table} WHERE {column} IS NOT NULL GROUP BY 1"  # noqa: S608 (our own words)
    return {row[0]: tuple(row[1:]) for row in database.execute(sql).fetchall()}


def check_interval(rate: Rate) -> None:
    if rate.n:
        low, high = proportion_confint(rate.hits, rate.n, method="wilson")
        assert rate.interval is not None
        assert (round(rate.interval.low, DIGITS), round(rate.interval.high, DIGITS)) == (
            round(float(low), DIGITS),
            round(float(high), DIGITS),
        )


@pytest.mark.parametrize("dimension", [ALL, "promise", "rule", *DIMENSIONS])
def test_promises(database: duckdb.DuckDBPyConnection, made: Review, dimension: str) -> None:
    """G13: by line, topic, promise, team, owner, channel and cause; ours against system down."""
    broken = "state <> 'kept' AND coalesce(fault, 'ours')"
    what = "count(*), count(*) FILTER (state = 'kept'), " + ", ".join(
        f"count(*) FILTER ({broken} = '{fault}')" for fault in ("ours", "system", "late")
    )
    fewest = FEWEST_OF_A_CAUSE if dimension == "cause" else 1
    wanted = {s: row for s, row in counted(database, what, dimension, "promises").items() if row[0] >= fewest}

    found = {each.subject: each for each in made.promises if each.dimension == dimension}

    assert {s: (p.kept.n, p.kept.hits, p.ours, p.system, p.late) for s, p in found.items()} == wanted
    for each in found.values():
        check_interval(each.kept)


@pytest.mark.parametrize("dimension", [ALL, *DIMENSIONS])
def test_cases(database: duckdb.DuckDBPyConnection, made: Review, dimension: str) -> None:
    """G13: outcomes, reopenings, satisfaction with its response rate, who was responsible."""
    what = (
        "count(*), count(*) FILTER (score IS NOT NULL OR outcome = 'unreachable'), count(score), "
        "count(*) FILTER (outcome = 'satisfied' AND score IS NOT NULL), count(*) FILTER (cycles > 1), "
        "count(*) FILTER (follows), count(*) FILTER (outcome = 'withdrawn'), count(*) FILTER (party = 'delivery')"
    )
    fewest = FEWEST_OF_A_CAUSE if dimension == "cause" else 1
    wanted = {s: row for s, row in counted(database, what, dimension, "cases").items() if row[0] >= fewest}

    found = {each.subject: each for each in made.cases if each.dimension == dimension}

    assert {
        subject: (
            c.n,
            c.asked,
            c.answered,
            c.satisfied.hits,
            c.dissatisfied,
            c.reopened,
            c.outcomes.get("withdrawn", 0),
            c.parties.get("delivery", 0),
        )
        for subject, c in found.items()
    } == wanted
    for each in found.values():
        check_interval(each.satisfied)


@pytest.mark.parametrize("measure", ["to_acknowledge", "to_offer", "to_resolve"])
@pytest.mark.parametrize("dimension", [ALL, "line", "topic"])
def test_times(database: duckdb.DuckDBPyConnection, made: Review, measure: str, dimension: str) -> None:
    """G13: median and 95th percentile."""
    what = f"count({measure}), quantile_disc({measure}, 0.5), quantile_disc({measure}, 0.95)"
    wanted = {s: row for s, row in counted(database, what, dimension, "cases").items() if row[0]}

    found = [each for each in made.times if (each.measure, each.dimension) == (measure, dimension)]

    assert {each.subject: (each.n, each.median, each.p95) for each in found} == wanted


def test_changes(made: Review) -> None:
    """G13: the same period before, with Newcombe's interval."""
    compared = [each for each in made.attainment if each.now.n and each.before.n]
    assert compared
    for each in compared:
        now, before = each.now, each.before
        low, high = confint_proportions_2indep(now.hits, now.n, before.hits, before.n, method="newcomb")
        assert each.change is not None
        assert (round(each.change.low, DIGITS), round(each.change.high, DIGITS)) == (
            round(float(low), DIGITS),
            round(float(high), DIGITS),
        )
