"""The table of events."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text, UniqueConstraint

from records.tables import UtcTime, metadata, required

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
