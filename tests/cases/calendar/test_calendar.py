"""Three kinds of time that are never mixed (S11): elapsed time, days by the calendar, and working time."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import policies
from cases.calendar import CalendarTerms, Length, Measure, WorkCalendar, length
from cases.vocabulary import PromiseName
from tests.cases.promises import promised
from tests.cases.world import SECOND, SHANGHAI, in_shanghai

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY, MICROSECOND = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
PLAIN = WorkCalendar()
WEDNESDAY = datetime(2026, 11, 18, 10, tzinfo=SHANGHAI)
SATURDAY = datetime(2026, 11, 21, 10, tzinfo=SHANGHAI)


# Durations as people write them


@pytest.mark.parametrize(
    ("text", "amount", "measure"),
    [
        ("30s", timedelta(seconds=30), Measure.ELAPSED),
        ("10m", timedelta(minutes=10), Measure.ELAPSED),
        ("24h", DAY, Measure.ELAPSED),
        ("1 day", DAY, Measure.CALENDAR),
        ("7 days", 7 * DAY, Measure.CALENDAR),
        ("1 working day", DAY, Measure.WORKING),
        ("5 working days", 5 * DAY, Measure.WORKING),
        ("1 working hour", HOUR, Measure.WORKING_HOURS),
        ("8 working hours", 8 * HOUR, Measure.WORKING_HOURS),
    ],
)
def test_a_duration_says_how_it_is_counted(text: str, amount: timedelta, measure: Measure) -> None:
    """S11."""
    assert length(text) == (amount, measure)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "h",
        "24 hours",
        "8 working",
        "0 working hours",
        "-1h",
        "1.5h",
        "0h",
        "0 days",
        "1 week",
        "5 working",
        "1e3h",
        "10M",
    ],
)
def test_what_is_no_duration_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match=r"write 30s, 10m, 24h, 1 day, 5 working days or 8 working hours|is zero"):
        length(text)


def test_a_day_by_the_calendar_is_not_24_hours_where_clocks_change() -> None:
    """S11: the night in which Berlin's clocks go back has 25 hours."""
    berlin = WorkCalendar(zone="Europe/Berlin")
    evening = datetime(2026, 10, 24, 18, tzinfo=ZoneInfo("Europe/Berlin"))

    by_the_clock = berlin.add(evening, length("24h"))
    by_the_calendar = berlin.add(evening, length("1 day"))

    assert by_the_calendar - by_the_clock == HOUR
    assert by_the_calendar == datetime(2026, 10, 25, 18, tzinfo=ZoneInfo("Europe/Berlin"))


# Working time


def test_five_working_days_of_an_ordinary_week() -> None:
    """Rulebook, *Words*: from Wednesday 10:00 to the next Wednesday 10:00."""
    assert PLAIN.add(WEDNESDAY, length("5 working days")) == WEDNESDAY + 7 * DAY


def test_five_working_days_from_a_saturday_end_with_friday() -> None:
    """Rulebook, *Words*: on the following Saturday 00:00, the end of Friday."""
    assert PLAIN.add(SATURDAY, length("5 working days")) == in_shanghai(2026, 11, 28)


def test_no_working_time_passes_on_a_weekend() -> None:
    assert PLAIN.between(SATURDAY, SATURDAY + 38 * HOUR - SECOND, Measure.WORKING) == timedelta()
    assert PLAIN.between(SATURDAY, in_shanghai(2026, 11, 23, 0, 0, 1), Measure.WORKING) == SECOND


# With opening hours: a working day stays one day of the calendar


SHOP_DAY = WorkCalendar(opens=time(9), closes=time(18))


def in_november(day: int, *clock: int) -> datetime:
    return in_shanghai(2026, 11, day, *clock)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        pytest.param(in_november(18, 15), in_november(25, 15), id="Wednesday 15:00: the next Wednesday 15:00"),
        pytest.param(
            in_november(20, 15), in_november(27, 15), id="Friday 15:00: the next Friday, not eight dates later"
        ),
        pytest.param(in_november(18, 19), in_november(25, 18), id="after closing: when the fifth day closes"),
        pytest.param(in_november(18, 18), in_november(25, 18), id="at closing"),
        pytest.param(in_november(18, 7), in_november(24, 18), id="before opening: that day is the first"),
        pytest.param(in_november(18, 9), in_november(24, 18), id="at opening"),
        pytest.param(in_november(21, 10), in_november(27, 18), id="Saturday: when Friday closes"),
    ],
)
def test_five_working_days_with_opening_hours(start: datetime, due: datetime) -> None:
    """S11: rulebook, *Words*."""
    assert SHOP_DAY.add(start, length("5 working days")) == due


def test_an_open_hour_is_its_share_of_a_working_day_and_a_working_hour_by_itself() -> None:
    """S1, S11: three of nine open hours are a third of a day."""
    assert SHOP_DAY.between(WEDNESDAY, WEDNESDAY + 3 * HOUR, Measure.WORKING) == DAY / 3
    assert SHOP_DAY.between(WEDNESDAY, WEDNESDAY + DAY, Measure.WORKING) == DAY
    assert SHOP_DAY.between(WEDNESDAY, WEDNESDAY + DAY, Measure.WORKING_HOURS) == 9 * HOUR


