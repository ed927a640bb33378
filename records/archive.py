"""A case id is used once, ever: the row outlives the engine's memory of the case (G1, G9)."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from cases.names import Outcome, Status
from records.database import Database
from records.errors import AlreadyArchived, CaseIdTaken, UnknownCase
from records.tables import cases


class CaseArchive(Database):
    """Table `cases`: every case that was ever opened, and the final snapshot of those that closed."""

    def open_case(  # noqa: PLR0913 (a row has this many columns)
        self,
        case_id: str,
        run_id: str,
        *,
        line: str,
        topic: str,
        order_id: str | None,
        received_at: datetime,
        opened_at: datetime,
    ) -> None:
        """Claim `case_id` for the workflow whose *first* run is `run_id`; again with the same run changes nothing.

        Raises `CaseIdTaken` where another run has it.
        """
        row = {"first_run_id": run_id, "line": line, "topic": topic, "order_id": order_id, "status": Status.RECEIVED}
        times = {"received_at": received_at, "opened_at": opened_at}
        with self._writing() as connection:
            connection.execute(self._insert(cases).values(case_id=case_id, **row, **times).on_conflict_do_nothing())
            owner = connection.scalar(select(cases.c.first_run_id).where(cases.c.case_id == case_id))
        if owner != run_id:
            raise CaseIdTaken(f"case {case_id} exists already: a case id is used once, give this complaint another")

    def archive_case(self, case_id: str, closed_at: datetime, outcome: Outcome | str, record: dict[str, Any]) -> None:
        """Close the case with its final snapshot, JSON values only; an equal archive again changes nothing.

        Raises `AlreadyArchived` where it was closed otherwise, `UnknownCase` where it was never opened.
        """
        closing = {"closed_at": closed_at, "outcome": str(outcome), "record": json.dumps(record, sort_keys=True)}
        with self._writing() as connection:
            query = select(cases.c.closed_at, cases.c.outcome, cases.c.record).where(cases.c.case_id == case_id)
            known = connection.execute(query.with_for_update()).mappings().one_or_none()
            if known is None:
                raise UnknownCase(f"case {case_id} was never opened, so it cannot be archived")
            if known["closed_at"] is None:
                closed = update(cases).where(cases.c.case_id == case_id).values(status=Status.CLOSED, **closing)
                connection.execute(closed)
            elif dict(known) != closing:
                raise AlreadyArchived(
                    f"case {case_id} was closed as {known['outcome']} at {known['closed_at'].isoformat()}: "
                    "a closed case never changes, open a follow-up case"
                )

    def case(self, case_id: str) -> dict[str, Any] | None:
        """The case's row, `record` decoded (None while it is open); None where there is no such case."""
        with self._reading() as connection:
            row = connection.execute(select(cases).where(cases.c.case_id == case_id)).mappings().one_or_none()
        if row is None:
            return None
        return {**row, "record": None if row["record"] is None else json.loads(row["record"])}

    def open_cases_of_order(self, order_id: str, topic: str) -> list[str]:
        """Ids of the open cases about this order and topic, the first opened first (G12)."""
        query = (
            select(cases.c.case_id)
            .where(cases.c.order_id == order_id, cases.c.topic == topic, cases.c.closed_at.is_(None))
            .order_by(cases.c.opened_at, cases.c.case_id)
        )
        with self._reading() as connection:
            return list(connection.scalars(query))
