"""Limits of the order's account: offers stay within what the ledger will pay or make good, unless approved (G4, S35).

A case without an account is not limited here. The ledger enforces the limits at the payment in any case.
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
    """Return what counts against the order: the bookings of its other cases, then this case's own steps."""
    own = [
        Booking(case_id=case.id, kind=s.kind, amount=s.remedy.amount or NOTHING, units=dict(pieces(s.makes_good)))
        for s in case.steps
        if s.counts and (s.makes_good or s.remedy.amount)
    ]
    return [*(case.account.bookings if case.account else ()), *own]


def refundable(case: Case) -> Decimal:
    """Return the amount that can still be refunded. If cases state different payments, the smallest counts (S14)."""
    order = case.complaint.order
    paid = order.amount if order else NOTHING
    if case.account and case.account.paid is not None:
        paid = min(paid, case.account.paid)
    return max(NOTHING, paid - case.refunded)


def payable(case: Case) -> Decimal | None:
    """Return the amount that can still be paid beside refunds without approval (S15); None: there is no limit."""
    limit = order_limit(case.policy, case.complaint, case.finding)
    return None if limit is None else max(NOTHING, limit - case.paid(PAYOUTS))


def freight_left(case: Case) -> Decimal | None:
    """Return the freight that can still be refunded without approval (S35); None if the order states no freight."""
    order = case.complaint.order
    if order is None or not order.freight:
        return None
    return max(NOTHING, order.freight - sum(b.amount for b in bookings(case) if b.kind in FREIGHT))


class _Units(NamedTuple):
    """The pieces of each SKU that were bought and that were made good, and the bookings that made them good."""

    bought: Counter[str]
    taken: Counter[str]
    by: list[Booking]

    def left(self, sku: str) -> int:
        return max(0, self.bought[sku] - self.taken[sku])

    def excess(self, wanted: Counter[str], code: str, **params: Any) -> list[Reason]:
        """Return a reason for each SKU of which more is wanted than is left."""
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
    """Return why an amount cannot be paid: what is left, and which cases have used the rest."""
    kinds, code = (TO_SOURCE, "refunds_left") if kind in TO_SOURCE else (PAYOUTS, "payouts_left")
    if kind in FREIGHT and most < refundable(case):
        kinds, code = FREIGHT, "freight_left"
    amounts = {"amount": f"{amount:.2f}", "limit": f"{most:.2f}"}
    why = Reason.of(code, option=option.key, kind=kind, **amounts)
    return _taken_by(why, (b for b in bookings(case) if b.kind in kinds))


# An offer that the policy grants


def still_affected(case: Case) -> tuple[Finding, list[Reason]]:
    """Return the finding without affected units that were already made good, and a reason for each such SKU.

    If no unit would be left, the finding is returned unchanged, and `limit_to_account` states the reasons.
    """
    if case.account is None or not case.complaint.order or not case.complaint.order.items:
        return case.finding, []
    affected, units = affected_of(case.complaint, case.finding), _units(case)
    kept = [Affected(sku=i.sku, quantity=min(i.quantity, units.left(i.sku))) for i in affected if units.left(i.sku)]
    if not kept or kept == affected:
        return case.finding, []
    why = units.excess(pieces(affected), "affected_left")
    return case.finding.model_copy(update={"affected": kept}), why


def limit_to_account(case: Case, found: Assessment, finding: Finding) -> Assessment:
    """Return an assessment limited to what is left on the order: payments are cut, and options are dropped.

    An option is dropped if its units were already made good, or if nothing of its refund is left, because its other
    payments would be for the same units again. It is also dropped if only messages would remain.
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
    """Return an option as far as it can be granted, or None, and the reasons for what was cut."""
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
    """Return a refund with the items whose price is refunded, so that the ledger counts them. Named items are kept."""
    if remedy.kind not in PRICES or remedy.items:
        return remedy
    return remedy.model_copy(update={"items": makes_good(complaint, finding, remedy) or None})


# An agent's own offer


def over_account(case: Case, options: list[Option]) -> list[Reason]:
    """Return why the order's ledger would refuse parts of an agent's own offer without approval."""
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
    """Return an agent's options with the items whose price is refunded."""
    if case.account is None:
        return options
    return [
        option.model_copy(
            update={"remedies": [_with_items(case.complaint, case.finding, each) for each in option.remedies]}
        )
        for option in options
    ]
