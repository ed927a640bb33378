"""With keys, our database holds no snapshot and no search term that can be read, and is searched all the same."""

import json
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url

from cases.views.search_terms import Searchable
from encryption import vault as sealing
from encryption.codec import NotAuthentic
from encryption.keys import KeyOutOfReach, KeyRing, new_key
from encryption.vault import SealingVault, vault
from records import CaseFilter, Records, SealedRecord, Vault
from settings import Settings
from tests.records.projected import projected

OLD, NEW = new_key("old"), new_key("new")
LAST_DIGITS = "8000"
SECRETS = ("王丽", "瓷砖", LAST_DIGITS, "13800138000", "岩板", "cracked", "slate", "example")


def ring(*keys: str) -> SealingVault:
    return SealingVault(KeyRing(text=",".join(keys)))


def opened(url: str, vault: Vault | None) -> Records:
    return Records(url, vault)


def stored(url: str) -> list[tuple[str, ...]]:
    """Return everything that the file keeps of cases."""
    with sqlite3.connect(str(make_url(url).database)) as connection:
        tables = ("case_projection", "case_terms", "case_terms_index_data")
        return [row for table in tables for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608


def found(records: Records, text: str) -> list[str]:
    return [row.case_id for row in records.listed(CaseFilter(text=text)).cases]


def holds(url: str, word: str) -> bool:
    """Return whether a value contains the word, or is it: base64 contains four digits by chance."""
    values = [word for row in stored(url) for value in row for word in str(value).casefold().split()]
    return word in values if word == LAST_DIGITS else any(word in value for value in values)


def test_snapshot_and_terms_cannot_be_read_without_the_key(sqlite_url: str) -> None:
    given = projected()
    records = opened(sqlite_url, ring(NEW))
    records.project(given)

    assert [word for word in SECRETS if holds(sqlite_url, word)] == []
    assert records.snapshot_of("HL-1") == (1, given.snapshot)
    records.close()
    with pytest.raises(SealedRecord, match="AFTER_SALES_ENCRYPTION_KEYS_FILE"):
        opened(sqlite_url, None).snapshot_of("HL-1")
    with pytest.raises(KeyOutOfReach):
        opened(sqlite_url, ring(OLD)).snapshot_of("HL-1")


def test_without_keys_everything_can_be_read(sqlite_url: str) -> None:
    """The control: these words are there to be found."""
    records = opened(sqlite_url, vault(Settings(_env_file=None)))
    records.project(projected())

    assert [word for word in SECRETS if not holds(sqlite_url, word)] == []


def test_sealed_case_is_found_by_every_word(sqlite_url: str) -> None:
    """Whatever characters the hash of a word has."""
    words = [f"word{number}" for number in range(100)]
    records = opened(sqlite_url, ring(NEW))
    records.project(projected(complaint={"description": " ".join(words)}))

    assert [word for word in words if found(records, word) != ["HL-1"]] == []
    assert found(records, " ".join(words[:20])) == ["HL-1"]


@pytest.mark.parametrize("text", ["瓷砖到货", "王丽", "8000", "138 0013 8000", "cracked arrival", "SLATE-9"])
def test_sealed_case_is_found(sqlite_url: str, text: str) -> None:
    records = opened(sqlite_url, ring(NEW))
    records.project(projected())

    assert found(records, text) == ["HL-1"]
    assert found(records, f"{text} 没有") == []


def test_case_is_found_and_read_across_a_rotation_while_the_ring_has_the_old_key(sqlite_url: str) -> None:
    opened(sqlite_url, ring(OLD)).project(projected("HL-1"))
    rotated = opened(sqlite_url, ring(NEW, OLD))
    rotated.project(projected("HL-2"))

    assert found(rotated, "瓷砖到货") == ["HL-1", "HL-2"]
    assert rotated.snapshot_of("HL-1") is not None
    assert found(opened(sqlite_url, ring(NEW)), "瓷砖到货") == ["HL-2"]


def test_next_change_of_a_case_seals_it_with_the_new_key(sqlite_url: str) -> None:
    opened(sqlite_url, ring(OLD)).project(projected(seq=1))
    opened(sqlite_url, ring(NEW, OLD)).project(projected(seq=2))

    without_old = opened(sqlite_url, ring(NEW))
    assert found(without_old, "瓷砖到货") == ["HL-1"]
    assert without_old.snapshot_of("HL-1") == (2, projected(seq=2).snapshot)


def test_cases_written_before_keys_were_configured_are_found_and_read(sqlite_url: str) -> None:
    opened(sqlite_url, None).project(projected())

    records = opened(sqlite_url, ring(NEW))

    assert found(records, "瓷砖到货 8000") == ["HL-1"]
    assert records.snapshot_of("HL-1") == (1, projected().snapshot)


def test_resealing_leaves_nothing_plain_and_nothing_under_an_earlier_key(sqlite_url: str) -> None:
    opened(sqlite_url, None).project(projected("HL-1"))
    opened(sqlite_url, ring(OLD)).project(projected("HL-2"))
    records = opened(sqlite_url, ring(NEW, OLD))
    records.project(projected("HL-3"))

    assert [records.reseal(1), records.reseal(9), records.reseal(9)] == [1, 1, 0]
    records.purge_words()

    assert [word for word in SECRETS if holds(sqlite_url, word)] == []
    with_new = opened(sqlite_url, ring(NEW))
    assert found(with_new, "瓷砖到货") == ["HL-1", "HL-2", "HL-3"]
    assert [with_new.snapshot_of(f"HL-{n}") for n in (1, 2)] == [(1, projected(f"HL-{n}").snapshot) for n in (1, 2)]


def test_without_keys_nothing_is_resealed(sqlite_url: str) -> None:
    records = opened(sqlite_url, None)
    records.project(projected())

    assert records.reseal(9) == 0


def test_snapshot_of_one_case_opens_for_no_other_and_not_when_changed() -> None:
    keys = ring(NEW)
    sealed = keys.seal("{}", "HL-1")

    assert keys.open(sealed, "HL-1") == "{}"
    with pytest.raises(NotAuthentic):
        keys.open(sealed, "HL-2")
    for changed in (f"{sealed[:-8]}AAAA{sealed[-4:]}", f"{sealing.SEALED}!", f"{sealing.SEALED}AAAA", sealing.SEALED):
        with pytest.raises(NotAuthentic):
            keys.open(changed, "HL-1")


def test_hash_of_a_term_says_nothing_without_its_key_and_differs_from_the_digest_of_a_text() -> None:
    one, other = ring(NEW), ring(OLD)

    assert one.hide(["8000"]) == one.hide(["8000"]) != other.hide(["8000"])
    assert one.mark("8000").rpartition(":")[2] != one.hide(["8000"])[0]
    assert one.hide(["8000"])[0] in one.hidden("8000")
    terms = Searchable.of(json.loads(projected().snapshot)).terms()
    assert len(set(one.hide(terms))) == len(terms)


def test_vault_is_that_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(NEW, encoding="ascii")

    made = vault(Settings(_env_file=None, encryption_keys_file=tmp_path / "keys"))

    assert made is not None
    assert ring(NEW).open(made.seal("{}", "HL-1"), "HL-1") == "{}"
