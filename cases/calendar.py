"""Kinds of time that are never mixed (S11): `24h` elapsed, `1 day` by the calendar, `1 working day`, `8 working hours`.

A budget is a length in one measure; adding it to an instant and measuring between two instants are inverse. Working
hours are what really passes while people are at work, so they are exact where the clocks change, too. A working day is
one day, however many hours it is open: an hour of nine open ones is a ninth of it.
What a calendar says of holidays is data (`WorkCalendar`), recorded with the case, so that a new release of
the holiday library cannot move a deadline or change a replay (S12).
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, model_validator


def _plausible(value: Any) -> Any:
    """Text with an offset, in this century: a bare number, or the end of time, is a slip and not a time."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _RFC3339.match(value)):
        raise ValueError("must be a time as text with an offset, such as 2026-11-22T09:00:00+08:00")
    return value


def _in_this_century(value: datetime) -> datetime:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    return value


FIRST_YEAR, LAST_YEAR = 2000, 2100
_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:")

Instant = Annotated[AwareDatetime, BeforeValidator(_plausible), AfterValidator(_in_this_century)]
"""A time as others write it: RFC 3339 with an offset."""


class Measure(StrEnum):
    """How a length of time is counted."""

    ELAPSED = "elapsed"
    CALENDAR = "calendar"
    WORKING = "working"
    WORKING_HOURS = "working hours"


WORKED = frozenset({Measure.WORKING, Measure.WORKING_HOURS})
"""What is counted on working days only."""


class Length(NamedTuple):
    """A length of time; one day counts 24 hours of its measure."""

    amount: timedelta
    measure: Measure


_DURATION = re.compile(r"^(\d{1,6})\s*(s|m|h|days?|working days?|working hours?)$")
_UNITS = {
    "s": (timedelta(seconds=1), Measure.ELAPSED),
    "m": (timedelta(minutes=1), Measure.ELAPSED),
    "h": (timedelta(hours=1), Measure.ELAPSED),
    "day": (timedelta(days=1), Measure.CALENDAR),
    "working day": (timedelta(days=1), Measure.WORKING),
    "working hour": (timedelta(hours=1), Measure.WORKING_HOURS),
}


@lru_cache(maxsize=256)
def length(text: str) -> Length:
    """`30s`, `24h`, `1 day`, `5 working days`, `8 working hours` as a length; raises ValueError with what is taken."""
    match = _DURATION.match(text.strip())
    if not match:
        raise ValueError(f'"{text}" is no duration; write 30s, 10m, 24h, 1 day, 5 working days or 8 working hours')
    unit, measure = _UNITS[match[2].removesuffix("s") if len(match[2]) > 1 else match[2]]
    if (amount := int(match[1]) * unit) == timedelta():
        raise ValueError(f'"{text}" is no time at all')
    return Length(amount, measure)


def _checked(text: str) -> str:
    length(text)
    return text


Duration = Annotated[str, AfterValidator(_checked)]
"""A duration as people write it, kept as written."""


def _time_of_day(value: Any) -> Any:
    if not isinstance(value, time) and not (isinstance(value, str) and _CLOCK.fullmatch(value)):
        raise ValueError('must be a time of day in quotes, such as "09:00"')
    return value


_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:00)?")

TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class CalendarTerms(BaseModel):
    """What a policy file says of working time: whose holidays, which weekend, which hours. All is optional.

    `country` and `subdivision`: codes such as CN, or DE and BY; None: no holidays. `weekend`: None: the country's.
    `closes`: None: midnight at the end of the day.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str | None = None
    subdivision: str | None = None
    opens: TimeOfDay = time(0)
    closes: TimeOfDay | None = None
    weekend: list[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]] | None = None

    @model_validator(mode="after")
    def _somebody_works(self) -> Self:
        if self.closes and self.closes <= self.opens:
            raise ValueError(f"closes at {self.closes:%H:%M}, which is not after it opens at {self.opens:%H:%M}")
        if self.weekend and set(self.weekend) == set(WEEK):
            raise ValueError("weekend is every day of the week, so that no working day ever comes")
        if self.subdivision and not self.country:
            raise ValueError("a subdivision needs its country")
        return self


def _by_name(value: Any) -> Any:
    """`plain` and `CN` as what they stand for."""
    if isinstance(value, str):
        return {} if value == "plain" else {"country": value}
    return value


CalendarText = Annotated[CalendarTerms, BeforeValidator(_by_name)]
"""`plain` (Monday to Friday, no holidays), a country's code, or the terms one by one."""


def clock(at: datetime, zone: str, *, seconds: bool = False) -> str:
    """An instant as people of a line read it: in the line's zone, with its offset, `2026-11-18 09:00+08:00`."""
    return at.astimezone(ZoneInfo(zone)).isoformat(" ", "seconds" if seconds else "minutes")


