"""A real PostgreSQL of our own on loopback; where there is none the tests that need it are skipped, or fail in CI."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

PASSWORD = "throw-away"


@dataclass(frozen=True)
class Cluster:
    """Where it listens."""

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
def running(folder: Path) -> Iterator[Cluster]:
    """A cluster in `folder`, for as long as the block lasts."""
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
