"""The figures of a simulation in words, in one language (`messages/<locale>/simulation.yaml`)."""

from datetime import date
from typing import Any

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal, format_percent

from cases.policy.parts import Titles
from messages import texts
from simulation.figures import QUESTION, Answer, CrewFigures, Difference, Figure, PromiseFigures, Result

NOTHING = "–"
WHOLE = 100
"""From this number on, a digit after the point says nothing."""
HOUR, LONG = 60, 180
"""Minutes of an hour, and from how many minutes on a time is given in hours."""
MINUS = "\N{MINUS SIGN}"


class Words:
    """The labels and formats of one language."""

    def __init__(self, locale: str) -> None:
        self.locale = locale
        self._locale = Locale.parse(locale, sep="-")
        self._own: dict[str, dict[str, str]] = texts(locale, "simulation")
        self._shared: dict[str, dict[str, str]] = texts(locale, "words")

    def text(self, name: str, /, **facts: Any) -> str:
        """Return the text `name`, filled with the facts."""
        return self._own["text"][name].format(**facts)

    def column(self, name: str, /, **facts: Any) -> str:
        """Return the heading of a column."""
        return self._own["column"][name].format(**facts)

    def name(self, group: str, name: str) -> str:
        """Return the label of a name, such as of a promise; the name itself if it has none."""
        return self._own.get(group, {}).get(name) or self._shared.get(group, {}).get(name) or name

    def title(self, titles: Titles) -> str:
        """Return a title."""
        return str(titles.model_dump(by_alias=True).get(self.locale) or titles.en)

    def crew(self, crew: CrewFigures) -> str:
        """Return the name of a crew."""
        return self.title(crew.title) if crew.title else self.name("team", crew.crew)

    def variant(self, result: Result) -> str:
        """Return the name of a variant."""
        if result.title:
            return self.title(result.title)
        return self.text("as_is") if result.variant == "as_is" else result.variant

    def asked(self, answer: Answer) -> str:
        """Return the promise in question."""
        promise = self.name("promise", answer.promise)
        return f"{promise} · {self.name('line', answer.line)}" if answer.line else promise

    def day(self, day: date) -> str:
        """Return a day without its year."""
        return format_skeleton("MMMd", day, locale=self._locale)

    def whole_day(self, day: date) -> str:
        """Return a day with its year."""
        return format_date(day, "long", self._locale)

    # Numbers

    def count(self, number: float) -> str:
        """Return a number, with a digit after the point if it is small."""
        digits = "#,##0" if abs(number) >= WHOLE or number == int(number) else "#,##0.0"
        return format_decimal(number, digits, self._locale).replace("-", MINUS)

    def percent(self, share: float | None, digits: int = 1) -> str:
        """Return a share in percent."""
        if share is None:
            return NOTHING
        return format_percent(share, f"0.{'0' * digits}%" if digits else "0%", self._locale).replace("-", MINUS)

    def share(self, figure: Figure | None) -> str:
        """Return the mean of a share."""
        return NOTHING if figure is None else self.percent(figure.mean)

    def _number(self, number: float) -> str:
        return format_decimal(number, "#,##0.0", self._locale)

    def minutes(self, minutes: float) -> str:
        """Return a time."""
        unit, number = ("hours", minutes / HOUR) if minutes >= LONG else ("minutes", minutes)
        return self._own["duration"][unit].format(n=self._number(number))

    def interval(self, figure: Figure | None, *, share: bool = False) -> str:
        """Return the interval of a figure as `low–high`; empty with one seed."""
        if figure is None or figure.low is None or figure.high is None:
            return ""
        shown = self.percent if share else self.count
        return f"{shown(figure.low)} – {shown(figure.high)}"

    # Promises and differences

    def promise(self, promise: PromiseFigures) -> str:
        """Return the name of a promise."""
        return self.name("promise", promise.promise)

    def within(self, within: str) -> str:
        """Return a duration of a policy in this language."""
        number, _, unit = within.partition(" ")
        if not unit:
            number, unit = within[:-1], within[-1]
        return self._own["within"][unit.removesuffix("s") if len(unit) > 1 else unit].format(n=number)

    def difference(self, each: Difference) -> str:
        """Return what is compared."""
        kind, _, rest = each.name.partition(".")
        labels = self._own["figure"]
        match kind:
            case "promise":
                line, rule, name = rest.split(".")
                return labels[kind].format(name=self.name("promise", name), rule=rule, line=self.name("line", line))
            case "wait":
                return labels[kind].format(name=self.name("team", rest))
            case "escalations":
                return labels[kind].format(name=self.name("role", rest))
            case "paid":
                return labels[kind].format(name=self.name("paid", rest))
        return labels[each.name]

    def shown(self, each: Difference, figure: Figure, *, signed: bool = False) -> str:
        """Return a figure of a comparison: a share for promises, a time for waits, else a number."""
        return self._shown(each, figure.mean, signed=signed)

    def between(self, each: Difference) -> str:
        """Return the interval of a difference; empty with one seed."""
        low, high = each.difference.low, each.difference.high
        if low is None or high is None:
            return ""
        return f"{self._shown(each, low, signed=True)} – {self._shown(each, high, signed=True)}"

    def _shown(self, each: Difference, value: float, *, signed: bool) -> str:
        sign = ("+" if value > 0 else MINUS if value < 0 else "±") if signed else ""
        size = abs(value) if signed else value
        if each.name.startswith(("promise.", QUESTION)):
            return sign + (self.text("points", n=self._number(100 * size)) if signed else self.percent(size))
        return sign + (self.minutes(size) if each.name.startswith("wait.") else self.count(size))
