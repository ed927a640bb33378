"""`starter.py reseal` encrypts what our database kept before keys were configured or changed."""

import sqlite3

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from encryption.keys import KeyOutOfReach, KeyRing, new_key
from encryption.vault import SealingVault
from records import CaseFilter, Records
from starter import cli
from tests.records.projected import projected

OLD, NEW = new_key("old"), new_key("new")


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", sqlite_url)


def reseal(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["reseal", *arguments])


def test_cases_are_found_and_read_with_the_new_key_alone(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    Records(sqlite_url).project(projected("HL-1"))
    Records(sqlite_url, SealingVault(KeyRing(text=OLD))).project(projected("HL-2"))
    monkeypatch.setenv("AFTER_SALES_ENCRYPTION_KEYS", f"{NEW},{OLD}")

    first, again = reseal(), reseal("--json")

    with sqlite3.connect(str(make_url(sqlite_url).database)) as connection:
        index = [block for (block,) in connection.execute("SELECT block FROM case_terms_index_data")]
    assert not any(b"racked" in block for block in index)  # without the first letter, which words may share
    assert (first.output, first.exit_code) == ("2 cases encrypted with the first key\n", 0)
    assert (again.output, again.exit_code) == ('{"cases": 0}\n', 0)
    records = Records(sqlite_url, SealingVault(KeyRing(text=NEW)))
    assert [row.case_id for row in records.listed(CaseFilter(text="王丽")).cases] == ["HL-1", "HL-2"]
    assert records.snapshot_of("HL-1") == (1, projected("HL-1").snapshot)


def test_key_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    Records(sqlite_url, SealingVault(KeyRing(text=OLD))).project(projected())
    monkeypatch.setenv("AFTER_SALES_ENCRYPTION_KEYS", NEW)

    refused = reseal()

    assert isinstance(refused.exception, KeyOutOfReach)
    assert "no key old." in str(refused.exception)


def test_without_keys_it_says_what_to_set() -> None:
    refused = reseal()

    assert refused.exit_code == 2
    assert "AFTER_SALES_ENCRYPTION_KEYS_FILE" in refused.output
