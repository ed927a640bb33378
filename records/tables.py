"""Money is stored as a whole number of minor units, time as UTC, and others' words as far as any database takes them.

A minor unit is a hundredth in every currency, because `cases.money` writes every amount with two digits.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    and_,
    false,
)


class EntryState(StrEnum):
    """Where an entry of the ledger stands: intended, paid, given up, or paid and not paid by its partner's own words.

    A contested entry is kept as a reserved one with a reason: it counts as taken (S27).
    """

    RESERVED = "reserved"
    COMMITTED = "committed"
    RELEASED = "released"
    CONTESTED = "contested"


class MinorUnits(TypeDecorator[Decimal]):
    """A decimal with two digits here, a whole number of hundredths in the database; sums are exact (S16)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, _: Dialect) -> int | None:
        """Hundredths; raises ValueError rather than round."""
        if value is None:
            return None
        scaled = value.scaleb(2)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than two digits after the point")
        return int(scaled)

    def process_result_value(self, value: Any | None, _: Dialect) -> Decimal | None:
        """Two digits after the point, always."""
        # int(): PostgreSQL answers the sum of a bigint column with a numeric.
        return None if value is None else Decimal(int(value)).scaleb(-2)


class Instant(TypeDecorator[datetime]):
    """An instant: any offset in, UTC out, always aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """UTC; raises ValueError for a time without an offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no offset")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """UTC, aware."""
        if value is None:
            return None
        # SQLite keeps no offset; what we wrote there was UTC.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Deadline(Instant):
    """A timestamp or none; none is stored as the year 9999, so that an index has it last on both engines."""

    NONE = datetime(9999, 1, 1, tzinfo=UTC)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC; raises ValueError for a time without an offset."""
        return super().process_bind_param(value or self.NONE, dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC, aware; None if there is no deadline."""
        found = super().process_result_value(value, dialect)
        return None if found == self.NONE else found


class Names(TypeDecorator[list[str]]):
    """A list of names, as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: list[str] | None, _: Dialect) -> str | None:
        """JSON."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, _: Dialect) -> list[str] | None:
        """The list."""
        if value is None or value == "[]":  # mostly, in lists of thousands
            return [] if value else None
        names: list[str] = json.loads(value)
        return names


class Words(TypeDecorator[str]):
    """What people or partners wrote; PostgreSQL takes no NUL in a text, however often it is tried."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _: Dialect) -> str | None:
        """Without it."""
        return value and value.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _needed(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


metadata = MetaData()
"""What this program reads and writes; every change needs a migration (`records/migrations`), or a test fails."""

cases = Table(
    "cases",
    metadata,
    Column("case_id", Text, primary_key=True),
    _needed("first_run_id", Text),
    _needed("line", Text),
    _needed("topic", Text),
    Column("order_id", Text),
    _needed("status", Text),
    Column("outcome", Text),
    _needed("received_at", Instant),
    _needed("opened_at", Instant),
    Column("closed_at", Instant),
    Column("record", Text, comment="the final snapshot and under `complaint` the complaint, JSON; personal data"),
    Index("cases_of_order", "order_id", "topic"),
)

earlier_cases = Table(
    "earlier_cases",
    metadata,
    Column("case_id", Text, ForeignKey(cases.c.case_id), primary_key=True),
    Column("earlier_case_id", Text, ForeignKey(cases.c.case_id), primary_key=True),
)

answers = Table(
    "answers",
    metadata,
    Column("case_id", Text, ForeignKey(cases.c.case_id), primary_key=True),
    _needed("line", Text),
    Column("product", Text, comment="its sku; null where it was about no product, or about several"),
    Column("question", Words, nullable=False, comment="the customer's words; personal data"),
    _needed("answer", Words),
    _needed("answered_at", Instant),
    Index("answers_of_product", "line", "product"),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    _needed("currency", Text),
    Column("paid", MinorUnits, nullable=False, comment="the smallest that any case stated"),
    CheckConstraint("paid >= 0", name="orders_paid_not_negative"),
)

paid_statements = Table(
    "paid_statements",
    metadata,
    Column("order_id", Text, ForeignKey(orders.c.order_id), primary_key=True),
    Column("paid", MinorUnits, primary_key=True),
    _needed("case_id", Text),
    _needed("stated_at", Instant),
)

entries = Table(
    "entries",
    metadata,
    Column("key", Text, primary_key=True),
    Column("order_id", Text, ForeignKey(orders.c.order_id), nullable=False, index=True),
    Column("case_id", Text, nullable=False, index=True),
    _needed("kind", Text),
    _needed("amount", MinorUnits),
    _needed("currency", Text),
    _needed("state", Text),
    Column("late", Boolean, nullable=False, server_default=false(), comment="paid after it had been given up"),
    _needed("reserved_at", Instant),
    Column("settled_at", Instant),
    Column("reference", Text, comment="the partner's number for the payment"),
    Column("reason", Words, comment="why it was given up"),
    CheckConstraint("amount >= 0", name="entries_amount_not_negative"),
    CheckConstraint("state IN ('reserved', 'committed', 'released')", name="entries_state_known"),
)

bought = Table(
    "bought",
    metadata,
    Column("order_id", Text, ForeignKey(orders.c.order_id), primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("quantity", Integer, nullable=False, comment="the smallest that any case stated"),
    CheckConstraint("quantity > 0", name="bought_quantity_positive"),
)

made_good = Table(
    "made_good",
    metadata,
    Column("key", Text, ForeignKey(entries.c.key), primary_key=True),
    Column("sku", Text, primary_key=True),
    _needed("quantity", Integer),
    CheckConstraint("quantity > 0", name="made_good_quantity_positive"),
)

claims = Table(
    "claims",
    metadata,
    Column("case_id", Text, primary_key=True),
    _needed("order_id", Text),
    _needed("carrier", Text),
    _needed("state", Text),
    _needed("currency", Text),
    _needed("claimed", MinorUnits),
    _needed("recovered", MinorUnits),
    Column("filed_at", Instant),
    Column("closed_at", Instant),
)

case_projection = Table(
    "case_projection",
    metadata,
    Column("case_id", Text, primary_key=True),
    _needed("seq", BigInteger),
    _needed("line", Text),
    _needed("topic", Text),
    Column("order_id", Text, index=True),
    _needed("channel", Text),
    _needed("status", Text),
    Column("outcome", Text),
    _needed("urgent", Boolean),
    Column("team", Words),
    Column("owner", Words),
    _needed("received_at", Instant),
    _needed("opened_at", Instant),
    Column("closed_at", Instant),
    Column("next_due_at", Deadline, nullable=False, comment="the year 9999: no clock runs"),
    Column("next_due", Text),
    _needed("broken", Names),
    _needed("escalation_rung", Integer),
    _needed("needs", Names),
    _needed("unknown_money", Boolean),
    _needed("paid", MinorUnits),
    Column("currency", Text),
    Column("ended", Text, comment="how the workflow ended without closing its case: terminated, failed, timed_out"),
    _needed("written_at", Instant),
    Column("searched", Text, comment="a digest of what case_search was made of"),
    Column("snapshot", Text, nullable=False, comment="JSON, or sealed; personal data"),
)
"""One row for each case. Derived: a case never reads it, and it can be written again from the cases."""

IS_OPEN = and_(case_projection.c.closed_at.is_(None), case_projection.c.ended.is_(None))
"""The open cases, in the words of the indexes below: a query has to use the same to be served by them."""


def _index_of_open(name: str, *columns: str) -> None:
    Index(name, *(case_projection.c[each] for each in columns), sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)


_index_of_open("open_cases", "next_due_at", "case_id")
_index_of_open("open_cases_of_team", "team", "next_due_at", "case_id")
_index_of_open("open_cases_of_owner", "owner", "next_due_at", "case_id")
_index_of_open("open_cases_of_line", "line", "next_due_at", "case_id")
Index("all_cases", case_projection.c.opened_at, case_projection.c.case_id)

case_search = Table(
    "case_search",
    metadata,
    Column("term", Text, primary_key=True, comment="a word of the complaint, or its keyed hash; personal data"),
    Column("case_id", Text, primary_key=True, index=True),
    sqlite_with_rowid=False,
)
