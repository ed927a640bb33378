"""The database connection: atomic transactions, serialized where needed, and readable errors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from records.errors import RecordsUnavailable, WrongDatabaseUrl
from records.migrations import upgrade

PATIENCE = 10
"""Seconds to wait for a lock that another case holds. Locks are held for milliseconds."""

CONNECT_PATIENCE = 5
"""Seconds to wait for a connection to PostgreSQL."""

SCHEMA_LOCK = 7_301_946_115
"""PostgreSQL's advisory lock while tables are created, because two workers may start at once. An arbitrary number."""

EXPECTED = "expected sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE"


class Database:
    """One SQLite file or PostgreSQL database. Its tables are created or upgraded on opening. Thread-safe."""

    def __init__(self, url: str) -> None:
        """Open the database. Raises `WrongDatabaseUrl`, `RecordsUnavailable` or `NewerSchema`."""
        parsed = _parse(url)
        self.address = _address(parsed)
        """The address without user and password, for messages."""
        self._engine = open_engine(parsed)
        self._reader = self._engine.execution_options(reads_only=True)
        self._deriver = self._engine.execution_options(derived=True)
        try:
            with self._writing() as connection:
                _create_tables(connection, self.address)
        except Exception:
            self.close()
            raise

    def check(self) -> None:
        """Raise `RecordsUnavailable` if the database does not answer."""
        with self._reading() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        """Close all connections. A later call opens new ones."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Begin a transaction that may write. On SQLite it holds the only write lock from the start."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Begin a transaction that only reads. On SQLite it neither waits for writers nor blocks them."""
        with self._translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def _deriving(self) -> Iterator[Connection]:
        """Begin a transaction that writes derived rows only. On SQLite a power cut may undo the latest of them.

        In return it does not wait for the disk while it holds the only write lock, which payments need too.
        """
        with self._translated(), self._deriver.begin() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, DataError):
            raise  # an error in our code or the caller's: the same call would fail again
        except (DBAPIError, PoolTimeoutError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            reason = str(cause).partition("\n")[0]
            raise RecordsUnavailable(f"The database at {self.address} cannot be used: {reason}") from None

    def _insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """Return an INSERT that supports ON CONFLICT, which both databases write in the same way."""
        return postgresql.insert(table) if self._engine.dialect.name == "postgresql" else sqlite.insert(table)


def open_engine(url: URL) -> Engine:
    """Return the engine for a checked URL, configured for our transactions. Raises `WrongDatabaseUrl`."""
    return _postgresql(url) if url.get_backend_name() == "postgresql" else _sqlite(url)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The URL is not shown, because it may contain a password.
        raise WrongDatabaseUrl(f"AFTER_SALES_DATABASE_URL is not a database URL; {EXPECTED}") from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise WrongDatabaseUrl(f"AFTER_SALES_DATABASE_URL names {parsed.drivername}: it is not supported; {EXPECTED}")
    if parsed.database in {None, "", ":memory:"}:
        raise WrongDatabaseUrl(f"AFTER_SALES_DATABASE_URL names no {_missing(parsed)}; {EXPECTED}")
    return parsed


def _missing(url: URL) -> str:
    return "database" if url.get_backend_name() == "postgresql" else "file, and the data must outlive the process"


def _address(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or url.query.get("host") or "localhost"
    return f"{host}:{url.port or 5432}/{url.database}"


def _sqlite(url: URL) -> Engine:
    folder = Path(str(url.database)).absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or "it cannot be created"
        raise WrongDatabaseUrl(f"AFTER_SALES_DATABASE_URL: the folder {folder} cannot be used: {reason}") from None
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": PATIENCE})

    @event.listens_for(engine, "connect")
    def _connected(raw: Any, _: object) -> None:
        raw.isolation_level = None  # Python's driver would begin too late: at the first write, after our reads
        _switch_to_wal(raw)
        raw.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        # With FULL a booked payment survives a power cut, and so does all that was written before it.
        kept = "NORMAL" if options.get("derived", False) else "FULL"
        connection.connection.cursor().execute(f"PRAGMA synchronous = {kept}")
        reads_only = options.get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def _switch_to_wal(raw: Any) -> None:
    """Retry while the file is locked: if several processes switch a new file, SQLite refuses some without waiting."""
    deadline = monotonic() + PATIENCE
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or monotonic() > deadline:
                raise
            sleep(0.01)
        else:
            return


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,  # no call fails because the database was restarted
        isolation_level="READ COMMITTED",  # after waiting for a row lock, the sums are read again
        connect_args={"connect_timeout": CONNECT_PATIENCE},
    )

    @event.listens_for(engine, "connect")
    def _connected(raw: Any, _: object) -> None:
        raw.execute(f"SET lock_timeout = '{PATIENCE}s'")
        raw.commit()

    return engine


def _create_tables(connection: Connection, address: str) -> None:
    """Create or upgrade the tables, or refuse a newer schema. The lock is for two workers that start at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(SCHEMA_LOCK)))
    upgrade(connection, address)
