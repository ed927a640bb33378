"""G13: `starter.py policy preview --last` shows what an edited policy would have meant for closed cases."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from client import policy_move
from records import Records
from settings import ROOT
from starter import cli, main
from tests.cases.test_hindsight import record
from tests.records.projected import NOW


@pytest.fixture(autouse=True)
def nothing_open(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    """No server is asked for open cases."""

    async def connect() -> None:
        return None

    async def previews(*_: object) -> list[dict[str, Any]]:
        return []

    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", sqlite_url)
    monkeypatch.setattr("client.cases.Engine.connect", connect)
    monkeypatch.setattr(policy_move, "previews", previews)


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """The policy of building materials, with a shorter time for findings and offer."""
    for name in ("every_line.yaml", "building_materials.yaml"):
        text = (ROOT / "policies" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("within: 48h", "within: 29h"), encoding="utf-8")
    return tmp_path / "building_materials.yaml"


@pytest.fixture
def closed(sqlite_url: str) -> Records:
    """Three closed cases, and one that is open."""
    records = Records(sqlite_url)
    for number in range(4):
        case_id = f"HL-{number}"
        about: dict[str, Any] = {"line": "building_materials", "topic": "transport.damage", "order_id": None}
        records.open_case(case_id, "run", **about, received_at=NOW, opened_at=NOW)
        if number:
            records.archive_case(case_id, NOW + timedelta(days=number), "satisfied", {**record(), "case_id": case_id})
    return records


def preview(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["policy", "preview", *arguments], standalone_mode=False)


@pytest.mark.usefixtures("closed")
def test_latest_closed_cases_are_judged_by_the_edited_file(edited: Path) -> None:
    table, answer = preview(str(edited), "--last", "2"), preview(str(edited), "--last", "9", "--json")

    assert "building_materials, the 2 cases that closed last, under 2026-11+" in table.output
    [row] = [line for line in table.output.splitlines() if line.startswith("detailed_result")]
    assert row.split() == ["detailed_result", "2", "0", "→", "2", "–"]
    assert "paid: 28160.00 → 28160.00 CNY" in table.output
    found = json.loads(answer.output)
    assert (found["line"], found["cases"], found["money_unknown"]) == ("building_materials", 3, [])
    assert found["promises"]["detailed_result"]["would_break"] == 3


def test_no_closed_case_and_no_database_are_said_in_a_sentence(
    edited: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "preview", str(edited), "--last", "5"]) == 1
    assert "our database does not exist yet" in capsys.readouterr().err
    Records(sqlite_url)

    assert "the 0 cases that closed last" in preview(str(edited), "--last", "5").output
    assert main(["policy", "preview", str(edited), "--last", "0"]) == 2
