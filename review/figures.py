"""A review as data: what the page, the message to its readers and `--json` are made of (docs/schemas/review.json)."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from cases.measure.proposed import Proposal
from records.facts.queries import DIMENSIONS

Share = Annotated[float, Field(ge=0, le=1), PlainSerializer(lambda share: round(share, 6), when_used="json")]
"""From 0 to 1, rounded to six digits in JSON."""
Number = Annotated[float, PlainSerializer(lambda number: round(number, 6), when_used="json")]
Amount = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:.2f}", when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+\.\d{2}$", "examples": ["640.00"]}),
]
Count = Annotated[int, Field(ge=0)]
ALL = "all"
"""The dimension of a figure of everything; its subject is empty."""


class Verdict(StrEnum):
    """What an interval says about a target."""

    MET = "met"
    MISSED = "missed"
    OPEN = "open"
    """The interval contains the target: there are too few cases to say."""


class Level(StrEnum):
    """Where a subject lies in its funnel. Further from its peers than chance and their usual differences explain."""

    ALARM = "alarm"
    """Worse, beyond the limits of 99.8 %."""
    WATCH = "watch"
    """Worse, beyond the limits of 95 %."""
    USUAL = "usual"
    BETTER = "better"
    """Better, beyond the limits of 99.8 %."""


class Movement(StrEnum):
    """What has become of the figure that a measure should move."""

    BETTER = "better"
    WORSE = "worse"
    OPEN = "open"
    """The interval of its change contains 0: there are too few cases to say."""
    EARLY = "early"
    """The period begins before the measure was adopted."""


class Part(BaseModel):
    """A base for the parts of a review."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Span(Part):
    """Whole days, in the time zone of the review."""

    first: date
    last: date


class Between(Part):
    """An interval with a confidence of 95 %."""

    low: Number
    high: Number


class Rate(Part):
    """A share with its interval (Wilson). Both are null if there is nothing to count."""

    hits: Count
    n: Count
    share: Share | None
    interval: Between | None


class Attainment(Part):
    """A target, and what was reached."""

    line: str
    rule: str | None
    """The rule of the promise; null for satisfaction."""
    name: str
    """The promise, or `satisfaction`."""
    target: Share
    now: Rate
    before: Rate
    change: Between | None
    """The interval of the share now minus the share before (Newcombe)."""
    verdict: Annotated[str, WithJsonSchema({"type": "string", "enum": [str(each) for each in Verdict]})]


class Promises(Part):
    """Promises that fell due: kept in time, and broken by fault."""

    dimension: str
    subject: str
    kept: Rate
    ours: Count
    system: Count
    """The warning before the deadline went out after it, because the system was down."""
    late: Count
    """The deadline had passed before the case was opened."""


class Time(Part):
    """Seconds from receipt, over cases that closed: the smallest value that half, or 95 %, do not exceed."""

    measure: str
    """`to_acknowledge`, `to_offer` or `to_resolve`."""
    dimension: str
    subject: str
    n: Count
    median: Count
    p95: Count


class Cases(Part):
    """Cases that closed."""

    dimension: str
    subject: str
    n: Count
    outcomes: dict[str, Count]
    asked: Count
    """Whom the callback reached, or tried to reach in vain."""
    answered: Count
    satisfied: Rate
    """Of those who answered."""
    dissatisfied: Count
    """Cases with a dissatisfied answer, whatever they ended as."""
    reopened: Count
    """Cases that continue a closed one."""
    repeats: Count
    """Cases about an order that had one before, reopened ones included."""
    parties: dict[str, Count]
    """Who was found responsible."""


class Money(Part):
    """What was paid in cases that closed."""

    line: str
    remedy: str
    currency: str
    n: Count
    amount: Amount


class Payback(Part):
    """What a carrier was asked to pay back for cases that closed, and what it has paid so far."""

    carrier: str
    currency: str
    n: Count
    claimed: Amount
    recovered: Amount


class Open(Part):
    """Cases that are open now."""

    line: str
    n: Count
    broken: Count
    """Those that have broken a promise."""


class Point(Part):
    """One subject in its funnel."""

    subject: str
    hits: Count
    n: Number
    """Cases or promises; for a ratio the complaints that were to be expected."""
    value: Number
    z: Number
    low_998: Number
    low_95: Number
    high_95: Number
    high_998: Number
    level: Annotated[str, WithJsonSchema({"type": "string", "enum": [str(each) for each in Level]})]
    cases: list[str]
    """Some of the cases behind an outlier; the exports have all."""


class Funnel(Part):
    """The subjects of one dimension against their peers."""

    dimension: Annotated[str, WithJsonSchema({"type": "string", "enum": list(DIMENSIONS)})]
    figure: str
    """`broken`: promises not kept; a party: cases in which it was found responsible; `complaints`: for its volume."""
    target: Number
    """The value of all peers together."""
    phi: Number
    tau2: Number
    held_back: Count
    """Subjects with too few cases to be compared."""
    points: list[Point]


class Decision(Part):
    """Something that needs a decision: an outlier, or a target that was missed."""

    dimension: str
    subject: str
    figure: str
    value: Number
    against: Number
    """The value of the peers, or the target."""
    hits: Count
    n: Number
    proposal: Annotated[str, WithJsonSchema({"type": "string", "enum": [str(each) for each in Proposal]})]
    cases: list[str]
    query: str
    line: str | None
    """The line of business with most of these cases."""
    measure: str | None = None
    """The id of the measure that was proposed for it."""


class Measure(Part):
    """A measure that a person has adopted, and whether its figure has moved since."""

    measure_id: str
    dimension: str
    subject: str
    proposal: str
    figure: str
    state: str
    owner: str | None
    due_on: date | None
    result: str | None
    """What was done."""
    then: Rate
    """The figure before its adoption."""
    now: Rate
    change: Between | None
    """The interval of the share now minus the share then (Newcombe)."""
    movement: Annotated[str, WithJsonSchema({"type": "string", "enum": [str(each) for each in Movement]})]


class Review(Part):
    """One review."""

    period: Span
    before: Span
    timezone: str
    line: str | None
    """null: every line."""
    made_at: AwareDatetime
    decisions: list[Decision]
    measures: list[Measure]
    attainment: list[Attainment]
    promises: list[Promises]
    kept_before: Rate
    """All promises that fell due in the period before."""
    satisfied_before: Rate
    times: list[Time]
    cases: list[Cases]
    money: list[Money]
    payback: list[Payback]
    open: list[Open]
    funnels: list[Funnel]
    queries: dict[str, str]
    """The SQL that the figures were counted from, by name."""
