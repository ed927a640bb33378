"""Periods are whole days of a time zone; one that cannot be is refused with a sentence (G13)."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cases.errors import InvalidInput
from review.period import Every, Period, chosen, latest

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
"""In Shanghai it is already 1 December, a Tuesday."""


def days(first: str, last: str) -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last), SHANGHAI)


@pytest.mark.parametrize(
    ("every", "first", "last"),
    [
        (Every.WEEK, "2026-11-23", "2026-11-29"),
        (Every.MONTH, "2026-11-01", "2026-11-30"),
        (Every.QUARTER, "2026-07-01", "2026-09-30"),
    ],
)
def test_the_latest_period_has_ended_in_the_time_zone_of_the_policies(every: Every, first: str, last: str) -> None:
    """G13: weekly, monthly, quarterly."""
    assert latest(every, NOW, SHANGHAI) == days(first, last)


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (("2026-11-01", "2026-11-30"), ("2026-10-01", "2026-10-31")),
        (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
        (("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")),
        (("2026-11-23", "2026-11-29"), ("2026-11-16", "2026-11-22")),
        (("2026-11-11", "2026-11-11"), ("2026-11-10", "2026-11-10")),
    ],
)
def test_the_same_period_before(period: tuple[str, str], before: tuple[str, str]) -> None:
    """G13: the calendar month or quarter before a whole one, else as many days."""
    assert days(*period).before == days(*before)


def test_a_period_ends_where_the_next_one_begins() -> None:
    november = days("2026-11-01", "2026-11-30")

    assert november.since == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert november.until == days("2026-12-01", "2026-12-31").since
    assert november.before.until == november.since


def test_without_a_last_day_it_ends_today() -> None:
    assert chosen("2026-11-01", None, NOW, SHANGHAI) == days("2026-11-01", "2026-12-01")


@pytest.mark.parametrize(
    ("first", "last", "problem"),
    [
        ("2026-13-01", None, "from: '2026-13-01' is not a day: write it as 2026-11-30"),
        ("20261101", None, "from: '20261101' is not a day: write it as 2026-11-30"),
        ("0001-01-01", None, "from: '0001-01-01' is not a day: write it as 2026-11-30"),
        ("yesterday", "x", "to: 'x' is not a day: write it as 2026-11-30"),
        ("2026-12-02", None, "from: is 2026-12-02: choose a day up to today, 2026-12-01"),
        ("2026-11-05", "2026-11-04", "to: is 2026-11-04: choose 2026-11-05 (from) or a later day"),
        ("2020-01-01", "2026-01-01", "to: is 2026-01-01: a period has up to 1100 days, to 2023-01-04"),
        (None, "2026-11-04", "from: is missing: write the first day, such as 2026-11-01"),
    ],
)
def test_a_period_that_cannot_be_is_refused(first: str | None, last: str | None, problem: str) -> None:
    """G13"""
    with pytest.raises(InvalidInput) as refused:
        chosen(first, last, NOW, SHANGHAI)

    assert problem in [f"{each.field}: {each.problem}" for each in refused.value.problems]
