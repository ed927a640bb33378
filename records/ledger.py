"""One ledger per order over all its cases: money and units are reserved, then committed or released (S13, S15, S35).

A writer holds the order's lock: its row on PostgreSQL, the file's only write lock on SQLite. Therefore the sums behind
a decision cannot change before the decision is written.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from cases.money import CENT, MAX_AMOUNT
from cases.policy.remedy_kinds import FREIGHT, MONEY, PAYOUTS, SHIPMENTS, TO_SOURCE
from cases.reasons import Reason
from cases.state.account import Account
from cases.state.step import split_key
from cases.vocabulary import RemedyKind
from records.database import Database
from records.errors import (
    AlreadyCommitted,
    EntryConflict,
    LaterTry,
    LedgerRefusal,
    NotReserved,
    OverLimit,
    OverPaid,
    OverUnits,
    WrongAmount,
)
from records.tables import EntryState, cases, entries, orders, paid_statements
from records.units import Units, account, no_units_left, state_bought, units_taken, write_units

NOTHING = Decimal("0.00")
COUNTED = MONEY | SHIPMENTS
"""The kinds of remedies that the ledger has entries of."""
ON_REPORT = "on the word of whoever reported it"
"""The stored reason of an entry that was committed on a report, without the partner's number."""
_COUNTED = ", ".join(sorted(COUNTED))


def exact(amount: Decimal, what: str) -> Decimal:
    """Return `amount` with two digits. Raises `WrongAmount` if it has more, or is negative or too large."""
    if not amount.is_finite() or not 0 <= amount <= MAX_AMOUNT or amount != amount.quantize(CENT):
        raise WrongAmount(
            f"{what} is {amount}; it must be from 0.00 to {MAX_AMOUNT} with at most two digits after the point"
        )
    return amount.quantize(CENT)


