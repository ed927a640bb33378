"""Three kinds of time that are never mixed (S11), and the working days of mainland China (S12)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import policies
from cases.calendar import CalendarTerms, Length, Measure, WorkCalendar, length
from cases.state.promise import Promise
from cases.vocabulary import PromiseName
from tests.cases.promises import promised
from tests.cases.world import SECOND, SHANGHAI

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY, MICROSECOND = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
PLAIN = WorkCalendar()
WEDNESDAY = datetime(2026, 11, 18, 10, tzinfo=SHANGHAI)
SATURDAY = datetime(2026, 11, 21, 10, tzinfo=SHANGHAI)


def in_shanghai(*when: int) -> datetime:
    return datetime(*when, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]


@pytest.fixture(scope="module")
def china() -> WorkCalendar:
    """What the holiday library says, read in November 2026: 2027 has not been announced."""

    class November2026(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "November2026":
            return cls(2026, 11, 18, tzinfo=tz)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "datetime", November2026)
        return policies.work_calendar(CalendarTerms(country="CN"), "Asia/Shanghai")


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
    with pytest.raises(
        ValueError, match=r"write 30s, 10m, 24h, 1 day, 5 working days or 8 working hours|no time at all"
    ):
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


def test_elapsed_time_is_measured_in_instants_even_within_one_zone() -> None:
    """S11: Python subtracts the clock on the wall where both times carry the same zone."""
    evening, next_evening = (datetime(2026, 10, day, 18, tzinfo=BERLIN) for day in (24, 25))

    assert PLAIN.between(evening, next_evening, Measure.ELAPSED) == 25 * HOUR


def test_nothing_lies_between_an_instant_and_an_earlier_one() -> None:
    for measure in Measure:
        assert PLAIN.between(WEDNESDAY, WEDNESDAY - DAY, measure) == timedelta()
        assert PLAIN.between(WEDNESDAY, WEDNESDAY, measure) == timedelta()


# Mainland China


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
    """S1: no instant is counted twice or not at all."""
    middle, end = start + first, start + first + second

    parts = PLAIN.between(start, middle, measure) + PLAIN.between(middle, end, measure)
    assert parts == PLAIN.between(start, end, measure)


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
    """S1, S11: an instant has microseconds, and one of an open hour may be three of a day; never more than is due."""
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
    """S1: a pause of no time changes nothing, and no instant is counted twice."""
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