class WorkCalendar(BaseModel):
    """Which days are worked: date exceptions beat the weekend (S12). Pure data, small enough to record.

    `exceptions`: days off (False) and make-up workdays (True). `announced_from`, `announced_through`: the first and the
    last day for which they are known; None: since and for ever.
    """

    model_config = ConfigDict(frozen=True)

    name: str = "plain"
    zone: str = "Asia/Shanghai"
    weekend: frozenset[int] = frozenset({5, 6})
    opens: time = time(0)
    closes: time | None = None
    """None: midnight at the end of the day."""
    exceptions: dict[date, bool] = {}
    announced_from: date | None = None
    announced_through: date | None = None

    def works_on(self, day: date) -> bool:
        """Whether `day` is a working day."""
        return self.exceptions.get(day, day.weekday() not in self.weekend)

    def add(self, start: datetime, length_: Length) -> datetime:
        """The instant at which `length_` has passed since `start`; aware, in UTC.

        Days by the calendar end at the same time of day; where the clock skips that, as much later as it skips.
        """
        amount, measure = length_
        end = start.astimezone(UTC)
        if measure is Measure.ELAPSED:
            return end + amount
        local = self._local(start)
        if measure is Measure.CALENDAR:
            return max(end, self._instant(local + amount))
        left, day = amount, local.date()
        while left > timedelta():
            begins, ends = self._hours(day)
            worth, done = self._worth(begins, ends, measure), self._worked(day, start, measure)
            if worth > done:
                end = begins + _share(min(worth, done + left), worth, ends - begins)
                left -= min(left, worth - done)
            day += timedelta(days=1)
        return end

    def between(self, start: datetime, end: datetime, measure: Measure) -> timedelta:
        """How much time of `measure` lies between two instants; zero when `end` is not after `start`."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if end <= start:
            return timedelta()
        if measure is Measure.ELAPSED:
            return end - start
        first, last = self._local(start), self._local(end)
        if measure is Measure.CALENDAR:
            return max(timedelta(), last - first)
        total, day = timedelta(), first.date()
        while day <= last.date():
            total += self._worked(day, end, measure) - self._worked(day, start, measure)
            day += timedelta(days=1)
        return total

    def since(self, day: date) -> "WorkCalendar":
        """What it says of `day` and later: all that a case needs to carry that was received then."""
        return self.model_copy(update={"exceptions": {d: works for d, works in self.exceptions.items() if d >= day}})

    def provisional(self, start: datetime, until: datetime, measure: Measure) -> bool:
        """Whether a deadline rests on days off that are not known, or may still be changed (S12, S33).

        Those before the first announced year and after the last are not known. What is announced for a year has moved
        the last days of the one before it, so a deadline in the last week before is not certain either.
        """
        if measure not in WORKED:
            return False
        first, last = self.announced_from, self.announced_through
        if first is not None and start < self._instant(datetime.combine(first, time(0))):
            return True
        certain = last and self._instant(datetime.combine(last + timedelta(days=1) - LAST_WEEK, time(0)))
        return certain is not None and until > certain

    def _worth(self, begins: datetime, ends: datetime, measure: Measure) -> timedelta:
        """What a day from `begins` to `ends` counts: its hours, or one day where there are opening hours."""
        always_open = self.opens == time(0) and self.closes is None
        return ends - begins if measure is Measure.WORKING_HOURS or always_open or ends <= begins else ONE_DAY

    def _worked(self, day: date, until: datetime, measure: Measure) -> timedelta:
        """How much of `day` has been worked by `until`."""
        begins, ends = self._hours(day)
        worth = self._worth(begins, ends, measure)
        return _share(min(max(until.astimezone(UTC), begins), ends) - begins, ends - begins, worth)

    def _hours(self, day: date) -> tuple[datetime, datetime]:
        """From when until when is worked, as instants: on a day on which the clock changes an hour more or less."""
        begins = self._instant(datetime.combine(day, self.opens))
        if not self.works_on(day):
            return begins, begins
        tomorrow = datetime.combine(day + timedelta(days=1), time(0))
        return begins, self._instant(datetime.combine(day, self.closes) if self.closes else tomorrow)

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)

    def _instant(self, local: datetime) -> datetime:
        return local.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


LAST_WEEK = timedelta(days=7)
ONE_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


def _share(part: timedelta, whole: timedelta, of: timedelta) -> timedelta:
    """As much of `of` as `part` is of `whole`, down to the microsecond."""
    if whole == of or not whole:
        return part
    return timedelta(microseconds=(part // _MICROSECOND) * (of // _MICROSECOND) // (whole // _MICROSECOND))
