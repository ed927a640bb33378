"""The tables that reviews count (G13): one row for each case, and one for each of its promises. Both are derived."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from records.tables import FreeText, UtcTime, metadata


def _required(name: str, kind: type) -> Column[object]:
    return Column(name, kind, nullable=False)


case_facts = Table(
    "case_facts",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("digest", Text, nullable=False, comment="of the facts and the rules by which they were derived"),
    _required("line", Text),
    _required("topic", Text),
    _required("channel", Text),
    Column("team", FreeText),
    Column("owner", FreeText),
    Column("order_id", Text, index=True),
    Column("carrier", FreeText),
    Column("route", FreeText),
    Column("warehouse", FreeText),
    Column("crew", FreeText),
    Column("product", FreeText, comment="its sku; null where it was about no product, or about several"),
    Column("party", Text, comment="who is responsible"),
    Column("cause", FreeText, comment="as people or partners wrote it"),
    _required("received_at", UtcTime),
    _required("opened_at", UtcTime),
    Column("closed_at", UtcTime, index=True),
    Column("outcome", Text),
    Column("to_acknowledge", Integer, comment="seconds from receipt"),
    Column("to_offer", Integer, comment="seconds from receipt"),
    Column("to_resolve", Integer, comment="seconds from receipt; null while open, or where the customer ended it"),
    Column("score", Integer, comment="the customer's last answer, 1 to 5"),
    _required("follows", Boolean),
    _required("cycles", Integer),
)

promise_facts = Table(
    "promise_facts",
    metadata,
    Column("case_id", Text, ForeignKey(case_facts.c.case_id), primary_key=True),
    Column("number", Integer, primary_key=True, comment="its place among the promises of its case"),
    _required("name", Text),
    _required("rule", Text),
    _required("state", Text),
    Column("due_at", UtcTime, comment="null while the promise is paused"),
    Column("kept_at", UtcTime),
    Column("fault", Text, comment="why it was not kept in time: ours, system (was down), late (on arrival)"),
    Index("promises_by_deadline", "due_at", "case_id"),
)
