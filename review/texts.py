"""A review in words: labels, formats and sentences in one language (`messages/<locale>/review.yaml`)."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_currency, format_decimal, format_percent

from cases.policy.policy import Policy
from messages import texts
from review.figures import ALL, Decision, Rate, Review, Span

NOTHING = "–"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_ONE_DAY = timedelta(days=1)
_LONG = 2
"""From this many hours or days on, a time is given in that unit."""


class Words:
    """The labels and formats of one language."""

    def __init__(self, locale: str, policies: Mapping[str, Policy]) -> None:
        self.locale = locale
        self._locale = Locale.parse(locale, sep="-")
        self._review: dict[str, dict[str, str]] = texts(locale, "review")
        self._words: dict[str, dict[str, str]] = texts(locale, "words")
        self._promises = {
            (line, rule.rule): rule.name.value for line, policy in policies.items() for rule in policy.promises
        }
        self._topics = {
            name: topic.title.model_dump(by_alias=True)
            for policy in policies.values()
            for name, topic in policy.topics.items()
        }

    def text(self, name: str, /, **facts: Any) -> str:
        """Return the text `name`, filled with the facts."""
        return self._review["text"][name].format(**facts)

    def sentence(self, name: str, /, **facts: Any) -> str:
        """Return the sentence `name`. It begins with a capital letter, where there are such."""
        said = self._review["sentence"][name].format(**facts)
        return said[:1].upper() + said[1:]

    def label(self, group: str, name: str) -> str:
        """Return the label of a name in a group of the review's texts; the name itself if it has none."""
        return self._review[group].get(name, name)

    def subject(self, dimension: str, name: str) -> str:
        """Return the name of a subject: a label where the name is ours, else the name itself."""
        if dimension == ALL:
            return self.text("all")
        if dimension == "party":
            return self.label("party", name)
        if dimension == "topic" and (title := self._topics.get(name)):
            return str(title.get(self.locale) or name)
        if dimension == "rule":
            line, _, rule = name.partition("/")
            return f"{rule} · {self.subject('line', line)}"
        return self._words.get(dimension, {}).get(name, name)

    def name(self, name: str) -> str:
        """Return the name of a target: a promise, or satisfaction."""
        return self._words["promise"].get(name) or self.label("name", name)

    def outcome(self, name: str) -> str:
        """Return the name of an outcome."""
        return self._words["outcome"].get(name, name)

    def remedy(self, name: str) -> str:
        """Return the name of a remedy."""
        return self._words["remedy"].get(name, name)

    def count(self, number: float) -> str:
        """Return a whole number."""
        return format_decimal(round(number), locale=self._locale)

    def share(self, share: float | None) -> str:
        """Return a share in percent."""
        return NOTHING if share is None else format_percent(share, format="0.#%", locale=self._locale)

    def points(self, share: float) -> str:
        """Return a change of a share in percentage points, with its sign."""
        return self.text("points", n=f"{share * 100:+.1f}".replace("-", "\N{MINUS SIGN}"))

    def value(self, figure: str, value: float) -> str:
        """Return the value of a figure: a share, or a ratio to what was to be expected."""
        return f"{value:.2f} ×" if figure == "complaints" else self.share(value)

    def money(self, amount: Decimal, currency: str) -> str:
        """Return an amount with its currency."""
        return format_currency(amount, currency, locale=self._locale)

    def duration(self, seconds: int) -> str:
        """Return a time in the largest unit of which there are at least two."""
        for unit, name in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
            if seconds >= _LONG * unit:
                return self._review["duration"][name].format(
                    n=format_decimal(round(seconds / unit, 1), locale=self._locale)
                )
        return self._review["duration"]["seconds"].format(n=seconds)

    def day(self, day: date) -> str:
        """Return a day."""
        return format_date(day, format="medium", locale=self._locale)

    def time(self, at: datetime, zone: ZoneInfo) -> str:
        """Return a time in a time zone."""
        return format_datetime(at, format="medium", tzinfo=zone, locale=self._locale)

    def decision(self, one: Decision) -> str:
        """Return why something needs a decision, as one sentence."""
        facts = {
            "dimension": self.label("dimension", one.dimension),
            "subject": self.subject(one.dimension, one.subject),
            "hits": self.count(one.hits),
            "n": self.count(one.n),
            "value": self.share(one.value),
            "against": self.share(one.against),
        }
        if one.figure in ("broken", "complaints"):
            return self.sentence(one.figure, **facts)
        if one.dimension == "line":
            return self.sentence("missed", **facts, line=facts["subject"], name=self._target(one))
        return self.sentence("responsible", **facts, party=self.label("party", one.figure))

    def _target(self, one: Decision) -> str:
        promise = self._promises.get((one.subject, one.figure))
        return f"{self.name(promise)} ({one.figure})" if promise else self.name(one.figure)

    def span(self, review: Review) -> str:
        """Return the days of the review; a whole month by its name."""
        return self.days(review.period)

    def days(self, span: Span) -> str:
        """Return days by their first and last; a whole month by its name."""
        first, last = span.first, span.last
        if first.day == 1 and (first.year, first.month) == (last.year, last.month) and (last + _ONE_DAY).day == 1:
            return format_skeleton("yMMMM", first, locale=self._locale)
        return self.text("span", first=self.day(first), last=self.day(last))

    def three_sentences(self, review: Review) -> list[str]:
        """Return what matters most: what to decide, whether promises were kept, whether customers were satisfied."""
        return [self._to_decide(review), self._kept(review), self._satisfied(review)]

    def _to_decide(self, review: Review) -> str:
        if not review.decisions:
            return self.sentence("no_decision")
        if len(review.decisions) == 1:
            return self.decision(review.decisions[0])
        first = self.decision(review.decisions[0])
        return self.sentence("decisions", n=self.count(len(review.decisions)), first=first)

    def _kept(self, review: Review) -> str:
        whole = next(each for each in review.promises if each.dimension == ALL)
        if not whole.kept.n:
            return self.sentence("no_promises")
        facts = {"n": self.count(whole.kept.n), "share": self.share(whole.kept.share)}
        facts |= {"ours": self.count(whole.ours), "system": self.count(whole.system)}
        if review.kept_before.n:
            return self.sentence("kept", **facts, before=self.share(review.kept_before.share))
        return self.sentence("kept_first", **facts)

    def _satisfied(self, review: Review) -> str:
        whole = next(each for each in review.cases if each.dimension == ALL)
        facts = {"closed": self.count(whole.n), "open": self.count(sum(each.n for each in review.open))}
        if not whole.answered:
            return self.sentence("no_answers", **facts)
        satisfied: Rate = whole.satisfied
        answers = {"satisfied": self.count(satisfied.hits), "answered": self.count(satisfied.n)}
        return self.sentence("satisfied", **facts, **answers, share=self.share(satisfied.share))
