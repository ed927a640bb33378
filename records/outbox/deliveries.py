"""What is to be sent to webhooks, and the log of what was.

Events are queued from an endpoint's place in the outbox (`cursor`) and sent in order for each case: a case whose event
was not accepted waits, and the other cases go on.
"""

import random
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, case, delete, func, insert, literal, select, update

from records.errors import RecordsError
from records.outbox.endpoints import Disabled, Endpoint, Endpoints, unknown
from records.outbox.events import COLUMNS, StoredEvent, stored_event
from records.outbox.tables import case_events, webhook_deliveries, webhook_endpoints
from records.tables import UtcTime

GIVES_UP = timedelta(days=3)
"""How long an event is sent again, and how long an endpoint may fail before it is disabled."""
SOON, RARELY = timedelta(seconds=5), timedelta(hours=2)
"""The shortest and the longest wait before another attempt."""
DOWN_AFTER = 5
"""Failures in a row after which an endpoint counts as down: then one event at a time finds out whether it is back."""
QUEUED = 1000
"""Events that wait for one endpoint. More stay in the outbox."""
REPLAYED = 10_000
"""Events that are sent again at once."""
LOGGED = 1000
"""Deliveries that are done and kept in the log of one endpoint."""
PING = "webhook.ping"

_endpoints, _rows = webhook_endpoints.c, webhook_deliveries.c


class TooManyEvents(RecordsError):
    """More events than are sent again at once."""


