"""The events of cases, for other systems."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add `case_events`, empty: a case that was opened before writes its events so far with its next change."""
    identity = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "case_events",
        sa.Column("id", identity, primary_key=True, comment="the order of writing"),
        sa.Column("seq", sa.BigInteger, unique=True, comment="the order for readers; null until it is numbered"),
        sa.Column("event_id", sa.Text, nullable=False, unique=True),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, comment="the place among the events of the case"),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column(
            "state", sa.Text, nullable=False, comment="of the subject after the event; compared with the next row"
        ),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("data", sa.Text, nullable=False, comment="JSON; no personal data"),
        sa.UniqueConstraint("case_id", "number"),
    )
