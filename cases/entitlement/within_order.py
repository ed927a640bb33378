"""No offer promises what the order's ledger will not pay or make good, unless somebody else approves it (G4, S35).

Only a case that knows its order's account is held to it here; the ledger refuses at the payment in any case.
"""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from cases.complaint import Affected, Complaint, pieces
from cases.entitlement.agent_offers import money
from cases.entitlement.granting import Assessment
from cases.entitlement.payout_limits import order_limit
from cases.policy.remedy_kinds import FREIGHT, PAYOUTS, PRICES, TO_SOURCE, WORDS
from cases.reasons import Reason
from cases.state.account import Booking, taken_by, units_of
from cases.state.case import Case
from cases.state.finding import Finding
from cases.state.offer import Option, Remedy
from cases.state.units import affected_of, makes_good
from cases.vocabulary import RemedyKind

NOTHING = Decimal("0.00")


def bookings(case: Case) -> list[Booking]:
    """What counts against the order: what its other cases have taken, then this case's own steps."""
    own = [
        Booking(case_id=case.id, kind=s.kind, amount=s.remedy.amount or NOTHING, units=dict(pieces(s.makes_good)))
        for s in case.steps
        if s.counts and (s.makes_good or s.remedy.amount)
    ]
    return [*(case.account.bookings if case.account else ()), *own]


def refundable(case: Case) -> Decimal:
    """What can still go back to the source; of several cases' statements of what was paid the smallest counts (S14)."""
    order = case.complaint.order
    paid = order.amount if order else NOTHING
    if case.account and case.account.paid is not None:
        paid = min(paid, case.account.paid)
    return max(NOTHING, paid - case.refunded)


def payable(case: Case) -> Decimal | None:
    """What can still be paid beside refunds without anybody's approval (S15); None: there is no limit."""
    limit = order_limit(case.policy, case.complaint, case.finding)
    return None if limit is None else max(NOTHING, limit - case.paid(PAYOUTS))


def freight_left(case: Case) -> Decimal | None:
    """How much of the order's freight can still go back without anybody's approval (S35); None: it states none."""
    order = case.complaint.order
    if order is None or not order.freight:
        return None
    return max(NOTHING, order.freight - sum(b.amount for b in bookings(case) if b.kind in FREIGHT))


class _Units(NamedTuple):
    """Pieces of each sku: bought, and made good by whom."""

    bought: Counter[str]
    taken: Counter[str]
    by: list[Booking]

    def left(self, sku: str) -> int:
        return max(0, self.bought[sku] - self.taken[sku])

    def excess(self, wanted: Counter[str], code: str, **params: Any) -> list[Reason]:
        """A reason for each sku of which more is wanted than is left."""
        found = []
        for sku, count in sorted(wanted.items()):
            if count > (left := self.left(sku)):
                why = Reason.of(code, **params, count=count, sku=sku, left=left, bought=self.bought[sku])
                found.append(_taken_by(why, (b for b in self.by if sku in b.units)))
        return found


def _taken_by(why: Reason, some: Iterable[Booking]) -> Reason:
    return taken_by(why, ((b.kind, b.case_id) for b in some))


def _units(case: Case) -> _Units:
    order, account = case.complaint.order, case.account
    bought = pieces(order.items if order else [])
    if account:
        bought = Counter({sku: min(count, account.bought.get(sku, count)) for sku, count in bought.items()})
    by = bookings(case)
    return _Units(bought, units_of(by), by)


def _wanted(complaint: Complaint, finding: Finding, remedies: list[Remedy]) -> Counter[str]:
    return pieces(item for remedy in remedies for item in makes_good(complaint, finding, remedy))


def _too_much(case: Case, option: Option, kind: RemedyKind, amount: Decimal, most: Decimal) -> Reason:
    """Why not so much can be paid: what is left, and which cases have taken the rest."""
    kinds, code = (TO_SOURCE, "refunds_left") if kind in TO_SOURCE else (PAYOUTS, "payouts_left")
    if kind in FREIGHT and most < refundable(case):
        kinds, code = FREIGHT, "freight_left"
    amounts = {"amount": f"{amount:.2f}", "limit": f"{most:.2f}"}
    why = Reason.of(code, option=option.key, kind=kind, **amounts)
    return _taken_by(why, (b for b in bookings(case) if b.kind in kinds))


