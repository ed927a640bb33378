"""Formats and labels for one reader: language, currency, time zone. A value that cannot be formatted raises."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal
from jinja2 import UndefinedError
from pydantic import TypeAdapter

from cases.money import Money
from cases.policy.remedy_kinds import MONEY, RETURNS, VISITS
from cases.reasons import AMOUNTS, Reason, english, filled
from cases.vocabulary import Liable, Severity

MAX_VALUE = 2_000
"""Longest value in a text, in characters; longer ones are cut."""
MAX_ENTRIES = 20
"""Maximum number of options, steps or remedies in a text; the rest is left out."""
MAX_ITEMS = 5
"""Maximum number of items named in a text; the rest are counted."""
MAX_COUNT = 1_000_000
MAX_DEPTH = 10
"""Maximum nesting of facts; the items of an option's remedies are seven levels deep."""

_MONEY: TypeAdapter[Decimal] = TypeAdapter(Money)
_MAIL_OR_NUMBER = re.compile(r"\S+@\S+|\+?(?!\d{4}-\d\d-\d\d\b)(?<!\d)\d(?:[ -]?\d){6,}")
"""A mail address, or seven or more digits that are not a date."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})

_STATES = (
    (VISITS, "visit_state"),
    (MONEY, "money_state"),
    (RETURNS, "collection_state"),
)
"""The groups of labels for states of steps that have special labels."""
_VALUES = {
    "severity": "|".join(Severity),
    "days_late": "N",
    "hours_late": "N",
    "lost": "/ --no-lost",
    "upheld": "/ --no-upheld",
    "liable": "|".join(Liable),
    "cause": "",
    "sealed": "/ --no-sealed",
    "goods_value": "0.00",
    "affected": "SKU=N",
}
"""The value placeholders of the options of `assess`."""
_WORDS_FOR = {"kind": "remedy", "outcome": "outcome", "who": "partner", "team": "team", "tried": "channel"}
"""The groups of labels for parameters of reasons."""

Words = Mapping[str, Mapping[str, str]]


class UnknownFactError(UndefinedError):
    """A value that a sentence needs is missing or invalid."""


class Block(str):
    """Text that keeps its line breaks."""

    __slots__ = ()


def cleaned(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Return `value` (JSON) without control characters, nulls and empty strings; line breaks in strings stay."""
    if isinstance(value, str):
        lines = value[: MAX_VALUE * 4].splitlines()
        return "\n".join(" ".join(_visible(line).split()) for line in lines).strip()[:MAX_VALUE]
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        entries = {str(key): cleaned(entry, depth - 1) for key, entry in value.items()}
        return {key: entry for key, entry in entries.items() if entry not in (None, "")}
    if isinstance(value, (list, tuple)):
        entries_ = [cleaned(entry, depth - 1) for entry in value]
        return [entry for entry in entries_ if entry not in (None, "")]
    return value


def _visible(line: str) -> str:
    return "".join(char for char in line if char in "\t " or unicodedata.category(char) not in _UNSEEN)


def printed(value: Any) -> str:
    """Return a value as text on one line. Raises `UnknownFactError` unless it is text or a number."""
    if isinstance(value, Block) and value:
        return value
    if isinstance(value, str) and value:
        return " ".join(value.split())
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    raise UnknownFactError("not something to print")


