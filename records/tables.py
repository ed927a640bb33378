"""The tables, and the column types for money, times and text.

Money is stored as a whole number of minor units. A minor unit is a hundredth in every currency, because `cases.money`
writes every amount with two digits. Times are stored in UTC.
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
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    and_,
    false,
)
from sqlalchemy.dialects.postgresql import ARRAY


class EntryState(StrEnum):
    """The state of an entry in the ledger: intended, paid, given up, or contested (the partner contradicts itself).

    A contested entry is stored as a reserved one with a reason. It counts as taken (S27).
    """

    RESERVED = "reserved"
    COMMITTED = "committed"
    RELEASED = "released"
    CONTESTED = "contested"


class MinorUnits(TypeDecorator[Decimal]):
    """A decimal with two digits, stored as a whole number of hundredths, so that sums are exact (S16)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, _: Dialect) -> int | None:
        """Return hundredths. Raises ValueError instead of rounding."""
        if value is None:
            return None
        scaled = value.scaleb(2)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than two digits after the point")
        return int(scaled)

    def process_result_value(self, value: Any | None, _: Dialect) -> Decimal | None:
        """Return a decimal with two digits after the point."""
        # int(): in PostgreSQL the sum of a bigint column is a numeric.
        return None if value is None else Decimal(int(value)).scaleb(-2)


class UtcTime(TypeDecorator[datetime]):
    """A timestamp: any offset is accepted, UTC is returned."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Return the time in UTC. Raises ValueError for a time without an offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no offset")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Return the time in UTC, with its offset."""
        if value is None:
            return None
        # SQLite stores no offset. What we wrote there was UTC.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Deadline(UtcTime):
    """A timestamp or None. None is stored as the year 9999, so that indexes of both databases sort it last."""

    NONE = datetime(9999, 1, 1, tzinfo=UTC)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC, or the year 9999 for None. Raises ValueError for a time without an offset."""
        return super().process_bind_param(value or self.NONE, dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC, with its offset, or None."""
        found = super().process_result_value(value, dialect)
        return None if found == self.NONE else found


class Names(TypeDecorator[list[str]]):
    """A list of names, as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: list[str] | None, _: Dialect) -> str | None:
        """Return the names as JSON."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, _: Dialect) -> list[str] | None:
        """Return the names."""
        if value is None or value == "[]":  # the usual case, in lists of thousands
            return [] if value else None
        names: list[str] = json.loads(value)
        return names


