"""Improvement measures: proposed by a review, adopted by a person (G13)."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add `measures`."""
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
