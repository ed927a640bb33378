"""Improvement measures (G13). A review proposes them; the workflow of an adopted one writes its state."""

import json
from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Column, Date, Dialect, Double, Table, Text, TypeDecorator, func, select, update

from cases.measure.proposed import OPEN_STATES, KnownMeasure, MeasureState, Proposed
from records.database import Database
from records.tables import FreeText, UtcTime, metadata, required


class Texts(TypeDecorator[dict[str, str]]):
    """Texts by name, as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, str] | None, _: Dialect) -> str | None:
        """Return the texts as JSON."""
        return None if value is None else json.dumps(value, sort_keys=True)

    def process_result_value(self, value: str | None, _: Dialect) -> dict[str, str] | None:
        """Return the texts."""
        found: dict[str, str] | None = None if value is None else json.loads(value)
        return found


measures = Table(
    "measures",
    metadata,
    Column("measure_id", Text, primary_key=True),
    required("line", Text),
    required("dimension", Text),
    required("subject", FreeText),
    required("proposal", Text),
    required("figure", FreeText),
    required("filters", Texts),
    Column("value", Double, comment="the value of the figure when the measure was proposed last, before its adoption"),
    required("reason", FreeText),
    required("state", Text),
    required("proposed_at", UtcTime),
    Column("owner", FreeText),
    Column("due_on", Date, comment="the last day on which it may be done"),
    Column("adopted_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("result", FreeText, comment="what was done, or why it was dropped"),
)
_LIKE = ("line", "dimension", "subject", "proposal", "figure")


class Measures(Database):
    """Table `measures`."""

    def propose(self, proposed: Proposed, now: datetime) -> str:
        """Propose a measure, and return its id. One like it that is open keeps its id.

        Until it is adopted, `value`, `filters` and `reason` are those of the latest proposal.
        """
        like = [measures.c[name] == getattr(proposed, name) for name in _LIKE]
        changing = {name: getattr(proposed, name) for name in ("filters", "value", "reason")}
        with self._writing() as connection:
            ended = measures.c.closed_at.is_not(None)
            before = connection.scalar(select(func.count()).select_from(measures).where(*like, ended)) or 0
            measure_id = proposed.id_after(before)
            row = proposed.model_dump() | {"state": MeasureState.PROPOSED, "proposed_at": now}
            # Two reviews at once: the second waits, and updates the row of the first.
            new = self._insert(measures).values(measure_id=measure_id, **row)
            unadopted = measures.c.state == MeasureState.PROPOSED
            connection.execute(new.on_conflict_do_update(measures.primary_key, set_=changing, where=unadopted))
        return measure_id

    def record_measure(  # noqa: PLR0913 (a row has this many columns)
        self,
        measure_id: str,
        state: MeasureState,
        *,
        owner: str | None,
        due_on: date | None,
        adopted_at: datetime | None,
        closed_at: datetime | None = None,
        result: str | None = None,
    ) -> None:
        """Write the state of a measure. One that has ended no longer changes: a delayed attempt may still arrive."""
        row = {"owner": owner, "due_on": due_on, "adopted_at": adopted_at, "closed_at": closed_at, "result": result}
        known = update(measures).where(measures.c.measure_id == measure_id, measures.c.closed_at.is_(None))
        with self._writing() as connection:
            connection.execute(known.values(state=state, **row))

    def measure(self, measure_id: str) -> KnownMeasure | None:
        """Return a measure; None if there is none with this id."""
        with self._reading() as connection:
            found = connection.execute(select(measures).where(measures.c.measure_id == measure_id))
            row = found.mappings().one_or_none()
        return KnownMeasure.model_validate(dict(row)) if row else None

    def measures(self, line: str | None = None, states: Iterable[MeasureState] = OPEN_STATES) -> list[KnownMeasure]:
        """Return the measures in these states, the next due date first; `line`: only those of this line."""
        query = select(measures).where(measures.c.state.in_(sorted(states)))
        if line is not None:
            query = query.where(measures.c.line == line)
        by_date = (measures.c.due_on.nulls_last(), measures.c.proposed_at.desc(), measures.c.measure_id)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(*by_date)).mappings().all()
        return [KnownMeasure.model_validate(dict(row)) for row in rows]
