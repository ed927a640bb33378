"""The command line without a server, files for it to read, and HTTP partners that report to a real server."""

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
    """An address that is reserved but does not answer: bound, not listening."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{silent.getsockname()[1]}"


@pytest.fixture
def starter(nobody: str, capsys: pytest.CaptureFixture[str]) -> Starter:
    """The command line, in this process, without a server."""
    return starter_here(nobody, capsys)


@pytest.fixture
def process(nobody: str) -> Starter:
    """The command line as a process, without a server."""
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
    """A gate before the refunds partner."""
    return Gate("/refunds/steps")


@pytest.fixture
def signals(engine: str, monkeypatch: pytest.MonkeyPatch) -> TemporalSignals:
    """How partners reach the server, set up from the environment."""
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("TEMPORAL_ADDRESS", engine)
    return TemporalSignals()


@pytest.fixture
async def sandbox(signals: TemporalSignals, gate: Gate, tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    """HTTP partners behind the gate; their reports go to the server."""
    async with sandbox_in(tmp_path, send=signals, gate=gate) as running:
        yield running


@pytest.fixture
def records(sqlite_url: str) -> Iterator[Records]:
    """Our records, empty."""
    opened = Records(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
async def workshop(client: Client, sandbox: RunningSandbox, records: Records) -> AsyncIterator[Workshop]:
    """A worker with those partners. At the end every history of the test is replayed."""
    # Longer than a call can be held at the gate, on any machine.
    async with talk_to(sandbox.url, timeout=25) as partners:
        opened = Workshop(client, Parts(policies.load(ROOT / "policies"), partners, records))
        await opened.open()
        yield opened
        await opened.close()
        await opened.replay()
