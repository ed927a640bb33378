"""An agent's own offer: up to the high end of a range alone, beyond it with a manager, some things never (G4, S14)."""

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
    """What of an agent's own offer is beyond what an agent may give alone; empty: nothing (G4)."""
    found: list[Reason] = []
    for option in options:
        # What the policy grants in different options it does not grant together.
        excess = [_over(option, allowed) for allowed in granted.options] or [_over(option, None)]
        fewest: list[Reason] = min(excess, key=len)
        found += fewest
    return found


def _over(option: Option, allowed: Option | None) -> list[Reason]:
    """What of an agent's option goes beyond one that the policy grants."""
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
    """How many pieces of each sku remedies move, together."""
    return pieces(item for remedy in remedies for item in remedy.items or [])


def completed(
    options: list[Option], granted: Assessment, complaint: Complaint, finding: PartialFinding
) -> list[Option]:
    """An agent's options whose goods say which items they move: where none are named, the affected ones.

    Where the policy grants goods of a kind without items, such as a sample (F11), so may an agent. An order that lists
    no items has none to name. Raises `Refusal` for a list that names nothing, or one item twice.
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
    """An agent's option as it is offered: at once is only what the policy does at once; no range is left open (G5)."""
    at_once = {r.kind for o in granted.options for r in o.remedies if r.at_once} | WORDS
    remedies = [
        r.model_copy(update={"max_amount": None, "at_once": r.at_once and r.kind in at_once}) for r in option.remedies
    ]
    return option.model_copy(update={"remedies": remedies})


def check_possible(options: list[Option], complaint: Complaint, *, left: Decimal) -> None:
    """What nobody may offer or carry out, manager or not: goods that were not ordered, refunds of more than was paid.

    `left`: what can still go back to the source, over all cases of the order. Raises `Refusal`.
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
    """What even a manager may not approve: more money beside the refund, over the whole case, than the policy says.

    `compensated`: what has been paid out beside refunds already, over all cases of the order. Raises `Refusal`.
    """
    most = manager_limit(policy, complaint) - compensated
    for option in options:
        if (extra := money(option, PAYOUTS)) > most:
            raise Refusal(
                f"options.{option.key}: {extra:.2f} is more than the {max(most, Decimal(0)):.2f} that even a manager "
                "may approve"
            )


def _check_price(key: str, refund: Remedy, complaint: Complaint) -> None:
    """A refund that names its items is of their price, and of the freight at most: else it would be of others too."""
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
    """What an option pays in remedies of these kinds."""
    return sum((r.amount or Decimal(0) for r in option.remedies if r.kind in kinds), Decimal(0))
