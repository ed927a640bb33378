"""The engines that are compared: their servers and programs with default settings, each with a partner sandbox."""

import os
import sqlite3
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import psycopg
from aiohttp import ClientError, ClientSession

from bench.counting.histories import Kept
from bench.driving import NotAsPlanned, Played
from bench.machines import GRACE, ORDERS, postmaster, process_ids
from bench.rivals import plain
from bench.shapes import ACKNOWLEDGED, CONSENT, DAMAGE_REPLACED, REPORT, Said
from bench.watching import LedgerHandovers, Watch
from child import Child
from embedded import HOST, claim_ports
from settings import ROOT

HOME = ROOT / ".rivals"
"""The environment in which the other engines are installed (bench/rivals/README.md)."""
PYTHON = HOME / "bin" / "python"
SERVER = HOME / "node_modules" / ".bin" / "restate-server"
DBOS_DATABASE = "RIVALS_DBOS_URL"
"""Variable: the PostgreSQL on this machine for `dbos-postgresql`: `postgresql+psycopg://…`."""
READY = "Uvicorn running on"


@dataclass
class HttpServer(Child):
    """A child process that is ready when `url` answers."""

    url: str = ""

    async def ready(self) -> bool:
        """Return whether `url` answers."""
        try:
            async with ClientSession() as session, session.get(self.url) as response:
                return response.ok
        except ClientError:
            return False


class Rival(ABC):
    """An engine with its program, and the sandbox. `url/CASE/MESSAGE` accepts the messages to a case."""

    name: str
    start = "run"
    """The last part of the address that starts a case."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.ledger, self._data = data / "partners.db", data
        self._children: dict[str, Child] = {}
        sandbox, *self._ports = claim_ports(dict.fromkeys(("sandbox", "a", "b", "c", "d"), 0))
        self._sandbox = sandbox
        self.url = f"http://{HOST}:{self._ports[0]}/{self._path}"
        self._env = os.environ | {
            "PYTHONPATH": str(ROOT),
            plain.PARTNERS: f"http://{HOST}:{sandbox}",
            plain.RECORDS: str(data / "records.db"),
        }

    async def __aenter__(self) -> Self:
        """Start the sandbox and the engine."""
        try:
            arguments = [str(self._sandbox), str(self.ledger), str(ORDERS), self.url]
            await self._launch("sandbox", [sys.executable, "-m", "bench.rivals.sandbox", *arguments], READY)
            await self._start()
            self.session = ClientSession(raise_for_status=True)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything."""
        if hasattr(self, "session"):
            await self.session.close()
        for child in reversed(self._children.values()):
            await child.end(GRACE)

    def processes(self) -> dict[str, list[int]]:
        """Return the ids of its processes, by role."""
        return {role: process_ids(child) for role, child in self._children.items()}

    @property
    @abstractmethod
    def _path(self) -> str:
        """The path of its cases."""

    @abstractmethod
    async def _start(self) -> None:
        """Start its server and its program."""

    @abstractmethod
    def files(self) -> list[Path]:
        """Return the SQLite files and the folders in which it stores cases."""

    @abstractmethod
    async def kept(self, case_id: str) -> Kept:
        """Return what the engine stores of a closed case."""

    @abstractmethod
    async def result(self, case_id: str) -> dict[str, Any]:
        """Wait for the end of a case. Return its record."""

    async def _launch(self, role: str, command: list[str], ready: str) -> None:
        """Start a process. It is ready when its URL `ready` answers, or when it has logged the line `ready`."""
        log = self._data / f"{role}.log"
        name = f"the {role} of {self.name}"
        if ready.startswith("http"):
            child: Child = HttpServer(name, command, self._env, log, url=ready)
        else:
            child = Child(name, command, self._env, log, ready)
        self._children[role] = child
        await child.launch()
        await child.until_ready()


class Dbos(Rival):
    """DBOS: a library in the worker, with SQLite, which is its default."""

    name, _path = "dbos", "cases"

    async def _start(self) -> None:
        program = [str(PYTHON), "-m", "bench.rivals.on_dbos", str(self._ports[0]), self._database]
        await self._launch("worker", program, READY)

    @property
    def _database(self) -> str:
        return f"sqlite:///{self._data / 'dbos.db'}"

    def files(self) -> list[Path]:
        """Return the engine's file and the archive."""
        return [self._data / "dbos.db", self._data / "records.db"]

    async def kept(self, case_id: str) -> Kept:
        """Count the rows of steps and messages as events."""
        with closing(sqlite3.connect(self._data / "dbos.db", timeout=10)) as db:
            return Kept(db.execute(self._rows(case_id)).fetchone()[0], 0, 0, {})

    def _rows(self, case_id: str, schema: str = "") -> str:
        return (
            f"SELECT (SELECT count(*) FROM {schema}operation_outputs WHERE workflow_uuid = '{case_id}') + "  # noqa: S608
            f"(SELECT count(*) FROM {schema}notifications WHERE destination_uuid = '{case_id}') + 1"
        )

    async def result(self, case_id: str) -> dict[str, Any]:
        """Ask the program."""
        async with self.session.get(f"{self.url}/{case_id}") as response:
            return dict(await response.json())


