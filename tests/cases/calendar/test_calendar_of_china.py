"""Working days of mainland China: holidays, make-up days, and years that are not announced yet (S12)."""

from datetime import UTC, date, datetime, timedelta

import pytest

import policies
from cases.calendar import CalendarTerms, Measure, WorkCalendar, length
from cases.state.promise import Promise
from cases.vocabulary import PromiseName
from tests.cases.promises import promised
from tests.cases.world import SECOND, in_shanghai

HOUR, DAY, MICROSECOND = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
PLAIN = WorkCalendar()


def test_national_days_make_up_saturday_is_worked(china: WorkCalendar) -> None:
    """S12: 10 October 2026 is a Saturday and a working day; 20 September a Sunday and one, too."""
    assert china.works_on(date(2026, 10, 10))
    assert china.works_on(date(2026, 9, 20))
    assert not PLAIN.works_on(date(2026, 10, 10))


@pytest.mark.parametrize("day", range(1, 8))
def test_national_day_is_off(china: WorkCalendar, day: int) -> None:
    """S12: 1 to 7 October 2026."""
    assert not china.works_on(date(2026, 10, day))


def test_a_deadline_over_national_day_skips_the_holidays_and_counts_the_make_up_saturday(china: WorkCalendar) -> None:
    """S12: from Wednesday 30 September 10:00: that day, Thursday 8, Friday 9, Saturday 10, Monday 12."""
    due = china.add(in_shanghai(2026, 9, 30, 10), length("5 working days"))

    assert due == in_shanghai(2026, 10, 13, 10)
    assert not china.provisional(in_shanghai(2026, 9, 30, 10), due, Measure.WORKING)


def test_a_pause_over_the_make_up_saturday_costs_a_working_day(china: WorkCalendar) -> None:
    """S1, S12: the clock that stood from Friday to Sunday midnight lost one."""
    friday, monday = in_shanghai(2026, 10, 10), in_shanghai(2026, 10, 12)
    promise = promised(
        PromiseName.SOLUTION,
        "5 working days",
        in_shanghai(2026, 10, 8),
        rule="O3",
        cycle=1,
        pausable=True,
        calendar=china,
    )
    before = promise.due_at()

    promise.pause("evidence", friday)
    promise.resume("evidence", monday)

    assert before == in_shanghai(2026, 10, 14)
    assert promise.due_at() == in_shanghai(2026, 10, 15)


def test_spring_festival_2026_with_both_its_make_up_days(china: WorkCalendar) -> None:
    """S12: off from 15 to 23 February; worked on Saturday 14 and Saturday 28."""
    assert china.works_on(date(2026, 2, 14))
    assert china.works_on(date(2026, 2, 28))
    assert not any(china.works_on(date(2026, 2, day)) for day in range(15, 24))
    assert china.add(in_shanghai(2026, 2, 13, 10), length("3 working days")) == in_shanghai(2026, 2, 25, 10)


def test_a_deadline_at_spring_festival_2027_is_provisional_while_it_is_not_announced(china: WorkCalendar) -> None:
    """S12."""
    start = in_shanghai(2027, 2, 1, 10)
    due = china.add(start, length("5 working days"))

    assert china.announced_through == date(2026, 12, 31)
    assert china.provisional(start, due, Measure.WORKING)


START = in_shanghai(2026, 12, 1)


def test_the_last_week_before_an_unannounced_year_is_not_certain(china: WorkCalendar) -> None:
    """S12, S33: the next notice has changed 31 December before; both sides of 25 December."""
    week = in_shanghai(2026, 12, 25)

    assert not china.provisional(START, week, Measure.WORKING)
    assert china.provisional(START, week + SECOND, Measure.WORKING)
    assert china.provisional(START, in_shanghai(2026, 12, 31), Measure.WORKING_HOURS)


def test_what_begins_before_the_first_year_that_is_known_is_not_certain(china: WorkCalendar) -> None:
    """S12, S33: the library has China's notices from 2001 on; both sides."""
    first = in_shanghai(2001, 1, 1)

    assert china.announced_from == date(2001, 1, 1)
    assert china.provisional(first - SECOND, in_shanghai(2001, 1, 9), Measure.WORKING)
    assert not china.provisional(first, in_shanghai(2001, 1, 9), Measure.WORKING)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        pytest.param(in_shanghai(2018, 12, 28, 10), in_shanghai(2019, 1, 7, 10), id="New Year 2019"),
        pytest.param(in_shanghai(2020, 1, 22, 10), in_shanghai(2020, 2, 6, 10), id="Spring Festival 2020"),
    ],
)
def test_holidays_of_past_years_count_and_are_certain(china: WorkCalendar, received: datetime, due: datetime) -> None:
    """S12, S33: Saturday 29 December 2018 was worked, and Spring Festival 2020 was made longer."""
    assert china.add(received, length("5 working days")) == due
    assert not china.provisional(received, due, Measure.WORKING)


@pytest.mark.parametrize("country", ["TW", "UA", "DE"])
def test_a_country_that_makes_up_no_days_any_more_is_certain_as_far_as_its_holidays_are_known(country: str) -> None:
    """S33: Taiwan made up days until 2025, Ukraine until 2022; of the year of China's last notice both are known."""
    days = policies.work_calendar(CalendarTerms(country=country), "Asia/Taipei")
    now = datetime.now(UTC)

    assert days.announced_through is not None
    assert days.announced_through.year >= now.year + 1
    assert not days.provisional(now, now + 60 * DAY, Measure.WORKING)


@pytest.mark.parametrize("measure", [Measure.ELAPSED, Measure.CALENDAR])
def test_only_working_time_can_be_provisional(china: WorkCalendar, measure: Measure) -> None:
    """S12: 48 hours are 48 hours."""
    assert not china.provisional(in_shanghai(2000, 1, 1), in_shanghai(2030, 1, 1), measure)


def test_a_promise_says_that_its_deadline_is_provisional(china: WorkCalendar) -> None:
    """S12: and not while it is paused, when there is none."""
    made = in_shanghai(2026, 12, 30, 10)
    promise = promised(PromiseName.SOLUTION, "5 working days", made, rule="O3", cycle=1, pausable=True, calendar=china)
    assert promise.provisional

    promise.pause("evidence", made + HOUR)

    assert not promise.provisional


def test_a_date_exception_beats_the_weekend_and_a_holiday() -> None:
    """S12."""
    calendar = WorkCalendar(exceptions={date(2026, 11, 21): True, date(2026, 11, 18): False})

    assert calendar.works_on(date(2026, 11, 21))
    assert not calendar.works_on(date(2026, 11, 18))


def test_a_new_release_of_the_calendar_moves_no_deadline_that_was_promised(china: WorkCalendar) -> None:
    """S12: what the calendar said is recorded with the promise."""
    made = in_shanghai(2026, 9, 30, 10)
    promise = promised(PromiseName.SOLUTION, "5 working days", made, rule="O3", cycle=1, pausable=True, calendar=china)

    replayed = Promise.model_validate(promise.model_dump(mode="json"))

    assert replayed.calendar == china
    assert replayed.due_at() == promise.due_at() == in_shanghai(2026, 10, 13, 10)
