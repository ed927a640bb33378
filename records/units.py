"""The units of an order in its ledger: no more units are made good than were bought (S35).

Every function runs in a transaction that holds the order's lock, except `account`, which only reads.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Table, select, update

from cases.reasons import Reason
from cases.state.account import Account, Booking, taken_by
from cases.vocabulary import RemedyKind
from records.tables import EntryState, bought, entries, made_good, orders


class Units(NamedTuple):
    """The units that a step makes good, by sku, and how many of each were bought according to its case.

    `approved`: a person approved making units good once more. A single step still never exceeds what was bought.
    """

    wanted: Mapping[str, int]
    bought: Mapping[str, int]
    approved: bool = False


def state_bought(connection: Connection, new: Callable[[Table], Any], order_id: str, stated: Mapping[str, int]) -> None:
    """Store the bought quantity of each sku. If cases of the order state different ones, the smallest is kept."""
    for sku, quantity in sorted(stated.items()):
        row = {"order_id": order_id, "sku": sku, "quantity": quantity}
        connection.execute(new(bought).values(row).on_conflict_do_nothing())
        larger = update(bought).where(bought.c.order_id == order_id, bought.c.sku == sku, bought.c.quantity > quantity)
        connection.execute(larger.values(quantity=quantity))


def write_units(connection: Connection, new: Callable[[Table], Any], key: str, units: Units) -> None:
    """Store the units that the entry with this key makes good. Repeating a call changes nothing."""
    for sku, quantity in units.wanted.items():
        row = {"key": key, "sku": sku, "quantity": quantity}
        connection.execute(new(made_good).values(row).on_conflict_do_nothing())


def no_units_left(connection: Connection, order_id: str, units: Units, taken: list[RowMapping]) -> Reason | None:
    """Return the reason why the units cannot be made good, or None. `taken` is the result of `units_taken`."""
    query = select(bought.c.sku, bought.c.quantity).where(bought.c.order_id == order_id)
    there = {row.sku: row.quantity for row in connection.execute(query)}
    for sku, asked in sorted(units.wanted.items()):
        before = [row for row in taken if row["sku"] == sku]
        gone = sum(row["quantity"] for row in before)
        if asked + (0 if units.approved else gone) > there.get(sku, 0):
            known = there.get(sku, 0)
            why = Reason.of("over_units", count=asked, sku=sku, order=order_id, bought=known, gone=gone)
            return taken_by(why, [(row["kind"], row["case_id"]) for row in before])
    return None


def units_taken(connection: Connection, order_id: str) -> list[RowMapping]:
    """Return what is made good over all cases of the order: key, sku, quantity, kind, case_id; oldest first."""
    query = (
        select(made_good.c.key, made_good.c.sku, made_good.c.quantity, entries.c.kind, entries.c.case_id)
        .join(entries, entries.c.key == made_good.c.key)
        .where(entries.c.order_id == order_id, entries.c.state != EntryState.RELEASED)
        .order_by(entries.c.reserved_at, entries.c.key)
    )
    return list(connection.execute(query).mappings())


def account(connection: Connection, order_id: str, case_id: str) -> Account:
    """Return the order's account without the entries of `case_id`. It takes a few short queries."""
    paid = connection.scalar(select(orders.c.paid).where(orders.c.order_id == order_id))
    if paid is None:
        return Account()
    counted = select(entries).where(entries.c.order_id == order_id, entries.c.state != EntryState.RELEASED)
    others = counted.where(entries.c.case_id != case_id).order_by(entries.c.reserved_at, entries.c.key)
    by_key = {
        row["key"]: Booking(case_id=row["case_id"], kind=RemedyKind(row["kind"]), amount=row["amount"])
        for row in connection.execute(others).mappings()
    }
    for row in units_taken(connection, order_id):
        if row["key"] in by_key:
            by_key[row["key"]].units[row["sku"]] = row["quantity"]
    stated = select(bought.c.sku, bought.c.quantity).where(bought.c.order_id == order_id)
    smallest = {row.sku: row.quantity for row in connection.execute(stated)}
    return Account(paid=paid, bought=smallest, bookings=list(by_key.values()))
