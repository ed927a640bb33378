"""The units of an order's items that were bought, and those that a step makes good (S35)."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add `bought` and `made_good`; what older entries made good is not known, and counts for nothing."""
    op.create_table(
        "bought",
        sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
        sa.Column("sku", sa.Text, primary_key=True),
        sa.Column("quantity", sa.Integer, nullable=False, comment="the smallest that any case stated"),
        sa.CheckConstraint("quantity > 0", name="bought_quantity_positive"),
    )
    op.create_table(
        "made_good",
        sa.Column("key", sa.Text, sa.ForeignKey("entries.key"), primary_key=True),
        sa.Column("sku", sa.Text, primary_key=True),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.CheckConstraint("quantity > 0", name="made_good_quantity_positive"),
    )
