"""A policy is data: the promises, remedies, teams and limits of one line of business, with a version.

All numbers of the rulebook live in policy files; this module says what such a file may hold. A case carries
the part of the policy that concerns its topic, until it is moved on purpose (S18): `Policy.slice_for`.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from cases.calendar import CalendarTerms, CalendarText, Duration, WorkCalendar, length
from cases.complaint import Complaint, Evidence, lacking
from cases.errors import Problem
from cases.input.drafts import gathered
from cases.look_ups import LookUpName
from cases.money import digits_of
from cases.policy.amounts import AmountText
from cases.policy.conditions import When
from cases.policy.every_line import EveryLine
from cases.policy.parts import Part, Share, Titles
from cases.policy.remedy_kinds import GOODS, MONEY, Established
from cases.vocabulary import KEPT_WHEN, Channel, EvidenceKind, KeptWhen, PromiseName, RemedyKind, Severity, Starts

KEY_MARGIN = timedelta(hours=1)
"""How long before partners forget a key we stop sending it again."""


class Topic(Part):
    """What a complaint can be about."""

    title: Titles
    team: str
    owner: str | None = None
    """The expert who has it from the first moment, by their role."""
    look_up: list[LookUpName] = []
    urgent: bool = False
    severities: list[Severity] = []
    assume: When = {}
    """What is taken to hold until somebody says otherwise."""
    evidence: list[EvidenceKind] = []
    """What the customer is asked to show, where they have not."""
    audit: str | None = None
    """The team of which somebody else decides before anything is offered (a claims audit, S20)."""
    answered_from: Literal["trail", "policy", "agent"] | None = None
    """Where the `answer` to an inquiry comes from: the trail, a set text, or an agent."""
    prevention: Titles | None = None
    """How we keep it from happening again, as the report says (G9)."""

    def lacking(self, given: Iterable[Evidence]) -> list[EvidenceKind]:
        """The kinds of evidence that the customer still has to show (F10)."""
        return lacking(self.evidence, (e.kind for e in given))


class PromiseRule(Part):
    """One promise: to whom, how long, from when."""

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
    """Where it is not what always keeps a promise of this name."""
    picking_up_counts: bool = True
    """A call or chat that was picked up keeps a first answer, at the time that intake gives (G2, M1)."""
    complex: bool = False
    """Made only when an agent declares the case complex, from receipt, in place of `solution` (F3)."""
    target: Share | None = None

    @model_validator(mode="after")
    def _complex_from_receipt(self) -> Self:
        if self.complex and self.starts is not Starts.RECEIVED:
            raise ValueError(f"a complex case's promise runs from receipt, not from {self.starts}")
        return self

    @property
    def kept_by(self) -> KeptWhen:
        """The event that keeps it."""
        return self.kept_when or KEPT_WHEN[self.name]

    def concerns(self, topic: str, channel: Channel, *, urgent: bool | None = None) -> bool:
        """Return whether this promise is made for such a complaint; `urgent`: None: for one that is, or that is not."""
        return (
            matches(self.topics, topic)
            and not (self.except_topics and matches(self.except_topics, topic))
            and (not self.channels or channel in self.channels)
            and (self.urgent is None or urgent is None or self.urgent is urgent)
        )


class RemedyRule(Part):
    """One remedy within an option: what is done or paid, how much, and whether it waits for consent.

    Goods that are sent are the affected items. A collection takes them back with `items: affected`; without items it
    is of a sample (F11).
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
    """What is offered for a topic when the finding is so (G4): options by key, each a list of remedies."""

    rule: str
    topics: list[str]
    when: When = {}
    options: Annotated[dict[str, Annotated[list[RemedyRule], Field(min_length=1)]], Field(min_length=1)]
    outcome: Literal["informed", "rejected"] | None = None
    repeat_at_most: int | None = None
    """Carried out again while the customer is dissatisfied, at most so often in all (B17)."""
    then: Severity | None = None
    """The severity found when repeating did not help."""


def _no_money(kind: RemedyKind) -> RemedyKind:
    if kind in MONEY:
        raise ValueError(f"{kind} pays, and nothing is paid before anything is found")
    return kind


Deed = Annotated[RemedyKind, AfterValidator(_no_money)]
"""What can be done before anything is found."""


class Investigation(Part):
    """What is done at once to establish something that nobody knows yet (a site check before B17).

    After `within` without an answer, a `lost` parcel is taken to be so (E13).
    """

    rule: str
    topics: list[str]
    establishes: Established
    do: Deed
    within: Duration | None = None

    @model_validator(mode="after")
    def _only_loss_by_time(self) -> Self:
        if self.within and self.establishes != "lost":
            raise ValueError("within: only a loss can be established by waiting")
        return self