@pytest.mark.parametrize(
    ("start", "due"),
    [
        pytest.param(in_november(18, 15), in_november(19, 14), id="three hours today, five tomorrow"),
        pytest.param(in_november(18, 19), in_november(19, 17), id="after closing"),
        pytest.param(in_november(20, 17), in_november(23, 16), id="over a weekend"),
        pytest.param(in_november(18, 10), in_november(18, 18), id="until closing"),
    ],
)
def test_eight_working_hours_count_open_hours(start: datetime, due: datetime) -> None:
    """S11."""
    assert SHOP_DAY.add(start, length("8 working hours")) == due


def test_without_opening_hours_a_working_hour_is_an_hour_of_a_working_day() -> None:
    """S11: around the clock."""
    assert PLAIN.add(WEDNESDAY.replace(day=20, hour=20), length("8 working hours")) == in_november(23, 4)


def test_a_pause_with_opening_hours_costs_the_share_of_the_day_that_it_took() -> None:
    """S1: stood still for three of nine hours, so due three open hours later."""
    promise = promised(
        PromiseName.SOLUTION, "5 working days", WEDNESDAY, rule="O3", cycle=1, pausable=True, calendar=SHOP_DAY
    )
    assert promise.due_at() == WEDNESDAY + 7 * DAY

    promise.pause("evidence", in_november(19, 12))
    promise.resume("evidence", in_november(19, 15))

    assert promise.due_at() == in_november(25, 13)


# Where the clocks change: in Berlin on 29 March (02:00 is skipped) and on 25 October (02:00 comes twice)


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25), (10, 26, 24)])
def test_a_working_day_on_which_the_clock_changes_has_an_hour_less_or_more(month: int, day: int, hours: int) -> None:
    """S1, S11: what really passes while people are at work."""
    always = WorkCalendar(zone="Europe/Berlin", weekend=frozenset())
    midnight = datetime(2026, month, day, tzinfo=BERLIN)
    next_one = midnight + DAY  # by the clock on the wall

    assert always.between(midnight, next_one, Measure.WORKING) == hours * HOUR
    assert always.add(midnight, Length(hours * HOUR, Measure.WORKING)) == next_one


def test_days_by_the_calendar_end_at_the_same_time_of_day_or_as_much_later_as_is_skipped() -> None:
    """S11: half past two does not exist on 29 March, and comes twice on 25 October: the first one counts."""
    berlin = WorkCalendar(zone="Europe/Berlin")

    skipped = berlin.add(datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN), length("1 day"))
    twice = berlin.add(datetime(2026, 10, 24, 2, 30, tzinfo=BERLIN), length("1 day"))

    assert skipped == datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN)
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_time_never_runs_backwards_when_the_clock_is_put_back() -> None:
    """S11: ten minutes by the calendar after the second half past two do not end before it."""
    berlin = WorkCalendar(zone="Europe/Berlin")
    second = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)

    assert berlin.add(second, Length(timedelta(minutes=10), Measure.CALENDAR)) >= second.astimezone(UTC)
    assert berlin.between(second - HOUR, second, Measure.CALENDAR) >= timedelta()


def test_elapsed_time_is_real_time_even_within_one_zone() -> None:
    """S11: Python subtracts the wall-clock times if both have the same zone."""
    evening, next_evening = (datetime(2026, 10, day, 18, tzinfo=BERLIN) for day in (24, 25))

    assert PLAIN.between(evening, next_evening, Measure.ELAPSED) == 25 * HOUR


def test_no_time_lies_between_a_time_and_an_earlier_one() -> None:
    for measure in Measure:
        assert PLAIN.between(WEDNESDAY, WEDNESDAY - DAY, measure) == timedelta()
        assert PLAIN.between(WEDNESDAY, WEDNESDAY, measure) == timedelta()


# By configuration


def configured(**terms: Any) -> WorkCalendar:
    return policies.work_calendar(CalendarTerms.model_validate(terms), "Europe/Berlin")


def test_a_calendar_takes_a_countrys_and_a_subdivisions_holidays() -> None:
    """S12: Epiphany is off in Bavaria and not in Berlin; it is worked out by rule, so it is certain for years."""
    year = datetime.now(UTC).year
    epiphany = next(date(y, 1, 6) for y in range(year - 2, year + 3) if date(y, 1, 6).weekday() < 5)

    assert not configured(country="DE", subdivision="BY").works_on(epiphany)
    assert configured(country="DE", subdivision="BE").works_on(epiphany)
    assert configured(country="DE").announced_through == date(year + policies.YEARS_AHEAD, 12, 31)


def test_a_calendar_takes_a_countrys_weekend_unless_the_file_says_otherwise() -> None:
    """S12: Friday and Saturday in Saudi Arabia."""
    assert configured(country="SA").weekend == {4, 5}
    assert configured(country="SA", weekend=["sunday"]).weekend == {6}
    assert configured(weekend=[]).weekend == frozenset()
    assert configured().weekend == {5, 6}


def test_a_calendar_takes_opening_hours() -> None:
    """S12: two working hours from Friday 17:00 end on Monday 10:00."""
    shop = configured(opens="09:00", closes="18:00")

    due = shop.add(datetime(2026, 11, 20, 17, tzinfo=BERLIN), length("2 working hours"))

    assert due == datetime(2026, 11, 23, 10, tzinfo=BERLIN)


def test_a_calendar_travels_through_json_as_it_was_written() -> None:
    """S18: with the policy that a case carries."""
    terms = CalendarTerms.model_validate({"country": "DE", "opens": "09:00", "closes": "18:00", "weekend": ["sunday"]})

    assert CalendarTerms.model_validate_json(terms.model_dump_json()) == terms
