"""Add the cases that were open before (G12), the answers to inquiries (M14), and the complaint in the archive."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BEFORE = "the final snapshot, JSON; personal data"
NOW = "the final snapshot and under `complaint` the complaint, JSON; personal data"


def upgrade() -> None:
    """Add `earlier_cases` and `answers`. Older rows of `cases` stay without a complaint."""
    op.create_table(
        "earlier_cases",
        sa.Column("case_id", sa.Text, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("earlier_case_id", sa.Text, sa.ForeignKey("cases.case_id"), primary_key=True),
    )
    op.create_table(
        "answers",
        sa.Column("case_id", sa.Text, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("product", sa.Text, comment="its sku; null where it was about no product, or about several"),
        sa.Column("question", sa.Text, nullable=False, comment="the customer's words; personal data"),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("answers_of_product", "answers", ["line", "product"])
    if op.get_bind().dialect.supports_comments:
        op.alter_column("cases", "record", existing_type=sa.Text, existing_comment=BEFORE, comment=NOW)
