"""What customers said at a later call about their closed case (G13)."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add `later_calls`."""
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
