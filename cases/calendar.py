"""Three kinds of time that are never mixed (S11): `24h` elapsed, `1 day` by the calendar, `1 working day`.

A budget is a length in one measure; adding it to an instant and measuring between two instants are inverse.
What a calendar says of holidays is data (`WorkCalendar`), recorded with the case, so that a new release of
the holiday library cannot move a deadline or change a replay (S12).
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict


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


def _no_yes_or_no(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")  # noqa: TRY004 (pydantic wants ValueError)
    return value


Whole = Annotated[int, BeforeValidator(_no_yes_or_no)]
"""A whole number; `true` is none."""


class Measure(StrEnum):
    """How a length of time is counted."""

    ELAPSED = "elapsed"
    CALENDAR = "calendar"
    WORKING = "working"


class Length(NamedTuple):
    """A length of time; one day counts 24 hours of its measure."""

    amount: timedelta
    measure: Measure


_DURATION = re.compile(r"^(\d{1,6})\s*(s|m|h|days?|working days?)$")
_UNITS = {
    "s": (timedelta(seconds=1), Measure.ELAPSED),
    "m": (timedelta(minutes=1), Measure.ELAPSED),
    "h": (timedelta(hours=1), Measure.ELAPSED),
    "day": (timedelta(days=1), Measure.CALENDAR),
    "working day": (timedelta(days=1), Measure.WORKING),
}


@lru_cache(maxsize=256)
def length(text: str) -> Length:
    """`30s`, `10m`, `24h`, `1 day`, `5 working days` as a length; raises ValueError with what is accepted."""
    match = _DURATION.match(text.strip())
    if not match:
        raise ValueError(f'"{text}" is no duration; write 30s, 10m, 24h, 1 day or 5 working days')
    unit, measure = _UNITS[match[2].removesuffix("s") if len(match[2]) > 1 else match[2]]
    if (amount := int(match[1]) * unit) == timedelta():
        raise ValueError(f'"{text}" is no time at all')
    return Length(amount, measure)


def _checked(text: str) -> str:
    length(text)
    return text


Duration = Annotated[str, AfterValidator(_checked)]
"""A duration as people write it, kept as written."""


class WorkCalendar(BaseModel):
    """Which days are worked: date exceptions beat the weekend (S12). Pure data, small enough to record.

    `exceptions`: days off (False) and make-up workdays (True). `announced_through`: the last day for which
    exceptions are known; after it a deadline in working time is provisional. None: known for ever.
    """

    model_config = ConfigDict(frozen=True)

    name: str = "plain"
    zone: str = "Asia/Shanghai"
    weekend: frozenset[int] = frozenset({5, 6})
    opens: time = time(0)
    closes: time | None = None
    """None: midnight at the end of the day."""
    exceptions: dict[date, bool] = {}
    announced_through: date | None = None

    def works_on(self, day: date) -> bool:
        """Whether `day` is a working day."""
        return self.exceptions.get(day, day.weekday() not in self.weekend)

    def add(self, start: datetime, length_: Length) -> datetime:
        """The instant at which `length_` has passed since `start`; aware, in UTC."""
        amount, measure = length_
        if measure is Measure.ELAPSED:
            return start.astimezone(UTC) + amount
        local = start.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        if measure is Measure.CALENDAR:
            return self._instant(local + amount)
        left, day = amount, local.date()
        end = local
        while left > timedelta():
            begins, ends = self._hours(day)
            begins = max(begins, local)
            if ends > begins:
                end = begins + min(left, ends - begins)
                left -= end - begins
            day += timedelta(days=1)
        return self._instant(end)

    def between(self, start: datetime, end: datetime, measure: Measure) -> timedelta:
        """How much time of `measure` lies between two instants; zero when `end` is not after `start`."""
        if end <= start:
            return timedelta()
        if measure is Measure.ELAPSED:
            return end - start
        zone = ZoneInfo(self.zone)
        first, last = (at.astimezone(zone).replace(tzinfo=None) for at in (start, end))
        if measure is Measure.CALENDAR:
            return last - first
        total, day = timedelta(), first.date()
        while day <= last.date():
            begins, ends = self._hours(day)
            total += max(timedelta(), min(ends, last) - max(begins, first))
            day += timedelta(days=1)
        return total

    def provisional(self, until: datetime, measure: Measure) -> bool:
        """Whether a deadline lies beyond the days that have been announced (S12)."""
        if measure is not Measure.WORKING or self.announced_through is None:
            return False
        return until.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None) > datetime.combine(
            self.announced_through + timedelta(days=1), time(0)
        )

    def _hours(self, day: date) -> tuple[datetime, datetime]:
        begins = datetime.combine(day, self.opens)
        if not self.works_on(day):
            return begins, begins
        ends = datetime.combine(day, self.closes) if self.closes else datetime.combine(day, time(0)) + timedelta(days=1)
        return begins, ends

    def _instant(self, local: datetime) -> datetime:
        return local.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)
