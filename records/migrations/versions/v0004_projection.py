"""One row for each case, for lists, and the terms by which it is found."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True)
IS_OPEN = sa.text("closed_at IS NULL AND ended IS NULL")


def upgrade() -> None:
    """Add `case_projection` and `case_search`, empty: cases write themselves with their next change."""
    op.create_table(
        "case_projection",
        sa.Column("case_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("team", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT),
        sa.Column("next_due_at", INSTANT, nullable=False, comment="the year 9999: no clock runs"),
        sa.Column("next_due", sa.Text),
        sa.Column("broken", sa.Text, nullable=False),
        sa.Column("escalation_rung", sa.Integer, nullable=False),
        sa.Column("needs", sa.Text, nullable=False),
        sa.Column("unknown_money", sa.Boolean, nullable=False),
        sa.Column("paid", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text),
        sa.Column(
            "ended", sa.Text, comment="how the workflow ended without closing its case: terminated, failed, timed_out"
        ),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("searched", sa.Text, comment="a digest of what case_search was made of"),
        sa.Column("snapshot", sa.Text, nullable=False, comment="JSON, or sealed; personal data"),
    )
    op.create_index("ix_case_projection_order_id", "case_projection", ["order_id"])
    op.create_index("all_cases", "case_projection", ["opened_at", "case_id"])
    for name, columns in (
        ("open_cases", []),
        *((f"open_cases_of_{each}", [each]) for each in ("team", "owner", "line")),
    ):
        by = [*columns, "next_due_at", "case_id"]
        op.create_index(name, "case_projection", by, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)
    op.create_table(
        "case_search",
        sa.Column(
            "term", sa.Text, primary_key=True, comment="a word of the complaint, or its keyed hash; personal data"
        ),
        sa.Column("case_id", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_case_search_case_id", "case_search", ["case_id"])


def _index_of_open(name: str, *columns: str) -> None:
    by = [*columns, "next_due_at", "case_id"]
    op.create_index(name, "case_projection", by, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)
