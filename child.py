"""A process of ours lives no longer than we do, and its log is a file that also tells when it is ready."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from cases.errors import AfterSalesError

READY_WITHIN = 60
"""Seconds until a child has to be ready: far more than it needs, because machines are busy."""
LOOK_EVERY = 0.05
"""Seconds between two looks at a child that is starting."""

_LINUX = sys.platform == "linux"
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""
"""Becomes the command, after asking Linux to kill it when its parent is gone (option 1, PR_SET_PDEATHSIG).

Not a `preexec_fn`: running Python between fork and exec may deadlock in a process with threads, and ours has some.
"""


class StartFailed(AfterSalesError):
    """It could not be brought up; says what was in the way and what to do."""


@dataclass
class Child:
    """One process of ours: its log is a file, and the line `ready_line` in it (or `answers`) says that it is ready."""

    name: str
    command: list[str]
    env: dict[str, str] = field(repr=False)  # may hold keys and tokens
    log: Path
    ready_line: str | None = None
    process: asyncio.subprocess.Process | None = None
    _log_from: int = field(default=0, repr=False)

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self.process is not None and self.process.returncode is None

    async def launch(self) -> None:
        """Start the process; its end is told by `ended_sentence`."""
        lifeline = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())] if _LINUX else []
        with self.log.open("ab") as output:
            self._log_from = output.tell()
            try:
                # A process group of its own: Ctrl-C on the terminal reaches us alone, and we end them in order.
                self.process = await asyncio.create_subprocess_exec(
                    *lifeline,
                    *self.command,
                    env=self.env,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            except OSError as error:
                raise StartFailed(f"{self.command[0]} cannot be run: {error.strerror}") from None

    async def ready(self) -> bool:
        """Whether it has said that it is ready."""
        return self.ready_line is not None and self.ready_line in self._said()

    async def until_ready(self) -> None:
        """Wait for it; raises `StartFailed` when it ends instead, or takes too long."""
        try:
            async with asyncio.timeout(READY_WITHIN):
                while not await self.ready():
                    if not self.running:
                        raise StartFailed(self.ended_sentence())
                    await asyncio.sleep(LOOK_EVERY)
        except TimeoutError:
            raise StartFailed(f"{self.name} was not ready within {READY_WITHIN} s: see {self.log}") from None

    async def until_ended(self) -> None:
        """Wait until the process is gone."""
        if self.process is not None:
            await self.process.wait()

    async def end(self, grace: float) -> None:
        """Ask it to end, and kill it when it has not after `grace` seconds."""
        if self.process is None or not self.running:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.until_ended(), grace)
        except TimeoutError:
            self.kill()
            await self.until_ended()

    def kill(self) -> None:
        """SIGKILL, by process id."""
        if self.process is not None and self.running:
            self.process.kill()

    def ended_sentence(self) -> str:
        """That it has ended, with its own last words and where there are more."""
        code = self.process.returncode if self.process else None
        if code is not None and code < 0:
            return f"{self.name} was ended by {signal.Signals(-code).name} (log: {self.log})"
        last = next((line for line in reversed(self._said().splitlines()) if line.strip()), "it said nothing")
        return f"{self.name} has ended with exit code {code}: {last.strip()[:500]} (log: {self.log})"

    def _said(self) -> str:
        with self.log.open("rb") as output:
            output.seek(self._log_from)
            return output.read().decode(errors="replace")


@dataclass
class Server(Child):
    """The Temporal server: ready when it answers for its namespace, which comes up after its port."""

    address: str = ""

    async def ready(self) -> bool:
        """Whether the namespace `default` can be used."""
        try:
            client = await Client.connect(self.address)
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        except (RuntimeError, RPCError):
            return False
        return True