class DbosOnPostgresql(Dbos):
    """DBOS with PostgreSQL, which its authors recommend for production."""

    name = "dbos-postgresql"

    @property
    def _database(self) -> str:
        return os.environ[DBOS_DATABASE]

    def processes(self) -> dict[str, list[int]]:
        """Return its processes, and those of PostgreSQL."""
        return {**super().processes(), "database": [postmaster(self._database)]}

    def files(self) -> list[Path]:
        """Return the archive. What PostgreSQL stores is not counted."""
        return [self._data / "records.db"]

    async def kept(self, case_id: str) -> Kept:
        """Count the rows of steps and messages as events."""
        with psycopg.connect(self._database.replace("+psycopg", "", 1)) as connection:
            row = connection.execute(self._rows(case_id, "dbos.").encode()).fetchone()
        return Kept(row[0] if row else 0, 0, 0, {})


class Restate(Rival):
    """Restate: its server as one process, and the program."""

    name, _path, start = "restate", "Complaint", "run/send"

    async def _start(self) -> None:
        ingress, admin, node, program = self._ports
        self._admin = f"http://{HOST}:{admin}"
        self._env |= {
            "RESTATE_INGRESS__BIND_ADDRESS": f"{HOST}:{ingress}",
            "RESTATE_ADMIN__BIND_ADDRESS": f"{HOST}:{admin}",
            "RESTATE_DISABLE_TELEMETRY": "true",
        }
        node_at = ["--listen-mode", "tcp", "--bind-ip", HOST, "--bind-port", str(node)]
        serve = [str(SERVER), *node_at, "--base-dir", str(self._data / "restate")]
        await self._launch("server", serve, f"{self._admin}/health")
        await self._launch("worker", [str(PYTHON), "-m", "bench.rivals.on_restate", str(program)], "Running on")
        async with (
            ClientSession(raise_for_status=True) as session,
            session.post(f"{self._admin}/deployments", json={"uri": f"http://{HOST}:{program}"}),
        ):
            pass

    def files(self) -> list[Path]:
        """Return the server's folder and the archive."""
        return [self._data / "restate", self._data / "records.db"]

    async def kept(self, case_id: str) -> Kept:
        """Count the entries of the case's journal, and of those of its messages."""
        sql = "SELECT count(*) AS n FROM sys_journal j JOIN sys_invocation i ON j.id = i.id "
        sql += f"WHERE i.target_service_key = '{case_id}'"
        headers = {"Accept": "application/json"}
        async with self.session.post(f"{self._admin}/query", json={"query": sql}, headers=headers) as response:
            return Kept((await response.json())["rows"][0]["n"], 0, 0, {})

    async def result(self, case_id: str) -> dict[str, Any]:
        """Attach to the workflow."""
        async with self.session.get(
            f"http://{HOST}:{self._ports[0]}/restate/workflow/Complaint/{case_id}/attach"
        ) as got:
            return dict(await got.json())


RIVALS: dict[str, type[Rival]] = {rival.name: rival for rival in (Dbos, DbosOnPostgresql, Restate)}


def missing(name: str) -> str | None:
    """Return a sentence if this engine is not installed."""
    needed = [PYTHON, SERVER] if name == Restate.name else [PYTHON]
    package = next(HOME.glob(f"lib/python*/site-packages/{name.partition('-')[0]}"), None)
    if package and all(file.exists() for file in needed):
        return f"set {DBOS_DATABASE}" if name == DbosOnPostgresql.name and DBOS_DATABASE not in os.environ else None
    return f"{name} is not installed in {HOME}: see bench/rivals/README.md"


class RivalPlayer:
    """Plays damage-replaced cases on another engine, with the same messages as `CasePlayer`."""

    name = DAMAGE_REPLACED.name

    def __init__(self, target: Rival, handovers: LedgerHandovers, watch: Watch) -> None:
        self.target, self.handovers, self._watch = target, handovers, watch

    async def play(self, says: Sequence[Said] = DAMAGE_REPLACED.says, **more: Any) -> Played:
        """Play one case from start to end. Raises `NotAsPlanned`."""
        case_id = f"R-{uuid4().hex[:12]}"
        with self._watch.waiting(None, case_id, "its end"):
            started, agreed = time.time(), None
            await self._post(case_id, self.target.start, DAMAGE_REPLACED.complaint(case_id, **more))
            for said in says:
                at = await self.say(case_id, said)
                agreed = at if said.message == CONSENT else agreed
            await self.handovers.until(case_id, REPORT)
            record = await self.target.result(case_id)
        if record["outcome"] != "satisfied":
            raise NotAsPlanned(f"{case_id} on {self.target.name} ended as {record['outcome']}")
        steps = self.handovers.times(case_id, "step")
        first = await self.handovers.until(case_id, ACKNOWLEDGED)
        return Played(case_id, started, first, agreed, steps[0], steps[-1], time.time())

    async def say(self, case_id: str, said: Said) -> float:
        """Send a message once the partners were handed what it answers. Return when it was sent."""
        await self.handovers.until(case_id, said.after)
        at = time.time()
        await self._post(case_id, said.message.replace("-", "_"), said.payload)
        return at

    async def _post(self, case_id: str, what: str, content: dict[str, Any]) -> None:
        async with self.target.session.post(f"{self.target.url}/{case_id}/{what}", json=content):
            pass


@asynccontextmanager
async def rival_player(name: str, data: Path, watch: Watch) -> AsyncIterator[RivalPlayer]:
    """Start an engine with its data in `data`. Yield its player."""
    async with RIVALS[name](data) as machine, LedgerHandovers(machine.ledger, watch.moved) as handovers:
        yield RivalPlayer(machine, handovers, watch)
