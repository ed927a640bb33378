"""Every test that takes `url` or `records` runs on SQLite and on a real PostgreSQL, each time on an empty database."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, text

from records import Records

PASSWORD = "throw-away"


@dataclass(frozen=True)
class Cluster:
    port: int

    def execute(self, statement: str) -> None:
        """Run one statement as the cluster's owner, outside any transaction."""
        where = f"host=127.0.0.1 port={self.port} user=owner password={PASSWORD} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://owner:{PASSWORD}@127.0.0.1:{self.port}/postgres"


def _missing(reason: str) -> None:
    if os.environ.get("CI") == "true" or os.environ.get("AFTER_SALES_TEST_POSTGRES") == "required":
        pytest.fail(f"PostgreSQL is required here: {reason}")
    pytest.skip(f"no PostgreSQL: {reason}")


def _binaries() -> Path:
    """The newest installed version's folder."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        _missing("initdb is neither in /usr/lib/postgresql nor on PATH; Debian: apt install postgresql")
    return (found[-1] if found else Path(str(on_path)).resolve()).parent


def _unprivileged_user() -> str | None:
    """Whom to run the server as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    if not names & {"postgres", "nobody"}:
        _missing("running as root, and there is no user postgres or nobody to run it as")
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(folder: Path) -> Iterator[Cluster]:
    binaries, user, port = _binaries(), _unprivileged_user(), _free_port()
    data, log, secret = folder / "data", folder / "log", folder / "secret"
    secret.write_text(PASSWORD)
    if user:
        for path in (folder, secret):
            shutil.chown(path, user)

    def run(*command: str | Path) -> None:
        # Not captured: the server would inherit the pipe, and nobody would ever see its end.
        with log.with_suffix(".tools").open("ab") as told:
            done = subprocess.run(command, check=False, stdout=told, stderr=told, user=user, cwd=folder)
        assert done.returncode == 0, log.with_suffix(".tools").read_text() + (log.read_text() if log.exists() else "")

    login = ["--username=owner", "--auth=scram-sha-256", f"--pwfile={secret}"]
    run(binaries / "initdb", f"--pgdata={data}", "--encoding=UTF8", "--locale=C", "--no-sync", *login)
    where = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
    small = "-c fsync=off -c shared_buffers=16MB -c timezone=Asia/Shanghai"
    run(binaries / "pg_ctl", "start", "--wait", f"--pgdata={data}", f"--log={log}", f"--options={where} {small}")
    try:
        yield Cluster(port)
    finally:
        # By the process id in the data folder, so it can only be this one.
        run(binaries / "pg_ctl", "stop", "--wait", "--mode=immediate", f"--pgdata={data}")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of our own on loopback, for as long as the tests run."""
    folder = Path(tempfile.mkdtemp(prefix="after-sales-postgres-"))
    try:
        with _running(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(cluster: Cluster) -> str:
    """An empty schema, which takes a tenth of the time of a database of its own."""
    name = f"test_{uuid4().hex}"
    cluster.execute(f"CREATE SCHEMA {name}")
    return f"{cluster.url}?options=-csearch_path%3D{name}"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet, in a folder that does not either."""
    return f"sqlite:///{tmp_path / 'data' / 'records.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database, of each kind in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


def run(url: str, *statements: str) -> None:
    """Run statements of somebody else's in one transaction."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def records(url: str) -> Iterator[Records]:
    """Our records, empty."""
    opened = Records(url)
    yield opened
    opened.close()
