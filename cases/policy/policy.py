"""The model of a policy: the promises, remedies, teams and limits of one line of business, with a version.

All numbers of the rulebook are in policy files, and this module defines their format. A case is pinned to the part of
the policy that concerns its topic (`Policy.slice_for`), until it is moved on purpose (S18).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from cases.calendar import WORKED, CalendarTerms, CalendarText, Duration, WorkCalendar, length
from cases.complaint import Complaint, Evidence, lacking
from cases.errors import Problem
from cases.input.drafts import collect_problems
from cases.look_ups import LookUpName
from cases.money import digits_of
from cases.policy.amounts import AmountText
from cases.policy.conditions import When
from cases.policy.every_line import EveryLine
from cases.policy.parts import Part, Share, Titles
from cases.policy.remedy_kinds import GOODS, MONEY, Established
from cases.vocabulary import KEPT_WHEN, Channel, EvidenceKind, KeptWhen, PromiseName, RemedyKind, Severity, Starts

KEY_MARGIN = timedelta(hours=1)
"""The safety margin before partners forget a key. Within it, nothing is sent again."""


class Topic(Part):
    """The terms for one topic of complaints."""

    title: Titles
    team: str
    owner: str | None = None
    """The role of the expert who owns the case from the start."""
    look_up: list[LookUpName] = []
    urgent: bool = False
    severities: list[Severity] = []
    assume: When = {}
    """Facts that are assumed until they are established."""
    evidence: list[EvidenceKind] = []
    """The evidence that the customer is asked for, unless it came with the complaint."""
    audit: str | None = None
    """The team in which another person decides before anything is offered (a claims audit, S20)."""
    answered_from: Literal["trail", "policy", "agent"] | None = None
    """The source of the `answer` to an inquiry: the tracking history, a fixed text, or an agent."""
    prevention: Titles | None = None
    """How we prevent a recurrence, as stated in the report (G9)."""

    def lacking(self, given: Iterable[Evidence]) -> list[EvidenceKind]:
        """Return the kinds of evidence that the customer still has to send (F10)."""
        return lacking(self.evidence, (e.kind for e in given))


class PromiseRule(Part):
    """One promise: for which complaints it is made, its time, and the event that starts the clock."""

    rule: str
    name: PromiseName
    topics: list[str] = ["*"]
    except_topics: list[str] = []
    channels: list[Channel] = []
    urgent: bool | None = None
    within: Duration
    starts: Starts = Starts.RECEIVED
    pausable: bool = False
    kept_when: KeptWhen | None = None
    """The event that keeps the promise, if it is not the usual one for promises of this name."""
    picking_up_counts: bool = True
    """Whether an answered call or chat keeps a promise of a first answer, at the time that intake states (G2, M1)."""
    complex: bool = False
    """Whether it is only made when an agent declares the case complex. It then replaces `solution` (F3)."""
    target: Share | None = None

    @model_validator(mode="after")
    def _complex_from_receipt(self) -> Self:
        if self.complex and self.starts is not Starts.RECEIVED:
            raise ValueError(f"a complex case's promise runs from receipt, not from {self.starts}")
        return self

    @property
    def kept_by(self) -> KeptWhen:
        """The event that keeps the promise."""
        return self.kept_when or KEPT_WHEN[self.name]

    def concerns(self, topic: str, channel: Channel, *, urgent: bool | None = None) -> bool:
        """Return whether this promise is made for such a complaint. With `urgent` None, urgency does not matter."""
        return (
            matches(self.topics, topic)
            and not (self.except_topics and matches(self.except_topics, topic))
            and (not self.channels or channel in self.channels)
            and (self.urgent is None or urgent is None or self.urgent is urgent)
        )


class RemedyRule(Part):
    """One remedy of an option: what is done or paid, how much, and whether it needs consent.

    Shipments send the affected items. A collection with `items: affected` takes them back; without items it collects a
    sample (F11).
    """

    do: RemedyKind
    amount: AmountText | None = None
    items: Literal["affected"] | None = None
    at_once: bool = False
    when: When = {}

    @model_validator(mode="after")
    def _amount_where_money(self) -> Self:
        if (self.do in MONEY) != (self.amount is not None):
            raise ValueError(f"{self.do} {'needs an amount' if self.do in MONEY else 'has no amount'}")
        if self.items and self.do not in GOODS:
            raise ValueError(f"{self.do} moves no items")
        return self


class Rule(Part):
    """What is offered for a topic if the conditions are true (G4): options by key, each a list of remedies."""

    rule: str
    topics: list[str]
    when: When = {}
    options: Annotated[dict[str, Annotated[list[RemedyRule], Field(min_length=1)]], Field(min_length=1)]
    outcome: Literal["informed", "rejected"] | None = None
    repeat_at_most: int | None = None
    """The maximum number of times that it is carried out while the customer is dissatisfied (B17)."""
    then: Severity | None = None
    """The severity that is assumed after that."""


class LaterCallRule(Part):
    """The terms of a later call: when an agent is asked to call the customer, and how often until one does (G13)."""

    after: Duration
    """The time since the case has closed."""
    topics: list[str] = ["*"]
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    every: Duration = "7 days"
    """The time between two attempts, and after the last one until it is given up."""

    @model_validator(mode="before")
    @classmethod
    def _only_the_time(cls, value: Any) -> Any:
        return {"after": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _counted_in_days(self) -> Self:
        if any(length(text).measure in WORKED for text in (self.after, self.every)):
            raise ValueError("later calls cannot count working time: write a time such as 30 days")
        return self


def _no_money(kind: RemedyKind) -> RemedyKind:
    if kind in MONEY:
        raise ValueError(f"{kind} is a payment, and nothing is paid before there is a finding")
    return kind


EarlyKind = Annotated[RemedyKind, AfterValidator(_no_money)]
"""A kind of remedy that can be carried out before there is a finding."""


class Investigation(Part):
    """A step that establishes a missing fact, such as a site check before B17.

    If it establishes `lost` and has no result after `within`, the parcel counts as lost (E13).
    """

    rule: str
    topics: list[str]
    establishes: Established
    do: EarlyKind
    within: Duration | None = None

    @model_validator(mode="after")
    def _only_loss_by_time(self) -> Self:
        if self.within and self.establishes != "lost":
            raise ValueError("within: only a loss can be established by waiting")
        return self


class Precaution(Part):
    """A step that begins as soon as a complaint arrives, before there is a finding (F11)."""

    rule: str
    topics: list[str]
    do: EarlyKind


class Policy(EveryLine):
    """The policy of one line of business."""

    line: str
    version: str
    name: str
    title: Titles
    topics: Annotated[dict[str, Topic], Field(min_length=1)]
    promises: list[PromiseRule]
    precautions: list[Precaution] = []
    investigations: list[Investigation] = []
    remedies: list[Rule]
    later_call: LaterCallRule | None = None
    satisfaction_target: Share | None = None
    """The target share of satisfied customers among those who answered the callback."""
    damaged_share: dict[Severity, Share] = {}
    calendar: CalendarText = CalendarTerms()
    working_days: WorkCalendar = WorkCalendar()
    goods_may_cost_more: bool = False
    """Whether the order's amount is only the freight, so that its items may be worth more (express)."""
    digits: int | None = None
    """Digits of the order's currency, if a case is pinned to this policy (S30). None in older pinned policies."""

    @property
    def stalled(self) -> timedelta:
        """The time without tracking events after which a shipment counts as lost."""
        return length(self.stalled_after).amount

    @property
    def send_again_within(self) -> timedelta:
        """How long a key can be sent again. After that a partner may have forgotten it (S13)."""
        return length(self.key_lifetime).amount - KEY_MARGIN

    def promised(self, *, urgent: bool) -> list[PromiseRule]:
        """Return the promises to an urgent case, or to one that is not. A case can become urgent later (G10)."""
        return [rule for rule in self.promises if rule.urgent in (None, urgent)]

    def slice_for(self, complaint: Complaint) -> "Policy":
        """Return the part of this policy that concerns one complaint. Its case is pinned to it (S18)."""
        topic = complaint.topic
        part = self.model_copy(
            update={
                "topics": {topic: self.topics[topic]},
                "promises": [p for p in self.promises if p.concerns(topic, complaint.channel)],
                "precautions": [p for p in self.precautions if matches(p.topics, topic)],
                "investigations": [i for i in self.investigations if matches(i.topics, topic)],
                "remedies": [r for r in self.remedies if matches(r.topics, topic)],
                "digits": self._digits(complaint) if self.digits is None else self.digits,
                "measures": None,
                "later_call": self.later_call if self._is_called_about(topic) else None,
            }
        )
        part = part.model_copy(update={"working_days": part.days_that_matter(complaint.received_at)})
        return self if part == self else part  # a slice of a slice is the same object, which cases share

    def _is_called_about(self, topic: str) -> bool:
        return self.later_call is not None and matches(self.later_call.topics, topic)

    @staticmethod
    def _digits(complaint: Complaint) -> int | None:
        return digits_of(complaint.order.currency) if complaint.order else None

    @property
    def counts_working_time(self) -> bool:
        """Return whether any duration is in working days or working hours."""
        return bool(
            _WORKED.search(self.model_dump_json(include={"promises", "investigations", *EveryLine.model_fields}))
        )

    def days_that_matter(self, since: datetime) -> WorkCalendar:
        """Return the calendar for a case received at `since`; without holidays if no duration needs them (S12)."""
        if not self.counts_working_time:
            return WorkCalendar(zone=self.timezone)
        return self.working_days.since(since.astimezone(ZoneInfo(self.timezone)).date())


