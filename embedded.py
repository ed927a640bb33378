"""Everything on one machine: server, partner sandbox and workers run as long as the process that started them.

AfterSalesError
├── StartFailed     something could not be started; everything started before has been stopped
└── ChildEnded      the server or the sandbox has ended unexpectedly
"""

import asyncio
import fcntl
import logging
import os
import secrets
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Self, TextIO

from cases.errors import AfterSalesError
from child import Child, Server, StartFailed
from settings import LOCK, ROOT

HOST = "127.0.0.1"
WORKER_GRACE, GRACE = 20, 5
"""Seconds between SIGTERM and SIGKILL. Workers finish their activities first, and the web server its requests."""
SERVER_SETTINGS = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    # The server may fire a timer this much late: up to a second by default, which would delay every skip. No value can
    # lose a timer. A small one means that the server scans its timers more often, at most 20 times a second.
    "history.timerProcessorMaxTimeShift": '"10ms"',
    # Bytes of updates in progress per case; 20 MiB by default. A worker cannot even reject an update over 2 MiB, and
    # the case would not respond until the sender gives up. The limit allows ten of our largest updates.
    "history.maxInFlightUpdatePayloads": "1048576",
    # Without it, tasks of equal priority run in the order of their arrival, and a flood of one line delays all others.
    "matching.enableFairness": "true",
}
"""The server's dynamic configuration; values are JSON."""
LONGEST_BACK_OFF = 30
"""Longest pause in seconds before a worker that keeps ending is restarted."""

_log = logging.getLogger(__name__)


class ChildEnded(AfterSalesError):
    """The server or the sandbox has ended unexpectedly; the text says which, and where its log is."""


