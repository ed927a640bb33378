"""Limits for payments beside refunds over all cases of an order (G4, S15), and the four-eyes principle (S20).

A case only states the limit. The order's ledger has the payments of all cases and enforces it.
"""

from decimal import Decimal

from cases.complaint import Complaint
from cases.entitlement.granting import sums_of
from cases.errors import Refusal
from cases.money import MAX_AMOUNT
from cases.policy.amounts import evaluate, needs
from cases.policy.policy import Policy
from cases.policy.remedy_kinds import FREIGHT, PAYOUTS
from cases.state.case import Case
from cases.state.finding import PartialFinding
from cases.state.offer import Offer
from cases.state.step import Step
from cases.text import same_name


def manager_limit(policy: Policy, complaint: Complaint) -> Decimal:
    """Return the maximum that a manager may approve beside the refund."""
    return evaluate(policy.manager_limit, sums_of(policy, complaint, PartialFinding()))[1]


def order_limit(policy: Policy, complaint: Complaint, finding: PartialFinding) -> Decimal | None:
    """Return the maximum for payments beside refunds over all cases of the order without approval (S15).

    That is the first of the policy's amounts that can be computed for the order, or zero if there is none. Return None
    for a policy that was pinned before there was a limit.
    """
    if not policy.compensation_limit:
        return None
    sums = sums_of(policy, complaint, finding)
    return next((evaluate(t, sums)[1] for t in policy.compensation_limit if not needs(t, sums)), Decimal("0.00"))


def payout_limit(case: Case, step: Step) -> Decimal | None:
    """Return the maximum for payments of this step's kind over all cases of the order, or None if there is no limit.

    Payments beside refunds have one limit together, which is the manager's limit if a person has approved the step.
    Freight is refunded once (S35), unless a person has approved more. Other refunds have no limit here, and neither do
    policies that were pinned before there was one.
    """
    order = case.complaint.order
    if step.kind in FREIGHT and order and order.freight and case.account is not None:
        return None if approved(case, step) else order.freight
    limit = order_limit(case.policy, case.complaint, case.finding)
    if step.kind not in PAYOUTS or limit is None:
        return None
    if approved(case, step):
        limit = max(limit, manager_limit(case.policy, case.complaint))
    return min(limit, MAX_AMOUNT)


def approved(case: Case, step: Step) -> bool:
    """Return whether a person has approved the step, or its offer, beyond what the policy grants."""
    offer = offer_of(case, step)
    return bool(step.approved_by or (offer and offer.over_limits))


def offer_of(case: Case, step: Step) -> Offer | None:
    """Return the offer that a step carries out; None for steps that begin before an offer."""
    return next((offer for offer in case.offers if offer.id == step.offer), None)


def independent_approver(by: str | None, prepared: set[str], what: str) -> str:
    """Return the name of the approver of `what`. Raise `Refusal` without a name, or if they prepared it (S20)."""
    if not by:
        raise Refusal("an approval needs the name of who decides: by")
    if same_name(by) in prepared:
        raise Refusal(f"{by} prepared {what}: another person has to decide")
    return by


def prepared_by(case: Case, offer: Offer | None, *, finding: bool) -> set[str]:
    """Return the names (`same_name`) of those who prepared an offer, with `finding` also of those who stated facts."""
    names = {offer.made_by or ""} if offer else set()
    if finding:
        names |= {fact.by or "" for fact in case.finding.facts}
    return {same_name(name) for name in names if name}