class DeliveryState(StrEnum):
    """The state of one delivery. A failed one was given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(NamedTuple):
    """One event for one endpoint: in the queue, or in the log."""

    id: int
    event_id: str
    case_id: str
    type: str
    state: str
    attempts: int
    created_at: datetime
    due_at: datetime
    first_at: datetime | None
    last_at: datetime | None
    status: int | None
    """Of the last answer."""
    error: str | None
    """Of the last attempt."""


class Due(NamedTuple):
    """A delivery whose time has come."""

    id: int
    attempts: int
    event: StoredEvent


_COLUMNS = [_rows[name] for name in Delivery._fields]


def wait_after(since: datetime, now: datetime) -> timedelta:
    """Return how long to wait for the next attempt: as long as attempts have failed, so that the wait doubles."""
    return min(max(now - since, SOON), RARELY) * random.uniform(0.8, 1.2)  # noqa: S311 (no secret)


class Deliveries(Endpoints):
    """Table `webhook_deliveries`."""

    def enable_endpoint(self, endpoint_id: str, *, from_now: bool = False) -> None:
        """Send again: all events since the endpoint was disabled, or only those from now on.

        Raises `UnknownEndpoint`.
        """
        latest, now = self.latest_seq(), datetime.now(UTC)
        begun = {"disabled": None, "disabled_at": None, "failures": 0, "failing_since": None, "paused_until": None}
        if from_now:
            begun["cursor"] = latest
        waiting = update(webhook_deliveries).where(*_waiting(endpoint_id)).values(due_at=now, first_at=None)
        with self._writing() as connection:
            if not connection.execute(_change(endpoint_id).values(**begun)).rowcount:
                raise unknown(endpoint_id)
            connection.execute(delete(webhook_deliveries).where(*_waiting(endpoint_id)) if from_now else waiting)

    def queue_events(self, endpoint: Endpoint, now: datetime) -> None:
        """Queue the next events for an endpoint, unless too many wait already."""
        room = QUEUED - self.waiting(endpoint.endpoint_id)
        if room <= 0:
            return
        latest = self.latest_seq()
        found = self.events_after(endpoint.cursor, room, endpoint.types, endpoint.lines)
        events = [event for event in found if event.seq <= latest]
        cursor = events[-1].seq if len(events) == room else latest
        if cursor == endpoint.cursor:
            return
        moved = _change(endpoint.endpoint_id).where(_endpoints.cursor == endpoint.cursor).values(cursor=cursor)
        with self._writing() as connection:
            if connection.execute(moved).rowcount:  # else another worker has queued them
                _queue(connection, endpoint.endpoint_id, events, now)

    def due_deliveries(self, endpoint_id: str, now: datetime, limit: int) -> list[Due]:
        """Return what is to be sent now: of each case the first event that waits, if its time has come."""
        query = (
            select(_rows.id, _rows.attempts, *COLUMNS)
            .join_from(webhook_deliveries, case_events, _rows.event_id == case_events.c.event_id)
            .where(_rows.id.in_(_heads(endpoint_id)), _rows.due_at <= now)
            .order_by(_rows.due_at, _rows.id)
            .limit(limit)
        )
        with self._reading() as connection:
            return [Due(row[0], row[1], stored_event(row[2:])) for row in connection.execute(query)]

    def next_due(self, endpoint_id: str) -> datetime | None:
        """Return when something is to be sent next; None: nothing waits."""
        query = select(func.min(_rows.due_at)).where(_rows.id.in_(_heads(endpoint_id)))
        with self._reading() as connection:
            found: datetime | None = connection.scalar(query)
        return found

    def endpoints_to_serve(self, now: datetime) -> list[str]:
        """Queue new events for all endpoints; return the endpoints to which something is to be sent now."""
        found = []
        for endpoint in self.endpoints():
            if endpoint.disabled is None:
                self.queue_events(endpoint, now)
                due = self.next_due(endpoint.endpoint_id)
                if due is not None and max(due, endpoint.paused_until or due) <= now:
                    found.append(endpoint.endpoint_id)
        return found

    def delivered(self, endpoint_id: str, due: Due, status: int | None, now: datetime) -> None:
        """Record that an event was accepted. If the endpoint was down, everything that waits is sent at once."""
        begun = _change(endpoint_id).where(_endpoints.failures > 0)
        with self._writing() as connection:
            _record(connection, due, now, state=DeliveryState.DELIVERED, status=status, error=None)
            failures = connection.scalar(select(_endpoints.failures).where(_endpoints.endpoint_id == endpoint_id)) or 0
            if failures:
                connection.execute(begun.values(failures=0, failing_since=None, paused_until=None))
            if failures >= DOWN_AFTER:
                connection.execute(update(webhook_deliveries).where(*_waiting(endpoint_id)).values(due_at=now))

    def not_delivered(self, endpoint_id: str, due: Due, status: int | None, error: str, now: datetime) -> None:
        """Record that an event was not accepted, and when it is sent again.

        After `GIVES_UP` an event is given up if others were accepted meanwhile. If none was, the endpoint is disabled.
        """
        since = case((_endpoints.failures == 0, literal(now, UtcTime)), else_=_endpoints.failing_since)
        counted = _change(endpoint_id).values(failures=_endpoints.failures + 1, failing_since=since)
        with self._writing() as connection:
            row = connection.execute(counted.returning(_endpoints.failures, _endpoints.failing_since)).one_or_none()
            if row is None:
                return  # it was removed meanwhile
            first_at = connection.scalar(select(_rows.first_at).where(_rows.id == due.id)) or now
            is_down = now - row.failing_since >= GIVES_UP
            given_up = now - first_at >= GIVES_UP and not is_down
            state = DeliveryState.FAILED if given_up else DeliveryState.PENDING
            due_at = now + wait_after(first_at, now)
            _record(connection, due, now, state=state, status=status, error=error, due_at=due_at)
            if is_down:
                connection.execute(_change(endpoint_id).values(disabled=Disabled.FAILING, disabled_at=now))
            elif row.failures >= DOWN_AFTER:
                pause = now + wait_after(row.failing_since, now)
                connection.execute(_change(endpoint_id).values(paused_until=pause))

    def replay(
        self,
        endpoint_id: str,
        event_ids: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Queue events again, by their ids or by when they were written, in order; return how many.

        Events that the endpoint has not reached yet are left out: they are still to come. Raises `UnknownEndpoint`, or
        `TooManyEvents`.
        """
        endpoint, about = self.endpoint(endpoint_id), case_events.c
        query = select(*COLUMNS).where(about.seq <= endpoint.cursor)
        if event_ids:
            query = query.where(about.event_id.in_(sorted(event_ids)))
        else:
            query = query.where(about.type.in_(endpoint.types)) if endpoint.types else query
            query = query.where(about.line.in_(endpoint.lines)) if endpoint.lines else query
        query = query if since is None else query.where(about.written_at >= since)
        query = query if until is None else query.where(about.written_at < until)
        with self._writing() as connection:
            found = connection.execute(query.order_by(about.seq).limit(REPLAYED + 1)).all()
            if len(found) > REPLAYED:
                raise TooManyEvents(f"these are more than {REPLAYED:,} events: choose a shorter period")
            _queue(connection, endpoint_id, [stored_event(row) for row in found], datetime.now(UTC))
        return len(found)

    def log_ping(self, endpoint_id: str, event_id: str, status: int | None, error: str | None, now: datetime) -> None:
        """Record a test event."""
        state = DeliveryState.FAILED if error else DeliveryState.DELIVERED
        values = {"event_id": event_id, "case_id": "", "type": PING, "state": state, "status": status, "error": error}
        times = dict.fromkeys(("created_at", "due_at", "first_at", "last_at"), now)
        with self._writing() as connection:
            connection.execute(
                insert(webhook_deliveries), {"endpoint_id": endpoint_id, "attempts": 1, **values, **times}
            )

    def deliveries(self, endpoint_id: str, limit: int, state: str | None = None) -> list[Delivery]:
        """Return the latest deliveries to an endpoint, the last one first."""
        query = select(*_COLUMNS).where(_rows.endpoint_id == endpoint_id).order_by(_rows.id.desc()).limit(limit)
        query = query if state is None else query.where(_rows.state == state)
        with self._reading() as connection:
            return [Delivery(*row) for row in connection.execute(query)]

    def waiting(self, endpoint_id: str) -> int:
        """Return how many events are queued for an endpoint."""
        with self._reading() as connection:
            return connection.scalar(select(func.count()).where(*_waiting(endpoint_id))) or 0

    def shorten_log(self, endpoint_id: str) -> None:
        """Delete the deliveries that are done, except the latest `LOGGED`."""
        done = (_rows.endpoint_id == endpoint_id, _rows.state != DeliveryState.PENDING)
        with self._reading() as connection:
            last = connection.scalar(select(_rows.id).where(*done).order_by(_rows.id.desc()).offset(LOGGED).limit(1))
        if last is not None:
            with self._writing() as connection:
                connection.execute(delete(webhook_deliveries).where(*done, _rows.id <= last))


