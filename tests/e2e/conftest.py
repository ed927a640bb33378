"""The command line where no server answers, files for it to read, and partners over HTTP that tell a real server."""

import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

import policies
from partners.sandbox.reports import TemporalSignals
from records import Records
from settings import ROOT
from tests.e2e.driving import Starter, starter_at, starter_here
from tests.engine import Workshop
from tests.partners.running import Gate, RunningSandbox, sandbox_in, talk_to
from worker import Parts


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody answers, and that nobody else gets meanwhile: bound, not listening."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{silent.getsockname()[1]}"


@pytest.fixture
def starter(nobody: str, capsys: pytest.CaptureFixture[str]) -> Starter:
    """The command line where no server answers."""
    return starter_here(nobody, capsys)


@pytest.fixture
def process(nobody: str) -> Starter:
    """The same as a process."""
    return starter_at(nobody)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of these values, one JSON line each; text is written as it is."""

    def write(*contents: Any, name: str = "complaints.ndjson") -> Path:
        path = tmp_path / name
        path.write_text(
            "".join((c if isinstance(c, str) else json.dumps(c)) + "\n" for c in contents), encoding="utf-8"
        )
        return path

    return write


@pytest.fixture
def gate() -> Gate:
    """Before the refunds partner."""
    return Gate("/refunds/steps")


@pytest.fixture
def signals(engine: str, monkeypatch: pytest.MonkeyPatch) -> TemporalSignals:
    """What partners reach the server by, as the environment says."""
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("TEMPORAL_ADDRESS", engine)
    return TemporalSignals()


@pytest.fixture
async def sandbox(signals: TemporalSignals, gate: Gate, tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    """Partners over HTTP behind the gate; what they report goes to the server."""
    async with sandbox_in(tmp_path, tell=signals, gate=gate) as running:
        yield running


@pytest.fixture
def records(sqlite_url: str) -> Iterator[Records]:
    """Our own records, empty."""
    opened = Records(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
async def workshop(client: Client, sandbox: RunningSandbox, records: Records) -> AsyncIterator[Workshop]:
    """A worker at work with those partners; at the end, every history that the test made is replayed."""
    # Partners may be held at the gate: longer than it takes, whatever else the machine does.
    async with talk_to(sandbox.url, timeout=25) as partners:
        opened = Workshop(client, Parts(policies.load(ROOT / "policies"), partners, records))
        await opened.open()
        yield opened
        await opened.close()
        await opened.replay()
