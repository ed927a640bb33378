"""The sandbox as a process: how it starts, how it reports that it cannot, and what a SIGKILL leaves behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from cases.contract import CASE_WORKFLOW, TASK_QUEUE
from partners.sandbox.reports import NoCaseError, TemporalSignals
from tests.engine import PATIENCE
from tests.partners.running import command, talk_to

ROOT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-m", "partners.sandbox"]
pytestmark = pytest.mark.e2e


@contextmanager
def running(ledger: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a sandbox process and its address; kill it in the end if it still runs."""
    arguments = [*RUN, "--port", "0", "--ledger", str(ledger), *options]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("partner sandbox ready at http://127.0.0.1:")
            yield process, line.split()[-1]
        finally:
            process.kill()


async def test_ledger_survives_sigkill(tmp_path: Path) -> None:
    """The second process knows what the first one paid, and pays nothing again."""
    with running(tmp_path / "ledger.db") as (process, url):
        async with talk_to(url) as partners:
            first = await partners.steps["refunds"].carry_out(command())
            await partners.steps["warehouse"].carry_out(command("gift"))
        process.send_signal(signal.SIGKILL)
        process.wait()

    with running(tmp_path / "ledger.db") as (_, url):
        async with talk_to(url) as partners:
            assert await partners.steps["refunds"].carry_out(command()) == first
            assert await partners.steps["warehouse"].find(command("gift").key) is not None
        async with httpx.AsyncClient(base_url=url, trust_env=False) as admin:
            money = (await admin.get("/_sandbox/money")).json()

    assert money == {"refund": "640.00"}


def test_interrupt_ends_it_cleanly(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.db") as (process, _):
        process.send_signal(signal.SIGINT)

        assert process.wait(PATIENCE) == 0
        assert process.stdout is not None
        assert process.stdout.read() == "", "one line, and no more"


def refused(*options: str) -> str:
    """Return the one sentence on standard error of a start that fails."""
    done = subprocess.run([*RUN, *options], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def test_port_in_use_is_reported_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        assert f"127.0.0.1:{port}" in refused("--port", port, "--ledger", str(tmp_path / "ledger.db"))


def test_invalid_ledger_file_is_reported_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("no database, and long enough to be sure of it" * 10)

    assert str(path) in refused("--port", "0", "--ledger", str(path))
    assert path.read_text().startswith("no database")


@pytest.mark.parametrize("text", [None, "SO-1: {stck: 1}", "SO-1: ["])
def test_faulty_fixtures_file_is_reported_in_a_sentence(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "orders.yaml"
    if text is not None:
        path.write_text(text)

    assert str(path) in refused("--port", "0", "--ledger", str(tmp_path / "ledger.db"), "--fixtures", str(path))


@pytest.fixture
def at_engine(engine: str, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set the environment to the server of all tests."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", engine)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
    return monkeypatch


@pytest.mark.usefixtures("at_engine")
async def test_reports_are_temporal_signals_in_plain_json(client: Client) -> None:
    """An open case receives them; one that never existed does not delay the others."""
    case = await client.start_workflow(CASE_WORKFLOW, {}, id=f"case-{uuid.uuid4()}", task_queue=TASK_QUEUE)
    payload = {"step": "gift", "state": "done", "message_id": "k/done", "by": "warehouse"}
    send = TemporalSignals()

    await send(case.id, "step-reported", payload)
    with pytest.raises(NoCaseError):
        await send("case-that-never-was", "step-reported", payload)

    events = [event async for event in case.fetch_history_events()]
    signalled = events[-1].workflow_execution_signaled_event_attributes
    assert signalled.signal_name == "step-reported"
    assert [json.loads(sent.data) for sent in signalled.input.payloads] == [payload]


async def test_missing_namespace_is_not_taken_for_a_missing_case(at_engine: pytest.MonkeyPatch) -> None:
    at_engine.setenv("TEMPORAL_NAMESPACE", "later")

    with pytest.raises(Exception, match=r"(?i)namespace") as caught:
        await TemporalSignals()("case-HL-1", "step-reported", {})

    assert not isinstance(caught.value, NoCaseError)
