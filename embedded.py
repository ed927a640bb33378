"""Everything on one machine: server, partner sandbox and workers live exactly as long as the process that started them.

AfterSalesError
├── StartFailed     it could not be brought up; whatever was started has been ended
└── ChildEnded      something that must run has ended by itself
"""

import asyncio
import fcntl
import logging
import os
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from cases.errors import AfterSalesError
from child import Child, Server, StartFailed
from settings import ROOT

HOST = "127.0.0.1"
WORKER_GRACE, GRACE = 20, 5
"""Seconds from the request to end until the kill: workers finish their activities first."""
SERVER_SETTINGS = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    # A timer that is due sooner than this after the server's latest look at its timers is put off until then: by up
    # to a second by default, and every skip with it. No timer is missed at any length, because a look ends before the
    # first one that is still being written; a short one means more looks, of which there are 20 a second at most.
    "history.timerProcessorMaxTimeShift": '"10ms"',
    # Bytes of updates under way in one case; 20 MiB by default. One of more than 2 MiB cannot even be rejected by a
    # worker: the case would answer nobody until its sender gives up. Ten of ours at their largest fit.
    "history.maxInFlightUpdatePayloads": "1048576",
}
"""The server's dynamic configuration; values as JSON."""
LONGEST_BACK_OFF = 30
"""Seconds; a worker that keeps dying is started again at most this rarely, and never given up."""

_log = logging.getLogger(__name__)


class ChildEnded(AfterSalesError):
    """Something that must run has ended by itself; says what, and where its log is."""


class Embedded:
    """A server with its UI, the partner sandbox and workers on 127.0.0.1, for as long as the `async with` lasts.

    `data` holds the databases and the logs; without it nothing outlives the end. A port of 0 is any free one.
    Raises `StartFailed` on entry; nothing is left running then.
    """

    def __init__(  # noqa: PLR0913 (an installation has as many parts)
        self,
        *,
        data: Path | None,
        port: int = 7233,
        ui_port: int = 8233,
        partners_port: int = 8733,
        fixtures: Path | None = None,
        workers: int = 1,
    ) -> None:
        self._asked = {"--port": port, "--ui-port": ui_port, "--partners-port": partners_port}
        self._fixtures, self._count = fixtures, workers
        self._data = data
        self._held = ExitStack()
        self._workers: list[Child] = []
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._server: Server | None = None
        self._sandbox: Child | None = None

    async def __aenter__(self) -> Self:
        """Bring everything up, in order of need."""
        try:
            data = self._claim_data()
            ports = claim_ports(self._asked)
            self.address, self.ui, self.partners = (
                f"{HOST}:{ports[0]}",
                f"http://{HOST}:{ports[1]}",
                f"http://{HOST}:{ports[2]}",
            )
            self.logs = data / "logs"
            await self._start_all(data, ports)
        except BaseException:
            await self._end_all()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End everything, in the reverse order."""
        await self._end_all()

    async def wait(self) -> None:
        """Wait until the server or the sandbox ends by itself; raises `ChildEnded`. Workers are started again."""
        needed = [child for child in (self._server, self._sandbox) if child is not None]
        ends = [asyncio.ensure_future(child.until_ended()) for child in needed]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        raise ChildEnded("; ".join(child.ended_sentence() for child in needed if not child.running))

    async def kill_worker(self) -> None:
        """SIGKILL a worker, as a crash would; it stays away until `start_worker`."""
        worker = next(worker for worker in self._workers if worker.running)
        self._keepers.pop(worker.name).cancel()
        worker.kill()
        await worker.until_ended()

    async def start_worker(self) -> None:
        """Bring back the workers that were killed; raises `StartFailed`."""
        for worker in self._workers:
            if worker.name not in self._keepers:
                await worker.launch()
                await worker.until_ready()
                self._keepers[worker.name] = asyncio.create_task(self._keep(worker))

    async def _keep(self, worker: Child) -> None:
        """Start a worker again whenever it ends by itself, less and less often while it keeps ending."""
        clock, pause = asyncio.get_running_loop(), 1
        while True:
            since = clock.time()
            await worker.until_ended()
            pause = 1 if clock.time() - since > LONGEST_BACK_OFF else min(2 * pause, LONGEST_BACK_OFF)
            _log.warning("%s; starting it again in %s s", worker.ended_sentence(), pause)
            await asyncio.sleep(pause)
            await worker.launch()

    def _claim_data(self) -> Path:
        """The folder for databases and logs, for us alone: two servers on one database would destroy it."""
        if self._data is None:
            return Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="after-sales-")))
        data = self._data.resolve()
        try:
            data.mkdir(parents=True, exist_ok=True)
            lock = self._held.enter_context((data / "lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFailed(
                f"{data} is in use by another server: end that one, or choose another --data DIR"
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
        # The sandbox first: the server takes ports of its own at random, and might take the sandbox's.
        await self._sandbox.launch()
        await self._sandbox.until_ready()
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
        # What is set up for another server (address, profile, keys) must not reach this one.
        env = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        return env | {
            "TEMPORAL_ADDRESS": self.address,
            "TEMPORAL_CONFIG_FILE": os.devnull,
            "AFTER_SALES_PARTNERS_URL": self.partners,
            "AFTER_SALES_DATABASE_URL": f"sqlite:///{data / 'records.db'}",
            # Nothing would run here before somebody had made a version current.
            "AFTER_SALES_BUILD_ID": "",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    async def _end_all(self) -> None:
        """Workers, then the sandbox, then the server; whoever interrupts this has the rest killed at once."""
        for keeper in self._keepers.values():
            keeper.cancel()
        others = [child for child in (self._sandbox, self._server) if child is not None]
        try:
            await asyncio.gather(*(worker.end(WORKER_GRACE) for worker in self._workers))
            for child in others:
                await child.end(GRACE)
        finally:
            for child in (*self._workers, *others):
                child.kill()
            self._held.close()


def claim_ports(asked: dict[str, int]) -> list[int]:
    """The ports asked for, free ones where 0 was; raises `StartFailed` naming the one that is taken."""
    found = []
    with ExitStack() as held:
        for option, port in asked.items():
            # Held until all are known, or the same free port might be found twice.
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                probe.listen()
            except OSError as error:
                raise StartFailed(
                    f"port {port} on {HOST} cannot be used ({error.strerror}): end what runs there, or choose another "
                    f"with {option} (0: any free port)"
                ) from None
            found.append(probe.getsockname()[1])
    return found
