"""G13: `starter.py forget` finds a person's cases, asks, and says what is left where."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from client.afterwards import forgetting
from client.afterwards.forgetting import Held
from client.connection import Unreachable
from records import Records
from starter import cli, main
from tests.cases.test_forgetting import EMAIL, NAME, PHONE, record
from tests.records.afterwards.test_forgetting import keep

UNTIL = datetime(2026, 12, 24, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")


@pytest.fixture
def records(sqlite_url: str) -> Records:
    """A closed case and an open one of the same person."""
    known = Records(sqlite_url)
    keep(known, "HL-1", record())
    keep(known, "HL-2", record(), closed=False)
    return known


def forget(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["forget", *arguments], input=answer, standalone_mode=False)


def customer(records: Records, case_id: str) -> str:
    snapshot = records.snapshot_of(case_id)
    assert snapshot is not None
    name: str = json.loads(snapshot[1])["complaint"]["customer"]["name"]
    return name


def test_dry_run_says_what_it_would_do_and_changes_nothing(records: Records) -> None:
    done = forget("--phone", PHONE, "--dry-run")

    assert done.return_value == 1  # something is left
    lines = done.output.splitlines()
    assert lines[:3] == [
        "HL-1: closed, building_materials",
        "  delete yourself: s3://photos/1",
        "HL-2: open, and left alone: close it (starter.py show HL-2), then run this again",
    ]
    assert "what Temporal holds is not known: no server answers at" in done.output
    assert (customer(records, "HL-1"), customer(records, "HL-2")) == (NAME, NAME)


def test_confirmation_is_asked_for_and_no_is_taken(records: Records) -> None:
    refused = CliRunner().invoke(cli, ["forget", "--email", EMAIL], input="n\n")
    assert refused.exit_code == 1
    assert customer(records, "HL-1") == NAME

    done = forget("--email", EMAIL, answer="y\n")

    assert "forgotten in 1 case" in done.output
    assert done.return_value == 1  # the open one is left
    assert (customer(records, "HL-1"), customer(records, "HL-2")) == ("", NAME)


def test_nothing_is_left_once_all_cases_have_closed(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    """G13: running it again is harmless; and Temporal is asked for what it holds."""

    async def held(_engine: object, case_ids: list[str]) -> list[Held]:
        return [Held(case_id, f"case-{case_id}", UNTIL if case_id == "HL-1" else None) for case_id in case_ids]

    async def connect() -> None:
        return None

    monkeypatch.setattr(forgetting, "held", held)
    monkeypatch.setattr("client.cases.Engine.connect", connect)
    records.end_case("HL-2", "terminated")
    records.mark_ended("HL-2", "terminated", 1)

    done, again = forget("--phone", PHONE, "--yes"), forget("--phone", PHONE, "--yes")

    assert "Temporal holds case-HL-1 until 2026-12-24 17:00:00" in done.output
    assert "Temporal holds case-HL-2 for its retention time after it has closed" in done.output
    assert "forgotten in 2 cases" in done.output
    assert (done.return_value, again.return_value) == (0, 0)
    assert again.output == "our database has no case of this person\nforgotten in 0 cases\n"


@pytest.mark.usefixtures("records")
def test_json_names_everything() -> None:
    done = forget("--phone", "138 0000 0001", "--yes", "--json")

    answer = json.loads(done.output.splitlines()[-1])
    assert answer["closed"] == [{"case_id": "HL-1", "line": "building_materials", "evidence": ["s3://photos/1"]}]
    assert (answer["forgotten"], answer["left"], answer["temporal"]) == (["HL-1"], ["HL-2"], [])
    assert "no server answers" in answer["temporal_unknown"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "give --phone, --email or both"),
        (["--phone", "0001"], "is not a whole number: give at least 7 digits"),
        (["--email", "wang"], "is not an address such as wang@example.com"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forget", *arguments]) == 2
    assert why in capsys.readouterr().err


def test_unreachable_server_is_no_reason_to_keep_anything(monkeypatch: pytest.MonkeyPatch, records: Records) -> None:
    async def gone(*_: object) -> None:
        raise Unreachable("gone")

    monkeypatch.setattr("client.cases.Engine.connect", gone)

    forget("--phone", PHONE, "--yes")

    assert customer(records, "HL-1") == ""
