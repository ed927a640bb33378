"""Create cases, the ledgers of orders, and carrier claims, as version 1 of this program did."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    _cases()
    _orders()
    _entries()
    _claims()


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Text, primary_key=True),
        sa.Column("first_run_id", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT),
        sa.Column("record", sa.Text, comment="the final snapshot, JSON; personal data"),
    )
    op.create_index("cases_of_order", "cases", ["order_id", "topic"])


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("order_id", sa.Text, primary_key=True),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("paid", sa.BigInteger, nullable=False, comment="the smallest that any case stated"),
        sa.CheckConstraint("paid >= 0", name="orders_paid_not_negative"),
    )
    op.create_table(
        "paid_statements",
        sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
        sa.Column("paid", sa.BigInteger, primary_key=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("stated_at", INSTANT, nullable=False),
    )


def _entries() -> None:
    op.create_table(
        "entries",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column(
            "late", sa.Boolean, nullable=False, server_default=sa.false(), comment="paid after it had been given up"
        ),
        sa.Column("reserved_at", INSTANT, nullable=False),
        sa.Column("settled_at", INSTANT),
        sa.Column("reference", sa.Text, comment="the partner's number for the payment"),
        sa.Column("reason", sa.Text, comment="why it was given up"),
        sa.CheckConstraint("amount >= 0", name="entries_amount_not_negative"),
        sa.CheckConstraint("state IN ('reserved', 'committed', 'released')", name="entries_state_known"),
    )
    op.create_index("ix_entries_order_id", "entries", ["order_id"])
    op.create_index("ix_entries_case_id", "entries", ["case_id"])


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("case_id", sa.Text, primary_key=True),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("carrier", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("claimed", sa.BigInteger, nullable=False),
        sa.Column("recovered", sa.BigInteger, nullable=False),
        sa.Column("filed_at", INSTANT),
        sa.Column("closed_at", INSTANT),
    )
