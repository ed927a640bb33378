"""Improvement measures, later calls to customers, and when a customer was removed from the record of a case (G13)."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add `measures`, `later_calls` and `cases.forgotten_at`."""
    _measures()
    _later_calls()
    comment = "when its customer was removed from the record"
    op.add_column("cases", sa.Column("forgotten_at", INSTANT, comment=comment))


def _measures() -> None:
    op.create_table(
        "measures",
        sa.Column("measure_id", sa.Text, primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("proposal", sa.Text, nullable=False),
        sa.Column("figure", sa.Text, nullable=False),
        sa.Column("filters", sa.Text, nullable=False),
        sa.Column(
            "value",
            sa.Double,
            comment="the value of the figure when the measure was proposed last, before its adoption",
        ),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("due_on", sa.Date, comment="the last day on which it may be done"),
        sa.Column("adopted_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("result", sa.Text, comment="what was done, or why it was dropped"),
    )


def _later_calls() -> None:
    op.create_table(
        "later_calls",
        sa.Column("case_id", sa.Text, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("answered_at", INSTANT),
        sa.Column("given_up_at", INSTANT),
        sa.Column("reached", sa.Boolean),
        sa.Column("score", sa.Integer),
        sa.Column("comment", sa.Text, nullable=False, comment="the customer's words; personal data"),
        sa.Column("by", sa.Text),
    )