# An offer that the policy grants


def still_affected(case: Case) -> tuple[Finding, list[Reason]]:
    """The finding without the affected units that have been made good, and a reason for each such sku.

    Where nothing would be left it stays as it is, and `within` says so of each option.
    """
    if case.account is None or not case.complaint.order or not case.complaint.order.items:
        return case.finding, []
    affected, units = affected_of(case.complaint, case.finding), _units(case)
    kept = [Affected(sku=i.sku, quantity=min(i.quantity, units.left(i.sku))) for i in affected if units.left(i.sku)]
    if not kept or kept == affected:
        return case.finding, []
    why = units.excess(pieces(affected), "affected_left")
    return case.finding.model_copy(update={"affected": kept}), why


def within(case: Case, found: Assessment, finding: Finding) -> Assessment:
    """What of an assessment the order's ledger has room for: payments cut to what is left, options dropped.

    An option goes where units that it makes good are not left, or nothing of its refund: what it pays beside them
    would be paid for the same units again. So does one of which only words would be left.
    """
    if case.account is None:
        return found
    kept, why = [], list(found.withheld)
    for option in found.options:
        fitted, reasons = _fitted(case, option, finding)
        why += reasons
        if fitted:
            kept.append(fitted)
    return found.model_copy(update={"options": kept, "withheld": why})


def _fitted(case: Case, option: Option, finding: Finding) -> tuple[Option | None, list[Reason]]:
    """An option as far as it can be granted, if at all, and why not more."""
    remedies = [_with_items(case.complaint, finding, remedy) for remedy in option.remedies]
    wanted = _wanted(case.complaint, finding, remedies)
    if excess := _units(case).excess(wanted, "units_left", option=option.key):
        return None, excess
    refunds, payouts, freight = refundable(case), payable(case), freight_left(case)
    fitted, why = [], []
    for remedy in remedies:
        most = refunds if remedy.kind in TO_SOURCE else payouts
        if remedy.kind in FREIGHT and freight is not None:
            most = min(refunds, freight)
        if remedy.amount is None or most is None:
            fitted.append(remedy)
            continue
        amount = min(remedy.amount, most)
        if amount < remedy.amount:
            why.append(_too_much(case, option, remedy.kind, remedy.amount, most))
        if amount:
            fitted.append(_cut(remedy, amount, most))
        elif remedy.kind in PRICES:
            return None, why
        if remedy.kind in TO_SOURCE:
            refunds -= amount
        else:
            payouts = most - amount
    if why and all(remedy.kind in WORDS for remedy in fitted):
        return None, why
    return option.model_copy(update={"remedies": fitted}), why


def _cut(remedy: Remedy, amount: Decimal, most: Decimal) -> Remedy:
    high = min(remedy.max_amount or amount, most)
    return remedy.model_copy(update={"amount": amount, "max_amount": high if high != amount else None})


def _with_items(complaint: Complaint, finding: Finding, remedy: Remedy) -> Remedy:
    """A refund says which items' price goes back, so that the ledger counts them; what it names itself stays."""
    if remedy.kind not in PRICES or remedy.items:
        return remedy
    return remedy.model_copy(update={"items": makes_good(complaint, finding, remedy) or None})


# An agent's own offer


def beyond(case: Case, options: list[Option]) -> list[Reason]:
    """What of an agent's own offer the order's ledger would refuse unless somebody approves it."""
    if case.account is None:
        return []
    found, units, most, freight = [], _units(case), payable(case), freight_left(case)
    for option in options:
        wanted = _wanted(case.complaint, case.finding, option.remedies)
        found += units.excess(wanted, "units_left", option=option.key)
        if most is not None and (extra := money(option, PAYOUTS)) > most:
            found.append(_too_much(case, option, RemedyKind.COMPENSATION, extra, most))
        if freight is not None and (back := money(option, FREIGHT)) > freight:
            found.append(_too_much(case, option, RemedyKind.FREIGHT_REFUND, back, freight))
    return found


def with_items(case: Case, options: list[Option]) -> list[Option]:
    """An agent's options whose refunds say which items' price goes back."""
    if case.account is None:
        return options
    return [
        option.model_copy(
            update={"remedies": [_with_items(case.complaint, case.finding, each) for each in option.remedies]}
        )
        for option in options
    ]
