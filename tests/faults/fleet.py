"""A machine of which every part can be taken away, each by its process id; what it keeps is on disk.

Payloads are encrypted; histories count as long after few events, so that cases continue as new all the time.
"""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
from temporalio.client import Client
from temporalio.service import PayloadLimitsConfig

from child import Child, StartFailed
from client.cases import Engine
from embedded import Embedded
from encryption import data_converter
from encryption.keys import new_key
from settings import Settings
from tests.postgres import Cluster

PORT_TRIES = 30
"""How often a process that was killed is started again, where its port is taken meanwhile."""

LONG_HISTORY = 120
"""Events after which a case continues as new; an ordinary server says so at 4,096."""
AGAIN = 0.5
"""Seconds after which a worker that has ended is started again."""


class Fleet(Embedded):
    """The embedded machine with two workers; in a control `arm` they do one thing as it must not be done."""

    def __init__(self, data: Path, *, arm: str | None = None, cluster: Cluster | None = None) -> None:
        """Our own records are in `cluster`, or in a SQLite file."""
        super().__init__(data=data, port=0, ui_port=0, partners_port=0, workers=2)
        self._arm, self._cluster = arm, cluster
        self._folder = data
        self.keys = data / "keys"
        data.mkdir(parents=True, exist_ok=True)
        self.keys.write_text(f"{new_key('fleet')}\n", encoding="utf-8")

    @property
    def database_url(self) -> str:
        """Where our own records are."""
        if self._cluster:
            return self._cluster.url
        return f"sqlite:///{self._folder.resolve() / 'records.db'}"

    async def engine(self) -> Engine:
        """A connection that reads what the workers write."""
        converter = data_converter(Settings(encryption_keys_file=self.keys))
        silent = PayloadLimitsConfig(payloads_warn_size=0)  # far too much is sent on purpose
        client = await Client.connect(self.address, data_converter=converter, payload_limits=silent)
        return Engine(client, self.address)

    def partners_admin(self) -> httpx.AsyncClient:
        """The sandbox's switches and books."""
        return httpx.AsyncClient(base_url=self.partners, trust_env=False, timeout=30)

    async def crash_workers(self, count: int) -> None:
        """SIGKILL; their keeper starts them again."""
        for worker in [each for each in self._workers if each.running][:count]:
            worker.kill()
            await worker.until_ended()

    async def stop_worker(self) -> None:
        """SIGTERM, as a deploy does; its keeper starts it again."""
        for worker in [each for each in self._workers if each.running][-1:]:
            await worker.end(20)

    async def crash_server(self) -> None:
        """SIGKILL, and up again on the same file."""
        await _crash(self._server)

    async def crash_partners(self) -> None:
        """SIGKILL, and up again with the same books; switched faults are forgotten."""
        await _crash(self._sandbox)
        assert self._sandbox is not None, "it is up for as long as the machine is"
        await self._sandbox.until_ready()

    @asynccontextmanager
    async def database_gone(self) -> AsyncIterator[None]:
        """PostgreSQL has crashed; nobody can write to a SQLite file."""
        if self._cluster:
            await asyncio.to_thread(self._cluster.stop)
            try:
                yield
            finally:
                await asyncio.to_thread(self._cluster.start)
            return
        with closing(sqlite3.connect(self._folder / "records.db", isolation_level=None, timeout=5)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    @asynccontextmanager
    async def keys_out_of_reach(self) -> AsyncIterator[None]:
        """The key file is gone, and no worker has it in memory any more."""
        away = self.keys.rename(self.keys.with_suffix(".away"))
        await self.crash_workers(len(self._workers))
        try:
            yield
        finally:
            away.rename(self.keys)

    async def workers_back(self) -> None:
        """Wait until every worker runs again."""
        for worker in self._workers:
            while not worker.running:
                await asyncio.sleep(0.05)
            await worker.until_ready()

    async def _keep(self, worker: Child) -> None:
        """At once, however often: here they do not end by a fault of their own."""
        while True:
            await worker.until_ended()
            await asyncio.sleep(AGAIN)
            await worker.launch()

    def _worker_command(self) -> list[str]:
        return [sys.executable, "-m", "tests.faults.arms", self._arm] if self._arm else super()._worker_command()

    def _server_command(self, data: Path, ports: list[int]) -> list[str]:
        command = super()._server_command(data, ports)
        command += ["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={LONG_HISTORY}"]
        # Otherwise a run that lived for less than a second keeps the next one waiting, and a skip leaps over it.
        return [*command, "--dynamic-config-value", 'history.workflowIdReuseMinimalInterval="0s"']

    def _environment(self, data: Path) -> dict[str, str]:
        return super()._environment(data) | {
            "AFTER_SALES_ENCRYPTION_KEYS_FILE": str(self.keys.resolve()),
            "AFTER_SALES_DATABASE_URL": self.database_url,
            "AFTER_SALES_LOG_LEVEL": "WARNING",
        }


async def _crash(child: Child | None) -> None:
    assert child is not None, "it is up for as long as the machine is"
    child.kill()
    await child.until_ended()
    for left in reversed(range(PORT_TRIES)):
        try:
            await child.launch()
            await child.until_ready()
        except StartFailed as error:
            # While it was down, a connection of another process may have been given its port for a moment.
            if not left or "address already in use" not in str(error):
                raise
            await asyncio.sleep(1)
        else:
            return
