"""Child processes that end with their parent. Their log is a file, which also shows when they are ready."""

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
"""Seconds until a child has to be ready; far more than it needs, because machines may be busy."""
LOOK_EVERY = 0.05
"""Seconds between two checks of a child that is starting."""

_LINUX = sys.platform == "linux"
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""
"""Asks Linux to kill the process when its parent ends (option 1, PR_SET_PDEATHSIG), then executes the command.

Not a `preexec_fn`, because Python code between fork and exec may deadlock in a process with threads.
"""


class StartFailed(AfterSalesError):
    """Something could not be started; the text says why and what to do."""


@dataclass
class Child:
    """A child process. It is ready when its log file contains `ready_line`."""

    name: str
    command: list[str]
    env: dict[str, str] = field(repr=False)  # may contain keys and tokens
    log: Path
    ready_line: str | None = None
    process: asyncio.subprocess.Process | None = None
    _log_from: int = field(default=0, repr=False)

    @property
    def running(self) -> bool:
        """Return whether the process is running."""
        return self.process is not None and self.process.returncode is None

    async def launch(self) -> None:
        """Start the process. If it ends, `ended_sentence` says why."""
        lifeline = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid())] if _LINUX else []
        with self.log.open("ab") as output:
            self._log_from = output.tell()
            try:
                # A separate session: Ctrl-C on the terminal reaches only us, and we stop the children in order.
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
        """Return whether it has logged that it is ready."""
        return self.ready_line is not None and self.ready_line in self._output()

    async def until_ready(self) -> None:
        """Wait until it is ready. Raises `StartFailed` if it ends or takes too long."""
        try:
            async with asyncio.timeout(READY_WITHIN):
                while not await self.ready():
                    if not self.running:
                        raise StartFailed(self.ended_sentence())
                    await asyncio.sleep(LOOK_EVERY)
        except TimeoutError:
            raise StartFailed(f"{self.name} was not ready within {READY_WITHIN} s: see {self.log}") from None

    async def until_ended(self) -> None:
        """Wait until the process has ended."""
        if self.process is not None:
            await self.process.wait()

    async def end(self, grace: float) -> None:
        """Send SIGTERM, and SIGKILL if it has not ended after `grace` seconds."""
        if self.process is None or not self.running:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.until_ended(), grace)
        except TimeoutError:
            self.kill()
            await self.until_ended()

    def kill(self) -> None:
        """Send SIGKILL."""
        if self.process is not None and self.running:
            self.process.kill()

    def ended_sentence(self) -> str:
        """Return a sentence that says how it ended, with the last lines of its log."""
        code = self.process.returncode if self.process else None
        if code is not None and code < 0:
            return f"{self.name} was ended by {signal.Signals(-code).name} (log: {self.log})"
        last = next((line for line in reversed(self._output().splitlines()) if line.strip()), "it logged nothing")
        return f"{self.name} has ended with exit code {code}: {last.strip()[:500]} (log: {self.log})"

    def _output(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return log.read().decode(errors="replace")


@dataclass
class Server(Child):
    """The Temporal server. It is ready when its namespace answers, which is later than its port."""

    address: str = ""

    async def ready(self) -> bool:
        """Return whether the namespace `default` answers."""
        try:
            client = await Client.connect(self.address)
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        except (RuntimeError, RPCError):
            return False
        return True
