"""Read what processes use from Linux: CPU of all threads and children, resident memory, bytes on disk."""

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
    """A measured process has ended, so its cost is unknown."""


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU seconds so far of these processes and all their children, including ended ones."""
    return sum(sum(int(field) for field in fields[11:15]) for fields in _trees(pids)) / _TICKS


def resident_bytes(pids: Iterable[int]) -> int:
    """Return the resident memory of these processes and their children, in bytes."""
    return sum(int(fields[21]) for fields in _trees(pids)) * _PAGE


def parent_of(pid: int) -> int:
    """Return the id of the parent process."""
    return int(_stat(pid)[1])


def sqlite_bytes(file: Path) -> int:
    """Return the bytes in use in a SQLite database, including its write-ahead log."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as db:
        pages, free, size = (
            int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
        )
    return (pages - free) * size


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder that are on disk. Space that is only reserved does not count."""
    return sum(min(file.stat().st_size, 512 * file.stat().st_blocks) for file in folder.rglob("*") if file.is_file())


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third (`state`) on. The second is a name of any characters."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessGone(f"process {pid} has ended while it was measured") from None


def _trees(pids: Iterable[int]) -> Iterator[list[str]]:
    """Yield the fields of each of these processes and their descendants. Raises `ProcessGone` if one is missing."""
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
