"""What is offered follows from policy, topic, finding and order alone: a pure function (G4).

A range is offered at its low end. An agent may raise it to the high end alone; beyond it, or for anything the
policy does not grant, a manager decides. Refunds never exceed what is left of what was paid (S14).
"""

from collections import Counter
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cases.amounts import Base, Sums, evaluate, needs
from cases.complaint import Affected, Complaint
from cases.conditions import unknown, unmet
from cases.errors import Problem, Refusal
from cases.finding import PartialFinding
from cases.money import Money
from cases.names import GOODS, MONEY, TO_SOURCE, WORDS, OfferState, Outcome, RemedyKind
from cases.policy import Policy, RemedyRule, Rule, matches

REJECTED = Rule.model_validate(
    {
        "rule": "G4",
        "topics": ["*"],
        "outcome": "rejected",
        "options": {"explain": [{"do": "explanation", "at_once": True}]},
    }
)
"""What is found not upheld gets an explanation, needs no consent, and closes as rejected (G4)."""


class Remedy(BaseModel):
    """One thing that we do or pay. `max_amount`: the high end, where a range allows more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RemedyKind
    amount: Money | None = None
    items: Annotated[list[Affected], Field(max_length=500)] | None = None
    max_amount: Money | None = None
    at_once: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind in MONEY) != (self.amount is not None):
            raise ValueError(f"{self.kind} {'needs an amount' if self.kind in MONEY else 'has no amount'}")
        if self.items and self.kind not in GOODS:
            raise ValueError(f"{self.kind} moves no items")
        return self


class Option(BaseModel):
    """What the customer can say yes to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    remedies: Annotated[list[Remedy], Field(min_length=1, max_length=20)]


class Offer(BaseModel):
    """One or more options, put to the customer; consent names it (S19)."""

    id: str
    state: OfferState
    made_at: AwareDatetime
    options: list[Option]
    cycle: int = 1
    rule: str | None = None
    made_by: str | None = None
    """The agent whose own offer it is; None for one that the policy grants."""
    over_limits: list[str] = []
    outcome: Outcome | None = None
    delivered_at: AwareDatetime | None = None
    accepted: str | None = None
    """The key of the option that the customer chose, or that needed no consent."""

    @property
    def consent_required(self) -> bool:
        """Whether anything in it waits for the customer's yes (G5)."""
        return any(not remedy.at_once for option in self.options for remedy in option.remedies)

    def option(self, key: str | None) -> Option:
        """The option with this key, or the only one; raises `Refusal` naming those that there are."""
        keys = ", ".join(option.key for option in self.options)
        if key is None:
            if len(self.options) == 1:
                return self.options[0]
            raise Refusal(f"offer {self.id} has more than one option: say which of {keys}")
        for option in self.options:
            if option.key == key:
                return option
        raise Refusal(f"offer {self.id} has no option {key}: it has {keys}")


class Assessment(BaseModel):
    """What follows from a finding: options, or what a person still has to establish.

    Neither options nor missing: no rule of the policy fits, and an agent makes an offer of their own.
    """

    rule: str | None = None
    options: list[Option] = []
    missing: list[str] = []
    outcome: Outcome | None = None

    @property
    def consent_required(self) -> bool:
        """Whether anything waits for the customer's yes (G5)."""
        return any(not remedy.at_once for option in self.options for remedy in option.remedies)


def known_facts(policy: Policy, complaint: Complaint, finding: PartialFinding) -> dict[str, Any]:
    """The finding, what the topic assumes, and what the order itself tells, by the names that conditions use."""
    order = complaint.order
    facts: dict[str, Any] = {**policy.topics[complaint.topic].assume, **finding.known()}
    if order is not None:
        facts["insured"] = order.declared_value is not None
        affected = finding.affected if finding.affected is not None else complaint.affected
        ordered = {item.sku: item.quantity for item in order.items}
        facts["every_item_affected"] = affected is None or {a.sku: a.quantity for a in affected} == ordered
        if order.delivered_at is not None:
            received = complaint.received_at
            facts["days_since_delivery"] = max(0.0, (received - order.delivered_at).total_seconds() / 86_400)
    return facts


