"""The facts that reviews count: small rows for each case and each of its promises, without a customer's data."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create `case_facts` and `promise_facts`. A review fills them for cases that were written before."""
    op.create_table(
        "case_facts",
        sa.Column("case_id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False, comment="of the facts and the rules by which they were derived"),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("team", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("order_id", sa.Text, index=True),
        sa.Column("carrier", sa.Text),
        sa.Column("route", sa.Text),
        sa.Column("warehouse", sa.Text),
        sa.Column("crew", sa.Text),
        sa.Column("product", sa.Text, comment="its sku; null where it was about no product, or about several"),
        sa.Column("party", sa.Text, comment="who is responsible"),
        sa.Column("cause", sa.Text, comment="as people or partners wrote it"),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, index=True),
        sa.Column("outcome", sa.Text),
        sa.Column("to_acknowledge", sa.Integer, comment="seconds from receipt"),
        sa.Column("to_offer", sa.Integer, comment="seconds from receipt"),
        sa.Column(
            "to_resolve", sa.Integer, comment="seconds from receipt; null while open, or where the customer ended it"
        ),
        sa.Column("score", sa.Integer, comment="the customer's last answer, 1 to 5"),
        sa.Column("follows", sa.Boolean, nullable=False),
        sa.Column("cycles", sa.Integer, nullable=False),
    )
    op.create_table(
        "promise_facts",
        sa.Column("case_id", sa.Text, sa.ForeignKey("case_facts.case_id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, comment="its place among the promises of its case"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", INSTANT, comment="null while the promise is paused"),
        sa.Column("kept_at", INSTANT),
        sa.Column("fault", sa.Text, comment="why it was not kept in time: ours, system (was down), late (on arrival)"),
    )
    op.create_index("promises_by_deadline", "promise_facts", ["due_at", "case_id"])