_WORKED = re.compile(r'"[0-9]+ *working (day|hour)s?"')


def matches(patterns: list[str], topic: str) -> bool:
    """Return whether one of `patterns` matches the topic: its name, `area.*` or `*`."""
    return any(p in ("*", topic) or (p.endswith(".*") and topic.startswith(p[:-1])) for p in patterns)


def check_against(policy: Policy, complaint: Complaint) -> list[Problem]:
    """Return the problems of a complaint that depend on the policy: its topic, and items that cost more than the order.

    The complaint may be a draft (`cases.input.drafts`).
    """
    return collect_problems((_known_topic, _worth), policy, complaint)


def _known_topic(policy: Policy, complaint: Complaint) -> Iterator[Problem]:
    if complaint.topic not in policy.topics:
        known = ", ".join(sorted(policy.topics))
        yield Problem(field="topic", problem=f"{policy.line} has no topic {complaint.topic}; it has {known}")


def _worth(policy: Policy, complaint: Complaint) -> Iterator[Problem]:
    """Check that the items do not cost more than the order. In a draft, only complete items count."""
    order = complaint.order
    if order is None or policy.goods_may_cost_more:
        return
    prices = [getattr(item, "unit_price", Decimal(0)) * getattr(item, "quantity", 0) for item in order.items]
    worth = sum(prices, Decimal(0))
    if worth > order.amount:
        yield Problem(field="order.items", problem=f"cost {worth}, more than order.amount {order.amount}")
