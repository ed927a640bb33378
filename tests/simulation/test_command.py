"""`starter.py simulate` as a process: interrupted and repeated."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from settings import ROOT
from simulation.figures import Simulation
from tests.engine import PATIENCE
from tests.simulation.worlds import written

pytestmark = pytest.mark.e2e


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A scenario that takes some seconds."""
    path = tmp_path / "scenario.yaml"
    with path.open("w", encoding="utf-8") as opened:
        YAML(typ="safe", pure=True).dump(written(days=2), opened)
    return path


def simulate(file: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "starter.py", "simulate", str(file), "--seeds", "2", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # A group of its own, as a terminal has, so that a signal can be sent to all its processes.
    return subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **pipes)  # type: ignore[call-overload, no-any-return]


def group(leader: int) -> list[int]:
    """The processes of a group that are running."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == leader and fields[0] != "Z":
                found.append(int(folder.name))
    return found


def begun(process: "subprocess.Popen[str]") -> None:
    """Wait until its two runs have their processes."""
    deadline = time.monotonic() + PATIENCE
    while len(group(process.pid)) < 4:  # itself, two runs, and the resource tracker of multiprocessing
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_simulation_leaves_nothing_and_repeated_ends_alike(
    file: Path, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "out"
    process = simulate(file, "--out", str(out))
    begun(process)

    process.send_signal(how)
    process.communicate(timeout=PATIENCE)

    assert process.returncode != 0
    assert not out.exists()
    deadline = time.monotonic() + PATIENCE
    while group(process.pid):
        assert time.monotonic() < deadline, "a process was left behind"
        time.sleep(0.05)


def test_repeated_simulation_ends_alike(file: Path, tmp_path: Path) -> None:
    first, second = (simulate(file, "--json", "--out", str(tmp_path / name)) for name in "ab")
    (one, _), (other, errors) = (process.communicate(timeout=PATIENCE) for process in (first, second))

    assert (first.returncode, second.returncode, errors) == (0, 0, "")
    assert one == other
    assert json.loads((tmp_path / "a" / "simulation.json").read_text(encoding="utf-8")) == json.loads(one)
    for name in ("simulation.en.html", "simulation.zh-CN.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert len(Simulation.model_validate_json(one).seeds) == 2
