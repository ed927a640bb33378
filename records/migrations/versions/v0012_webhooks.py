"""Webhooks: their endpoints, and what is sent to them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add `webhook_endpoints` and `webhook_deliveries`."""
    op.create_table(
        "webhook_endpoints",
        sa.Column("endpoint_id", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("types", sa.Text, nullable=False, comment="empty: all"),
        sa.Column("lines", sa.Text, nullable=False, comment="empty: all"),
        sa.Column("secrets", sa.Text, nullable=False, comment="JSON, or sealed: what signs, and until when"),
        sa.Column("disabled", sa.Text, comment="failing, gone, by hand; null: it is enabled"),
        sa.Column("disabled_at", INSTANT),
        sa.Column(
            "cursor", sa.BigInteger, nullable=False, comment="the seq of the last event that was queued or left out"
        ),
        sa.Column("failures", sa.Integer, nullable=False, comment="since the last success"),
        sa.Column("failing_since", INSTANT),
        sa.Column("paused_until", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    identity = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", identity, primary_key=True, comment="the order of delivery"),
        sa.Column("endpoint_id", sa.Text, sa.ForeignKey("webhook_endpoints.endpoint_id"), nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="pending, delivered, failed"),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("first_at", INSTANT),
        sa.Column("last_at", INSTANT),
        sa.Column("status", sa.Integer, comment="of the last answer"),
        sa.Column("error", sa.Text, comment="of the last attempt"),
    )
    op.create_index("webhook_deliveries_of_endpoint", "webhook_deliveries", ["endpoint_id", "state", "id"])
