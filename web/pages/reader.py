"""One reader of pages: language, time zone, and how times and amounts are written for them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal
from fastapi import Request

from web.pages.catalogue import ENGLISH, LOCALES, Catalogue, catalogue

DEFAULT_ZONE = "Asia/Shanghai"
LANGUAGE_COOKIE, ZONE_COOKIE = "language", "zone"
"""Set by a choice of the reader, and by the browser (`app.js`)."""
PATTERNS = {"en": ("d MMM HH:mm", "d MMM yyyy HH:mm"), "zh": ("M月d日 HH:mm", "yyyy年M月d日 HH:mm")}
"""By language: a time of this year, and of any year."""
IN_MINUTES, IN_HOURS = timedelta(minutes=120), timedelta(hours=48)
"""A time that is nearer is shown in minutes, or in hours; others in days. `app.js` has the same limits."""


Unit = Literal["day", "hour", "minute", "second"]
UNITS: tuple[tuple[Unit, int], ...] = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
"""The units of a length of time, in seconds."""


class Reader:
    """Formats and texts for one reader. `now` is the time for which relative times are written."""

    def __init__(self, locale: str, zone: str, now: datetime) -> None:
        self.locale, self.now = locale, now
        self.zone = ZoneInfo(zone)
        self.catalogue: Catalogue = catalogue(locale)
        self._babel = _babel(locale)

    def text(self, english: str) -> str:
        """Return a sentence in the reader's language."""
        return self.catalogue.text(english)

    def name(self, value: Any, group: str) -> str:
        """Return the label of a name of the domain; a dash for None."""
        return self.catalogue.name(group, str(value)) if value is not None else "–"

    def names(self, values: Iterable[Any], group: str) -> str:
        """Return the labels of several names."""
        return ("、" if self.locale.startswith("zh") else ", ").join(self.name(value, group) for value in values)

    def choices(self, values: Iterable[str], group: str) -> list[tuple[str, str]]:
        """Return values to choose from, with their labels; without a group, the values themselves."""
        return [(value, self.name(value, group) if group else value) for value in values]

    def title(self, texts: Any) -> str:
        """Return a title of a policy, which has a field for each language."""
        found = getattr(texts, "zh" if self.locale.startswith("zh") else "en", None)
        return str(found or texts)

    def time(self, at: datetime | None) -> str:
        """Return a time in the reader's zone: without the date if it is today, without the year if it is this year."""
        if at is None:
            return "–"
        there, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        if there.date() == today.date():
            return f"{there:%H:%M}"
        this_year, any_year = PATTERNS["zh" if self.locale.startswith("zh") else "en"]
        pattern = this_year if there.year == today.year else any_year
        return format_datetime(there, pattern, tzinfo=self.zone, locale=self._babel)

    def whole_time(self, at: datetime) -> str:
        """Return a time with its date and zone."""
        return format_datetime(at, "yyyy-MM-dd HH:mm:ss ZZZZ", tzinfo=self.zone, locale=self._babel)

    def from_now(self, at: datetime) -> str:
        """Return a time relative to now, such as `in 35 min`."""
        left = at - self.now
        unit, step = _unit(left)
        count = max(1, abs(left) // step)
        return format_timedelta(
            step * count if left >= timedelta() else -step * count,
            granularity=unit,
            threshold=10_000,
            add_direction=True,
            format="short",
            locale=self._babel,
        )

    def duration(self, length: timedelta) -> str:
        """Return a length with two units at most, such as `1 hr 35 min`."""
        left = int(length.total_seconds())
        parts = []
        for name, size in UNITS:
            count, left = divmod(left, size)
            if count:
                found = timedelta(seconds=count * size)
                parts.append(
                    format_timedelta(found, granularity=name, threshold=10_000, format="short", locale=self._babel)
                )
        return " ".join(parts[:2]) or format_timedelta(
            timedelta(), granularity="second", format="short", locale=self._babel
        )

    def money(self, amount: Decimal | str | None, currency: str | None) -> str:
        """Return an amount with its currency."""
        if amount is None:
            return "–"
        if currency is None:
            return format_decimal(Decimal(amount), format="#,##0.00", locale=self._babel)
        return format_currency(Decimal(amount), currency, locale=self._babel)

    def number(self, value: float | Decimal) -> str:
        """Return a number with the reader's separators."""
        return format_decimal(value, locale=self._babel)


def _unit(left: timedelta) -> tuple[Unit, timedelta]:
    if abs(left) < IN_MINUTES:
        return "minute", timedelta(minutes=1)
    if abs(left) < IN_HOURS:
        return "hour", timedelta(hours=1)
    return "day", timedelta(days=1)


@cache
def _babel(locale: str) -> Locale:
    return Locale.parse(locale, sep="-")


def reader_of(request: Request, now: datetime | None = None, locale: str | None = None) -> Reader:
    """Return the reader of a request: the chosen language (`locale`, else the cookie), or the browser's."""
    chosen = locale or request.cookies.get(LANGUAGE_COOKIE)
    if chosen not in LOCALES:
        chosen = _accepted(request.headers.get("accept-language", ""))
    zone = request.cookies.get(ZONE_COOKIE, "").strip('"').replace("%2F", "/")
    return Reader(chosen, zone if _is_zone(zone) else DEFAULT_ZONE, now or datetime.now(UTC))


def _accepted(header: str) -> str:
    """Return the language that the browser prefers, of those that pages have."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), place, tag.strip().lower()))
        except ValueError:
            continue
    primary: Mapping[str, str] = {locale.split("-")[0]: locale for locale in LOCALES}
    for _, _, tag in sorted(wanted):
        if found := primary.get(tag.split("-")[0]):
            return found
    return ENGLISH


@cache
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError):  # also ZoneInfoNotFoundError, which is a KeyError
        return False
    except KeyError:
        return False
    return bool(name)
