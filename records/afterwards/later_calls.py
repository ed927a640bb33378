"""What customers said at a later call about their closed case (G13)."""

from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text, func, literal, select

from cases.later_call.later_call import LaterCallView
from records.database import Database
from records.tables import FreeText, UtcTime, cases, metadata, required

later_calls = Table(
    "later_calls",
    metadata,
    Column("case_id", Text, ForeignKey(cases.c.case_id), primary_key=True),
    required("line", Text),
    required("due_at", UtcTime),
    required("asked", Integer),
    Column("answered_at", UtcTime),
    Column("given_up_at", UtcTime),
    Column("reached", Boolean),
    Column("score", Integer),
    Column("comment", FreeText, nullable=False, comment="the customer's words; personal data"),
    Column("by", FreeText),
)


class LaterCalls(Database):
    """Table `later_calls`: one row for each call that has ended."""

    def keep_later_call(self, call: LaterCallView) -> None:
        """Keep what the customer said at the later call about a case (G13). Repeating it is harmless."""
        row = call.model_dump()
        with self._writing() as connection:
            connection.execute(self._insert(later_calls).values(**row).on_conflict_do_nothing())

    def later_calls(self, since: datetime, until: datetime) -> list[LaterCallView]:
        """Return the later calls that were answered or given up in that time, oldest first."""
        ended_at = func.coalesce(later_calls.c.answered_at, later_calls.c.given_up_at)
        query = select(later_calls).where(ended_at >= literal(since, UtcTime), ended_at < literal(until, UtcTime))
        with self._reading() as connection:
            rows = connection.execute(query.order_by(ended_at, later_calls.c.case_id)).mappings().all()
        return [LaterCallView.model_validate(dict(row)) for row in rows]