@dataclass(frozen=True)
class Reader:
    """Formats and labels for one reader. Every public method is a template filter.

    `locale` is a folder of texts (`zh-CN`). `currency` is an ISO 4217 code; None: amounts cannot be printed.
    """

    locale: str
    words: Words
    zone: ZoneInfo
    currency: str | None

    def money(self, value: Any) -> str:
        """Return an amount (`"640.00"`) with its currency, such as `¥640.00` or `CN¥640.00`."""
        if self.currency is None:
            raise UnknownFactError("an amount without a currency")
        return format_currency(_MONEY.validate_python(value), self.currency, locale=self._babel)

    def time(self, value: Any) -> str:
        """Return an ISO time in the line's zone, such as `11月18日 09:10（UTC+8）` or `18 Nov, 09:10 (UTC+8)`."""
        return self._format("zoned").format(time=self.local_time(value), zone=offset(self._there(value)))

    def local_time(self, value: Any) -> str:
        """Return an ISO time in the line's zone without naming it, such as `18 Nov, 09:10`."""
        return format_datetime(self._there(value), self._format("time"), tzinfo=self.zone, locale=self._babel)

    def days(self, value: Any) -> str:
        """Return a number of days, such as `3 days`."""
        return self._counted(value, "one_day", "days")

    def hours(self, value: Any) -> str:
        """Return a number of hours, such as `1.5 hours`."""
        return self._counted(value, "one_hour", "hours")

    def named(self, value: Any, group: str, otherwise: Any = None) -> str:
        """Return the label of a name (`refund`), or of `otherwise` if it has none."""
        known = self.words[group]
        for key in (value, otherwise):
            if isinstance(key, str) and key in known:
                return known[key]
        raise UnknownFactError(f"no word in {group}")

    def word(self, value: Any, group: str) -> str:
        """Return the label of a name, or the name itself, because policies may define names without labels."""
        return self.words[group].get(value) or printed(value)

    def listed(self, values: Any, *groups: str) -> str:
        """Return the labels of several names, such as `photos and the batch number`."""
        words = {name: word for group in groups for name, word in self.words[group].items()}
        known = [words[value] for value in _list(values) if words.get(value)]
        return _not_empty(format_list(known, locale=self._babel) if known else "")

    def command(self, promise: Any, case_id: Any) -> str:
        """Return the command that keeps a promise."""
        return self.named(promise, "command").format(case=printed(case_id))

    def flags(self, missing: Any, severities: Any = ()) -> str:
        """Return the options of `assess` for the missing fields of a finding."""
        known = [field for field in _list(missing) if field in _VALUES]
        values = {**_VALUES, "cause": self._format("text")} | ({"severity": "|".join(severities)} if severities else {})
        return _not_empty(" ".join(f"--{field.replace('_', '-')} {values[field]}".strip() for field in known))

    def localized(self, value: Any) -> str:
        """Return a text given in several languages (`{"zh-CN": …, "en": …}`) or in one (a string)."""
        if isinstance(value, str):
            return value
        language, _, _ = self.locale.partition("-")
        return _not_empty(value.get(self.locale) or value.get(language) or value.get("en"))

    def clause(self, value: Any) -> str:
        """Return a text without its full stop, for use inside a sentence."""
        return printed(value).rstrip(" .。!！;；,，")

    def masked(self, value: Any) -> str:
        """Return text from outside without mail addresses and long numbers: notices contain no personal data."""
        return _MAIL_OR_NUMBER.sub("***", printed(value))

    def reason(self, value: Any, *, coded: bool = False) -> str:
        """Return a reason (`cases.reasons`) as a clause. Plain text is quoted, or left out if `coded`."""
        sentences = self.words["reason"]
        if isinstance(value, str):
            if value in sentences:
                return filled(sentences[value], {})
            if coded:
                raise UnknownFactError("a plain text instead of a reason")
            return self._format("quoted").format(words=self.clause(self.masked(value)))
        reason = Reason.model_validate(value)
        if reason.code not in sentences:
            return self.masked(english(reason))
        return filled(sentences[reason.code], {name: self._known(name, v) for name, v in reason.params.items()})

    def reasons(self, values: Any) -> str:
        """Return several reasons in one line."""
        return _not_empty(self._format("between_remedies").join(self.reason(value) for value in _list(values)))

    def paragraphs(self, value: Any) -> Block:
        """Return a longer text with its paragraphs."""
        return Block(_not_empty(value))

    def goods(self, items: Any) -> str:
        """Return items, such as `SLATE-9 × 1, SLATE-7 × 2`, by name if they have one."""
        item = self._format("item").format
        entries = [item(sku=printed(i.get("name") or i["sku"]), quantity=printed(i["quantity"])) for i in items]
        text = self._format("between_items").join(entries[:MAX_ITEMS])
        if len(entries) > MAX_ITEMS:
            text += " " + self._format("more").format(n=len(entries))
        return _not_empty(text)

    def remedy(self, remedy: Any) -> str:
        """Return a remedy or step, such as `refund of CN¥640.00` or `replacement (SLATE-9 × 1)`, with its reference."""
        kind = remedy["kind"]
        text = self.words["remedy"].get(kind) or printed(kind).replace("_", " ")
        if remedy.get("amount") and self.currency:
            text = self._format("money").format(name=text, amount=self.money(remedy["amount"]))
        if remedy.get("items"):
            text = self._format("goods").format(name=text, items=self.goods(remedy["items"]))
        if remedy.get("at_once") is True:
            text = self._format("at_once").format(remedy=text)
        if remedy.get("reference"):
            text = self._format("reference").format(remedy=text, reference=printed(remedy["reference"]))
        return text

    def choices(self, options: Any) -> Block:
        """Return the options of an offer, numbered from 1. A single option is the list of its remedies."""
        offered = [[self.remedy(remedy) for remedy in option["remedies"]] for option in _list(options)]
        if len(offered) == 1:
            return _bullets(offered[0])
        numbered = [
            self._format("option").format(n=n, remedies=self._format("between_remedies").join(remedies))
            for n, remedies in enumerate(offered, start=1)
        ]
        return _bullets(numbered)

    def progress(self, steps: Any) -> Block:
        """Return each step with its state."""
        return _bullets(
            self._format("progress").format(remedy=self.remedy(step), state=self.state(step)) for step in _list(steps)
        )

    def done(self, steps: Any) -> Block:
        """Return what was done, one line each."""
        return _bullets(self.remedy(step) for step in _list(steps))

    def totals(self, paid: Any) -> str:
        """Return the totals paid, by kind; zeros are left out."""
        sums = {kind: _MONEY.validate_python(paid.get(kind, "0")) for kind in self.words["paid"]}
        return _not_empty(
            self._format("between_items").join(
                self._format("money").format(name=self.words["paid"][kind], amount=self.money(amount))
                for kind, amount in sums.items()
                if amount
            )
        )

    def state(self, step: Any) -> str:
        """Return the label of a step's state, which depends on its kind."""
        special = next((group for kinds, group in _STATES if step["kind"] in kinds), "step_state")
        return self.words[special].get(step["state"]) or self.named(step["state"], "step_state")

    def _there(self, value: Any) -> datetime:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise UnknownFactError("a time without an offset")
        return at.astimezone(self.zone)

    @property
    def _babel(self) -> Locale:
        return _locale(self.locale)

    def _known(self, name: str, value: Any) -> str:
        """Return a parameter of a reason in the reader's language."""
        if isinstance(value, dict) or name == "because":
            return self.reason(value)
        if name in AMOUNTS:
            return self.money(value)
        if name == "reasons":
            return self.reasons(value)
        if isinstance(value, list):
            return format_list([self._known(name, each) for each in value[:MAX_ENTRIES]], locale=self._babel)
        group = _WORDS_FOR.get(name)
        if group and isinstance(value, str):
            return self.word(value, group)
        return self.clause(self.masked(value)) if name == "words" else printed(value)

    def _format(self, name: str) -> str:
        return self.words["format"][name]

    def _counted(self, value: Any, one: str, many: str) -> str:
        count = Decimal(str(value)).normalize()
        if not count.is_finite() or isinstance(value, bool) or not abs(count) < MAX_COUNT:
            raise UnknownFactError("not a number to count with")
        return self._format(one if count == 1 else many).format(
            n=format_decimal(count.quantize(Decimal("0.1")), format="0.#", locale=self._babel)
        )


@cache
def _locale(name: str) -> Locale:
    # Cached, because babel searches a thousand locales at every call.
    return Locale.parse(name, sep="-")


def offset(at: datetime) -> str:
    """Return the offset from UTC, such as `UTC+8` or `UTC-3:30`."""
    minutes = int((at.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return "UTC" + (f"{sign}{hours}" if minutes else "") + (f":{rest:02}" if rest else "")


def _list(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise UnknownFactError("not a list")
    return values[:MAX_ENTRIES]


def _not_empty(text: Any) -> str:
    if not isinstance(text, str) or not text:
        raise UnknownFactError("nothing to say")
    return text


def _bullets(entries: Iterable[str]) -> Block:
    lines = [f"- {entry[:1].upper()}{entry[1:]}" for entry in entries]
    return Block("\n" + _not_empty("\n".join(lines)))
