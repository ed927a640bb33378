"""What reconciling needs: which cases our database takes for open, and how workflows ended that closed no case."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Subquery, Table, select, union, update

from cases.views.listing import Listing
from records.archive import CaseArchive
from records.projection import CaseProjection
from records.tables import IS_OPEN, IS_UNFINISHED, case_projection, cases


class Known(NamedTuple):
    """The row of a case, and what our database knows beside it."""

    row: Listing
    seq: int
    """The change of the case that the row shows."""
    ended: str | None
    """How the workflow ended without closing its case; None: it did not."""
    written_at: datetime


class Reconciliation(CaseArchive, CaseProjection):
    """Both tables with one row for each case, `cases` and `case_projection`."""

    def rows_of(self, case_ids: Iterable[str]) -> dict[str, Known]:
        """Return the rows of these cases, by case id; cases without a row are left out."""
        rows = case_projection.c
        about = [rows[name] for name in (*Listing.model_fields, *Known._fields[1:])]
        with self._reading() as connection:
            found = connection.execute(select(*about).where(rows.case_id.in_(list(case_ids)))).mappings().all()
        return {
            row["case_id"]: Known(Listing.model_validate(dict(row)), row["seq"], row["ended"], row["written_at"])
            for row in found
        }

    def unfinished(self, after: str | None, limit: int) -> list[str]:
        """Return the next case ids, in order, that are open in one of the two tables."""
        ids = union(
            *(
                select(_next(table, condition, after, limit).c.case_id)
                for table, condition in ((cases, IS_UNFINISHED), (case_projection, IS_OPEN))
            )
        ).subquery()
        with self._reading() as connection:
            return list(connection.scalars(select(ids.c.case_id).order_by(ids.c.case_id).limit(limit)))

    def end_case(self, case_id: str, how: str) -> bool:
        """State in `cases` how the workflow ended without closing its case; return whether that was not known."""
        ended = update(cases).where(cases.c.case_id == case_id, IS_UNFINISHED).values(ended=how)
        with self._writing() as connection:
            return connection.execute(ended).rowcount == 1

    def runs_again(self, case_ids: Iterable[str]) -> None:
        """Forget how these cases ended: an operator has reset their workflows, so they run."""
        query = select(cases.c.case_id).where(cases.c.case_id.in_(list(case_ids)), cases.c.ended.is_not(None))
        with self._reading() as connection:
            found = list(connection.scalars(query))
        if found:
            with self._writing() as connection:
                connection.execute(update(cases).where(cases.c.case_id.in_(found)).values(ended=None))


def _next(table: Table, condition: ColumnElement[bool], after: str | None, limit: int) -> Subquery:
    query = select(table.c.case_id).where(condition, *([table.c.case_id > after] if after is not None else []))
    return query.order_by(table.c.case_id).limit(limit).subquery()