class OrderLedger(Database):
    """Tables `orders`, `paid_statements`, `bought`, `entries` and `made_good`."""

    def reserve(  # noqa: PLR0913 (each is a fact of the payment)
        self,
        key: str,
        *,
        order_id: str,
        case_id: str,
        kind: RemedyKind,
        amount: Decimal,
        currency: str,
        paid: Decimal,
        limit: Decimal | None = None,
        units: Units | None = None,
    ) -> bool:
        """Reserve `amount`, or goods, under the business key `case/cycle/offer/step`, before they move.

        `paid` is what this case states was paid for the order. All statements are kept; the smallest counts.
        `limit` applies to the whole order: to all payments besides refunds together, and to refunds of freight (S35).
        Other refunds have no limit but `paid`. `units` are the items that the step makes good; goods have the amount
        0.00. Repeating a call changes nothing. If the entry was released in between, it is reserved again.

        Return True if the key already had an entry; then the partner may know it, too. Raises `OverPaid` (refunds
        only), `OverLimit` (all other payments), `OverUnits`, `LaterTry`, `EntryConflict` or `WrongAmount`.
        """
        if kind not in COUNTED:
            raise LedgerRefusal(f"{key}: {kind} moves no money and no goods; expected one of {_COUNTED}")
        wanted = {
            "order_id": order_id,
            "case_id": case_id,
            "kind": str(kind),
            "amount": exact(amount, f"{key}: the amount"),
            "currency": currency,
        }
        paid = exact(paid, f"{key}: what was paid")
        # Raised after the transaction, so that this case's statement of what was paid is kept even if it is refused.
        with self._writing() as connection:
            order_currency = self._locked_order(connection, order_id, currency, paid)
            if order_currency != currency:
                raise EntryConflict(f"{key}: order {order_id} is in {order_currency}, not in {currency}")
            paid = self._smallest_paid(connection, order_id, paid, case_id)
            if units:
                state_bought(connection, self._insert, order_id, units.bought)
            known = connection.execute(select(entries).where(entries.c.key == key)).mappings().one_or_none()
            refusal = self._reserve(connection, key, known, wanted, paid, limit, units)
        if refusal:
            raise refusal
        return known is not None

    def commit(self, key: str, reference: str, *, settle: bool = False) -> bool:
        """Book that the partner has paid, under its number `reference`. Return True if it paid *late*, after a release.

        A late payment is booked even beyond what was paid for the order, because the ledger must show what happened.
        Staff have to look at it. Repeating a call changes nothing and returns the same. A contested entry stays
        contested and only stores the number. `settle` books it: the partner was asked by key, or a person decided (S26,
        S27). Raises `NotReserved`, or `EntryConflict` for a second number: the partner may have paid twice.
        """
        return self._commit(key, reference, settle=settle)

    def vouch(self, key: str, whose: str, *, settle: bool = False) -> bool:
        """Book a payment on a report, like `commit`. `whose` names the reporter until the partner's number is known.

        Committed entries stay as they are. So do contested ones, unless `settle` is set: a person decided (S27).
        """
        return self._commit(key, whose, settle=settle, reason=ON_REPORT)

    def _commit(self, key: str, reference: str, *, settle: bool, **reason: str) -> bool:
        with self._writing() as connection:
            entry = self._locked_entry(connection, key)
            if _state(entry) is EntryState.CONTESTED and not settle:
                if not reason and entry["reference"] is None:
                    _change(connection, key, reference=reference)
                return False
            if entry["state"] == EntryState.COMMITTED:
                if not reason and entry["reason"] == ON_REPORT:
                    _change(connection, key, reference=reference, reason=None)
                elif not reason and entry["reference"] != reference:
                    raise EntryConflict(
                        f"{key} was paid as {entry['reference']}, now {reference} is reported for it: "
                        "ask the partner whether it paid twice"
                    )
                return bool(entry["late"])
            late: bool = entry["state"] == EntryState.RELEASED
            settled = {"settled_at": datetime.now(UTC), "reference": reference, "late": late, **reason}
            _change(connection, key, state=EntryState.COMMITTED, **settled)
            return late

    def release(self, key: str, why: str) -> None:
        """Release a reservation that the partner has not paid and will not pay. The first reason is kept.

        Repeating a call changes nothing. Raises `AlreadyCommitted` (S17) or `NotReserved`.
        """
        with self._writing() as connection:
            entry = self._locked_entry(connection, key)
            if entry["state"] == EntryState.COMMITTED:
                raise AlreadyCommitted(
                    f"{key} was paid as {entry['reference']} and cannot be released: a payment is never undone"
                )
            if entry["state"] == EntryState.RESERVED:
                _change(connection, key, state=EntryState.RELEASED, settled_at=datetime.now(UTC), reason=why)

    def contest(self, key: str, why: str) -> None:
        """Mark the entry as contested: the partner said that it paid and that it did not (S26, S27).

        It counts as taken until it is committed or released. Repeating a call changes nothing. Raises `NotReserved`.
        """
        with self._writing() as connection:
            entry = self._locked_entry(connection, key)
            if _state(entry) is not EntryState.CONTESTED:
                _change(connection, key, state=EntryState.RESERVED, settled_at=datetime.now(UTC), reason=why)

    def contested(self) -> list[dict[str, Any]]:
        """Return the contested entries of closed cases: the partner said that it paid and that it did not (S27)."""
        query = (
            select(entries)
            .join(cases, cases.c.case_id == entries.c.case_id)
            .where(
                entries.c.state == EntryState.RESERVED, entries.c.reason.is_not(None), cases.c.closed_at.is_not(None)
            )
        )
        with self._reading() as connection:
            rows = connection.execute(query.order_by(entries.c.settled_at, entries.c.key)).mappings()
            return [{**row, "state": EntryState.CONTESTED} for row in rows]

    def paid_out(self, order_id: str) -> dict[str, Decimal]:
        """Return what has been paid for the order over all its cases, by kind. Kinds without payments are absent."""
        query = (
            select(entries.c.kind, func.sum(entries.c.amount).label("total"))
            .where(entries.c.order_id == order_id, entries.c.state == EntryState.COMMITTED, entries.c.kind.in_(MONEY))
            .group_by(entries.c.kind)
        )
        with self._reading() as connection:
            return {row.kind: row.total for row in connection.execute(query)}

    def account(self, order_id: str, case_id: str) -> Account:
        """Return what the order's cases other than `case_id` have taken: money and units, reserved or moved (S35)."""
        with self._reading() as connection:
            return account(connection, order_id, case_id)

    def known(self, key: str) -> bool:
        """Return whether there is an entry with this key."""
        with self._reading() as connection:
            return connection.scalar(select(entries.c.key).where(entries.c.key == key)) is not None

    def entries(self, case_id: str | None = None, order_id: str | None = None) -> list[dict[str, Any]]:
        """Return the entries (of one case or one order, if given) in the order in which they were reserved."""
        query = select(entries)
        if case_id is not None:
            query = query.where(entries.c.case_id == case_id)
        if order_id is not None:
            query = query.where(entries.c.order_id == order_id)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(entries.c.reserved_at, entries.c.key)).mappings()
            return [{**row, "state": _state(row)} for row in rows]

    def _locked_order(self, connection: Connection, order_id: str, currency: str, paid: Decimal) -> str:
        """Lock the order until the transaction ends. Return its currency, as first stated."""
        first = self._insert(orders).values(order_id=order_id, currency=currency, paid=paid)
        connection.execute(first.on_conflict_do_nothing())
        self._lock_order(connection, order_id)
        found: str = connection.execute(select(orders.c.currency).where(orders.c.order_id == order_id)).scalar_one()
        return found

    def _smallest_paid(self, connection: Connection, order_id: str, paid: Decimal, case_id: str) -> Decimal:
        """Store this statement of what was paid. Return the smallest statement of all cases."""
        statement = {"order_id": order_id, "paid": paid, "case_id": case_id, "stated_at": datetime.now(UTC)}
        connection.execute(self._insert(paid_statements).values(statement).on_conflict_do_nothing())
        smaller = update(orders).where(orders.c.order_id == order_id, orders.c.paid > paid)
        connection.execute(smaller.values(paid=paid))
        smallest: Decimal = connection.execute(select(orders.c.paid).where(orders.c.order_id == order_id)).scalar_one()
        return smallest

    def _lock_order(self, connection: Connection, order_id: str) -> None:
        """Lock the order's row. SQLite has no FOR UPDATE and needs none: its transaction holds the write lock."""
        connection.execute(select(orders.c.order_id).where(orders.c.order_id == order_id).with_for_update())

    def _locked_entry(self, connection: Connection, key: str) -> RowMapping:
        """Lock the order, then return the entry. Always in this sequence, so that no two calls deadlock."""
        order_id = connection.scalar(select(entries.c.order_id).where(entries.c.key == key))
        if order_id is None:
            raise NotReserved(f"{key} was never reserved: reserve an amount before it moves")
        self._lock_order(connection, order_id)
        return connection.execute(select(entries).where(entries.c.key == key)).mappings().one()

    def _reserve(  # noqa: PLR0913, PLR0917 (each is a fact of the payment)
        self,
        connection: Connection,
        key: str,
        known: RowMapping | None,
        wanted: dict[str, Any],
        paid: Decimal,
        limit: Decimal | None,
        units: Units | None,
    ) -> LedgerRefusal | None:
        if known and (differing := [name for name in wanted if known[name] != wanted[name]]):
            differences = ", ".join(f"{name} {known[name]}, not {wanted[name]}" for name in differing)
            return EntryConflict(f"{key} is reserved for {differences}: one key stands for one payment")
        if later := self._later_try(connection, key, wanted["case_id"]):
            return LaterTry(Reason.of("later_try", key=key, number=later))
        if known and known["state"] != EntryState.RELEASED:
            return None
        if refusal := self._no_room(connection, key, wanted, paid, limit):
            return refusal
        if units and (why := self._no_units(connection, wanted["order_id"], units)):
            return OverUnits(why)
        fresh = {"state": EntryState.RESERVED, "reserved_at": datetime.now(UTC), "settled_at": None, "reason": None}
        if known:
            _change(connection, key, **fresh)
        else:
            connection.execute(insert(entries).values(key=key, **wanted, **fresh))
        if units:
            write_units(connection, self._insert, key, units)
        return None

    def _later_try(self, connection: Connection, key: str, case_id: str) -> int | None:
        """Return the number of the step's latest try after this one that is reserved or has moved, or None."""
        step, number = split_key(key, case_id)
        live = select(entries.c.key).where(entries.c.case_id == case_id, entries.c.state != EntryState.RELEASED)
        tries = [split_key(other, case_id) for other in connection.scalars(live)]
        return max((n for other, n in tries if other == step and n > number), default=None)

    def _no_room(
        self, connection: Connection, key: str, wanted: dict[str, Any], paid: Decimal, limit: Decimal | None
    ) -> LedgerRefusal | None:
        kind, asked, currency, order_id = (wanted[name] for name in ("kind", "amount", "currency", "order_id"))
        sums = {"amount": str(asked), "currency": currency, "order": order_id, "key": key}
        if kind in TO_SOURCE:
            taken = self._taken(connection, order_id, TO_SOURCE)
            if taken + asked > paid:
                return OverPaid(Reason.of("over_paid", **sums, paid=str(paid), taken=str(taken)))
            taken = self._taken(connection, order_id, FREIGHT)
            if kind in FREIGHT and limit is not None and taken + asked > limit:
                return OverLimit(Reason.of("over_kind", **sums, kind=kind, limit=str(limit), taken=str(taken)))
        elif limit is not None:
            taken = self._taken(connection, order_id, PAYOUTS)
            if taken + asked > limit:
                why = {"kind": kind, "limit": str(limit), "taken": str(taken)}
                return OverLimit(Reason.of("over_limit", **sums, **why))
        return None

    def _no_units(self, connection: Connection, order_id: str, units: Units) -> Reason | None:
        return no_units_left(connection, order_id, units, self._units_taken(connection, order_id))

    def _units_taken(self, connection: Connection, order_id: str) -> list[RowMapping]:
        """Return the units that are being made good, over all cases of the order."""
        return units_taken(connection, order_id)

    def _taken(self, connection: Connection, order_id: str, kinds: frozenset[RemedyKind]) -> Decimal:
        """Return the sum that is reserved or committed for these kinds, over all cases of the order."""
        query = select(func.sum(entries.c.amount)).where(
            entries.c.order_id == order_id, entries.c.kind.in_(kinds), entries.c.state != EntryState.RELEASED
        )
        return connection.scalar(query) or NOTHING


def _change(connection: Connection, key: str, **values: Any) -> None:
    connection.execute(update(entries).where(entries.c.key == key).values(**values))


def _state(entry: RowMapping) -> EntryState:
    """Return the entry's state. A contested entry is stored as reserved, with a reason."""
    contested = entry["state"] == EntryState.RESERVED and entry["reason"] is not None
    return EntryState.CONTESTED if contested else EntryState(entry["state"])
