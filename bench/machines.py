"""The machines that are measured: server, worker and partners, as configured by an arm; and the bare server and worker.

All arms run during the whole measurement, each with separate data.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

import psycopg
from pydantic import SecretStr
from temporalio.client import Client

from bench import bare
from bench.arms import BARE, KEYS, Arm, BadArm
from bench.counting.histories import Kept, kept
from bench.counting.processes import parent_of
from bench.hollow import HOLLOW
from cases.errors import AfterSalesError
from child import Child, Server
from client.cases import Engine
from embedded import HOST, Embedded, claim_ports
from encryption import data_converter
from settings import ROOT, configured

ORDERS = Path(__file__).with_name("orders.yaml")
DATABASE = "AFTER_SALES_DATABASE_URL"
GRACE = 5
"""Seconds from the request to stop until the process is killed."""


class Measured(Protocol):
    """Something whose processes and files are measured."""

    @property
    def name(self) -> str:
        """Its name in the table."""

    async def kept(self, workflow: str) -> Kept:
        """Return what its server stores of a closed case."""

    def processes(self) -> dict[str, list[int]]:
        """Return the ids of its processes, by role."""

    def files(self) -> list[Path]:
        """Return the SQLite files in which it stores cases."""


class Machine(Embedded):
    """The engine as run by `embedded.py`, with the settings of an arm."""

    def __init__(self, arm: Arm, data: Path) -> None:
        """Configure the machine. `data` is an empty folder, created if missing."""
        data.mkdir(parents=True, exist_ok=True)
        orders = data / ORDERS.name
        orders.write_text(
            ORDERS.read_text(encoding="utf-8").replace("after: 0", f"after: {arm.apart}"), encoding="utf-8"
        )
        super().__init__(data=data, port=0, ui_port=0, partners_port=0, fixtures=orders, workers=arm.workers)
        self.arm, self.data = arm, data
        self.engine: Engine

    @property
    def name(self) -> str:
        """The name of its arm."""
        return self.arm.name

    @property
    def client(self) -> Client:
        """A client with the same payload encryption as the arm's worker."""
        return self.engine.client

    async def __aenter__(self) -> Self:
        """Start everything and connect."""
        await super().__aenter__()
        keys = self.arm.of("env").get(KEYS)
        settings = configured(encryption_keys=SecretStr(keys) if keys else None, encryption_keys_file=None)
        client = await Client.connect(self.address, data_converter=data_converter(settings))
        self.engine = Engine(client, self.address)
        return self

    async def kept(self, workflow: str) -> Kept:
        """Return what its server stores of this workflow."""
        return await kept(self.client, workflow)

    def processes(self) -> dict[str, list[int]]:
        """Return the processes of server, worker and sandbox, and of a PostgreSQL database."""
        found = {
            "server": process_ids(self._server),
            "worker": [pid for worker in self._workers for pid in process_ids(worker)],
            "sandbox": process_ids(self._sandbox),
        }
        url = self.arm.of("env").get(DATABASE, "")
        return {**found, "database": [postmaster(url)]} if url.startswith("postgresql") else found

    def files(self) -> list[Path]:
        """Return the server's file, and that of our database if it is SQLite."""
        return [self.data / "temporal.db", *([] if self.arm.of("env").get(DATABASE) else [self.data / "records.db"])]

    def _server_command(self, data: Path, ports: list[int]) -> list[str]:
        command = super()._server_command(data, ports)
        command = _overridden(command, "--dynamic-config-value", self.arm.of("server"))
        return _overridden(command, "--sqlite-pragma", self.arm.of("pragma"))

    def _worker_command(self) -> list[str]:
        varied = self.arm.of("worker")
        if not varied:
            return super()._worker_command()
        return [sys.executable, "-m", "bench.varied_worker", json.dumps(dict(varied))]

    def _environment(self, data: Path) -> dict[str, str]:
        varied = {KEYS: "", f"{KEYS}_FILE": "", **self.arm.of("env")}
        env = {name: value for name, value in super()._environment(data).items() if name not in varied}
        return env | {name: value for name, value in varied.items() if value}


class HollowMachine(Machine):
    """The engine's server, and the worker of the hollow cases, which reports by UDP to `port` what it hands over."""

    def __init__(self, data: Path, port: int) -> None:
        super().__init__(Arm(HOLLOW), data)
        self._port = port

    def files(self) -> list[Path]:
        """Return the server's file. Hollow cases have no database."""
        return [self.data / "temporal.db"]

    def _worker_command(self) -> list[str]:
        return [sys.executable, "-m", "bench.hollow", str(self._port)]


def _overridden(command: list[str], flag: str, settings: Mapping[str, str]) -> list[str]:
    """Return the command with NAME=VALUE pairs of a flag replaced or added, or removed if the value is empty."""
    found, pairs = [], {}
    words = iter(command)
    for word in words:
        if word == flag:
            name, _, value = next(words).partition("=")
            pairs[name] = value
        else:
            found.append(word)
    for name, value in {**pairs, **settings}.items():
        found += [flag, f"{name}={value}"] if value else []
    return found


class BareMachine:
    """`temporal server start-dev -f FILE` and one worker, with default settings."""

    name = BARE

    def __init__(self, data: Path) -> None:
        self._data = data
        self._children: list[Child] = []
        self.client: Client

    async def __aenter__(self) -> Self:
        """Start both and connect."""
        port, ui_port = claim_ports({"--port": 0, "--ui-port": 0})
        env = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        binary, file = Path(sys.executable).with_name("temporal"), self._data / "temporal.db"
        serve = [str(binary), "server", "start-dev", "-f", str(file), "--port", str(port), "--ui-port", str(ui_port)]
        work = [sys.executable, "-m", "bench.bare", f"{HOST}:{port}"]
        server = Server("the bare server", serve, env, self._data / "temporal.log", address=f"{HOST}:{port}")
        worker = Child("the bare worker", work, env | {"PYTHONPATH": str(ROOT)}, self._data / "worker.log", bare.READY)
        try:
            for child in (server, worker):
                self._children.append(child)
                await child.launch()
                await child.until_ready()
            self.client = await Client.connect(f"{HOST}:{port}")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop both."""
        for child in reversed(self._children):
            await child.end(GRACE)

    async def kept(self, workflow: str) -> Kept:
        """Return what its server stores of this workflow."""
        return await kept(self.client, workflow)

    def processes(self) -> dict[str, list[int]]:
        """Return the processes of server and worker."""
        return dict(zip(("server", "worker"), map(process_ids, self._children), strict=True))

    def files(self) -> list[Path]:
        """Return the server's file."""
        return [self._data / "temporal.db"]


def process_ids(child: Child | None) -> list[int]:
    """Return the id of a running process. Raises `AfterSalesError` if it has ended."""
    if child is None or child.process is None or not child.running:
        raise AfterSalesError(child.ended_sentence() if child else "it has not been started")
    return [child.process.pid]


def postmaster(url: str) -> int:
    """Return the id of the main process of a PostgreSQL on this machine. Raises `BadArm`."""
    if urlsplit(url).hostname not in (HOST, "localhost"):
        raise BadArm(f"{DATABASE}: only a PostgreSQL on {HOST} can be measured")
    try:
        with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
            return parent_of(connection.info.backend_pid)
    except psycopg.OperationalError as error:
        raise BadArm(f"{DATABASE}: PostgreSQL cannot be reached: {error}") from None
