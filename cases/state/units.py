"""Which units of the order's items a complaint is about, and which of them a remedy makes good (S35)."""

from decimal import Decimal

from cases.complaint import Affected, Complaint, Order
from cases.policy.remedy_kinds import MAKE_GOOD, PRICES
from cases.state.finding import PartialFinding
from cases.state.offer import Remedy


def price_of(order: Order, items: list[Affected]) -> Decimal:
    """What some of an order's items cost; of one that lists none, all that was paid beside the freight."""
    if not order.items:
        return order.amount - order.freight
    prices = {item.sku: item.unit_price for item in order.items}
    return sum((prices[i.sku] * i.quantity for i in items), Decimal(0))


def affected_of(complaint: Complaint, finding: PartialFinding) -> list[Affected]:
    """The items it is about: as found, else as complained about, else all."""
    if finding.affected is not None:
        return finding.affected
    return [Affected(sku=i.sku, quantity=i.quantity) for i in complaint.affected_items]


def all_items(order: Order) -> list[Affected]:
    """Every unit of the order."""
    return [Affected(sku=i.sku, quantity=i.quantity) for i in order.items]


def makes_good(complaint: Complaint, finding: PartialFinding, remedy: Remedy) -> list[Affected]:
    """The units of the order's items that a remedy makes good (S35): sent again, replaced, or their price refunded.

    A refund that names no items is of the affected ones; of more than their price and the freight, of all. A
    substitute that was not ordered takes the place of the affected ones.
    """
    order = complaint.order
    if order is None or not order.items or remedy.kind not in MAKE_GOOD or remedy.amount == 0:
        return []
    affected = affected_of(complaint, finding)
    if remedy.kind in PRICES and not remedy.items:
        more = (remedy.amount or Decimal(0)) > price_of(order, affected) + order.freight
        return all_items(order) if more else affected
    ordered = {item.sku for item in order.items}
    known = remedy.items and all(item.sku in ordered for item in remedy.items)
    return list(remedy.items or []) if known else affected
