"""The benchmark itself in its smallest form: real servers, workers and sandboxes."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.arms import Arm
from bench.counting.measuring import Meter
from bench.counting.processes import ProcessGone
from bench.driving import CasePlayer, NotAsPlanned, players
from bench.machines import Machine
from bench.shapes import CALLBACK, DAMAGE_REPLACED, DELAY_ANSWERED, Said
from bench.watching import Stalled, Watch
from settings import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.long]


def result_of(kind: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """Return what a run has measured; its tables go to standard output."""
    command = [sys.executable, "-m", "bench", kind, "--out", str(folder), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Targets" in done.stdout
    (file,) = folder.glob(f"{kind}-*.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def test_cases_are_compared_with_the_bare_case(tmp_path: Path) -> None:
    small = ["--rounds", "1", "--cases", "3", "--in-flight", "3", "--paced", "1", "--every", "0.1", "--held", "2"]
    small += ["--shapes", "damage_replaced,delay_answered"]
    found = result_of("compare", tmp_path, *small)

    shapes = ("damage_replaced", "delay_answered")
    rows = {(row["arm"], row["case"]): row for row in found["rows"]}
    real = {(arm, shape) for arm in ("plain", "encrypted") for shape in shapes}
    assert set(rows) == {("bare", "bare"), *(("hollow", shape) for shape in shapes), *real}
    # 6 activities, 2 timers, 1 signal, and its start.
    assert rows["bare", "bare"]["billable"]["median"] == 10
    # A hollow case has the history of the real one, or it would prove nothing about it.
    for shape in shapes:
        assert rows["hollow", shape]["actions"] == rows["plain", shape]["actions"]
    for (arm, _), row in rows.items():
        assert row["cpu_ms"]["server"]["median"] > 0
        assert row["cpu_ms"]["worker"]["median"] > 0
        assert ("sandbox" in row["cpu_ms"]) is (arm != "bare")
        assert 0 < row["paced_ms"]["first"]["p50"] <= row["paced_ms"]["first"]["p95"]
        assert row["events"]["median"] > row["billable"]["median"] > 0
        assert row["storage_bytes"]["median"] > 0
    assert {target["verdict"] for target in found["targets"]} <= {"pass", "miss"}
    assert found["machine"]["temporalio"]


def test_many_cases_at_once_are_measured(tmp_path: Path) -> None:
    small = ["--open", "4,8", "--turned", "2", "--cut-off", "3", "--burst", "6", "--timers", "4", "--due-in", "20"]
    small += ["--backlog", "6", "--urgent", "2"]
    found = result_of("scale", tmp_path, *small)

    assert [(row["open"], row["listing"]["open"]) for row in found["open"]["rows"]] == [(4, 4), (8, 8)]
    assert all(row["consent_ms"]["p99"] > 0 for row in found["open"]["rows"])
    assert found["open"]["restart"]["cases"] == 3
    assert found["burst"]["complaints"] == 6
    assert found["burst"]["kept"] == 1.0
    assert found["timers"]["timers"] == 4
    assert found["timers"]["twice"] == 0
    assert found["timers"]["late_s"]["p50"] >= 0
    assert found["backlog"]["plain"] == 6
    assert found["backlog"]["other_line_kept"] == 1.0
    for when in ("idle", "behind"):
        assert all(found["backlog"][when][what]["p99"] > 0 for what in ("urgent_s", "other_line_s"))
    # So few cases may all be acknowledged before the last urgent one.
    measured = [target["verdict"] for target in found["targets"] if "behind a backlog" not in target["name"]]
    assert set(measured) <= {"pass", "miss"}
    assert len(measured) == len(found["targets"]) - 1


def test_what_grows_is_measured_for_each_day(tmp_path: Path) -> None:
    small = ["--cases", "12", "--days", "4", "--retention", "1", "--waiting", "0.34", "--in-flight", "3"]
    found = result_of("fortnight", tmp_path, *small)

    # One of three cases a day waits for its customer until the next day.
    counts = [(row["open"], row["closed"], row["kept"]) for row in found["days"]]
    assert counts == [(1, 2, 2), (1, 5, 3), (1, 8, 3), (1, 11, 3)]
    for row in found["days"]:
        assert row["server_bytes"] > 0
        assert row["ours_bytes"] > row["texts"]["archive"] > 0
        assert row["logs_bytes"] > 0
    assert {target["verdict"] for target in found["targets"]} <= {"pass", "miss"}


async def test_run_fails_if_a_case_ends_otherwise_or_never(tmp_path: Path) -> None:
    unhappy = replace(DELAY_ANSWERED, says=(Said(CALLBACK, "satisfaction-reported", {"score": 3}),))
    watch, hasty = Watch(60), Watch(4)
    async with players(Arm("plain"), tmp_path / "data", [unhappy], watch) as (player,):
        with pytest.raises(NotAsPlanned, match="ended as neutral"):
            await watch.over(player.play())

        meter = Meter(player.target)
        await player.target.kill_worker()
        stuck = CasePlayer(player.target, DELAY_ANSWERED, player.handovers, hasty)
        with pytest.raises(Stalled, match=r"1 pending(.|\n)*case-B-.* waits for .*callback.*workflow task is pending"):
            await hasty.over(stuck.play())
        with pytest.raises(ProcessGone):
            await meter.read()


async def test_settings_of_an_arm_are_in_force(tmp_path: Path) -> None:
    arm = Arm.parse(
        "varied: workers=2 env.AFTER_SALES_LOG_LEVEL=ERROR pragma.journal_mode=delete pragma.synchronous= "
        "server.history.transferProcessorMaxPollRPS=30 worker.workflow_runner=sandboxed"
    )
    watch = Watch(60)
    async with players(arm, tmp_path / "data", [DAMAGE_REPLACED], watch) as (player,):
        await watch.over(player.play())
        processes = player.target.processes()
        assert isinstance(player.target, Machine)
        with closing(sqlite3.connect(f"file:{player.target.files()[0]}?mode=ro", uri=True)) as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)

    assert len(processes["worker"]) == 2


def test_http_api_answers_under_load_and_loses_nothing(tmp_path: Path) -> None:
    found = result_of("door", tmp_path, "--clients", "3", "--seconds", "3")

    assert found["lost"] == 0
    assert {"open 201", "read 200", "list 200"} <= set(found["busy"]["statuses"])
    assert not any(status.split()[1] >= "500" for status in found["busy"]["statuses"])
    assert found["busy"]["ms"]["health"]["p99"] > 0