def assess(
    policy: Policy, complaint: Complaint, finding: PartialFinding, *, refunded: Decimal = Decimal(0)
) -> Assessment:
    """The offer that the policy grants (B10–B22), or what is missing. `refunded`: already back at the source (S14)."""
    if problems := check_finding(policy, complaint, finding):
        raise Refusal("; ".join(str(problem) for problem in problems))
    facts = known_facts(policy, complaint, finding)
    sums = _sums(policy, complaint, finding)
    left = (complaint.order.amount if complaint.order else Decimal(0)) - refunded
    if finding.upheld is False:
        return _granted(REJECTED, complaint, finding, sums, left, facts)
    for rule in policy.remedies:
        if not matches(rule.topics, complaint.topic) or unmet(rule.when, facts):
            continue
        wanted = [r for option in rule.options.values() for r in option]
        missing = unknown(rule.when, facts)
        if not missing:
            missing = [f for r in wanted for f in unknown(r.when, facts)]
            missing += [f for r in wanted if r.amount for f in needs(r.amount, sums)]
        if missing:
            return Assessment(missing=list(dict.fromkeys(missing)))
        return _granted(rule, complaint, finding, sums, left, facts)
    return Assessment()


def check_finding(policy: Policy, complaint: Complaint, finding: PartialFinding) -> list[Problem]:
    """What of a finding cannot be for this topic and order."""
    problems = []
    severities = policy.topics[complaint.topic].severities
    if finding.severity is not None and severities and finding.severity not in severities:
        choice = " or ".join(severities)
        problems.append(Problem(field="severity", problem=f"is {choice} for {complaint.topic}, not {finding.severity}"))
    ordered = {item.sku: item.quantity for item in (complaint.order.items if complaint.order else [])}
    affected: Counter[str] = Counter()
    for item in finding.affected or []:
        affected[item.sku] += item.quantity
    problems += [
        Problem(field="affected", problem=f"{pieces} of {sku} is more than was ordered ({ordered.get(sku, 0)})")
        for sku, pieces in affected.items()
        if pieces > ordered.get(sku, 0)
    ]
    return problems


def over_limits(options: list[Option], granted: Assessment) -> list[str]:
    """What of an agent's own offer is beyond what an agent may give alone, as sentences; empty: nothing (G4)."""
    found = []
    for option in options:
        # What the policy grants in different options it does not grant together.
        excess = [_over(option, allowed) for allowed in granted.options] or [_over(option, None)]
        found += [f"{option.key}: {sentence}" for sentence in min(excess, key=len)]
    return found


def _over(option: Option, allowed: Option | None) -> list[str]:
    """What of an agent's option goes beyond one that the policy grants."""
    found = []
    there = allowed.remedies if allowed else []
    for kind in dict.fromkeys(r.kind for r in option.remedies if r.kind not in WORDS):
        mine, theirs = ([r for r in some if r.kind is kind] for some in (option.remedies, there))
        total = sum((r.amount or Decimal(0) for r in mine), Decimal(0))
        most = sum((r.max_amount or r.amount or Decimal(0) for r in theirs), Decimal(0))
        if not theirs:
            found.append(f"the policy grants no {kind} here")
        elif total > most:
            found.append(f"{kind} {total:.2f} is over {most:.2f}")
        elif _pieces(mine) - _pieces(theirs):
            found.append(f"{kind} of more than was found affected")
    return found


def _pieces(remedies: list[Remedy]) -> Counter[str]:
    """How many pieces of each sku remedies move, together."""
    moved: Counter[str] = Counter()
    for item in (i for remedy in remedies for i in remedy.items or []):
        moved[item.sku] += item.quantity
    return moved


def as_proposed(option: Option, granted: Assessment) -> Option:
    """An agent's option as it is offered: at once is only what the policy does at once; no range is left open (G5)."""
    at_once = {r.kind for o in granted.options for r in o.remedies if r.at_once} | WORDS
    remedies = [
        r.model_copy(update={"max_amount": None, "at_once": r.at_once and r.kind in at_once}) for r in option.remedies
    ]
    return option.model_copy(update={"remedies": remedies})


