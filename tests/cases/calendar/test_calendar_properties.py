"""Adding and measuring are inverse and add up, over holidays, opening hours and changes of the clock (S11)."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.calendar import Length, Measure, WorkCalendar, length
from cases.vocabulary import PromiseName
from tests.cases.promises import promised

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY, MICROSECOND = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
PLAIN = WorkCalendar()


# Adding and measuring


STARTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds it)
LENGTHS = st.timedeltas(timedelta(seconds=1), timedelta(days=40))


@pytest.mark.parametrize("measure", Measure)
@given(start=STARTS, amount=LENGTHS)
def test_adding_and_measuring_are_inverse(measure: Measure, start: datetime, amount: timedelta) -> None:
    """S1, S11: for all three measures, to the microsecond."""
    assert PLAIN.between(start, PLAIN.add(start, Length(amount, measure)), measure) == amount


@given(start=STARTS, amount=LENGTHS)
def test_adding_and_measuring_are_inverse_in_china(china: WorkCalendar, start: datetime, amount: timedelta) -> None:
    """S1, S12: over holidays and make-up days."""
    assert china.between(start, china.add(start, Length(amount, Measure.WORKING)), Measure.WORKING) == amount


@pytest.mark.parametrize("measure", Measure)
@given(start=STARTS, first=LENGTHS, second=LENGTHS)
def test_two_lengths_one_after_the_other_are_their_sum(
    measure: Measure, start: datetime, first: timedelta, second: timedelta
) -> None:
    """S1: so a pause of no time changes nothing."""
    in_two = PLAIN.add(PLAIN.add(start, Length(first, measure)), Length(second, measure))

    assert in_two == PLAIN.add(start, Length(first + second, measure))


@pytest.mark.parametrize("measure", Measure)
@given(start=STARTS, first=LENGTHS, second=LENGTHS)
def test_time_between_adds_up(measure: Measure, start: datetime, first: timedelta, second: timedelta) -> None:
    """S1: no time is counted twice or not at all."""
    middle, end = start + first, start + first + second

    parts = PLAIN.between(start, middle, measure) + PLAIN.between(middle, end, measure)
    assert parts == PLAIN.between(start, end, measure)


# Adding and measuring, over changes of the clock and with opening hours


EUROPE = st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 5), timezones=st.just(UTC))  # noqa: DTZ001 (as above)
SHOP = {"opens": time(8, 30), "closes": time(17, 15)}
HOURS = [
    pytest.param({}, id="all day, Monday to Friday"),
    pytest.param({"weekend": frozenset()}, id="all day, every day"),
    pytest.param(SHOP, id="opening hours"),
    pytest.param({**SHOP, "weekend": frozenset({4, 5})}, id="opening hours, and on the Sunday of the change"),
    pytest.param({"opens": time(2, 30), "weekend": frozenset()}, id="from an hour that is skipped or comes twice"),
]


@pytest.mark.parametrize("hours", HOURS)
@given(start=EUROPE, amount=LENGTHS)
def test_working_time_is_exact_where_the_clocks_change(hours: Any, start: datetime, amount: timedelta) -> None:
    """S1, S11: adding and measuring are inverse, to the microsecond."""
    calendar, hours_of_work = WorkCalendar(zone="Europe/Berlin", **hours), Measure.WORKING_HOURS

    assert calendar.between(start, calendar.add(start, Length(amount, hours_of_work)), hours_of_work) == amount


@pytest.mark.parametrize("hours", HOURS)
@given(start=EUROPE, days=st.integers(1, 30), amount=LENGTHS)
def test_working_days_are_exact_where_the_clocks_change(
    hours: Any, start: datetime, days: int, amount: timedelta
) -> None:
    """S1, S11: times have microseconds, and one of an open hour may be three of a day; never more than is due."""
    calendar = WorkCalendar(zone="Europe/Berlin", **hours)

    for wanted in (days * DAY, amount):
        measured = calendar.between(start, calendar.add(start, Length(wanted, Measure.WORKING)), Measure.WORKING)
        assert timedelta() <= wanted - measured <= 3 * MICROSECOND


@pytest.mark.parametrize("hours", HOURS)
@given(start=EUROPE, first=LENGTHS, second=LENGTHS)
def test_working_days_between_add_up_where_the_clocks_change(
    hours: Any, start: datetime, first: timedelta, second: timedelta
) -> None:
    """S1: exactly, so that no pause gains or loses anything."""
    calendar = WorkCalendar(zone="Europe/Berlin", **hours)
    middle, end = start + first, start + first + second

    parts = calendar.between(start, middle, Measure.WORKING) + calendar.between(middle, end, Measure.WORKING)

    assert parts == calendar.between(start, end, Measure.WORKING)


@pytest.mark.parametrize("hours", HOURS)
@given(start=EUROPE, first=LENGTHS, second=LENGTHS)
def test_working_time_adds_up_where_the_clocks_change(
    hours: Any, start: datetime, first: timedelta, second: timedelta
) -> None:
    """S1: a pause of no length changes nothing, and no time is counted twice."""
    calendar = WorkCalendar(zone="Europe/Berlin", **hours)

    middle = calendar.add(start, Length(first, Measure.WORKING_HOURS))
    end = calendar.add(middle, Length(second, Measure.WORKING_HOURS))

    assert end == calendar.add(start, Length(first + second, Measure.WORKING_HOURS))
    assert calendar.between(start, end, Measure.WORKING_HOURS) == first + second


@given(start=EUROPE, amount=LENGTHS)
def test_days_by_the_calendar_are_exact_but_for_the_hour_that_the_clock_skips_or_repeats(
    start: datetime, amount: timedelta
) -> None:
    """S11."""
    berlin = WorkCalendar(zone="Europe/Berlin")
    end = berlin.add(start, Length(amount, Measure.CALENDAR))

    off = abs(berlin.between(start, end, Measure.CALENDAR) - amount)
    unambiguous = all(at.astimezone(BERLIN).hour not in (2, 3) for at in (start, end))
    assert off == timedelta() if unambiguous else off <= HOUR


@pytest.mark.parametrize("within", ["24h", "3 working days", "20 working hours"])
@given(start=EUROPE, gaps=st.lists(st.integers(0, 200_000), min_size=2, max_size=8))
def test_pausing_anywhere_gains_and_loses_nothing_where_the_clocks_change(
    within: str, start: datetime, gaps: list[int]
) -> None:
    """S1, S11: with opening hours, over both changes; what was not paused is what was used up."""
    calendar = WorkCalendar(zone="Europe/Berlin", opens=time(9), closes=time(18), weekend=frozenset({0}))
    promise = promised(PromiseName.SOLUTION, within, start, rule="O3", cycle=1, pausable=True, calendar=calendar)
    measure = length(within).measure

    now, ran = start, timedelta()
    for index, gap in enumerate(gaps):
        then = now + timedelta(seconds=gap)
        if index % 2:
            promise.resume("evidence", then)
        else:
            ran += calendar.between(now, then, measure)
            promise.pause("evidence", then)
        now = then
    promise.resume("evidence", now)

    assert promise.consumed(now) == ran
    left = length(within).amount - ran
    if left > timedelta():
        assert promise.due_at() == calendar.add(now, Length(left, measure))
