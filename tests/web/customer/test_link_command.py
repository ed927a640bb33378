"""`starter.py link` prints a new link to the customer's page, and revokes all links of a case."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from records import Records
from starter import main

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PAGE = "https://care.example.com/c/"


@pytest.fixture
def records(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    """Our database, with one case, as the settings name it."""
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("AFTER_SALES_PUBLIC_URL", "https://care.example.com/")
    opened = Records(sqlite_url)
    opened.open_case("HL-1", "r", line="x", topic="y", order_id=None, received_at=NOW, opened_at=NOW)
    yield opened
    opened.close()


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out.strip()


def test_link_opens_the_case_and_the_next_one_is_another(records: Records, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (printed(capsys, "link", "HL-1", "--by", "li.na") for _ in range(2))

    assert first != second
    for link in (first, second):
        found = records.link(link.removeprefix(PAGE))
        assert found
        assert (found.case_id, found.revoked_at) == ("HL-1", None)


def test_revoking_ends_every_link_of_the_case(records: Records, capsys: pytest.CaptureFixture[str]) -> None:
    token = printed(capsys, "link", "HL-1").removeprefix(PAGE)

    assert printed(capsys, "link", "HL-1", "--revoke") == "HL-1: 1 link revoked"
    assert printed(capsys, "link", "HL-1", "--revoke") == "HL-1: 0 links revoked"
    found = records.link(token)
    assert found
    assert found.revoked_at is not None


@pytest.mark.usefixtures("records")
def test_case_that_was_never_opened_has_no_link(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["link", "HL-2"]) == 1
    assert capsys.readouterr().err.strip() == "our database has no case HL-2"


@pytest.mark.usefixtures("records")
def test_without_a_public_address_the_link_is_for_this_machine(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AFTER_SALES_PUBLIC_URL")

    assert printed(capsys, "link", "HL-1").startswith("http://127.0.0.1:8735/c/")


def test_without_a_database_nothing_is_created(
    sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", sqlite_url)

    assert main(["link", "HL-1"]) == 1
    assert "does not exist yet" in capsys.readouterr().err