def _change(endpoint_id: str) -> Any:
    return update(webhook_endpoints).where(_endpoints.endpoint_id == endpoint_id)


def _waiting(endpoint_id: str) -> tuple[Any, ...]:
    return _rows.endpoint_id == endpoint_id, _rows.state == DeliveryState.PENDING


def _heads(endpoint_id: str) -> Select[Any]:
    """Return the first delivery that waits, of each case."""
    return select(func.min(_rows.id)).where(*_waiting(endpoint_id)).group_by(_rows.case_id)


def _record(connection: Connection, due: Due, now: datetime, **values: Any) -> None:
    """Record an attempt, unless another worker has recorded one meanwhile."""
    same = (_rows.id == due.id, _rows.attempts == due.attempts, _rows.state == DeliveryState.PENDING)
    first_at = func.coalesce(_rows.first_at, now)
    values |= {"attempts": due.attempts + 1, "first_at": first_at, "last_at": now}
    connection.execute(update(webhook_deliveries).where(*same).values(**values))


def _queue(connection: Connection, endpoint_id: str, events: list[StoredEvent], now: datetime) -> None:
    always = {"endpoint_id": endpoint_id, "state": DeliveryState.PENDING, "attempts": 0, "created_at": now}
    if events:
        connection.execute(
            insert(webhook_deliveries),
            [{**always, "event_id": e.id, "case_id": e.case_id, "type": e.type, "due_at": now} for e in events],
        )
