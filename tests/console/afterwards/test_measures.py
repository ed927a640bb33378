"""G13: `starter.py measure` lists measures, and refuses what cannot be a message before it asks a server."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from cases.measure.proposed import Dimension, MeasureState, Proposal, Proposed
from records import Records
from starter import cli, main

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", sqlite_url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["measure", *arguments])


def propose(records: Records, subject: str, line: str = "building_materials") -> str:
    about = Proposed(
        line=line,
        dimension=Dimension.CARRIER,
        subject=subject,
        proposal=Proposal.CHANGE_CARRIER,
        figure="complaints",
        reason="25 % of its parcels arrive damaged",
    )
    return records.propose(about, NOW)


def test_open_measures_are_listed_and_those_that_have_ended_on_request(sqlite_url: str) -> None:
    records = Records(sqlite_url)
    late, new, ended = (propose(records, subject) for subject in ("Swift", "[red]Tortoise", "Snail"))
    other = propose(records, "Swift", "express")
    due_on = (NOW - timedelta(days=2)).date()
    records.record_measure(late, MeasureState.ADOPTED, owner="li.na", due_on=due_on, adopted_at=NOW)
    records.record_measure(
        ended, MeasureState.DONE, owner="li.na", due_on=due_on, adopted_at=NOW, closed_at=NOW, result="gone"
    )

    table, everything = run("list", "--line", "building_materials"), run("list", "--all", "--json")

    assert (table.exit_code, everything.exit_code) == (0, 0)
    lines = table.output.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("carrier-")] == [late, new]
    assert "overdue" in table.output
    assert "change carrier: carrier [red]Tortoise" in table.output
    rows = {row["measure_id"]: row for row in map(json.loads, everything.output.splitlines())}
    assert set(rows) == {late, new, ended, other}
    assert (rows[ended]["state"], rows[ended]["result"], rows[ended]["overdue"]) == ("done", "gone", False)
    assert date.fromisoformat(rows[late]["due_on"]) == due_on


def test_list_is_empty_or_says_that_there_is_no_database(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", "list"]) == 1
    assert "our database does not exist yet" in capsys.readouterr().err
    Records(sqlite_url)

    assert run("list").output == "no measures\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["adopt", "HL-1", "--owner", "li", "--due", "2026-12-15", "--by", "chen"], "is not the id of a measure"),
        (["adopt", "carrier-3f9a2c1b", "--owner", "li", "--due", "soon", "--by", "chen"], "must be a date such as"),
        (["adopt", "measure-carrier-3f9a2c1b", "--owner", " ", "--due", "2026-12-15", "--by", "chen"], "owner:"),
        (["done", "carrier-3f9a2c1b", "--by", "chen"], "Missing option '--result'"),
        (["drop", "carrier-3f9a2c1b", "--reason", "", "--by", "chen"], "reason:"),
        (["list", "--line", "shoes"], "is not one of building_materials"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["measure", *arguments]) == 2
    assert why in capsys.readouterr().err
