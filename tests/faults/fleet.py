"""A complete machine whose parts can be killed, each by its process id; its data is on disk.

Payloads are encrypted. Histories count as long after few events, so cases continue as new often.
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
"""How often a killed process is restarted if its port has been taken meanwhile."""

LONG_HISTORY = 120
"""Events after which a case continues as new; an ordinary server suggests it at 4,096."""
AGAIN = 0.5
"""Seconds after which a stopped worker is restarted."""


class Fleet(Embedded):
    """The embedded machine with two workers; in a control `arm` they have one deliberate fault."""

    def __init__(self, data: Path, *, arm: str | None = None, cluster: Cluster | None = None) -> None:
        """Our records are in `cluster`, or in a SQLite file if it is None."""
        super().__init__(data=data, port=0, ui_port=0, partners_port=0, workers=2)
        self._arm, self._cluster = arm, cluster
        self._folder = data
        self.keys = data / "keys"
        data.mkdir(parents=True, exist_ok=True)
        self.keys.write_text(f"{new_key('fleet')}\n", encoding="utf-8")

    @property
    def database_url(self) -> str:
        """The address of our records."""
        if self._cluster:
            return self._cluster.url
        return f"sqlite:///{self._folder.resolve() / 'records.db'}"

    async def engine(self) -> Engine:
        """Return a connection that can read what the workers write."""
        converter = data_converter(Settings(encryption_keys_file=self.keys))
        silent = PayloadLimitsConfig(payloads_warn_size=0)  # far too much is sent on purpose
        client = await Client.connect(self.address, data_converter=converter, payload_limits=silent)
        return Engine(client, self.address)

    def partners_admin(self) -> httpx.AsyncClient:
        """Yield a client for the sandbox's switches and records."""
        return httpx.AsyncClient(base_url=self.partners, trust_env=False, timeout=30)

    async def crash_workers(self, count: int) -> None:
        """Kill workers with SIGKILL; they are restarted."""
        for worker in [each for each in self._workers if each.running][:count]:
            worker.kill()
            await worker.until_ended()

    async def stop_worker(self) -> None:
        """Stop a worker with SIGTERM, as a deployment does; it is restarted."""
        for worker in [each for each in self._workers if each.running][-1:]:
            await worker.end(20)

    async def crash_server(self) -> None:
        """Kill the server with SIGKILL and restart it on the same file."""
        await _crash(self._server)

    async def crash_partners(self) -> None:
        """Kill the partners with SIGKILL and restart them with the same records; switched-on faults are dropped."""
        await _crash(self._sandbox)
        assert self._sandbox is not None, "it is up for as long as the machine is"
        await self._sandbox.until_ready()

    @asynccontextmanager
    async def database_gone(self) -> AsyncIterator[None]:
        """Crash PostgreSQL, or lock the SQLite file against writes."""
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
        """Move the key file away and kill the workers, so that none has the keys in memory."""
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
        """Restart a worker at once, however often: here workers never end through a fault of ours."""
        while True:
            await worker.until_ended()
            await asyncio.sleep(AGAIN)
            await worker.launch()

    def _worker_command(self) -> list[str]:
        return [sys.executable, "-m", "tests.faults.arms", self._arm] if self._arm else super()._worker_command()

    def _server_command(self, data: Path, ports: list[int]) -> list[str]:
        command = super()._server_command(data, ports)
        command += ["--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={LONG_HISTORY}"]
        # Otherwise a run shorter than a second delays the next one, and time skipping jumps over it.
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
            # Another process may have been given its port while it was down.
            if not left or "address already in use" not in str(error):
                raise
            await asyncio.sleep(1)
        else:
            return
