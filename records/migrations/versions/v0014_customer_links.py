"""Links for customers to the page of their case."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create both tables, empty. Cases that are open get their first link with their next letter."""
    op.create_table(
        "customer_links",
        sa.Column("token_hash", sa.Text, primary_key=True, comment="SHA-256 of the token, in hex"),
        sa.Column("case_id", sa.Text, nullable=False, index=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("made_for", sa.Text, nullable=False, comment="the key of its letter, or who asked for it"),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
    )
    op.create_table(
        "customer_tries",
        sa.Column("case_id", sa.Text, primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False, comment="answers in a row that were wrong"),
        sa.Column("locked_until", INSTANT),
    )
