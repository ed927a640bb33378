"""Our database for a program that runs for long: opened when it is first needed, and kept open."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from client.lists import NoDatabase
from encryption.vault import vault
from settings import Settings

if TYPE_CHECKING:
    from records import Records

THREADS = 8
"""Calls that run at a time; the others wait. As many connections are held, at most."""

Answer = TypeVar("Answer")


class Store:
    """Our database. A database that cannot be reached now is tried again by the next call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="database")
        self._opening = threading.Lock()
        self._records: Records | None = None

    async def run(self, call: "Callable[[Records], Answer]") -> Answer:
        """Return what `call` returns for our database, in a thread. Raises `NoDatabase` if it cannot be used."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, call)

    async def close(self) -> None:
        """Wait for the running calls, and close all connections."""
        await asyncio.to_thread(self._threads.shutdown)
        if self._records is not None:
            self._records.close()

    def _run(self, call: "Callable[[Records], Answer]") -> Answer:
        from records import NewerSchema, RecordsUnavailable, WrongDatabaseUrl  # noqa: PLC0415 (slow to load)

        try:
            return call(self._opened())
        except (NewerSchema, RecordsUnavailable, WrongDatabaseUrl) as error:
            raise NoDatabase(str(error)) from None

    def _opened(self) -> "Records":
        from records import Records  # noqa: PLC0415 (as above)

        with self._opening:
            if self._records is None:
                self._records = Records(self._settings.database_url, vault(self._settings))
            return self._records
