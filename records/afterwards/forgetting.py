"""Forgetting a person: finding the cases of a customer, and removing who that was. Figures and money stay (G13)."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, ColumnElement, Connection, cast, or_, select, text, type_coerce, update

from cases.forgetting import Person, customers_of, evidence_of, forgotten, identifying, masked
from records.afterwards.later_calls import later_calls
from records.facts.tables import case_facts
from records.reconciliation import Reconciliation
from records.tables import IS_OPEN, IS_UNFINISHED, answers, case_projection, cases, entries

HANDLED = frozenset({
    "cases.record", "answers.question", "later_calls.comment", "case_projection.snapshot", "case_terms.terms",
})  # fmt: skip
"""Columns with personal data that are emptied or masked. A test fails if a table has one that is not listed."""
EXPIRING = frozenset({"api_requests.answer"})
"""Columns with personal data that are deleted within days anyway, and are left alone."""
FOREVER = 2**63 - 1
"""The `seq` of a row whose customer was forgotten: a write that was delayed until now does not replace it."""
AT_A_TIME = 1000
MERGED_AT_ONCE = 500
"""Pages of the full-text index that one transaction merges."""
LEAST_CHANGES = 2
"""Fewer changes mean that all is merged, according to SQLite's documentation."""
_MERGE = text("INSERT INTO case_terms_index (case_terms_index, rank) VALUES ('merge', :pages)")


class CaseOf(NamedTuple):
    """A case of the person."""

    case_id: str
    line: str
    is_open: bool
    evidence: list[str]
    """Where its evidence is stored."""


