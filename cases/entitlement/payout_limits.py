"""What may be paid beside refunds over all cases of an order (G4, S15), and that who asks never decides (S20).

A case only says how much: the order's ledger, which alone knows the other cases, holds every payment to it.
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
    """What even a manager may not exceed, beside the refund."""
    return evaluate(policy.manager_limit, sums_of(policy, complaint, PartialFinding()))[1]


def order_limit(policy: Policy, complaint: Complaint, finding: PartialFinding) -> Decimal | None:
    """The most that the order's cases together may be paid beside refunds without anybody's approval (S15).

    Of the policy's amounts the first that the order can be measured by; nothing, where there is none. None: a policy
    that was pinned before there was a limit.
    """
    if not policy.compensation_limit:
        return None
    sums = sums_of(policy, complaint, finding)
    return next((evaluate(t, sums)[1] for t in policy.compensation_limit if not needs(t, sums)), Decimal("0.00"))


def payout_limit(case: Case, step: Step) -> Decimal | None:
    """The most that the order's cases together may be paid of this step's kind when it is paid.

    Of what is paid beside refunds: all kinds together, and up to a manager's limit where somebody has approved it. Of
    freight: what was paid for it, once (S35), unless somebody has approved more. None: any other refund, or a policy
    that was pinned before there was a limit.
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
    """Return whether somebody has approved more than the policy grants: the step's offer, or the step itself."""
    offer = offer_of(case, step)
    return bool(step.approved_by or (offer and offer.over_limits))


def offer_of(case: Case, step: Step) -> Offer | None:
    """The offer that a step carries out; None for what is done before there is one."""
    return next((offer for offer in case.offers if offer.id == step.offer), None)


def somebody_else(by: str | None, prepared: set[str], what: str) -> str:
    """The name of who decides on `what`; raises `Refusal` where there is none, or they prepared it (S20)."""
    if not by:
        raise Refusal("an approval needs the name of who decides: by")
    if same_name(by) in prepared:
        raise Refusal(f"{by} prepared {what}: somebody else has to decide")
    return by


def prepared_by(case: Case, offer: Offer | None, *, finding: bool) -> set[str]:
    """Who made an offer, and where the `finding` counts everybody whose word that rests on (`same_name`)."""
    names = {offer.made_by or ""} if offer else set()
    if finding:
        names |= {fact.by or "" for fact in case.finding.facts}
    return {same_name(name) for name in names if name}
