"""Keys of the API: made, listed and revoked; two live ones per client; only a hash of the secret is stored."""

import json
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cases.errors import InvalidInput
from client.serving import keys
from client.serving.keys import Key, NoSuchKey, TooManyKeys
from records import Records
from settings import Settings
from starter import main
from tests.web.conftest import POLICIES


def of(*scopes: str) -> Key:
    return Key("id", "crm", frozenset(scopes), datetime(2026, 11, 22, tzinfo=UTC))


def test_key_has_256_random_bits_and_only_a_hash_is_stored(records: Records, settings: Settings) -> None:
    made = {keys.create(records, f"client {number}", ["read:*"], POLICIES) for number in range(20)}

    assert len(made) == 20
    stored = Path(settings.database_url.removeprefix("sqlite:///"))
    records.close()
    with sqlite3.connect(stored) as database:
        content = "\n".join(database.iterdump())
    for key in made:
        match = re.fullmatch(r"as_live_([a-z0-9]{12})_([A-Za-z0-9_-]{43})", key)
        assert match
        assert match[1] in content
        assert match[2] not in content


def test_client_has_two_live_keys_at_most(records: Records) -> None:
    first, _ = [keys.create(records, "crm", ["read:*"], POLICIES) for _ in range(2)]

    with pytest.raises(TooManyKeys, match="crm has two live keys already: revoke one"):
        keys.create(records, "crm", ["read:*"], POLICIES)
    keys.revoke(records, first)
    keys.create(records, "crm", ["read:*"], POLICIES)


def test_client_has_two_live_keys_at_most_whoever_makes_them(url: str) -> None:
    """The database decides, on both kinds, so that two operators cannot make a third."""
    opened = Records(url)

    def create(_: int) -> bool:
        try:
            keys.create(opened, "crm", ["read:*"], POLICIES)
        except TooManyKeys:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(create, range(6)))
    opened.close()

    assert made.count(True) == 2


@pytest.mark.parametrize(
    ("scopes", "problem"),
    [
        ([], "is required"),
        (["cases:read"], "there is no scope cases:read"),
        (["messages:shout"], "there is no message shout"),
        (["read:parcels"], "there is no line parcels"),
        (["line:*"], "there is no line *"),
        (["read:*", "read:express"], "exclude each other"),
    ],
)
def test_faulty_scope_is_refused(records: Records, scopes: list[str], problem: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(problem)):
        keys.create(records, "crm", scopes, POLICIES)


def test_client_name_has_to_be_a_signature(records: Records) -> None:
    with pytest.raises(InvalidInput, match="client: "):
        keys.create(records, "\u200b", ["read:*"], POLICIES)


def test_unknown_key_cannot_be_revoked(records: Records) -> None:
    with pytest.raises(NoSuchKey, match="there is no live key abc"):
        keys.revoke(records, "abc")


@pytest.mark.parametrize(
    ("scopes", "lines"),
    [
        (("read:*", "cases:write"), None),
        (("cases:write",), None),
        (("read:express", "cases:write"), {"express"}),
        (("line:express", "read:*"), {"express"}),
        (("line:express", "reports"), {"express"}),
    ],
)
def test_key_is_bound_to_the_lines_that_it_names(scopes: tuple[str, ...], lines: set[str] | None) -> None:
    assert of(*scopes).lines == lines
    assert of(*scopes).covers("express")
    assert of(*scopes).covers("fresh_food") is (lines is None)


def test_reports_cover_what_partners_report_and_nothing_else() -> None:
    assert of("reports").sends("step-reported")
    assert of("reports").sends("satisfaction-reported")
    assert not of("reports").sends("note")
    assert not of("messages:note").sends("step-reported")


@pytest.mark.usefixtures("settings")
def test_command_line_makes_lists_and_revokes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "create", "crm", "--scope", "cases:write", "--scope", "read:express"]) == 0
    made = capsys.readouterr().out.strip()
    assert main(["key", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert main(["key", "revoke", listed["key"]]) == 0
    assert main(["key", "revoke", listed["key"]]) == 1
    capsys.readouterr()
    assert main(["key", "list"]) == 0

    assert made.startswith(f"as_live_{listed['key']}_")
    assert (listed["client"], listed["scopes"], listed["revoked_at"]) == ("crm", ["cases:write", "read:express"], None)
    assert listed["key"] in capsys.readouterr().out


@pytest.mark.usefixtures("settings")
def test_faulty_scope_on_the_command_line_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "create", "crm", "--scope", "everything"]) == 2
    assert capsys.readouterr().err.startswith("scope: there is no scope everything; there are cases:write, ")
