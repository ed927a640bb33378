"""Add the units that were bought for an order, and those that steps make good (S35)."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add `bought` and `made_good`. The units of older entries are unknown and are not counted."""
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
