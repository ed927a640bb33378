"""The list fits 100 columns, ids can be copied, and a filter that cannot match anything is an error."""

import fcntl
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from client import archive
from client.archive import is_local_server
from console import listing, reading
from console.listing import Filters
from settings import LOCK
from starter import main

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def row(case_id: str, **more: Any) -> dict[str, Any]:
    known = {
        "case_id": case_id,
        "line": "building_materials",
        "topic": "transport.damage",
        "status": "awaiting_approval",
        "outcome": None,
        "team": "customer_service",
        "order_id": "SO-88121",
        "urgent": True,
        "broken_promises": ["acknowledge", "detailed_result", "progress_update"],
        "escalation_rung": 4,
        "next_due_at": "2026-11-22T10:00:00+00:00",
        "opened_at": "2026-11-22T01:00:00+00:00",
        "closed_at": None,
    }
    return known | more


def shown(*rows: dict[str, Any], width: int = reading.WIDTH) -> list[str]:
    output = io.StringIO()
    console = Console(file=output, markup=False, highlight=False, emoji=False, width=width)
    console.print(listing.rendered(list(rows)), width=listing.COLUMNS)
    return output.getvalue().splitlines()


@pytest.mark.parametrize("length", [1, 16, 31, 32, 33, 60, 99, 100])
def test_line_has_at_most_100_columns_and_the_whole_id(length: int) -> None:
    case_id = "HL-1" * 25
    lines = shown(row(case_id[:length]))

    assert max(map(len, lines)) <= 100
    assert lines[0].split()[0] == case_id[:length]
    assert "awaiting_approval  due 2026-11-22 18:00:00+08:00" in "\n".join(lines)


@pytest.mark.parametrize(
    "part",
    [
        "URGENT · building_materials transport.damage · team customer_service",
        "order SO-88121",
        "broken acknowledge, detailed_result, progress_update",
        "rung 4",
    ],
)
def test_line_shows_what_an_operator_looks_for(part: str) -> None:
    assert part in " ".join(" ".join(shown(row("HL-1"))).split())


def test_case_that_is_being_admitted_has_a_line() -> None:
    bare = dict.fromkeys(row(""), None) | {"case_id": "HL-1", "broken_promises": [], "opened_at": NOW.isoformat()}

    assert shown(bare)[0].split()[0] == "HL-1"


def test_control_characters_from_outside_never_reach_the_terminal() -> None:
    lines = shown(row("HL-1", order_id="\x1b[2Jgone", team="岩" * 120))

    assert "\x1b" not in "".join(lines)
    assert max(Console().measure(line).maximum for line in lines) <= 100


def test_empty_list_says_so() -> None:
    assert shown() == ["no cases"]


@pytest.mark.parametrize(
    ("filters", "conditions"),
    [
        (Filters(), ["ExecutionStatus = 'Running'"]),
        (Filters(closed_too=True), []),
        (Filters(status="closed"), ["CaseStatus = 'closed'"]),
        (Filters(status="assessing"), ["CaseStatus = 'assessing'", "ExecutionStatus = 'Running'"]),
        (Filters(order="O'1", closed_too=True), ["CaseOrder = 'O\\'1'"]),
        (Filters(order="\uff33\uff2f-1", closed_too=True), ["CaseOrder = 'SO-1'"]),
        (
            Filters(line="express", topic="claim.loss", team="claims", closed_too=True),
            ["CaseLine = 'express'", "CaseTopic = 'claim.loss'", "CaseTeam = 'claims'"],
        ),
        (
            Filters(overdue=True),
            ["ExecutionStatus = 'Running'", "(BrokenPromises IS NOT NULL OR NextDueAt < '2026-11-22T09:00:00+00:00')"],
        ),
    ],
)
def test_open_cases_are_listed_by_default(filters: Filters, conditions: list[str]) -> None:
    assert filters.conditions(NOW) == conditions


