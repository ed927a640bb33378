"""Measure what a batch of cases costs in CPU, memory and storage, by reading before and after."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.counting.processes import cpu_seconds, folder_bytes, resident_bytes, sqlite_bytes
from bench.machines import Measured
from bench.watching import Watch

SETTLE = 1.0
"""Seconds after a batch until the server has finished its deferred work (visibility, timers)."""
TOTAL = ("server", "worker", "database")
"""The roles whose CPU time is added up for a case. The sandbox represents systems of other companies."""


@dataclass(frozen=True)
class Run:
    """What all measurements of a run share: a folder for data, the watch, and a function that prints progress."""

    data: Path
    watch: Watch
    progress: Callable[[str], None]

    def folder(self, name: str) -> Path:
        """Create an empty folder for one machine."""
        made = self.data / name.replace("/", "-")
        made.mkdir(parents=True)
        return made


class Cost(NamedTuple):
    """The cost of a batch: CPU milliseconds by role of the process, bytes on disk, seconds of real time."""

    cpu_ms: dict[str, float]
    storage_bytes: int
    seconds: float


class Meter:
    """Measures what a machine has used since the meter was created."""

    def __init__(self, target: Measured) -> None:
        self._target, self._processes = target, target.processes()
        self._cpu, self._bytes, self._began = cpu(self._processes), storage(target), time.monotonic()

    async def read(self) -> Cost:
        """Let the server settle, and return the cost so far. Raises `ProcessGone` if a process has ended."""
        seconds = time.monotonic() - self._began
        await asyncio.sleep(SETTLE)
        spent = {role: (total - self._cpu[role]) * 1000 for role, total in cpu(self._processes).items()}
        return Cost(spent, storage(self._target) - self._bytes, seconds)


def cpu(processes: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Return the CPU seconds so far, by role."""
    return {role: cpu_seconds(pids) for role, pids in processes.items()}


def memory(target: Measured) -> dict[str, int]:
    """Return the resident bytes, by role."""
    return {role: resident_bytes(pids) for role, pids in target.processes().items()}


def storage(target: Measured) -> int:
    """Return the bytes in all its SQLite files and folders."""
    return sum(folder_bytes(file) if file.is_dir() else sqlite_bytes(file) for file in target.files())


def total(cpu_ms: Mapping[str, float]) -> float:
    """Return the CPU milliseconds without the sandbox."""
    return sum(cpu_ms.get(role, 0.0) for role in TOTAL)
