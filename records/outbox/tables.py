"""The tables of events and of webhooks."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from records.tables import Names, UtcTime, metadata, required

case_events = Table(
    "case_events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="the order of writing"),
    Column("seq", BigInteger, unique=True, comment="the order for readers; null until it is numbered"),
    Column("event_id", Text, nullable=False, unique=True),
    required("case_id", Text),
    Column("number", Integer, nullable=False, comment="the place among the events of the case"),
    required("line", Text),
    required("type", Text),
    required("subject", Text),
    Column("state", Text, nullable=False, comment="of the subject after the event; compared with the next row"),
    required("occurred_at", UtcTime),
    required("written_at", UtcTime),
    Column("data", Text, nullable=False, comment="JSON; no personal data"),
    UniqueConstraint("case_id", "number"),
)
"""What has changed in cases, for other systems. Written with the row of the case."""

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    required("url", Text),
    Column("types", Names, nullable=False, comment="empty: all"),
    Column("lines", Names, nullable=False, comment="empty: all"),
    Column("secrets", Text, nullable=False, comment="JSON, or sealed: what signs, and until when"),
    Column("disabled", Text, comment="failing, gone, by hand; null: it is enabled"),
    Column("disabled_at", UtcTime),
    Column("cursor", BigInteger, nullable=False, comment="the seq of the last event that was queued or left out"),
    Column("failures", Integer, nullable=False, comment="since the last success"),
    Column("failing_since", UtcTime),
    Column("paused_until", UtcTime),
    required("created_at", UtcTime),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="the order of delivery"),
    Column("endpoint_id", Text, ForeignKey(webhook_endpoints.c.endpoint_id), nullable=False),
    required("event_id", Text),
    required("case_id", Text),
    required("type", Text),
    Column("state", Text, nullable=False, comment="pending, delivered, failed"),
    required("attempts", Integer),
    required("created_at", UtcTime),
    required("due_at", UtcTime),
    Column("first_at", UtcTime),
    Column("last_at", UtcTime),
    Column("status", Integer, comment="of the last answer"),
    Column("error", Text, comment="of the last attempt"),
    Index("webhook_deliveries_of_endpoint", "endpoint_id", "state", "id"),
)
"""What is to be sent to webhooks, and the log of what was."""