class Precaution(Part):
    """What is done the moment a complaint arrives, whatever will be found (F11)."""

    rule: str
    topics: list[str]
    do: Deed


class Policy(EveryLine):
    """One line of business."""

    line: str
    version: str
    name: str
    title: Titles
    topics: Annotated[dict[str, Topic], Field(min_length=1)]
    promises: list[PromiseRule]
    precautions: list[Precaution] = []
    investigations: list[Investigation] = []
    remedies: list[Rule]
    satisfaction_target: Share | None = None
    """The share of closed cases that answered whose customers should be satisfied."""
    damaged_share: dict[Severity, Share] = {}
    calendar: CalendarText = CalendarTerms()
    working_days: WorkCalendar = WorkCalendar()
    goods_may_cost_more: bool = False
    """The order's amount is only the freight, so its items may be worth more (express)."""
    digits: int | None = None
    """Digits of the currency of the order to whose case this is pinned (S30); None: not pinned, or before they were."""

    @property
    def stalled(self) -> timedelta:
        """A shipment whose trail has not moved for so long counts as lost."""
        return length(self.stalled_after).amount

    @property
    def send_again_within(self) -> timedelta:
        """After so long nothing is sent again under a key: a partner may soon have forgotten it (S13)."""
        return length(self.key_lifetime).amount - KEY_MARGIN

    def promised(self, *, urgent: bool) -> list[PromiseRule]:
        """The promises made to a case that is urgent, or is not: it may become so (G10)."""
        return [rule for rule in self.promises if rule.urgent in (None, urgent)]

    def slice_for(self, complaint: Complaint) -> "Policy":
        """The part of this policy that concerns one complaint: small enough to pin to its case (S18)."""
        topic = complaint.topic
        part = self.model_copy(
            update={
                "topics": {topic: self.topics[topic]},
                "promises": [p for p in self.promises if p.concerns(topic, complaint.channel)],
                "precautions": [p for p in self.precautions if matches(p.topics, topic)],
                "investigations": [i for i in self.investigations if matches(i.topics, topic)],
                "remedies": [r for r in self.remedies if matches(r.topics, topic)],
                "digits": self._digits(complaint) if self.digits is None else self.digits,
            }
        )
        part = part.model_copy(update={"working_days": part.days_that_matter(complaint.received_at)})
        return self if part == self else part  # of a slice nothing is left out, and cases share it

    @staticmethod
    def _digits(complaint: Complaint) -> int | None:
        return digits_of(complaint.order.currency) if complaint.order else None

    @property
    def counts_working_time(self) -> bool:
        """Return whether anything is promised or done in working days or working hours."""
        return bool(
            _WORKED.search(self.model_dump_json(include={"promises", "investigations", *EveryLine.model_fields}))
        )

    def days_that_matter(self, since: datetime) -> WorkCalendar:
        """The working days of a case received then: none where nothing is counted in them (S12)."""
        if not self.counts_working_time:
            return WorkCalendar(zone=self.timezone)
        return self.working_days.since(since.astimezone(ZoneInfo(self.timezone)).date())


_WORKED = re.compile(r'"[0-9]+ *working (day|hour)s?"')


def matches(patterns: list[str], topic: str) -> bool:
    """Return whether a topic is meant by one of `patterns`: itself, `area.*` or `*`."""
    return any(p in ("*", topic) or (p.endswith(".*") and topic.startswith(p[:-1])) for p in patterns)


def check_against(policy: Policy, complaint: Complaint) -> list[Problem]:
    """What only the policy can say of a complaint: its topic, and items that cost more than the order.

    The complaint may be a draft (`cases.input.drafts`).
    """
    return gathered((_known_topic, _worth), policy, complaint)


def _known_topic(policy: Policy, complaint: Complaint) -> Iterator[Problem]:
    if complaint.topic not in policy.topics:
        known = ", ".join(sorted(policy.topics))
        yield Problem(field="topic", problem=f"{policy.line} has no topic {complaint.topic}; it has {known}")


def _worth(policy: Policy, complaint: Complaint) -> Iterator[Problem]:
    """Of a draft's items those count that have a price and a number: they cost that much at least."""
    order = complaint.order
    if order is None or policy.goods_may_cost_more:
        return
    prices = [getattr(item, "unit_price", Decimal(0)) * getattr(item, "quantity", 0) for item in order.items]
    worth = sum(prices, Decimal(0))
    if worth > order.amount:
        yield Problem(field="order.items", problem=f"cost {worth}, more than order.amount {order.amount}")
