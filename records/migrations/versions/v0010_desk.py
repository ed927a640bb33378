"""The sessions, acts and saved views of the desk's people."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add `desk_sessions`, `desk_acts` and `desk_views`."""
    op.create_table(
        "desk_sessions",
        sa.Column("digest", sa.Text, primary_key=True, comment="SHA-256 of the session's id, which is stored nowhere"),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False, comment="JSON: the roles, lines and teams at log-in"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, comment="logged out, or revoked"),
    )
    op.create_index("sessions_by_expiry", "desk_sessions", ["expires_at"])
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "desk_acts",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person", sa.Text, nullable=False, comment="a name; empty: nobody was logged in"),
        sa.Column("session", sa.Text, comment="the first digits of the session's digest"),
        sa.Column("act", sa.Text, nullable=False, comment="such as log-in, or the name of a message"),
        sa.Column("case_id", sa.Text),
        sa.Column("refused", sa.Text, comment="why it was refused; null: it was done"),
    )
    op.create_index("acts_of_case", "desk_acts", ["case_id", "number"])
    op.create_table(
        "desk_views",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("query", sa.Text, nullable=False, comment="the filters, as in the address of the page"),
    )
