"""The events of cases (`cases.views.case_events`): an outbox that is written with the row of the case.

An event is in our database if and only if the row that shows its change is. It gets its place among the events of all
cases (`seq`) later, in `number_events`: if each transaction took its own number, one that commits late would put an
event behind readers that have already passed.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, exists, func, insert, select, update

from cases.views.case_events import Change
from records.database import Database
from records.outbox.tables import case_events

NUMBERING_LOCK = 7_301_946_116
"""PostgreSQL's advisory lock while events are numbered. An arbitrary number."""
CHANNEL = "case_events"
"""PostgreSQL's channel on which readers are notified of new numbers."""
AT_ONCE = 1000
"""Events that are numbered in one transaction."""

_rows = case_events.c


class StoredEvent(NamedTuple):
    """One event of a case, as readers get it. It holds no personal data."""

    seq: int
    """Its place among the events of all cases; 0 for a few moments after it was written."""
    id: str
    case_id: str
    line: str
    number: int
    """Its place among the events of its case, from 1, without gaps."""
    type: str
    occurred_at: datetime
    """When it happened; an event that was learnt late has an earlier time than those before it."""
    data: dict[str, Any]

    @property
    def body(self) -> str:
        """The event as JSON, as other systems get it. It is the same each time."""
        about = {"case_id": self.case_id, "line": self.line, "number": self.number}
        at = self.occurred_at.isoformat().replace("+00:00", "Z")
        return json.dumps({"id": self.id, "type": self.type, "timestamp": at, "data": {**about, **self.data}})


COLUMNS = (_rows.seq, _rows.event_id, *(_rows[name] for name in StoredEvent._fields[2:]))
"""What `stored_event` takes."""
# Built once: building costs as much as executing.
_KNOWN = select(_rows.subject, _rows.state, _rows.number).where(_rows.case_id == bindparam("of")).order_by(_rows.number)
_ADD = insert(case_events)
_UNNUMBERED = _rows.seq.is_(None)


def _numbering() -> Any:
    places = func.row_number().over(order_by=_rows.id).label("place")
    new = select(_rows.id, places).where(_UNNUMBERED).order_by(_rows.id).limit(AT_ONCE).subquery()
    last = select(func.coalesce(func.max(_rows.seq), 0)).scalar_subquery()
    return update(case_events).where(_rows.id == new.c.id).values(seq=last + new.c.place)


_NUMBER = _numbering()


class CaseEvents(Database):
    """Table `case_events`."""

    def number_events(self) -> int:
        """Number the next new events, in the order in which they were written; return how many there were.

        One transaction at a time does so. A reader that has seen a number will therefore find no lower one later.
        """
        with self._reading() as connection:
            if not connection.scalar(select(exists().where(_UNNUMBERED))):
                return 0
        with self._writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(NUMBERING_LOCK)))
                connection.execute(select(func.pg_notify(CHANNEL, "")))
            return connection.execute(_NUMBER).rowcount

    def events_after(
        self, seq: int, limit: int, types: Collection[str] = (), lines: Collection[str] = ()
    ) -> list[StoredEvent]:
        """Return the next events after `seq`, in order. No `types` or `lines`: of any."""
        query = select(*COLUMNS).where(_rows.seq > seq)
        if types:
            query = query.where(_rows.type.in_(sorted(types)))
        if lines:
            query = query.where(_rows.line.in_(sorted(lines)))
        return self._events(query.order_by(_rows.seq).limit(limit))

    def events_of(self, case_id: str) -> list[StoredEvent]:
        """Return the events of a case, in order."""
        return self._events(select(*COLUMNS).where(_rows.case_id == case_id).order_by(_rows.number))

    def latest_seq(self) -> int:
        """Return the highest number of an event; 0 if there is none."""
        with self._reading() as connection:
            return connection.scalar(select(func.max(_rows.seq))) or 0

    def _events(self, query: Select[Any]) -> list[StoredEvent]:
        with self._reading() as connection:
            return [stored_event(row) for row in connection.execute(query)]

    def _add_events(
        self, connection: Connection, case_id: str, line: str, changed: Callable[[dict[str, str]], list[Change]]
    ) -> None:
        """Add the events that `changed` finds, given the known states. The row of the case has to be locked."""
        known = connection.execute(_KNOWN, {"of": case_id}).all()
        new = changed({subject: state for subject, state, _ in known})
        if new:
            first = known[-1].number + 1 if known else 1
            always = {"case_id": case_id, "line": line, "written_at": datetime.now(UTC)}
            numbered = enumerate(new, start=first)
            connection.execute(_ADD, [{**always, **_values(case_id, number, each)} for number, each in numbered])


def event_id(case_id: str, number: int) -> str:
    """Return the id of an event. It is the same if the event is written again, and does not show the case."""
    digest = hashlib.sha256(f"{case_id}/{number}".encode()).digest()
    return f"evt_{base64.b32encode(digest[:15]).decode().lower()}"


def _values(case_id: str, number: int, change: Change) -> dict[str, Any]:
    return {
        "event_id": event_id(case_id, number),
        "number": number,
        "type": change.type,
        "subject": change.subject,
        "state": change.state,
        "occurred_at": change.at,
        "data": json.dumps(change.data),
    }


def stored_event(row: Sequence[Any]) -> StoredEvent:
    """Return the event of a row with these `COLUMNS`."""
    event = StoredEvent(*row)
    return event._replace(seq=event.seq or 0, data=json.loads(row[-1]))