@pytest.mark.parametrize(
    ("filters", "fields"),
    [
        (Filters(), {"state": "open"}),
        (Filters(closed_too=True), {"state": "all"}),
        (Filters(status="closed"), {"state": "closed"}),
        (Filters(status="assessing", closed_too=True), {"state": "all", "status": "assessing"}),
        (Filters(order="\uff33\uff2f-1"), {"state": "open", "order_id": "SO-1"}),
        (Filters(overdue=True, closed_too=True), {"state": "open", "overdue_at": NOW}),
        (Filters(owner="li.na", search="岩板"), {"state": "open", "owner": "li.na", "text": "岩板"}),
    ],
)
def test_our_database_is_asked_for_the_same(filters: Filters, fields: dict[str, Any]) -> None:
    assert {name: value for name, value in filters.fields(NOW).items() if value is not None} == fields


def test_default_database_counts_only_while_its_server_runs_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a list of another server's cases would show what is left on this machine."""
    monkeypatch.setattr(archive, "DATA", tmp_path)
    assert not is_local_server("127.0.0.1:7233")

    with (tmp_path / LOCK).open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("127.0.0.1:7233")
        lock.flush()
        assert is_local_server("127.0.0.1:7233")
        assert not is_local_server("temporal.example.com:7233")

    assert not is_local_server("127.0.0.1:7233"), "it has ended"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--line", "slate"], "'slate' is not one of building_materials, express, fresh_food, "),
        (["--topic", "claims"], "'claims' is not one of claim.damage, claim.delay, claim.loss, goods.damage, "),
        (["--line", "express", "--topic", "goods.safety"], "'goods.safety' is not one of claim.damage, "),
        (["--team", "slate"], "'slate' is not one of claims, customer_service, "),
        (["--status", "asleep"], "'asleep' is not one of 'received', 'assessing', "),
    ],
)
def test_filter_that_cannot_match_is_bad_usage(
    arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Checked without a server."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    code = main(["list", *arguments])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert sentence in said.err


class TestExamples:
    """`open --example` prints complaints."""

    @pytest.mark.parametrize("line", ["building_materials", "express", "fresh_food", "infant_formula", "organic_food"])
    def test_example_of_each_line_can_be_planned_unchanged(
        self, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["open", "--example", line]) == 0
        printed = capsys.readouterr().out
        stdin = io.BytesIO(printed.encode())
        stdin.name = "<stdin>"  # as the real one has it
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stdin))

        code = main(["plan", "-"])

        planned = json.loads(capsys.readouterr().out)
        assert code == 0
        assert planned["policy"]["line"] == line
        assert abs(datetime.now(UTC) - datetime.fromisoformat(json.loads(printed)["received_at"])).total_seconds() < 90

    def test_topic_can_be_chosen(self, capsys: pytest.CaptureFixture[str]) -> None:
        code = main(["open", "--example", "express", "--topic", "claim.loss"])

        assert (code, json.loads(capsys.readouterr().out)["topic"]) == (0, "claim.loss")

    def test_each_example_has_its_own_ids(self, capsys: pytest.CaptureFixture[str]) -> None:
        ids = []
        for _ in range(2):
            main(["open", "--example", "fresh_food"])
            ids.append(json.loads(capsys.readouterr().out)["case_id"])

        assert len(set(ids)) == 2

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["--example", "slate"], "'slate' is not one of building_materials, "),
            (["--example", "express", "--topic", "goods.safety"], "'goods.safety' is not one of claim.damage, "),
            (["--topic", "goods.safety"], "--topic needs --example LINE"),
            (["--example", "express", "-"], "--example takes no FILE"),
            ([], "Missing argument 'FILE...'"),
        ],
    )
    def test_unknown_line_or_topic_is_bad_usage(
        self, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = main(["open", *arguments])

        assert code == 2
        assert sentence in capsys.readouterr().err
