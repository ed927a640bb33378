"""The offer that a policy grants: a pure function of policy, topic, finding and order (G4).

A range is offered at its low end. Refunds never exceed what is left of the amount paid (S14).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from cases.complaint import Complaint, pieces
from cases.errors import Problem, Refusal
from cases.input.drafts import collect_problems
from cases.money import KEPT_DIGITS, digits_of
from cases.policy.amounts import Base, Sums, evaluate, needs
from cases.policy.conditions import unknown, unmet
from cases.policy.policy import Policy, RemedyRule, Rule, matches
from cases.policy.remedy_kinds import SHIPMENTS, TO_SOURCE
from cases.reasons import Reason
from cases.state.finding import PartialFinding
from cases.state.offer import Option, Remedy, needs_consent
from cases.state.units import affected_of, price_of
from cases.vocabulary import Outcome

REJECTED = Rule.model_validate(
    {
        "rule": "G4",
        "topics": ["*"],
        "outcome": "rejected",
        "options": {"explain": [{"do": "explanation", "at_once": True}]},
    }
)
"""The rule for a complaint that is not upheld: an explanation, no consent, and the outcome rejected (G4)."""


class Assessment(BaseModel):
    """The result of assessing a finding: options, or the facts that a person still has to establish.

    With neither, no rule of the policy fits or nothing is left to grant on the order, and an agent makes an offer.
    """

    rule: str | None = None
    options: list[Option] = []
    missing: list[str] = []
    withheld: list[Reason] = []
    """Why remedies that the policy grants exceed what is left on the order (S35)."""
    outcome: Outcome | None = None

    @property
    def consent_required(self) -> bool:
        """Return whether any remedy needs the customer's consent (G5)."""
        return needs_consent(self.options)


def known_facts(policy: Policy, complaint: Complaint, finding: PartialFinding) -> dict[str, Any]:
    """Return the facts of the finding, the topic's assumptions and the order, by the names that conditions use."""
    order = complaint.order
    facts: dict[str, Any] = {**policy.topics[complaint.topic].assume, **finding.known()}
    if order is not None:
        facts["insured"] = order.declared_value is not None
        facts["every_item_affected"] = _every_item_affected(complaint, finding)
        if order.delivered_at is not None:
            received = complaint.received_at
            facts["days_since_delivery"] = max(0.0, (received - order.delivered_at).total_seconds() / 86_400)
    return facts


def _every_item_affected(complaint: Complaint, finding: PartialFinding) -> bool:
    return pieces(affected_of(complaint, finding)) == pieces(complaint.order.items if complaint.order else [])


def assess(
    policy: Policy, complaint: Complaint, finding: PartialFinding, *, refunded: Decimal = Decimal(0)
) -> Assessment:
    """Return the offer that the policy grants (B10–B22), or the missing facts. `refunded`: the amount so far (S14)."""
    if problems := check_finding(policy, complaint, finding):
        raise Refusal("; ".join(str(problem) for problem in problems))
    facts = known_facts(policy, complaint, finding)
    sums = sums_of(policy, complaint, finding)
    left = (complaint.order.amount if complaint.order else Decimal(0)) - refunded
    if finding.upheld is False:
        return _granted(REJECTED, complaint, finding, sums, left, facts)
    rule = _fitting([r for r in policy.remedies if matches(r.topics, complaint.topic)], facts)
    if rule is None:
        return Assessment()
    if missing := _missing(rule, facts, sums):
        return Assessment(missing=missing)
    return _granted(rule, complaint, finding, sums, left, facts)


def _fitting(rules: list[Rule], facts: dict[str, Any]) -> Rule | None:
    """Return the first rule that may fit. If facts are missing for it, prefer a later rule that grants the same.

    So goods that were delivered long ago are not taken back (M12), whether they were opened or not.
    """
    fitting = [rule for rule in rules if not unmet(rule.when, facts)]
    for rule in fitting:
        if (rule.options, rule.outcome) != (fitting[0].options, fitting[0].outcome):
            break
        if not unknown(rule.when, facts):
            return rule
    return fitting[0] if fitting else None


def _missing(rule: Rule, facts: dict[str, Any], sums: Sums) -> list[str]:
    """Return the facts that have to be established before `rule` can be applied, by the names that people use."""
    wanted = [r for option in rule.options.values() for r in option if not unmet(r.when, facts)]
    missing = unknown(rule.when, facts)
    missing += [f for r in wanted for f in unknown(r.when, facts)]
    missing += [f for r in wanted if r.amount for f in needs(r.amount, sums)]
    return list(dict.fromkeys(_DERIVED_FROM.get(field, field) for field in missing))


_DERIVED_FROM = {"days_since_delivery": "order.delivered_at"}
"""Facts that are derived from the order, and the field that they are derived from."""


def check_finding(policy: Policy, complaint: Complaint, finding: PartialFinding) -> list[Problem]:
    """Return what is impossible in a finding for this topic and order. Both may be drafts (`cases.input.drafts`)."""
    return collect_problems((_severity, _ordered), policy, complaint, finding)


def _severity(policy: Policy, complaint: Complaint, finding: PartialFinding) -> Iterator[Problem]:
    topic = policy.topics.get(complaint.topic)
    severities = topic.severities if topic else []
    if finding.severity is not None and severities and finding.severity not in severities:
        choice = " or ".join(severities)
        yield Problem(field="severity", problem=f"is {choice} for {complaint.topic}, not {finding.severity}")


def _ordered(_policy: Policy, complaint: Complaint, finding: PartialFinding) -> Iterator[Problem]:
    ordered = pieces(complaint.order.items if complaint.order else [])
    for sku, found in pieces(finding.affected or []).items():
        if found > ordered[sku]:
            yield Problem(field="affected", problem=f"{found} of {sku} is more than was ordered ({ordered[sku]})")


def sums_of(policy: Policy, complaint: Complaint, finding: PartialFinding) -> Sums:
    """Return the values from which amounts are computed."""
    order = complaint.order
    if order is None:
        return Sums(dict.fromkeys(Base), finding.days_late, None, KEPT_DIGITS)
    share = policy.damaged_share.get(finding.severity) if finding.severity else None
    return Sums(
        bases={
            Base.ORDER: order.amount,
            Base.AFFECTED_ITEMS: price_of(order, affected_of(complaint, finding)),
            Base.FREIGHT: order.freight,
            Base.DECLARED_VALUE: order.declared_value,
            Base.GOODS_VALUE: order.goods_value if finding.goods_value is None else finding.goods_value,
        },
        days_late=finding.days_late,
        damaged_share=None if share is None else Decimal(str(share)),
        digits=digits_of(order.currency) if policy.digits is None else policy.digits,
    )


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
    sent = wanted.items == "affected" or wanted.do in SHIPMENTS
    items = affected_of(complaint, finding) if sent else None
    return Remedy(
        kind=wanted.do,
        amount=low,
        max_amount=high if high != low else None,
        items=items or None,
        at_once=wanted.at_once,
    )