class Forgetting(Reconciliation):
    """All tables that know a customer."""

    def cases_of(self, person: Person) -> list[CaseOf]:
        """Return the cases of the person, also those that were merged into another one, in order of their ids.

        Reads every record. Raises `SealedRecord` if a snapshot that has to be read is encrypted, without keys.
        """
        with self._reading() as connection:
            closed = [case_id for case_id, customers in self._archived(connection) if _is_among(person, customers)]
            found = {case_id: self._known(connection, case_id) for case_id in closed}
            for case_id, snapshot in self._unarchived(connection):
                if _is_among(person, customers_of(snapshot)):
                    found[case_id] = (self._known(connection, case_id)[0], snapshot)
            return [self._case(connection, case_id, *found[case_id]) for case_id in sorted(found)]

    def forget(self, case_id: str, now: datetime) -> bool:
        """Remove from a closed case who its customers were; return False if it is open, and left alone.

        Repeating it is harmless.
        """
        with self._writing() as connection:
            record, snapshot = self._known(connection, case_id)[1], self._snapshot(connection, case_id)
            if self._is_open(connection, case_id):
                return False
            names = list(dict.fromkeys(each for known in (record, snapshot) if known for each in identifying(known)))
            if record:
                kept = json.dumps(forgotten(record), sort_keys=True)
                connection.execute(update(cases).where(cases.c.case_id == case_id).values(record=kept))
            connection.execute(update(cases).where(cases.c.case_id == case_id).values(forgotten_at=now))
            if snapshot:
                self._forget_row(connection, case_id, forgotten(snapshot))
            self._forget_words(connection, case_id, names)
        return True

    def purge_words(self) -> None:
        """Remove from SQLite's full-text index the words that it no longer finds, in short transactions.

        Until then they are only marked as deleted. PostgreSQL removes such words with its next vacuum.
        """
        pages = -MERGED_AT_ONCE  # a negative number begins to merge everything
        while not self._is_postgresql:
            with self._deriving() as connection:
                before = _changes(connection)
                connection.execute(_MERGE, {"pages": pages})
                if _changes(connection) - before < LEAST_CHANGES:
                    return
            pages = MERGED_AT_ONCE

    def _forget_row(self, connection: Connection, case_id: str, snapshot: dict[str, Any]) -> None:
        row = case_projection.c.case_id == case_id
        sealed = self._vault.seal(json.dumps(snapshot, ensure_ascii=False), case_id)
        connection.execute(update(case_projection).where(row).values(snapshot=sealed, seq=FOREVER))
        searchable, mark = self._searched(snapshot)
        self._write_terms(connection, case_id, searchable, mark)

    @staticmethod
    def _forget_words(connection: Connection, case_id: str, names: list[str]) -> None:
        """Remove the customer's words elsewhere; mask the customer in those of agents and partners."""
        connection.execute(update(later_calls).where(later_calls.c.case_id == case_id).values(comment=""))
        about = answers.c.case_id == case_id
        answer = connection.scalar(select(answers.c.answer).where(about))
        if answer is not None:
            connection.execute(update(answers).where(about).values(question="", answer=masked(answer, names)))
        counted = case_facts.c.case_id == case_id
        cause = connection.scalar(select(case_facts.c.cause).where(counted))
        if cause is not None:
            connection.execute(update(case_facts).where(counted).values(cause=masked(cause, names)))
        given = select(entries.c.key, entries.c.reason).where(entries.c.case_id == case_id)
        for key, reason in connection.execute(given.where(entries.c.reason.is_not(None))).all():
            # Not emptied: a reserved entry with a reason is a contested one.
            connection.execute(update(entries).where(entries.c.key == key).values(reason=masked(reason, names)))

    def _archived(self, connection: Connection) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Yield the customers of each archived case. The database takes them out of the records, which are large."""
        record: ColumnElement[Any] = (
            cast(cases.c.record, JSON) if connection.dialect.name == "postgresql" else type_coerce(cases.c.record, JSON)
        )
        complaint, merged = record["complaint", "customer"], record["second_complaints"]
        query = select(cases.c.case_id, complaint, merged).where(cases.c.record.is_not(None))
        for case_id, customer, second in connection.execution_options(yield_per=AT_A_TIME).execute(query):
            others = [each.get("customer") for each in second or []]
            yield case_id, [each for each in (customer, *others) if each]

    def _unarchived(self, connection: Connection) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the snapshot of each case without a record: open ones, and those that Temporal ended."""
        rows = case_projection.c
        archived = select(cases.c.case_id).where(cases.c.record.is_not(None))
        query = select(rows.case_id, rows.snapshot).where(or_(IS_OPEN, rows.case_id.not_in(archived)))
        for case_id, snapshot in connection.execute(query).all():
            yield case_id, json.loads(self._vault.open(snapshot, case_id))

    @staticmethod
    def _known(connection: Connection, case_id: str) -> tuple[str | None, dict[str, Any] | None]:
        row = connection.execute(select(cases.c.line, cases.c.record).where(cases.c.case_id == case_id)).one_or_none()
        return (None, None) if row is None else (row.line, json.loads(row.record) if row.record else None)

    def _snapshot(self, connection: Connection, case_id: str) -> dict[str, Any] | None:
        stored = connection.scalar(select(case_projection.c.snapshot).where(case_projection.c.case_id == case_id))
        snapshot: dict[str, Any] | None = stored and json.loads(self._vault.open(stored, case_id))
        return snapshot

    @staticmethod
    def _is_open(connection: Connection, case_id: str) -> bool:
        """Return whether either table takes the case for open: then it may still write."""
        unfinished = select(cases.c.case_id).where(cases.c.case_id == case_id, IS_UNFINISHED)
        is_open = select(case_projection.c.case_id).where(case_projection.c.case_id == case_id, IS_OPEN)
        return any(connection.scalar(query) is not None for query in (unfinished, is_open))

    def _case(self, connection: Connection, case_id: str, line: str | None, record: dict[str, Any] | None) -> CaseOf:
        is_open = self._is_open(connection, case_id)
        return CaseOf(case_id, line or "", is_open, evidence_of(record or {}))


def _changes(connection: Connection) -> int:
    """Return how many rows this connection to SQLite has changed so far."""
    changes: int = connection.connection.total_changes
    return changes


def _is_among(person: Person, customers: list[Any]) -> bool:
    return any(person.is_customer(customer) for customer in customers)
