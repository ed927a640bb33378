"""Run the command line as a process or in this one, without this machine's settings."""

import copy
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from settings import ROOT
from starter import main

PATIENCE = 90
"""Seconds after which something expected has failed to happen."""

COMPLAINT: dict[str, Any] = {
    "case_id": "HL-1",
    "line": "building_materials",
    "topic": "transport.damage",
    "channel": "hotline",
    "received_at": "2026-11-18T09:00:00+08:00",
    "customer": {"name": "Wang Fang", "phone": "+8613800000001"},
    "order": {
        "order_id": "SO-1",
        "amount": "12800.00",
        "freight": "300.00",
        "items": [{"sku": "SLATE-9", "name": "Slate", "quantity": 4, "unit_price": "3125.00"}],
    },
    "description": "One slab arrived broken.",
}

OURS = ("TEMPORAL_", "AFTER_SALES_")
"""Prefixes of variables that are passed to the command line."""
STARTER = [sys.executable, str(ROOT / "starter.py")]


def complaint(**changes: Any) -> dict[str, Any]:
    """Return a valid complaint, except for `changes`; `order__amount` means the order's amount."""
    made = copy.deepcopy(COMPLAINT)
    # A separate order: complaints about one order and topic are handled together.
    made["order"]["order_id"] = f"SO-{changes.get('case_id', made['case_id'])}"
    for path, value in changes.items():
        *outer, last = path.split("__")
        part = made
        for name in outer:
            part = part[name]
        part[last] = value
    return made


def clean_environment(**more: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    return {**inherited, "TEMPORAL_CONFIG_FILE": os.devnull, **more}


@dataclass(frozen=True)
class Result:
    """The result of a command."""

    code: int
    out: str
    err: str


Starter = Callable[..., Result]


def starter_at(address: str, **environment: str) -> Starter:
    """Return a function that runs `starter.py` against the server at `address`; a traceback fails the test."""

    def run(*arguments: str | Path, stdin: str = "", **more: str) -> Result:
        done = subprocess.run(
            [*STARTER, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=clean_environment(TEMPORAL_ADDRESS=address, **environment, **more),
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    return run


def starter_here(address: str, capsys: pytest.CaptureFixture[str]) -> Starter:
    """Like `starter_at`, without the second that a process takes to start; an escaping exception fails the test."""

    def run(*arguments: str | Path, stdin: bytes = b"", **more: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            given = io.BytesIO(stdin)
            given.name = "<stdin>"
            patch.setattr(sys, "stdin", io.TextIOWrapper(given))
            for stream in (sys.stdout, sys.stderr):  # as the program does
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
            for name in [name for name in os.environ if name.startswith(OURS)]:
                patch.delenv(name)
            for name, value in {"TEMPORAL_CONFIG_FILE": os.devnull, "TEMPORAL_ADDRESS": address, **more}.items():
                patch.setenv(name, value)
            code = main([*map(str, arguments)])
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return run


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def interrupted(address: str, *arguments: str) -> tuple[str, int]:
    """Run `starter.py` and interrupt it as Ctrl-C does after its first line; return that line and the exit code."""
    # Tests in the background of a shell ignore Ctrl-C, and their child processes would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [*STARTER, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(TEMPORAL_ADDRESS=address, PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    return line, process.returncode


@dataclass(frozen=True)
class Up:
    """A running `starter.py up`, and its output."""

    process: subprocess.Popen[str]
    ready: str

    @property
    def address(self) -> str:
        return self.ready.split()[2]

    def end(self) -> tuple[int, str]:
        """Interrupt it as Ctrl-C does; return its exit code and standard error."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, err


@contextmanager
def starter_up(*arguments: str | Path) -> Iterator[Up]:
    """Run `starter.py up` on free ports until the block ends."""
    anywhere = ["--port", "0", "--ui-port", "0", "--partners-port", "0", "--web-port", "0"]
    process = subprocess.Popen(
        [*STARTER, "up", *anywhere, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    try:
        assert process.stdout is not None
        yield Up(process, process.stdout.readline())
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


def children_of(parent: int) -> dict[int, str]:
    """Return the live child processes of a process and their command lines, by id (Linux)."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, its_parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if int(its_parent) == parent and state != "Z":
            found[int(folder.name)] = command
    return found


def alive(pid: int) -> bool:
    """Return whether a process runs and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition: Callable[[], bool]) -> bool:
    """Return whether `condition` becomes true within the patience."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()