class Embedded:
    """A server with its UI, the partner sandbox and workers on 127.0.0.1, for as long as the `async with` lasts.

    `data` is the folder for databases and logs; None: they are deleted at the end. Port 0 means any free port. Without
    a `web_port` there is no web server.
    Raises `StartFailed` on entry and then leaves nothing running.
    """

    def __init__(  # noqa: PLR0913 (an installation has that many parts)
        self,
        *,
        data: Path | None,
        port: int = 7233,
        ui_port: int = 8233,
        partners_port: int = 8733,
        web_port: int | None = None,
        fixtures: Path | None = None,
        workers: int = 1,
    ) -> None:
        self._asked = {"--port": port, "--ui-port": ui_port, "--partners-port": partners_port}
        if web_port is not None:
            self._asked["--web-port"] = web_port
        self._fixtures, self._count = fixtures, workers
        self._data = data
        self._held = ExitStack()
        self._lock: TextIO | None = None
        self._workers: list[Child] = []
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._server: Server | None = None
        self._sandbox: Child | None = None
        self._web: Child | None = None

    async def __aenter__(self) -> Self:
        """Start everything in the order of dependencies."""
        try:
            data = self._claim_data()
            ports = claim_ports(self._asked)
            self.address = f"{HOST}:{ports[0]}"
            self.ui, self.partners, *web = (f"http://{HOST}:{port}" for port in ports[1:])
            self.web = web[0] if web else None
            if self._lock is not None:
                self._lock.write(self.address)
                self._lock.flush()
            self.logs = data / "logs"
            self.records_url = f"sqlite:///{data / 'records.db'}"
            await self._start_all(data, ports)
        except BaseException:
            await self._end_all()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything in reverse order."""
        await self._end_all()

    async def wait(self) -> None:
        """Wait until the server or the sandbox ends, then raise `ChildEnded`. Workers and the web server restart."""
        needed = [child for child in (self._server, self._sandbox) if child is not None]
        ends = [asyncio.ensure_future(child.until_ended()) for child in needed]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        raise ChildEnded("; ".join(child.ended_sentence() for child in needed if not child.running))

    async def kill_worker(self) -> None:
        """Kill a worker with SIGKILL, like a crash. It stays down until `start_worker`."""
        worker = next(worker for worker in self._workers if worker.running)
        self._keepers.pop(worker.name).cancel()
        worker.kill()
        await worker.until_ended()

    async def start_worker(self) -> None:
        """Start the workers that are not running. Raises `StartFailed`."""
        for worker in self._workers:
            if worker.name not in self._keepers:
                await worker.launch()
                await worker.until_ready()
                self._keepers[worker.name] = asyncio.create_task(self._keep(worker))

    async def _start_web(self, env: dict[str, str], port: int) -> None:
        env = {**env, "AFTER_SALES_WEB_ADDRESS": f"{HOST}:{port}", "AFTER_SALES_WEB_DEMONSTRATION": "true"}
        command = [sys.executable, "-P", "-m", "web"]
        self._web = Child("the web server", command, env, self.logs / "web.log", "web ready at")
        await self._web.launch()
        await self._web.until_ready()
        self._keepers[self._web.name] = asyncio.create_task(self._keep(self._web))

    async def _keep(self, child: Child) -> None:
        """Restart a child whenever it ends, with growing pauses while it keeps ending."""
        clock, pause = asyncio.get_running_loop(), 1
        while True:
            since = clock.time()
            await child.until_ended()
            pause = 1 if clock.time() - since > LONGEST_BACK_OFF else min(2 * pause, LONGEST_BACK_OFF)
            _log.warning("%s; restarting it in %s s", child.ended_sentence(), pause)
            await asyncio.sleep(pause)
            await child.launch()

    def _claim_data(self) -> Path:
        """Create and lock the folder for databases and logs: two servers on one database would destroy it."""
        if self._data is None:
            return Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="after-sales-")))
        data = self._data.resolve()
        try:
            data.mkdir(parents=True, exist_ok=True)
            self._lock = self._held.enter_context((data / LOCK).open("a"))
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._lock.truncate(0)
        except BlockingIOError:
            raise StartFailed(
                f"{data} is in use by another server: stop that one, or choose another --data DIR"
            ) from None
        except OSError as error:
            raise StartFailed(
                f"{data} cannot be written ({error.strerror}): choose another --data DIR, or --ephemeral"
            ) from None
        return data

    async def _start_all(self, data: Path, ports: list[int]) -> None:
        self.logs.mkdir(exist_ok=True)
        env = self._environment(data)
        self._server = Server("the Temporal server", self._server_command(data, ports), env, self.logs / "temporal.log")
        self._server.address = self.address
        sandbox = [sys.executable, "-P", "-m", "partners.sandbox", "--port", str(ports[2])]
        sandbox += ["--ledger", str(data / "partners.db")]
        sandbox += ["--fixtures", str(self._fixtures.resolve())] if self._fixtures else []
        ready_line = "partner sandbox ready at"
        self._sandbox = Child("the partner sandbox", sandbox, env, self.logs / "partners.log", ready_line)
        # These first: the server takes additional ports at random, possibly theirs.
        await self._sandbox.launch()
        await self._sandbox.until_ready()
        if self.web is not None:
            await self._start_web(env, ports[3])
        await self._server.launch()
        await self._server.until_ready()
        for number in range(1, self._count + 1):
            log = self.logs / f"worker-{number}.log"
            self._workers.append(Child(f"worker {number}", self._worker_command(), env, log, "worker ready"))
        await self.start_worker()

    def _worker_command(self) -> list[str]:
        return [sys.executable, str(ROOT / "worker.py")]

    def _server_command(self, data: Path, ports: list[int]) -> list[str]:
        binary = Path(sys.executable).with_name("temporal")
        if not binary.exists():
            raise StartFailed(f"{binary} is missing: install the requirements into this environment (make setup)")
        command = [str(binary), "server", "start-dev", "--log-level", "error", "--ip", HOST, "--ui-disable-news-fetch"]
        command += ["--port", str(ports[0]), "--ui-port", str(ports[1])]
        for name, value in SERVER_SETTINGS.items():
            command += ["--dynamic-config-value", f"{name}={value}"]
        if self._data is None:
            return command
        command += ["--db-filename", str(data / "temporal.db")]
        return [*command, "--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]

    def _environment(self, data: Path) -> dict[str, str]:
        # Settings for another server (address, profile, keys) must not affect this one.
        env = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        return env | {
            "TEMPORAL_ADDRESS": self.address,
            "TEMPORAL_CONFIG_FILE": os.devnull,
            "AFTER_SALES_PARTNERS_URL": self.partners,
            "AFTER_SALES_DATABASE_URL": self.records_url,
            "AFTER_SALES_REVIEWS": env.get("AFTER_SALES_REVIEWS", str(data / "reviews")),
            # A new secret with each start: earlier links keep working, because they are looked up by their hash.
            "AFTER_SALES_LINK_SECRET": secrets.token_hex(32),
            "AFTER_SALES_PUBLIC_URL": self.web or "",
            "AFTER_SALES_WEB_PHOTOS": str(data / "photos"),
            # With a build id, no case would run before a version was made current.
            "AFTER_SALES_BUILD_ID": "",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    async def _end_all(self) -> None:
        """Stop the workers and the web server, then the sandbox, then the server. An interrupt kills the rest."""
        for keeper in self._keepers.values():
            keeper.cancel()
        first = [*self._workers, *([self._web] if self._web is not None else [])]
        others = [child for child in (self._sandbox, self._server) if child is not None]
        try:
            await asyncio.gather(*(child.end(WORKER_GRACE) for child in first))
            for child in others:
                await child.end(GRACE)
        finally:
            for child in (*first, *others):
                child.kill()
            self._held.close()


def claim_ports(asked: dict[str, int]) -> list[int]:
    """Return the requested ports, and a free port for each 0. Raises `StartFailed` if one is taken."""
    found = []
    with ExitStack() as held:
        for option, port in asked.items():
            # Held until all are chosen, so that no free port is chosen twice.
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                probe.listen()
            except OSError as error:
                raise StartFailed(
                    f"port {port} on {HOST} cannot be used ({error.strerror}): stop what uses it, or choose another "
                    f"with {option} (0: any free port)"
                ) from None
            found.append(probe.getsockname()[1])
    return found
