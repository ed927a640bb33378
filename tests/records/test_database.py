"""Opening our database: created if it is missing, refused with a sentence if it cannot be used."""

import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from records import Records, RecordsUnavailable, WrongDatabaseUrl
from records.database import open_engine
from tests.postgres import PASSWORD, Cluster


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is reserved but does not answer: bound, not listening."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]


def test_opening_twice_keeps_existing_data(url: str) -> None:
    first = Records(url)
    first.record_claim("HL-1", "SO-1", "Swift", "filed", claimed=Decimal("900.00"), currency="CNY")

    second = Records(url)

    assert second.claims() == first.claims() != []
    first.close()
    second.close()


def test_workers_that_start_at_once_create_the_tables_once(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(Records, [url] * 8))

    assert all(records.claims() == [] for records in opened)
    for records in opened:
        records.close()


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    """Twenty new files: on a busy machine SQLite refuses one process of eight in every fifth, unless it retries."""
    fork = get_context("fork")
    for number in range(20):
        url, together, results = f"sqlite:///{tmp_path / str(number)}.db", fork.Barrier(8), fork.SimpleQueue()
        processes = [fork.Process(target=_connect, args=(url, together, results)) for _ in range(8)]
        for process in processes:
            process.start()
        assert {results.get() for _ in processes} == {"wal"}
        for process in processes:
            process.join()


def _connect(url: str, together: Any, results: Any) -> None:
    engine = open_engine(make_url(url))
    together.wait()
    try:
        with engine.connect() as connection:
            results.put(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
    except DBAPIError as error:
        results.put(str(error.orig))
    engine.dispose()


def test_wrong_url_is_named_by_its_setting_and_shows_no_password() -> None:
    wrong = {
        "nonsense": "is not a database URL",
        "postgresql://me:s3cret@host:port/records": "is not a database URL",
        "mysql://me:s3cret@host/records": "names mysql: it is not supported",
        "postgresql+asyncpg://me:s3cret@host/records": "names postgresql.asyncpg",
        "postgresql+psycopg://me:s3cret@host": "names no database",
        "sqlite://": "names no file",
        "sqlite:///:memory:": "names no file, and the data must outlive the process",
    }
    for url, fault in wrong.items():
        with pytest.raises(WrongDatabaseUrl, match=f"^AFTER_SALES_DATABASE_URL {fault}") as refused:
            Records(url)
        assert "s3cret" not in str(refused.value)


def test_folder_of_the_file_is_created(tmp_path: Path) -> None:
    Records(f"sqlite:///{tmp_path / 'a' / 'b' / 'records.db'}").close()

    assert (tmp_path / "a" / "b" / "records.db").is_file()


def test_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(WrongDatabaseUrl, match=r"AFTER_SALES_DATABASE_URL: the folder .*/file/data cannot be used"):
        Records(f"sqlite:///{tmp_path / 'file' / 'data' / 'records.db'}")


def test_file_that_is_not_a_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_text("not a database, and longer than the header that is looked at " * 9)

    with pytest.raises(
        RecordsUnavailable, match=r"The database at .*/records\.db cannot be used: file is not a database"
    ):
        Records(f"sqlite:///{tmp_path / 'records.db'}")


def test_database_out_of_reach_is_named_without_its_password(closed_port: int) -> None:
    with pytest.raises(
        RecordsUnavailable, match=rf"The database at 127\.0\.0\.1:{closed_port}/records cannot"
    ) as failed:
        Records(f"postgresql+psycopg://me:s3cret@127.0.0.1:{closed_port}/records?application_name=s3cret")

    assert "s3cret" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_wrong_password_is_reported_and_not_shown(cluster: Cluster) -> None:
    with pytest.raises(RecordsUnavailable, match=r"authentication failed") as failed:
        Records(cluster.url.replace(PASSWORD, "s3cret"))

    assert "s3cret" not in str(failed.value)


def test_connections_that_the_server_has_closed_fail_no_call(cluster: Cluster, postgresql_url: str) -> None:
    records = Records(postgresql_url)
    assert records.claims() == []

    others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
    cluster.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")  # noqa: S608 (a constant)

    assert records.claims() == []
    records.close()


def test_sqlite_readers_do_not_wait_for_a_writer(sqlite_url: str) -> None:
    records = Records(sqlite_url)
    writer = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")

    assert records.claims() == []

    writer.close()
    records.close()


def test_sqlite_writer_holds_the_only_write_lock_before_it_reads(sqlite_url: str) -> None:
    """S15: a sum in a transaction stays true until it has written, because no other transaction can write."""
    records = Records(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None, timeout=0)

    with records._writing() as connection:  # noqa: SLF001 (the lock can only be seen during a transaction)
        connection.exec_driver_sql("SELECT count(*) FROM entries")
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            other.execute("BEGIN IMMEDIATE")

    other.execute("BEGIN IMMEDIATE")
    other.close()
    records.close()


def test_sqlite_keeps_committed_data_through_a_power_cut_and_checks_foreign_keys(sqlite_url: str) -> None:
    records = Records(sqlite_url)

    with records._reading() as connection:  # noqa: SLF001 (settings of a connection can only be read on it)
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
        found["foreign_keys"] = connection.exec_driver_sql("PRAGMA foreign_keys").scalar()

    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    records.close()
