"""What the benchmark counts and computes, compared with hand-computed numbers."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from bench.counting.histories import billable
from bench.counting.numbers import percentile, spread
from bench.counting.processes import ProcessGone, cpu_seconds, resident_bytes, sqlite_bytes
from bench.targets import Target, of_comparison, of_scale


def event(kind: str) -> HistoryEvent:
    return HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{kind}"))


def activity(attempt: int) -> HistoryEvent:
    started = event("ACTIVITY_TASK_STARTED")
    started.activity_task_started_event_attributes.attempt = attempt
    return started


def marker(task: int) -> HistoryEvent:
    recorded = event("MARKER_RECORDED")
    recorded.marker_recorded_event_attributes.workflow_task_completed_event_id = task
    return recorded


def test_each_start_timer_signal_update_and_upsert_is_billed_once() -> None:
    kinds = ["WORKFLOW_EXECUTION_STARTED", "TIMER_STARTED", "TIMER_STARTED", "WORKFLOW_EXECUTION_SIGNALED"]
    kinds += ["WORKFLOW_EXECUTION_UPDATE_ACCEPTED", "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"]

    assert billable(map(event, kinds)) == {
        "starts": 1, "timers": 2, "signals": 1, "updates": 1, "search attributes": 1
    }  # fmt: skip


def test_events_of_the_server_are_not_billed() -> None:
    kinds = ["WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED", "WORKFLOW_TASK_COMPLETED", "TIMER_FIRED"]
    kinds += ["TIMER_CANCELED", "ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_COMPLETED", "WORKFLOW_EXECUTION_COMPLETED"]
    kinds += ["WORKFLOW_EXECUTION_UPDATE_COMPLETED"]

    assert not billable(map(event, kinds))


def test_every_attempt_of_an_activity_is_billed() -> None:
    assert billable([activity(1), activity(3)]) == {"activities": 4}


def test_local_activities_of_one_workflow_task_are_billed_as_one() -> None:
    assert billable([marker(4), marker(4), marker(4), marker(9)]) == {"local activities": 2}


def test_child_is_billed_to_its_parent_once_and_once_for_its_start() -> None:
    parent = [event("WORKFLOW_EXECUTION_STARTED"), event("START_CHILD_WORKFLOW_EXECUTION_INITIATED")]
    parent.append(event("CHILD_WORKFLOW_EXECUTION_STARTED"))

    assert billable(parent) == {"starts": 1, "children": 1}


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3.0], 0.5, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        ([4.0, 1.0, 3.0, 2.0], 0.75, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 0.76, 4.0),
        ([float(n) for n in range(1, 21)], 0.95, 19.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([1.0, 2.0], 1.0, 2.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
    ids=["one", "half", "exact", "beyond", "p95-of-20", "p99-of-100", "worst", "best"],
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_spread_is_the_range_as_a_share_of_the_median() -> None:
    assert spread([90.0, 100.0, 130.0]) == (100.0, 0.4)
    assert spread([7.0]) == (7.0, 0.0)
    assert spread([0.0, 0.0]) == (0.0, 0.0)


def row(arm: str, case: str, cpu: float, **more: float) -> dict[str, object]:
    halves = {role: {"median": cpu / 2, "spread": 0.0} for role in ("server", "worker")}
    return {
        "arm": arm,
        "case": case,
        "cpu_ms": {**halves, "sandbox": {"median": 1000.0, "spread": 0.0}},
        "paced_ms": {"first": {"p50": more.get("first", 50.0), "p95": 90.0}},
        "events": {"median": more.get("events", 60.0)},
        "billable": {"median": more.get("billable", 16.0)},
    }


def verdicts(targets: list[Target]) -> list[tuple[float | None, str]]:
    return [(each.value and round(each.value, 3), each.verdict) for each in targets]


def test_targets_are_met_on_the_limit_and_the_sandbox_costs_nothing() -> None:
    rows = [row("bare", "bare", 100), row("plain", "damage_replaced", 100), row("plain", "delay_answered", 50)]
    rows.append(row("encrypted", "damage_replaced", 115))

    assert verdicts(of_comparison(rows)) == [
        (1.0, "pass"), (0.5, "pass"), (1.0, "pass"), (60, "pass"), (16, "pass"), (1.15, "pass")
    ]  # fmt: skip


def test_targets_are_missed_beyond_the_limit() -> None:
    rows = [row("bare", "bare", 100), row("plain", "damage_replaced", 101, first=60, events=61, billable=17)]
    rows += [row("plain", "delay_answered", 51), row("encrypted", "damage_replaced", 120)]

    assert verdicts(of_comparison(rows)) == [
        (1.01, "miss"), (0.51, "miss"), (1.2, "miss"), (61, "miss"), (17, "miss"), (1.188, "miss")
    ]  # fmt: skip


def test_unmeasured_targets_are_neither_met_nor_missed() -> None:
    assert {verdict for _, verdict in verdicts(of_comparison([row("bare", "bare", 100)]))} == {"not measured"}
    assert {verdict for _, verdict in verdicts(of_scale([], None, None))} == {"not measured"}


@pytest.mark.parametrize(("many", "kept", "expected"), [(130.0, 1.0, "pass"), (131.0, 0.999, "miss")], ids=str)
def test_targets_of_scale(many: float, kept: float, expected: str) -> None:
    rows = [{"open": 1000, "cpu_ms": {"server": 60.0, "worker": 40.0}}, {"open": 20000, "cpu_ms": {"server": many}}]

    assert [verdict for _, verdict in verdicts(of_scale(rows, {"kept": kept}, None))][:2] == [expected, expected]


@pytest.mark.parametrize(
    ("left", "seconds", "expected"),
    [(1, 0.2, (2.0, "pass")), (1, 0.21, (2.1, "miss")), (0, 0.21, (None, "not measured"))],
    ids=str,
)
def test_urgent_cases_are_measured_only_while_a_backlog_is_left(
    left: int, seconds: float, expected: tuple[float | None, str]
) -> None:
    idle, behind = {"urgent_s": {"p99": 0.1}}, {"urgent_s": {"p99": seconds}}
    backlog = {"left": left, "idle": idle, "behind": behind, "other_line_kept": 1.0}

    assert verdicts(of_scale([], None, backlog))[2:] == [expected, (1.0, "pass")]


BURN = "import time\nwhile time.process_time() < 0.3: pass\n"
TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds that the kernel counts in: user and system time are each rounded down to it."""


def test_cpu_time_of_ended_children_counts_and_a_missing_process_is_reported() -> None:
    parent = (
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\nprint('done', flush=True)\ninput()"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"

    assert cpu_seconds([process.pid]) >= 0.3 - 2 * TICK
    assert resident_bytes([process.pid]) > 1_000_000

    process.communicate("\n")
    with pytest.raises(ProcessGone, match=str(process.pid)):
        cpu_seconds([process.pid])


def test_size_includes_the_write_ahead_log_and_not_deleted_data(tmp_path: Path) -> None:
    file = tmp_path / "some.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE kept (what BLOB)")
        empty = sqlite_bytes(file)
        db.execute("INSERT INTO kept VALUES (zeroblob(100000))")
        full = sqlite_bytes(file)
        db.execute("DELETE FROM kept")

        assert full - empty >= 90_000
        assert sqlite_bytes(file) == empty
