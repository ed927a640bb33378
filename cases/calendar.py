"""Durations and work calendars.

Four measures of time are never mixed (S11): elapsed (`24h`), calendar days (`1 day`), working days (`1 working day`)
and working hours (`8 working hours`). Adding a duration to a time and measuring between two times are inverse
operations. Working hours are elapsed time during opening hours, so they stay exact when the clocks change. A working
day counts as one day whatever its opening hours: with nine opening hours, one hour is a ninth of a day.

Holidays are data (`WorkCalendar`) that is recorded with the case, so that a new release of the holiday library cannot
move a deadline or change a replay (S12).
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, model_validator


def _plausible(value: Any) -> Any:
    """Return `value` if it is a datetime or an RFC 3339 text. Raise ValueError otherwise, also for bare numbers."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _RFC3339.match(value)):
        raise ValueError("must be a time as text with an offset, such as 2026-11-22T09:00:00+08:00")
    return value


def _in_this_century(value: datetime) -> datetime:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"must be between the years {FIRST_YEAR} and {LAST_YEAR}")
    return value


FIRST_YEAR, LAST_YEAR = 2000, 2100
_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:")

Instant = Annotated[AwareDatetime, BeforeValidator(_plausible), AfterValidator(_in_this_century)]
"""A timestamp in input: RFC 3339 with an offset, from 2000 to 2100."""


class Measure(StrEnum):
    """How a length of time is counted."""

    ELAPSED = "elapsed"
    CALENDAR = "calendar"
    WORKING = "working"
    WORKING_HOURS = "working hours"


WORKED = frozenset({Measure.WORKING, Measure.WORKING_HOURS})
"""Measures that count only on working days."""


class Length(NamedTuple):
    """A length of time in one measure. A day is stored as a `timedelta` of one day in every measure."""

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
    """Return the length that a text such as `30s`, `24h`, `1 day`, `5 working days` or `8 working hours` describes.

    Raise ValueError, with the accepted forms, if the text has none of them.
    """
    match = _DURATION.match(text.strip())
    if not match:
        raise ValueError(f'"{text}" is not a duration; write 30s, 10m, 24h, 1 day, 5 working days or 8 working hours')
    unit, measure = _UNITS[match[2].removesuffix("s") if len(match[2]) > 1 else match[2]]
    if (amount := int(match[1]) * unit) == timedelta():
        raise ValueError(f'"{text}" is zero: a duration must be positive')
    return Length(amount, measure)


def _checked(text: str) -> str:
    length(text)
    return text


Duration = Annotated[str, AfterValidator(_checked)]
"""A duration in the notation that `length` reads. The text is stored unchanged."""


def _time_of_day(value: Any) -> Any:
    if not isinstance(value, time) and not (isinstance(value, str) and _CLOCK.fullmatch(value)):
        raise ValueError('must be a time of day in quotes, such as "09:00"')
    return value


_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:00)?")

TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class CalendarTerms(BaseModel):
    """Working time in a policy file: holidays, weekend and opening hours. Every field is optional.

    `country` and `subdivision` are codes, such as CN, or DE and BY; without a country there are no holidays. Without
    `weekend`, the country's weekend applies. Without `closes`, the day ends at midnight.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str | None = None
    subdivision: str | None = None
    opens: TimeOfDay = time(0)
    closes: TimeOfDay | None = None
    weekend: list[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]] | None = None

    @model_validator(mode="after")
    def _has_working_time(self) -> Self:
        if self.closes and self.closes <= self.opens:
            raise ValueError(f"closes at {self.closes:%H:%M}, which is not after it opens at {self.opens:%H:%M}")
        if self.weekend and set(self.weekend) == set(WEEK):
            raise ValueError("weekend is every day of the week: there would be no working days")
        if self.subdivision and not self.country:
            raise ValueError("a subdivision needs its country")
        return self


def _by_name(value: Any) -> Any:
    """Return the terms that a short form such as `plain` or `CN` stands for."""
    if isinstance(value, str):
        return {} if value == "plain" else {"country": value}
    return value


CalendarText = Annotated[CalendarTerms, BeforeValidator(_by_name)]
"""`plain` (Monday to Friday, no holidays), a country code, or the terms as an object."""


def clock(at: datetime, zone: str, *, seconds: bool = False) -> str:
    """Return a time as text for people: in the given time zone, with its offset, such as `2026-11-18 09:00+08:00`."""
    return at.astimezone(ZoneInfo(zone)).isoformat(" ", "seconds" if seconds else "minutes")


class WorkCalendar(BaseModel):
    """Working days and opening hours of one place (S12). It is plain data, small enough to record with a case.

    `exceptions` are days off (False) and make-up workdays (True). They take precedence over the weekend.
    `announced_from` and `announced_through` are the first and last day for which they are known; None means no limit.
    """

    model_config = ConfigDict(frozen=True)

    name: str = "plain"
    zone: str = "Asia/Shanghai"
    weekend: frozenset[int] = frozenset({5, 6})
    opens: time = time(0)
    closes: time | None = None
    """The end of the working day. None means midnight."""
    exceptions: dict[date, bool] = {}
    announced_from: date | None = None
    announced_through: date | None = None

    def works_on(self, day: date) -> bool:
        """Return whether `day` is a working day."""
        return self.exceptions.get(day, day.weekday() not in self.weekend)

    def add(self, start: datetime, length_: Length) -> datetime:
        """Return the time at which `length_` has passed since `start`, in UTC.

        Calendar days end at the same local time of day. If a clock change skips that time, they end as much later.
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
        """Return the time between `start` and `end` in `measure`; zero if `end` is not after `start`."""
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
        """Return the calendar without exceptions before `day`. A case that was received then needs no more."""
        return self.model_copy(update={"exceptions": {d: works for d, works in self.exceptions.items() if d >= day}})

    def provisional(self, start: datetime, until: datetime, measure: Measure) -> bool:
        """Return whether a deadline depends on days off that are unknown or may still change (S12, S33).

        Days off are unknown before the first announced year and after the last one. An announcement for a new year can
        also change the last days of the year before, so a deadline in its last week is uncertain too.
        """
        if measure not in WORKED:
            return False
        first, last = self.announced_from, self.announced_through
        if first is not None and start < self._instant(datetime.combine(first, time(0))):
            return True
        certain = last and self._instant(datetime.combine(last + timedelta(days=1) - LAST_WEEK, time(0)))
        return certain is not None and until > certain

    def _worth(self, begins: datetime, ends: datetime, measure: Measure) -> timedelta:
        """Return how much a full day from `begins` to `ends` counts.

        That is one day if working days are counted and there are opening hours, else the hours of the day.
        """
        always_open = self.opens == time(0) and self.closes is None
        return ends - begins if measure is Measure.WORKING_HOURS or always_open or ends <= begins else ONE_DAY

    def _worked(self, day: date, until: datetime, measure: Measure) -> timedelta:
        """Return how much of `day` counts by `until`."""
        begins, ends = self._hours(day)
        worth = self._worth(begins, ends, measure)
        return _share(min(max(until.astimezone(UTC), begins), ends) - begins, ends - begins, worth)

    def _hours(self, day: date) -> tuple[datetime, datetime]:
        """Return when work begins and ends on `day`. If the clock changes that day, it has an hour more or less."""
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
    """Return the share of `of` that `part` is of `whole`, rounded down to a microsecond."""
    if whole == of or not whole:
        return part
    return timedelta(microseconds=(part // _MICROSECOND) * (of // _MICROSECOND) // (whole // _MICROSECOND))
