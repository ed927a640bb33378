"""What one batch of cases has cost its processes and files, read before and after."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.counting.processes import cpu_seconds, resident_bytes, sqlite_bytes
from bench.machines import Measured
from bench.watching import Watch

SETTLE = 1.0
"""Seconds after a batch until the server has done what it puts off (visibility, timers)."""
TOTAL = ("server", "worker", "database")
"""What a case's CPU time is the sum of; the sandbox stands in for other companies' systems."""


@dataclass(frozen=True)
class Run:
    """What every measurement of a run shares: a folder for data, the watch, and where progress is told."""

    data: Path
    watch: Watch
    tell: Callable[[str], None]

    def folder(self, name: str) -> Path:
        """An empty folder for one machine."""
        made = self.data / name.replace("/", "-")
        made.mkdir(parents=True)
        return made


class Cost(NamedTuple):
    """What a batch took: CPU milliseconds by what the processes are, bytes on disk, seconds of real time."""

    cpu_ms: dict[str, float]
    storage_bytes: int
    seconds: float


class Meter:
    """Reads what a machine has spent since this was made."""

    def __init__(self, target: Measured) -> None:
        self._target, self._processes = target, target.processes()
        self._cpu, self._bytes, self._began = cpu(self._processes), storage(target), time.monotonic()

    async def read(self) -> Cost:
        """The cost so far, once the server has settled; raises `ProcessGone` where one of the processes has ended."""
        seconds = time.monotonic() - self._began
        await asyncio.sleep(SETTLE)
        spent = {role: (total - self._cpu[role]) * 1000 for role, total in cpu(self._processes).items()}
        return Cost(spent, storage(self._target) - self._bytes, seconds)


def cpu(processes: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """CPU seconds so far, by what the processes are."""
    return {role: cpu_seconds(pids) for role, pids in processes.items()}


def memory(target: Measured) -> dict[str, int]:
    """Resident bytes, by what the processes are."""
    return {role: resident_bytes(pids) for role, pids in target.processes().items()}


def storage(target: Measured) -> int:
    """Bytes in all its SQLite files."""
    return sum(sqlite_bytes(file) for file in target.files())


def total(cpu_ms: Mapping[str, float]) -> float:
    """CPU milliseconds, the sandbox's left out."""
    return sum(cpu_ms.get(role, 0.0) for role in TOTAL)
