"""The embedded installation starts completely or not at all, and leaves no process behind."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from child import StartFailed
from client import cases as engine
from client.connection import Unreachable
from embedded import Embedded
from tests.e2e.driving import alive, children_of, eventually, starter_at, starter_here, starter_up

pytestmark = [pytest.mark.e2e, pytest.mark.long]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")


def free(data: Path | None = None) -> Embedded:
    return Embedded(data=data, port=0, ui_port=0, partners_port=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def machine() -> AsyncIterator[Embedded]:
    async with free() as started:
        yield started


def worker_of_us() -> int:
    """Return the process id of the only worker that this process has started."""
    (pid,) = (pid for pid, command in children_of(os.getpid()).items() if "worker.py" in command)
    return pid


class TestWhatRuns:
    pytestmark = pytest.mark.asyncio(loop_scope="module")

    async def test_server_ui_and_partners_answer_at_their_addresses(
        self, machine: Embedded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TEMPORAL_ADDRESS", machine.address)

        connected = await engine.Engine.connect()
        async with httpx.AsyncClient(trust_env=False) as http:
            ui, partners = await http.get(machine.ui), await http.get(f"{machine.partners}/health")

        assert connected.address == machine.address
        assert (ui.status_code, partners.status_code) == (200, 200)
        assert {"temporal.log", "partners.log", "worker-1.log"} <= {log.name for log in machine.logs.iterdir()}

    @linux_only
    async def test_killed_worker_stays_down_until_it_is_started_again(
        self, machine: Embedded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A query to a case without a worker fails with a clear sentence."""
        monkeypatch.setenv("TEMPORAL_ADDRESS", machine.address)
        monkeypatch.setattr(engine, "ANSWER_WITHIN", timedelta(seconds=2))
        before = worker_of_us()
        connected = await engine.Engine.connect()

        await machine.kill_worker()
        assert not alive(before)
        await connected.client.start_workflow("AfterSalesCase", {}, id="case-ALONE", task_queue="after-sales")
        with pytest.raises(Unreachable, match="ALONE does not answer: is a worker running"):
            await connected.snapshot("ALONE")

        await machine.start_worker()
        assert worker_of_us() != before

    @linux_only
    @pytest.mark.usefixtures("machine")
    async def test_worker_that_dies_by_itself_is_restarted(self) -> None:
        before = worker_of_us()

        os.kill(before, signal.SIGKILL)

        assert await asyncio.to_thread(
            eventually, lambda: any("worker.py" in c for pid, c in children_of(os.getpid()).items() if pid != before)
        )


class TestWhatCannotStart:
    @pytest.mark.parametrize(
        ("which", "option"),
        [
            ("port", "--port"),
            ("ui_port", "--ui-port"),
            ("partners_port", "--partners-port"),
            ("web_port", "--web-port"),
        ],
    )
    async def test_port_in_use_is_named_with_its_option(self, which: str, option: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            wanted = {"port": 0, "ui_port": 0, "partners_port": 0, which: port}

            with pytest.raises(StartFailed, match=f"port {port} on 127.0.0.1 cannot be used.*another with {option} "):
                await Embedded(data=None, **wanted).__aenter__()

    async def test_unwritable_folder_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(
            StartFailed, match=r"file/data cannot be written \(Not a directory\): choose another --data"
        ):
            await free(tmp_path / "file" / "data").__aenter__()

    async def test_missing_server_binary_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

        with pytest.raises(StartFailed, match=f"{tmp_path / 'temporal'} is missing: install the requirements"):
            await free().__aenter__()

    @linux_only
    async def test_worker_that_cannot_start_ends_everything(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AFTER_SALES_POLICIES", str(tmp_path))
        before = set(children_of(os.getpid()))

        with pytest.raises(StartFailed, match=r"worker 1 has ended with exit code 2: .*holds no policy files"):
            await free().__aenter__()

        assert set(children_of(os.getpid())) <= before

    def test_command_reports_it_in_one_sentence(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

            result = starter_at("127.0.0.1:1")("up", "--ephemeral", "--port", str(port))

        assert (result.code, result.out) == (1, "")
        assert result.err.count("\n") == 1
        assert f"port {port} on 127.0.0.1 cannot be used" in result.err


CHILDREN = ("Temporal server", "partner sandbox", "worker", "web server")


@linux_only
class TestHowItEnds:
    def test_interrupt_ends_every_child_and_releases_the_data(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with starter_up("--data", tmp_path) as up:
            children = children_of(up.process.pid)
            second = starter_here("127.0.0.1:1", capsys)("up", "--data", tmp_path, "--port", "0")

            code, said = up.end()

        assert len(children) == len(CHILDREN)
        assert (code, said.splitlines()[-1]) == (0, "stopped")
        assert not any(alive(pid) for pid in children)
        assert (second.code, "is in use by another server" in second.err) == (1, True)
        assert (tmp_path / "temporal.db").exists()

    def test_kill_leaves_no_child_behind(self, tmp_path: Path) -> None:
        with starter_up("--data", tmp_path) as up:
            children = children_of(up.process.pid)

            up.process.kill()

            assert len(children) == len(CHILDREN)
            assert eventually(lambda: not any(alive(pid) for pid in children))

    def test_server_that_dies_ends_everything_with_a_sentence(self) -> None:
        with starter_up("--ephemeral") as up:
            children = children_of(up.process.pid)
            server = next(pid for pid, command in children.items() if "start-dev" in command)

            os.kill(server, signal.SIGKILL)
            _, said = up.process.communicate()

        assert up.process.returncode == 1
        assert "the Temporal server was ended by SIGKILL" in said
        assert not any(alive(pid) for pid in children)
