"""Offers by agents: free up to the high end of a range, with a manager's approval beyond it (G4, S14)."""

from collections import Counter
from decimal import Decimal

from cases.complaint import Affected, Complaint, pieces
from cases.entitlement.granting import Assessment
from cases.entitlement.payout_limits import manager_limit
from cases.errors import Refusal
from cases.policy.policy import Policy
from cases.policy.remedy_kinds import GOODS, OF_THE_ORDER, PAYOUTS, PRICES, TO_SOURCE, WORDS
from cases.reasons import Reason
from cases.state.finding import PartialFinding
from cases.state.offer import Option, Remedy
from cases.state.units import affected_of, price_of
from cases.vocabulary import RemedyKind


def over_limits(options: list[Option], granted: Assessment) -> list[Reason]:
    """Return why an agent's own offer needs approval; empty if it does not (G4)."""
    found: list[Reason] = []
    for option in options:
        # Compare with one option at a time: the policy does not grant the remedies of several options together.
        excess = [_over(option, allowed) for allowed in granted.options] or [_over(option, None)]
        fewest: list[Reason] = min(excess, key=len)
        found += fewest
    return found


def _over(option: Option, allowed: Option | None) -> list[Reason]:
    """Return what an agent's option has beyond an option that the policy grants."""
    found = []
    there = allowed.remedies if allowed else []
    for kind in dict.fromkeys(r.kind for r in option.remedies if r.kind not in WORDS):
        mine, theirs = ([r for r in some if r.kind is kind] for some in (option.remedies, there))
        total = sum((r.amount or Decimal(0) for r in mine), Decimal(0))
        most = sum((r.max_amount or r.amount or Decimal(0) for r in theirs), Decimal(0))
        if not theirs:
            found.append(Reason.of("grants_none", option=option.key, kind=kind))
        elif total > most:
            over = {"amount": f"{total:.2f}", "limit": f"{most:.2f}"}
            found.append(Reason.of("over_amount", option=option.key, kind=kind, **over))
        elif _moved(mine) - _moved(theirs):
            found.append(Reason.of("more_items", option=option.key, kind=kind))
    return found


def _moved(remedies: list[Remedy]) -> Counter[str]:
    """Return the total number of pieces of each SKU that remedies move."""
    return pieces(item for remedy in remedies for item in remedy.items or [])


def completed(
    options: list[Option], granted: Assessment, complaint: Complaint, finding: PartialFinding
) -> list[Option]:
    """Return an agent's options with items for all goods: the affected items, if the agent named none.

    If the policy grants a kind of goods without items, such as a sample (F11), an agent may offer it without items too.
    Orders without items have none to name. Raise `Refusal` for an empty list, or if it has an item twice.
    """
    unnamed = {remedy.kind for option in granted.options for remedy in option.remedies if not remedy.items}
    default = affected_of(complaint, finding) or None
    return [
        option.model_copy(
            update={"remedies": [_completed(option.key, each, unnamed, default) for each in option.remedies]}
        )
        for option in options
    ]


def _completed(key: str, remedy: Remedy, unnamed: set[RemedyKind], default: list[Affected] | None) -> Remedy:
    where = f"options.{key}: {remedy.kind}"
    if remedy.items == []:
        raise Refusal(f"{where} names no items: leave items out for those that are affected, or name some")
    if remedy.items:
        if twice := [sku for sku, times in Counter(item.sku for item in remedy.items).items() if times > 1]:
            raise Refusal(f"{where} names {', '.join(twice)} twice: once, with its whole quantity, is enough")
        return remedy
    if remedy.kind not in GOODS or remedy.kind in unnamed:
        return remedy
    return remedy.model_copy(update={"items": default})


def as_proposed(option: Option, granted: Assessment) -> Option:
    """Return an agent's option as it is offered: without ranges, and `at_once` only if the policy allows that (G5)."""
    at_once = {r.kind for o in granted.options for r in o.remedies if r.at_once} | WORDS
    remedies = [
        r.model_copy(update={"max_amount": None, "at_once": r.at_once and r.kind in at_once}) for r in option.remedies
    ]
    return option.model_copy(update={"remedies": remedies})


def check_possible(options: list[Option], complaint: Complaint, *, left: Decimal) -> None:
    """Raise `Refusal` for options that not even a manager may offer or carry out.

    Those are goods that were not ordered, and refunds of more than was paid. `left` is the amount that can still be
    refunded, over all cases of the order.
    """
    keys = [option.key for option in options]
    if len(set(keys)) != len(keys):
        raise Refusal("options: two have the same key")
    order = complaint.order
    ordered = pieces(order.items if order else [])
    for option in options:
        for kind in sorted(OF_THE_ORDER):
            for sku, moved in _moved([r for r in option.remedies if r.kind is kind]).items():
                if moved > ordered[sku]:
                    raise Refusal(f"options.{option.key}: {kind} of {moved} of {sku} is more than was ordered")
        for refund in [r for r in option.remedies if r.kind in PRICES and r.items and order]:
            _check_price(option.key, refund, complaint)
        if (back := money(option, TO_SOURCE)) > left:
            raise Refusal(
                f"options.{option.key}: a refund of {back:.2f} is more than the {max(left, Decimal(0)):.2f} left of "
                "what was paid, over all cases of the order"
            )


def check_limit(options: list[Option], policy: Policy, complaint: Complaint, *, compensated: Decimal) -> None:
    """Raise `Refusal` for options that pay more beside refunds than a manager may approve.

    `compensated` is the amount already paid beside refunds, over all cases of the order.
    """
    most = manager_limit(policy, complaint) - compensated
    for option in options:
        if (extra := money(option, PAYOUTS)) > most:
            raise Refusal(
                f"options.{option.key}: {extra:.2f} is more than the {max(most, Decimal(0)):.2f} that even a manager "
                "may approve"
            )


def _check_price(key: str, refund: Remedy, complaint: Complaint) -> None:
    """Raise `Refusal` for a refund of more than the price of its items and the freight: it would cover other items."""
    order = complaint.order
    if order is None:
        return
    most = price_of(order, refund.items or []) + order.freight
    if (refund.amount or Decimal(0)) > most:
        raise Refusal(
            f"options.{key}: a refund of {refund.amount:.2f} is more than the {most:.2f} that its items and the "
            "freight cost: name all the items that are refunded"
        )


def money(option: Option, kinds: frozenset[RemedyKind]) -> Decimal:
    """Return the amount that an option pays in remedies of these kinds."""
    return sum((r.amount or Decimal(0) for r in option.remedies if r.kind in kinds), Decimal(0))