def check_proposal(
    options: list[Option], policy: Policy, complaint: Complaint, *, refunded: Decimal, compensated: Decimal
) -> None:
    """What nobody may offer, manager or not; raises `Refusal`.

    `refunded` and `compensated`: what has gone out in this case already, back to the source and otherwise.
    """
    keys = [option.key for option in options]
    if len(set(keys)) != len(keys):
        raise Refusal("options: two have the same key")
    order = complaint.order
    ordered = {item.sku: item.quantity for item in (order.items if order else [])}
    most = evaluate(policy.manager_limit, _sums(policy, complaint, PartialFinding()))[1]
    for option in options:
        for kind in GOODS - {RemedyKind.SUBSTITUTE}:
            for sku, pieces in _pieces([r for r in option.remedies if r.kind is kind]).items():
                if pieces > ordered.get(sku, 0):
                    raise Refusal(f"options.{option.key}: {kind} of {pieces} of {sku} is more than was ordered")
        back = sum((r.amount or Decimal(0) for r in option.remedies if r.kind in TO_SOURCE), Decimal(0))
        left = (order.amount if order else Decimal(0)) - refunded
        if back > left:
            raise Refusal(
                f"options.{option.key}: a refund of {back:.2f} is more than the {left:.2f} left of what was paid"
            )
        extra = sum((r.amount or Decimal(0) for r in option.remedies if r.kind in MONEY - TO_SOURCE), Decimal(0))
        most -= compensated
        if extra > most:
            raise Refusal(
                f"options.{option.key}: {extra:.2f} is more than the {most:.2f} that even a manager may approve"
            )


def _sums(policy: Policy, complaint: Complaint, finding: PartialFinding) -> Sums:
    order = complaint.order
    if order is None:
        return Sums(dict.fromkeys(Base), finding.days_late, None, "CNY")
    items = affected_of(complaint, finding)
    prices = {item.sku: item.unit_price for item in order.items}
    share = policy.damaged_share.get(finding.severity) if finding.severity else None
    return Sums(
        bases={
            Base.ORDER: order.amount,
            Base.AFFECTED_ITEMS: sum((prices[i.sku] * i.quantity for i in items), Decimal(0)),
            Base.FREIGHT: order.freight,
            Base.DECLARED_VALUE: order.declared_value,
            Base.GOODS_VALUE: order.goods_value,
        },
        days_late=finding.days_late,
        damaged_share=None if share is None else Decimal(str(share)),
        currency=order.currency,
    )


def affected_of(complaint: Complaint, finding: PartialFinding) -> list[Affected]:
    """The items it is about: as found, else as complained about, else all."""
    if finding.affected is not None:
        return finding.affected
    return [Affected(sku=i.sku, quantity=i.quantity) for i in complaint.affected_items]


def _granted(  # noqa: PLR0913, PLR0917 (what an offer follows from)
    rule: Rule, complaint: Complaint, finding: PartialFinding, sums: Sums, left: Decimal, facts: dict[str, Any]
) -> Assessment:
    options = []
    for key, wanted in rule.options.items():
        remaining, remedies = left, []
        for part in wanted:
            if unmet(part.when, facts):
                continue
            remedy = _remedy(part, complaint, finding, sums, remaining)
            if remedy.amount == 0:
                continue
            if remedy.kind in TO_SOURCE:
                remaining -= remedy.amount or Decimal(0)
            remedies.append(remedy)
        if remedies:
            options.append(Option(key=key, remedies=remedies))
    return Assessment(rule=rule.rule, options=options, outcome=Outcome(rule.outcome) if rule.outcome else None)


def _remedy(wanted: RemedyRule, complaint: Complaint, finding: PartialFinding, sums: Sums, left: Decimal) -> Remedy:
    low = high = None
    if wanted.amount is not None:
        low, high = evaluate(wanted.amount, sums)
        if wanted.do in TO_SOURCE:
            low, high = min(low, left), min(high, left)
    items = None
    if wanted.items == "affected":
        items = affected_of(complaint, finding)
    elif wanted.items == "ordered" and complaint.order:
        items = [Affected(sku=i.sku, quantity=i.quantity) for i in complaint.order.items]
    return Remedy(
        kind=wanted.do,
        amount=low,
        max_amount=high if high != low else None,
        items=items or None,
        at_once=wanted.at_once,
    )
