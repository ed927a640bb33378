"""Detect stalls, and observe what is handed to partners. A run without progress ends with a list of pending waits.

What the partners are handed is read from the sandbox's file, which costs the engine nothing.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError

from cases.errors import AfterSalesError

Answer = TypeVar("Answer")
LOOK_EVERY = 0.02
"""Seconds between two reads of the partners' file."""
SHOWN, EVENTS = 5, 6
"""Pending cases, and last events of each, that are shown after a stall."""


class Stalled(AfterSalesError):
    """There was no progress for too long. The message states the pending waits and the server's view of them."""


class Watch:
    """Knows the pending waits and the time of the last progress. `patience` is in seconds."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._pending: dict[str, tuple[Client | None, str, float]] = {}
        self._moved = time.monotonic()

    def moved(self) -> None:
        """Record progress."""
        self._moved = time.monotonic()

    @contextmanager
    def waiting(self, client: Client | None, workflow: str, what: str) -> Iterator[None]:
        """Record that the caller waits for `what` of this workflow."""
        self._pending[workflow] = (client, what, time.monotonic())
        yield
        self._pending.pop(workflow, None)
        self.moved()

    async def over(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Return the result of `work`. Raises `Stalled` if there is no progress for `patience` seconds."""
        self.moved()
        self._pending.clear()
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=min(1, self._patience)))[0]:
                if time.monotonic() - self._moved > self._patience:
                    raise Stalled(await self._pending_waits())
            return task.result()
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _pending_waits(self) -> str:
        pending = sorted(self._pending.items(), key=lambda item: item[1][2])
        lines = [f"nothing has moved for {self._patience:.0f} s; {len(pending)} pending, the oldest:"]
        for workflow, (client, what, since) in pending[:SHOWN]:
            lines.append(
                f"  {workflow} waits for {what}, {time.monotonic() - since:.0f} s; {await _seen(client, workflow)}"
            )
        return "\n".join(lines)


async def _seen(client: Client | None, workflow: str) -> str:
    """Return the server's view of a workflow: what is pending, and its last events."""
    if client is None:
        return "on another engine"
    handle = client.get_workflow_handle(workflow)
    try:
        async with asyncio.timeout(10):
            described = (await handle.describe()).raw_description
            events = (await handle.fetch_history()).events
    except (RPCError, TimeoutError) as error:
        return f"the server does not answer ({error or 'time-out'})"
    task = "a workflow task is pending, " if described.HasField("pending_workflow_task") else ""
    last = ", ".join(EventType.Name(e.event_type).removeprefix("EVENT_TYPE_").lower() for e in events[-EVENTS:])
    return f"{task}{len(described.pending_activities)} activities pending; last events: {last}"


class Handovers:
    """What each case has handed to partners, and when. Callers can wait for it."""

    def __init__(self, moved: Callable[[], None]) -> None:
        self._moved = moved
        self._seen: dict[tuple[str, str], list[float]] = {}
        self._awaited: dict[tuple[str, str], asyncio.Future[None]] = {}

    def times(self, case_id: str, what: str) -> list[float]:
        """Return when (seconds since the epoch) `what`, an event or `step`, was handed over for this case."""
        return self._seen.get((case_id, what), [])

    async def until(self, case_id: str, what: str) -> float:
        """Wait until `what` was handed over for this case. Return when that was."""
        if not self.times(case_id, what):
            future = self._awaited.setdefault((case_id, what), asyncio.get_running_loop().create_future())
            await future
        return self.times(case_id, what)[0]

    def note(self, case_id: str, what: str, at: float) -> None:
        """Record that it was handed over."""
        self._seen.setdefault((case_id, what), []).append(at)
        self._moved()
        if (future := self._awaited.pop((case_id, what), None)) and not future.done():
            future.set_result(None)

    def fail(self, error: BaseException) -> None:
        """Raise `error` in every caller that waits: nothing more can be observed."""
        for future in self._awaited.values():
            if not future.done():
                future.set_exception(error)


class HollowHandovers(Handovers, asyncio.DatagramProtocol):
    """What hollow cases hand over. Their worker reports it by UDP, which is received inside `async with`."""

    port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, _addr: object) -> None:
        """Receive `CASE WHAT`."""
        case_id, _, what = data.decode().partition(" ")
        self.note(case_id, what, time.time())


class LedgerHandovers(Handovers):
    """What the partners of a machine were handed. Their file is read continuously inside `async with`."""

    _COLUMNS: ClassVar = {
        "messages": "json_extract(content, '$.event'), json_extract(answer, '$.at')",
        "callbacks": "'callback', json_extract(answer, '$.at')",
        "steps": "'step', created_at",
    }

    def __init__(self, ledger: Path, moved: Callable[[], None]) -> None:
        super().__init__(moved)
        self._db = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=10)
        self._read = dict.fromkeys(self._COLUMNS, 0)
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read_rows())
        self._reading.add_done_callback(self._ended)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        self._db.close()

    async def _read_rows(self) -> None:
        while True:
            for table, columns in self._COLUMNS.items():
                sql = f"SELECT rowid, case_id, {columns} FROM {table} WHERE rowid > ? ORDER BY rowid"  # noqa: S608 (ours)
                for row, case_id, what, at in self._db.execute(sql, (self._read[table],)):
                    self._read[table] = row
                    self.note(case_id, what, datetime.fromisoformat(at).timestamp())
            await asyncio.sleep(LOOK_EVERY)

    def _ended(self, reading: "asyncio.Task[None]") -> None:
        if not reading.cancelled() and (error := reading.exception()):
            self.fail(error)
