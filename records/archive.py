"""The archive of cases. A case id is used only once: its row outlives Temporal's retention of the case (G1, G9).

Opening a case about an order takes the order's opening lock. If two cases open at the same time, one of them is
therefore the earlier (G12).
"""

import json
import re
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from cases.vocabulary import Outcome, Status
from records.afterwards.later_calls import LaterCalls, later_calls
from records.errors import AlreadyArchived, CaseIdTaken, UnknownCase
from records.tables import IS_UNFINISHED, answers, cases, earlier_cases

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT")
MAX_EARLIER = 10
"""How many open cases about the same order and topic a later case gets to know, oldest first."""


class CaseArchive(LaterCalls):
    """Tables `cases`, `earlier_cases` and `answers`: every case, and what is kept of it."""

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
    ) -> list[str]:
        """Claim `case_id` for the workflow whose *first* run is `run_id`. Repeating it with the same run is harmless.

        Return the cases about the same order and topic that were open before it and still are, oldest first (G12).
        Raises `CaseIdTaken` if another run has the id.
        """
        row = {"first_run_id": run_id, "line": line, "topic": topic, "order_id": order_id, "status": Status.RECEIVED}
        times = {"received_at": received_at, "opened_at": opened_at}
        with self._writing() as connection:
            if order_id is not None:
                self._lock_opening(connection, order_id)
            new = self._insert(cases).values(case_id=case_id, **row, **times).on_conflict_do_nothing()
            is_new = connection.scalar(new.returning(cases.c.case_id)) is not None
            if is_new and order_id is not None:
                self._note_earlier(connection, case_id, order_id, topic)
            owner = connection.scalar(select(cases.c.first_run_id).where(cases.c.case_id == case_id))
            earlier = _earlier(connection, case_id)
        if owner != run_id:
            raise CaseIdTaken(f"case {case_id} exists already: a case id is used once, give this complaint another")
        return earlier

    def _lock_opening(self, connection: Connection, order_id: str) -> None:
        """Open only one case about the order at a time. SQLite needs no lock here: its transaction holds one."""
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(order_id, 0))))

    def _note_earlier(self, connection: Connection, case_id: str, order_id: str, topic: str) -> None:
        """Store which cases were open before this one, so that a repeated call does not return later ones."""
        about = (cases.c.order_id == order_id, cases.c.topic == topic, IS_UNFINISHED)
        oldest = select(cases.c.case_id).where(*about, cases.c.case_id != case_id).order_by(cases.c.opened_at)
        open_before = connection.scalars(oldest.limit(MAX_EARLIER)).all()
        if open_before:
            rows = [{"case_id": case_id, "earlier_case_id": earlier} for earlier in open_before]
            connection.execute(insert(earlier_cases), rows)

    def archive_case(
        self,
        case_id: str,
        closed_at: datetime,
        outcome: Outcome | str,
        record: dict[str, Any],
        complaint: dict[str, Any] | None = None,
    ) -> None:
        """Close the case with its final snapshot and its complaint (JSON values only). Repeating it is harmless.

        A repeated call may add messages that arrived too late, to `refused` and to the timeline.

        Raises `AlreadyArchived` if it was closed with another record, `UnknownCase` if it was never opened.
        """
        # Snapshots contain their complaint, except those of older workers.
        whole = {"complaint": complaint, **record} if complaint else record
        closing = {"closed_at": closed_at, "outcome": str(outcome), "record": json.dumps(whole, sort_keys=True)}
        with self._writing() as connection:
            query = select(cases.c.closed_at, cases.c.outcome, cases.c.record).where(cases.c.case_id == case_id)
            known = connection.execute(query.with_for_update()).mappings().one_or_none()
            if known is None:
                raise UnknownCase(f"case {case_id} was never opened and cannot be archived")
            if known["closed_at"] is None or _completes(known, closing):
                closed = {**closing, "status": Status.CLOSED, "ended": None}
                connection.execute(update(cases).where(cases.c.case_id == case_id).values(**closed))
            elif dict(known) != closing:
                raise AlreadyArchived(
                    f"case {case_id} was closed as {known['outcome']} at {known['closed_at'].isoformat()}: "
                    "a closed case never changes, open a follow-up case"
                )

    def case(self, case_id: str) -> dict[str, Any] | None:
        """Return the case's row with decoded `record` and `complaint` (None while open); None if it is unknown.

        `later_call` is what the customer said later (G13); None if there is no answer yet.
        """
        with self._reading() as connection:
            row = connection.execute(select(cases).where(cases.c.case_id == case_id)).mappings().one_or_none()
            about = select(later_calls).where(later_calls.c.case_id == case_id)
            later = connection.execute(about).mappings().one_or_none()
        if row is None:
            return None
        record = None if row["record"] is None else json.loads(row["record"])
        complaint = record.get("complaint") if record else None
        return {**row, "record": record, "complaint": complaint, "later_call": dict(later) if later else None}

    def last_closed(self, line: str, limit: int) -> list[tuple[str, dict[str, Any]]]:
        """Return the ids and records of the cases of a line that closed last, latest first; at most `limit`."""
        query = select(cases.c.case_id, cases.c.record).where(cases.c.line == line, cases.c.record.is_not(None))
        latest = query.order_by(cases.c.closed_at.desc(), cases.c.case_id).limit(limit)
        with self._reading() as connection:
            return [(case_id, json.loads(record)) for case_id, record in connection.execute(latest)]

    def keep_answer(  # noqa: PLR0913 (a row has this many columns)
        self, case_id: str, *, line: str, product: str | None, question: str, answer: str, answered_at: datetime
    ) -> None:
        """Keep the answer to an inquiry (M14). The first answer of a case is kept."""
        row = {"line": line, "product": product, "question": question, "answer": answer, "answered_at": answered_at}
        with self._writing() as connection:
            connection.execute(self._insert(answers).values(case_id=case_id, **row).on_conflict_do_nothing())

    def answers(self, line: str, product: str | None = None) -> list[dict[str, Any]]:
        """Return the answers of a line by product, latest first; only those about `product` (a sku) if given."""
        query = select(answers).where(answers.c.line == line)
        if product is not None:
            query = query.where(answers.c.product == product)
        by_product = (answers.c.product.nulls_last(), answers.c.answered_at.desc(), answers.c.case_id)
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(query.order_by(*by_product)).mappings()]


def _earlier(connection: Connection, case_id: str) -> list[str]:
    query = (
        select(cases.c.case_id)
        .join(earlier_cases, earlier_cases.c.earlier_case_id == cases.c.case_id)
        .where(earlier_cases.c.case_id == case_id, IS_UNFINISHED)
        .order_by(cases.c.opened_at, cases.c.case_id)
    )
    return list(connection.scalars(query))


def without_times(value: Any) -> Any:
    """Return a record without its timestamps, which can differ after another worker took over (docs/findings.md)."""
    if isinstance(value, dict):
        return {key: without_times(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_times(each) for each in value]
    return "" if isinstance(value, str) and TIMESTAMP.match(value) else value


def _completes(known: RowMapping, closing: dict[str, Any]) -> bool:
    """Return whether it is the same record plus messages that came too late (S22, S27); timestamps may differ."""
    before, after = (without_times(json.loads(each["record"])) for each in (known, closing))
    grows = {"refused", "timeline"}
    same = all(before.get(name) == after.get(name) for name in {*before, *after} - grows)
    ending = all(known[name] == closing[name] for name in ("closed_at", "outcome"))
    # Only lengths are compared: if there are very many messages, only the latest are kept.
    return same and ending and all(len(after.get(name, [])) >= len(before.get(name, [])) for name in grows)
