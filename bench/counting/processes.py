"""What processes have cost, as Linux counts it: CPU of all threads and children, resident memory, bytes on disk."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from cases.errors import AfterSalesError

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ProcessGone(AfterSalesError):
    """A process that is measured is not there any more, so what it cost is not known."""


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time so far of these processes and all their children, those that have ended included."""
    return sum(sum(int(field) for field in fields[11:15]) for fields in _trees(pids)) / _TICKS


def resident_bytes(pids: Iterable[int]) -> int:
    """Resident memory of these processes and their children."""
    return sum(int(fields[21]) for fields in _trees(pids)) * _PAGE


def parent_of(pid: int) -> int:
    """The process that started this one."""
    return int(_stat(pid)[1])


def sqlite_bytes(file: Path) -> int:
    """Bytes in use in a SQLite database, whatever of it is still in its write-ahead log."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as db:
        pages, free, size = (
            int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
        )
    return (pages - free) * size


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third, `state`, on; the second is a name that may hold anything."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessGone(f"process {pid} has ended while it was measured") from None


def _trees(pids: Iterable[int]) -> Iterator[list[str]]:
    """The fields of each of these processes and of what descends from them; `ProcessGone` where one is not there."""
    children: dict[int, list[int]] = {}
    known: dict[int, list[str]] = {}
    for pid in (int(folder.name) for folder in PROC.iterdir() if folder.name.isdigit()):
        with suppress(ProcessGone):
            known[pid] = _stat(pid)
            children.setdefault(int(known[pid][1]), []).append(pid)
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        yield known.get(pid) or _stat(pid)
        waiting += children.get(pid, [])