class FreeText(TypeDecorator[str]):
    """Text that people or partners wrote. NUL characters are replaced, because PostgreSQL rejects them."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _: Dialect) -> str | None:
        """Return the text without NUL characters."""
        return value and value.replace("\0", "\N{REPLACEMENT CHARACTER}")


def required(name: str, kind: Any) -> Column[Any]:
    """Return a column without nulls."""
    return Column(name, kind, nullable=False)


metadata = MetaData()
"""The tables that this program uses. Every change needs a migration (`records/migrations`), or a test fails."""

cases = Table(
    "cases",
    metadata,
    Column("case_id", Text, primary_key=True),
    required("first_run_id", Text),
    required("line", Text),
    required("topic", Text),
    Column("order_id", Text),
    required("status", Text),
    Column("outcome", Text),
    required("received_at", UtcTime),
    required("opened_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("record", Text, comment="the final snapshot and under `complaint` the complaint, JSON; personal data"),
    Column("ended", Text, comment="how the workflow ended without closing its case: terminated, failed, gone, …"),
    Column("forgotten_at", UtcTime, comment="when its customer was removed from the record"),
    Index("cases_of_order", "order_id", "topic"),
)

IS_UNFINISHED = and_(cases.c.closed_at.is_(None), cases.c.ended.is_(None))
"""The open cases, in the words of the index: a query has to use the same to be served by it."""
Index("unfinished_cases", cases.c.case_id, sqlite_where=IS_UNFINISHED, postgresql_where=IS_UNFINISHED)

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
    required("line", Text),
    Column("product", Text, comment="its sku; null where it was about no product, or about several"),
    Column("question", FreeText, nullable=False, comment="the customer's words; personal data"),
    required("answer", FreeText),
    required("answered_at", UtcTime),
    Index("answers_of_product", "line", "product"),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    required("currency", Text),
    Column("paid", MinorUnits, nullable=False, comment="the smallest that any case stated"),
    CheckConstraint("paid >= 0", name="orders_paid_not_negative"),
)

paid_statements = Table(
    "paid_statements",
    metadata,
    Column("order_id", Text, ForeignKey(orders.c.order_id), primary_key=True),
    Column("paid", MinorUnits, primary_key=True),
    required("case_id", Text),
    required("stated_at", UtcTime),
)

entries = Table(
    "entries",
    metadata,
    Column("key", Text, primary_key=True),
    Column("order_id", Text, ForeignKey(orders.c.order_id), nullable=False, index=True),
    Column("case_id", Text, nullable=False, index=True),
    required("kind", Text),
    required("amount", MinorUnits),
    required("currency", Text),
    required("state", Text),
    Column("late", Boolean, nullable=False, server_default=false(), comment="paid after it had been given up"),
    required("reserved_at", UtcTime),
    Column("settled_at", UtcTime),
    Column("reference", Text, comment="the partner's number for the payment"),
    Column("reason", FreeText, comment="why it was given up"),
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
    required("quantity", Integer),
    CheckConstraint("quantity > 0", name="made_good_quantity_positive"),
)

claims = Table(
    "claims",
    metadata,
    Column("case_id", Text, primary_key=True),
    required("order_id", Text),
    required("carrier", Text),
    required("state", Text),
    required("currency", Text),
    required("claimed", MinorUnits),
    required("recovered", MinorUnits),
    Column("filed_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("sent", Integer, comment="the number of the latest key under which the carrier was sent the claim"),
)

case_projection = Table(
    "case_projection",
    metadata,
    Column("case_id", Text, primary_key=True),
    required("seq", BigInteger),
    required("line", Text),
    required("topic", Text),
    Column("order_id", Text, index=True),
    required("channel", Text),
    required("status", Text),
    Column("outcome", Text),
    required("urgent", Boolean),
    Column("team", FreeText),
    Column("owner", FreeText),
    required("received_at", UtcTime),
    required("opened_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("next_due_at", Deadline, nullable=False, comment="the year 9999: no clock runs"),
    Column("next_due", Text),
    required("broken", Names),
    required("escalation_rung", Integer),
    required("needs", Names),
    required("unknown_money", Boolean),
    required("paid", MinorUnits),
    Column("currency", Text),
    Column("ended", Text, comment="how the workflow ended without closing its case: terminated, failed, timed_out"),
    required("written_at", UtcTime),
    Column("searched", Text, comment="a digest of what case_terms was made of"),
    Column("snapshot", Text, nullable=False, comment="JSON, or sealed; personal data"),
)
"""One row for each case. Derived: a case never reads it, and it can be written again from the cases."""

IS_OPEN = and_(case_projection.c.closed_at.is_(None), case_projection.c.ended.is_(None))
"""The condition for open cases. A query must use this condition to be served by the indexes below."""


def _index_of_open(name: str, *columns: str) -> None:
    Index(name, *(case_projection.c[each] for each in columns), sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)


_index_of_open("open_cases", "next_due_at", "case_id")
_index_of_open("open_cases_of_team", "team", "next_due_at", "case_id")
_index_of_open("open_cases_of_owner", "owner", "next_due_at", "case_id")
_index_of_open("open_cases_of_line", "line", "next_due_at", "case_id")
Index("all_cases", case_projection.c.opened_at, case_projection.c.case_id)

case_terms = Table(
    "case_terms",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("case_id", Text, nullable=False, unique=True),
    Column(
        "terms",
        Text().with_variant(ARRAY(Text), "postgresql"),
        nullable=False,
        comment="the words of the complaint, or their keyed hashes; personal data",
    ),
)
"""The terms that find a case: an array on PostgreSQL, in SQLite a text with blanks between them."""

Index("case_terms_index", case_terms.c.terms, postgresql_using="gin").ddl_if(dialect="postgresql")
"""In SQLite an FTS5 table has this name. Triggers keep it up to date (migration 0009)."""
