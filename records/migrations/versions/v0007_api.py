"""The keys of the HTTP API, and answers kept for requests that are repeated."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

IS_LIVE = sa.text("revoked_at IS NULL")


def upgrade() -> None:
    """Add `api_keys` and `api_requests`."""
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("slot", sa.Integer, nullable=False, comment="1 or 2: a client has two live keys at most"),
        sa.Column("digest", sa.Text, nullable=False, comment="SHA-256 of the secret, which is stored nowhere"),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("slot IN (1, 2)", name="api_keys_slot_known"),
    )
    op.create_index(
        "live_api_keys", "api_keys", ["client", "slot"], unique=True, sqlite_where=IS_LIVE, postgresql_where=IS_LIVE
    )
    op.create_table(
        "api_requests",
        sa.Column("client", sa.Text, primary_key=True),
        sa.Column("idempotency_key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False, comment="a hash of the request"),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "interrupted", sa.Integer, nullable=False, comment="1: its outcome is unknown, it may be repeated at once"
        ),
        sa.Column("answer", sa.Text, comment="JSON, or sealed; personal data. Null: in progress"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_api_requests_expires_at", "api_requests", ["expires_at"])
