"""New events as they are written, for programs that show or pass them on.

On PostgreSQL a reader is notified when events get their numbers; on SQLite it looks every second.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import psycopg
from sqlalchemy import make_url

from records.errors import RecordsUnavailable
from records.outbox.events import CHANNEL, CaseEvents, StoredEvent

EVERY = 1.0
"""Seconds between two looks at a SQLite file, and after an error."""
AT_THE_LATEST = 5.0
"""Seconds after which a reader looks without having been notified."""
AT_ONCE = 500
"""Events that are read at once."""


async def follow(records: CaseEvents, url: str, after: int | None = None) -> AsyncGenerator[list[StoredEvent], None]:
    """Yield the events after `after` as they are written, in order; None: only those that are written from now on.

    It never ends: cancel the task or close the iterator. While the database is down it waits. On PostgreSQL it keeps a
    connection open, so share one among all viewers of a process.
    """
    bell = _Bell(url)
    try:
        while True:
            try:
                if after is None:
                    after = await asyncio.to_thread(_latest, records)
                found = await asyncio.to_thread(_next, records, after)
            except RecordsUnavailable:
                await asyncio.sleep(EVERY)
                continue
            if found:
                after = found[-1].seq
                yield found
            else:
                await bell.rings()
    finally:
        await bell.close()


def _latest(records: CaseEvents) -> int:
    while records.number_events():
        pass
    return records.latest_seq()


def _next(records: CaseEvents, after: int) -> list[StoredEvent]:
    records.number_events()
    return records.events_after(after, AT_ONCE)


class _Bell:
    """Waits until there may be new events."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._address = None
        if parsed.get_backend_name() == "postgresql":
            self._address = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: psycopg.AsyncConnection | None = None

    async def rings(self) -> None:
        if self._address is None:
            await asyncio.sleep(EVERY)
            return
        try:
            if self._connection is None:
                self._connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True)
                await self._connection.execute(f"LISTEN {CHANNEL}")
                return  # what was numbered before it listened has to be read first
            async for _ in self._connection.notifies(timeout=AT_THE_LATEST, stop_after=1):
                pass
        except psycopg.Error:
            await self.close()
            await asyncio.sleep(EVERY)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                await connection.close()
