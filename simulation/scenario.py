"""The model of a scenario file: what arrives, who works, how long things take, and what is to be answered."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from cases.calendar import WEEK, WORKED, Duration, Instant, TimeOfDay, length
from cases.policy.every_line import TimeZone
from cases.policy.parts import Part, Probability, Titles
from cases.text import Identifier
from cases.vocabulary import Channel, Liable, Partner, PromiseName, Severity
from simulation.draws import Draws

MANAGERS = "managers"
"""The team that approves offers beyond an agent's limits."""
Work = Literal["answer", "assign", "assess", "offer", "approve", "resolve"]
"""The kinds of work of people. `answer`: answering a customer and registering the complaint."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Weight = Annotated[float, Field(ge=0, le=1_000_000)]
Days = Annotated[int, Field(ge=0, le=365)]
Of = TypeVar("Of")


def _elapsed(text: str) -> str:
    if length(text).measure in WORKED:
        raise ValueError(f'"{text}" is working time; write 30s, 10m, 24h or 1 day')
    return text


def _positive(weights: Mapping[Any, float] | list[float]) -> Any:
    if not any(weights.values() if isinstance(weights, Mapping) else weights):
        raise ValueError("needs at least one weight above 0")
    return weights


def _short(value: Any) -> Any:
    """Return the whole form of a length of time that is written as `12m`."""
    return {"mean": value} if isinstance(value, str) else value


Span = Annotated[Duration, AfterValidator(_elapsed)]
Weights = Annotated[dict[Of, Weight], AfterValidator(_positive)]


class Spread(Part):
    """A length of time that varies. `variation` is its standard deviation over its mean, for lognormal times."""

    mean: Span
    shape: Literal["lognormal", "exponential", "constant"] = "lognormal"
    variation: Annotated[float, Field(gt=0, le=5)] = 0.7

    def draw(self, draws: Draws, *name: object) -> timedelta:
        """Return one length of time."""
        mean = length(self.mean).amount.total_seconds()
        match self.shape:
            case "constant":
                return timedelta(seconds=mean)
            case "exponential":
                return timedelta(seconds=draws.exponential(mean, *name))
        return timedelta(seconds=draws.lognormal(mean, self.variation, *name))


Time = Annotated[Spread, BeforeValidator(_short)]
"""`12m`, or the terms as an object."""


class Peak(Part):
    """A day with more complaints than usual."""

    on: date
    factor: Annotated[float, Field(gt=0, le=100)]


class Arrivals(Part):
    """How many complaints arrive, and when."""

    per_day: Annotated[float, Field(gt=0, le=1_000_000)]
    """The mean number on an ordinary day."""
    hours: Annotated[list[Weight], Field(min_length=24, max_length=24), AfterValidator(_positive)]
    """One weight for each hour of the day, from midnight."""
    weekdays: dict[Weekday, Weight] = {}
    """Factors of weekdays; 1 if there is none."""
    peaks: list[Peak] = []

    def per_hour(self, day: date, hour: int) -> float:
        """Return the mean number in one hour."""
        factor = {str(name): value for name, value in self.weekdays.items()}.get(WEEK[day.weekday()], 1.0)
        for peak in self.peaks:
            factor *= peak.factor if peak.on == day else 1
        return float(self.per_day * factor * self.hours[hour] / sum(self.hours))


class Mix(Part):
    """One kind of complaint: its share, its channels, and what is true of it."""

    line: Identifier
    topic: Identifier
    share: Weight
    channels: Weights[Channel]
    severity: Weights[Severity] = {Severity.MINOR: 5, Severity.MODERATE: 3, Severity.SEVERE: 2}
    upheld: Probability = 0.9
    liable: Weights[Liable] = {Liable.DELIVERY: 1}
    days_late: Weights[Days] = {1: 4, 2: 3, 4: 2, 7: 1}
    hours_late: Weights[Days] | None = None
    """In place of `days_late`, for deliveries that are promised to the hour."""
    lost: Probability = 0.0
    sealed: Probability = 0.8
    days_since_delivery: Weights[Days] = {2: 5, 5: 3, 12: 2}
    insured: Probability = 0.3
    urgent: Probability = 0.0
    evidence_sent: Probability = 0.5
    """How many customers send the evidence together with the complaint."""
    on_record: Probability = 0.9
    """How often partners have a record of the order."""


class OrderTerms(Part):
    """The orders of a line. Amounts are in yuan; they vary with the same `variation` as times."""

    amount: Annotated[float, Field(ge=1, le=10_000_000)]
    variation: Annotated[float, Field(gt=0, le=5)] = 0.5
    freight: Probability = 0.05
    """The share of the amount that is freight."""
    goods_value: Annotated[float, Field(ge=1, le=10_000_000)] | None = None
    """For parcels, whose order is only the freight: the value of the goods."""


class ChannelTerms(Part):
    """How complaints of a channel are taken up. Without a team, the case opens by itself."""

    team: Identifier | None = None
    patience: Time | None = None
    """How long a customer waits for an answer before hanging up."""
    calls_again: Probability = 0.0
    """How many of them try again, after `again_after`."""
    again_after: Time = Spread(mean="1h")


class Crew(Part):
    """People with the same teams and shift. `teams` are their skills: the teams whose work they do."""

    name: Identifier
    title: Titles | None = None
    """Its name on the page."""
    people: Annotated[int, Field(ge=0, le=5_000)]
    teams: Annotated[list[Identifier], Field(min_length=1)]
    begins: TimeOfDay = time(0)
    ends: TimeOfDay | None = None
    """None: midnight. An end before the beginning is on the next day."""
    days: list[Weekday] = list(WEEK)  # type: ignore[arg-type]
    pace: Annotated[float, Field(gt=0, le=10)] = 1.0
    """How fast they work; 0.8 takes a quarter longer."""

    def shift(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """Return when their shift of that day begins and ends, or None."""
        if WEEK[day.weekday()] not in self.days:
            return None
        begins, ends = datetime.combine(day, self.begins, zone), datetime.combine(day, self.ends or time(0), zone)
        return begins, ends if ends > begins else ends + timedelta(days=1)


class Customers(Part):
    """What customers do."""

    accept: Probability = 0.85
    """How many accept an offer. Others decline or never answer."""
    decline: Probability = 0.08
    answer_after: Time = Spread(mean="5h", variation=1.2)
    send_evidence: Probability = 0.85
    evidence_after: Time = Spread(mean="4h", variation=1.2)
    rate: Probability = 0.6
    """How many answer a call that asks whether they are satisfied."""
    rate_after: Time = Spread(mean="3h", variation=1.0)
    scores: Weights[Annotated[int, Field(ge=1, le=5)]] = {5: 45, 4: 30, 3: 12, 2: 8, 1: 5}
    withdraw: Probability = 0.01
    withdraw_after: Time = Spread(mean="6h")


class Outage(Part):
    """A time in which a partner does not answer."""

    begins: Instant
    lasts: Span

    @property
    def ends(self) -> datetime:
        """When the partner answers again."""
        return self.begins + length(self.lasts).amount


class PartnerTerms(Part):
    """How a partner carries out steps. For messaging, only outages matter."""

    dispatched_after: Time | None = None
    """None: it reports only when a step is done."""
    done_after: Time = Spread(mean="24h")
    refuses: Probability = 0.0
    fails: Probability = 0.0
    """How often an accepted step is later reported as failed."""
    no_answer: Probability = 0.0
    """How often a call ends without an answer, although the step was accepted."""
    report_lost: Probability = 0.0
    outages: list[Outage] = []

    def back_at(self, at: datetime) -> datetime:
        """Return the first time from `at` on at which it answers."""
        for outage in sorted(self.outages, key=lambda each: each.begins):
            if outage.begins <= at < outage.ends:
                at = outage.ends
        return at


class Question(Part):
    """What the scenario is to answer: whether a promise is kept often enough, on one day or over all days."""

    text: Titles
    promise: PromiseName
    line: Identifier | None = None
    """None: all lines."""
    on: date | None = None
    target: Annotated[Probability, Field(gt=0)]


class Scenario(Part):
    """A month, or another period, of complaints."""

    title: Titles
    starts: date
    days: Annotated[int, Field(ge=1, le=92)]
    timezone: TimeZone = "Asia/Shanghai"
    policies: str | None = None
    """A folder of policy files, relative to the scenario; by default the policies in force."""
    queue: Literal["deadline", "arrival"] = "deadline"
    """The order in which people take work of equal urgency."""
    question: Question
    arrivals: Arrivals
    complaints: Annotated[list[Mix], Field(min_length=1)]
    orders: dict[Identifier, OrderTerms]
    channels: dict[Channel, ChannelTerms] = {}
    staff: Annotated[list[Crew], Field(min_length=1)]
    work: dict[Work, Time]
    customers: Customers = Customers()
    partners: dict[Partner, PartnerTerms] = {}
    variants: dict[Identifier, "Variant"] = {}

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of its days and hours."""
        return ZoneInfo(self.timezone)

    @property
    def dates(self) -> list[date]:
        """The days on which complaints arrive."""
        return [self.starts + timedelta(days=day) for day in range(self.days)]

    @property
    def begins(self) -> datetime:
        """The beginning of its first day."""
        return datetime.combine(self.starts, time(0), self.zone)

    def varied(self, variant: "Variant") -> "Scenario":
        """Return the scenario with what the variant replaces."""
        replaced = {name: value for name, value in variant if name not in ("title", "people") and value is not None}
        staff = variant.staff or self.staff
        counted = [c.model_copy(update={"people": variant.people.get(c.name, c.people)}) for c in staff]
        return self.model_copy(update={**replaced, "staff": counted})


class Variant(Part):
    """What another run of a scenario has instead: a roster, policies, or an order of work."""

    title: Titles | None = None
    """Its name on the page."""
    people: dict[Identifier, Annotated[int, Field(ge=0, le=5_000)]] = {}
    """The number of people of some crews."""
    staff: list[Crew] | None = None
    policies: str | None = None
    queue: Literal["deadline", "arrival"] | None = None
    channels: dict[Channel, ChannelTerms] | None = None
    work: dict[Work, Time] | None = None
