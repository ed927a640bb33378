"""The period of a review (G13): whole days of a time zone, and the same period before it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from cases.errors import InvalidInput, Problem

LONGEST = 1_100
"""Days: three years."""


class Every(StrEnum):
    """How often a review is made, and how long its period is."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True)
class Period:
    """Whole days, from `first` to `last`."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        """The first moment, in UTC."""
        return _midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after the period, in UTC."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def before(self) -> "Period":
        """The same period before: the calendar month or quarter before a whole one, else as many days."""
        for every in (Every.QUARTER, Every.MONTH):
            if (self.first, self.last) == _whole(every, self.first):
                return Period(*_whole(every, self.first - timedelta(days=1)), self.zone)
        days = self.last - self.first + timedelta(days=1)
        return Period(self.first - days, self.last - days, self.zone)

    def __str__(self) -> str:
        return f"{self.first.isoformat()}_{self.last.isoformat()}"


def latest(every: Every, now: datetime, zone: ZoneInfo) -> Period:
    """Return the latest week, month or quarter that has ended. Weeks begin on Monday."""
    today = now.astimezone(zone).date()
    first, _ = _whole(every, today)
    return Period(*_whole(every, first - timedelta(days=1)), zone)


def chosen(first: str | None, last: str | None, now: datetime, zone: ZoneInfo) -> Period:
    """Return the period from day `first` to day `last`, both included; `last` is today if it is None.

    Raises `InvalidInput` with a sentence for each day that cannot be.
    """
    problems: list[Problem] = []
    today = now.astimezone(zone).date()
    since, until = _day("from", first, problems), _day("to", last, problems) if last is not None else today
    if since and since > today:
        problems.append(Problem(field="from", problem=f"is {since}: choose a day up to today, {today}"))
    elif since and until and until < since:
        problems.append(Problem(field="to", problem=f"is {until}: choose {since} (from) or a later day"))
    elif since and until and (until - since).days >= LONGEST:
        latest_day = since + timedelta(days=LONGEST - 1)
        problems.append(Problem(field="to", problem=f"is {until}: a period has up to {LONGEST} days, to {latest_day}"))
    if problems or since is None or until is None:
        raise InvalidInput(problems)
    return Period(since, until, zone)


def _day(field: str, text: str | None, problems: list[Problem]) -> date | None:
    if text is None:
        problems.append(Problem(field=field, problem="is missing: write the first day, such as 2026-11-01"))
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2999 or text != found.isoformat():  # noqa: PLR2004 (centuries)
        problems.append(Problem(field=field, problem=f"{text[:40]!a} is not a day: write it as 2026-11-30"))
        return None
    return found


def _whole(every: Every, day: date) -> tuple[date, date]:
    """Return the first and last day of the week, month or quarter that contains `day`."""
    if every is Every.WEEK:
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=6)
    months = 1 if every is Every.MONTH else 3
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return first, (first + timedelta(days=31 * months)).replace(day=1) - timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
