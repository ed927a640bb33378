"""The units of an order's items: those that a complaint is about, and those that a remedy makes good (S35)."""

from decimal import Decimal

from cases.complaint import Affected, Complaint, Order
from cases.policy.remedy_kinds import MAKE_GOOD, PRICES
from cases.state.finding import PartialFinding
from cases.state.offer import Remedy


def price_of(order: Order, items: list[Affected]) -> Decimal:
    """Return the price of some of an order's items. If the order lists no items, its amount without freight."""
    if not order.items:
        return order.amount - order.freight
    prices = {item.sku: item.unit_price for item in order.items}
    return sum((prices[i.sku] * i.quantity for i in items), Decimal(0))


def affected_of(complaint: Complaint, finding: PartialFinding) -> list[Affected]:
    """Return the affected items: those in the finding, else those in the complaint, else all items."""
    if finding.affected is not None:
        return finding.affected
    return [Affected(sku=i.sku, quantity=i.quantity) for i in complaint.affected_items]


def all_items(order: Order) -> list[Affected]:
    """Return all units of the order."""
    return [Affected(sku=i.sku, quantity=i.quantity) for i in order.items]


def makes_good(complaint: Complaint, finding: PartialFinding, remedy: Remedy) -> list[Affected]:
    """Return the units of the order's items that a remedy makes good (S35): sent again, replaced, or refunded.

    A refund without items is for the affected items, or for all items if it exceeds their price and the freight. A
    substitute that was not ordered counts for the affected items.
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
