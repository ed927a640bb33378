"""Answers to requests with an idempotency key: one is carried out, however many arrive; kept for a day, and sealed."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from encryption.keys import KeyRing, new_key
from encryption.vault import SealingVault
from records import Begun, Records

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def records(url: str) -> Iterator[Records]:
    """Our database, of each kind in turn."""
    with closing(Records(url)) as opened:
        yield opened


def test_answer_is_kept_for_a_day(records: Records) -> None:
    assert records.begin_request("crm", "k", "f", NOW) is Begun.NEW
    records.keep_answer_to("crm", "k", '{"status": 200}')

    assert records.begin_request("crm", "k", "f", NOW + timedelta(hours=23)) == '{"status": 200}'
    assert records.begin_request("crm", "k", "other", NOW + timedelta(hours=24)) is Begun.NEW


def test_expired_answers_are_deleted_by_later_requests(records: Records) -> None:
    for number in range(5):
        records.begin_request("crm", f"old {number}", "f", NOW)
    records.begin_request("crm", "new", "f", NOW + timedelta(hours=24))

    with records._reading() as connection:  # noqa: SLF001 (nothing else counts them)
        assert connection.exec_driver_sql("SELECT count(*) FROM api_requests").scalar() == 1


def test_request_in_progress_may_be_repeated_once_it_was_interrupted(records: Records) -> None:
    assert records.begin_request("crm", "k", "f", NOW) is Begun.NEW
    assert records.begin_request("crm", "k", "f", NOW) is Begun.IN_PROGRESS
    assert records.begin_request("crm", "k", "f", NOW + timedelta(minutes=1)) is Begun.NEW

    records.interrupt_request("crm", "k")
    assert records.begin_request("crm", "k", "g", NOW + timedelta(minutes=1)) is Begun.OTHER_REQUEST
    assert records.begin_request("crm", "k", "f", NOW + timedelta(minutes=1)) is Begun.NEW


def test_of_requests_at_the_same_time_one_is_carried_out(records: Records) -> None:
    """Also by several processes: the database decides."""
    with ThreadPoolExecutor(8) as threads:
        begun = list(threads.map(lambda _: records.begin_request("crm", "k", "f", NOW), range(8)))

    assert sorted(each.value for each in begun if isinstance(each, Begun)) == ["in progress"] * 7 + ["new"]


def test_answer_is_sealed_if_keys_are_set(sqlite_url: str) -> None:
    vault = SealingVault(KeyRing(text=new_key("2026-11")))
    with closing(Records(sqlite_url, vault)) as records:
        records.begin_request("crm", "k", "f", NOW)
        records.keep_answer_to("crm", "k", '{"body": "Wang Fang"}')

        assert records.begin_request("crm", "k", "f", NOW) == '{"body": "Wang Fang"}'
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as database:
        assert "Wang Fang" not in "\n".join(database.iterdump())
