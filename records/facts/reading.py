"""Reading what a review counts (G13), and deriving the facts of cases that were written before there were any."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, not_, or_, select

from records.archive import CaseArchive
from records.facts.queries import (
    QUERIES,
    Scope,
    cases_behind,
    exported_cases,
    exported_promises,
    ids_of_cases,
    ids_of_promises,
    lines_of,
)
from records.facts.tables import case_facts
from records.facts.writing import BY_THESE_RULES, write_facts
from records.projection import CaseProjection
from records.tables import case_projection, cases

AT_ONCE = 2_000
"""Rows that are in memory at a time."""
DERIVED_AT_ONCE = 200
"""Cases whose facts are derived in one transaction."""
ARCHIVED = "archived/"
"""What a position in the archive begins with. A case id has no slash."""


class ReviewFacts(CaseArchive, CaseProjection):
    """Tables `case_facts` and `promise_facts`."""

    def counted(self, query: str, scope: Scope) -> Iterator[Sequence[Row[Any]]]:
        """Yield the rows of a query (`records.facts.queries.QUERIES`), some thousand at a time."""
        yield from self._in_parts(QUERIES[query](scope))

    def size(self, scope: Scope) -> int:
        """Return how many cases and promises a review counts."""
        sizes = [select(func.count()).select_from(each(scope).subquery()) for each in (ids_of_cases, ids_of_promises)]
        with self._reading() as connection:
            return sum(connection.scalar(size) or 0 for size in sizes)

    def sql(self, query: str, scope: Scope) -> str:
        """Return the query as it is sent, with its values."""
        compiled = QUERIES[query](scope).compile(dialect=self._engine.dialect, compile_kwargs={"literal_binds": True})
        return str(compiled)

    def cases_behind(
        self, scope: Scope, figure: str, dimension: str, subjects: Collection[str], limit: int
    ) -> dict[str, list[str]]:
        """Return the ids of up to `limit` cases that a figure counts, in order, by subject."""
        found: dict[str, list[str]] = {subject: [] for subject in subjects}
        for part in self._in_parts(cases_behind(scope, figure, dimension, subjects)):
            for subject, case_id in map(tuple, part):
                if len(found[subject]) < limit:
                    found[subject].append(case_id)
        return found

    def line_of(self, scope: Scope, dimension: str, subject: str) -> str | None:
        """Return the line of business with most closed cases of a subject."""
        with self._reading() as connection:
            found: str | None = connection.scalar(lines_of(scope, dimension, subject).limit(1))
        return found

    def exported_cases(self, scope: Scope) -> Iterator[Sequence[Row[Any]]]:
        """Yield every case that closed with all of its facts, some thousand at a time."""
        yield from self._in_parts(exported_cases(scope))

    def exported_promises(self, scope: Scope) -> Iterator[Sequence[Row[Any]]]:
        """Yield every promise that fell due with what its case is counted by, some thousand at a time."""
        yield from self._in_parts(exported_promises(scope))

    def _in_parts(self, query: Select[Any]) -> Iterator[Sequence[Row[Any]]]:
        with self._reading() as connection:
            yield from connection.execution_options(yield_per=AT_ONCE).execute(query).partitions()

    def derive_facts(self, after: str = "") -> str | None:
        """Write the facts of the next cases after `after` that have none or old ones, from their row for lists.

        Return the last of them; None: there are no more. Cases that closed before there were such rows are read from
        the archive. Raises `AfterSalesError` if a snapshot is encrypted with a key that is not here.
        """
        found = self._derive(after) if not after.startswith(ARCHIVED) else None
        return found or self._derive_archived(after.removeprefix(ARCHIVED) if after.startswith(ARCHIVED) else "")

    def _derive(self, after: str) -> str | None:
        row, facts = case_projection.c, case_facts.c
        missing = (
            select(row.case_id, row.snapshot)
            .join_from(case_projection, case_facts, facts.case_id == row.case_id, isouter=True)
            .where(row.case_id > after, _is_outdated())
            .order_by(row.case_id)
            .limit(DERIVED_AT_ONCE)
        )
        # Locked until the facts are written, so that a change of the case is not overwritten with an older state.
        with self._deriving() as connection:
            rows = connection.execute(missing.with_for_update(of=case_projection)).all()
            for each in rows:
                write_facts(connection, json.loads(self._vault.open(each.snapshot, each.case_id)))
        return rows[-1].case_id if rows else None

    def _derive_archived(self, after: str) -> str | None:
        row = cases.c
        missing = (
            select(row.case_id, row.record)
            .join_from(cases, case_facts, case_facts.c.case_id == row.case_id, isouter=True)
            .join(case_projection, case_projection.c.case_id == row.case_id, isouter=True)
            .where(row.case_id > after, row.record.is_not(None), case_projection.c.case_id.is_(None), _is_outdated())
            .order_by(row.case_id)
            .limit(DERIVED_AT_ONCE)
        )
        with self._deriving() as connection:
            rows = connection.execute(missing).all()
            for each in rows:
                write_facts(connection, json.loads(each.record))
        return f"{ARCHIVED}{rows[-1].case_id}" if rows else None


def _is_outdated() -> ColumnElement[bool]:
    digest = case_facts.c.digest
    return or_(digest.is_(None), not_(digest.startswith(BY_THESE_RULES, autoescape=True)))
