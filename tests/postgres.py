"""A real PostgreSQL on loopback. Without one, tests that need it are skipped; in CI they fail."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

PASSWORD = "throw-away"


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL's port, programs and data folder."""

    port: int
    folder: Path
    binaries: Path
    user: str | None
    """The user that runs the programs; None: the current one."""

    def execute(self, statement: str) -> None:
        """Run one statement as the cluster's owner, outside any transaction."""
        where = f"host=127.0.0.1 port={self.port} user=owner password={PASSWORD} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://owner:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        """Create its data folder."""
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        if self.user:
            for path in (self.folder, secret):
                shutil.chown(path, self.user)
        login = ["--username=owner", "--auth=scram-sha-256", f"--pwfile={secret}"]
        self._run("initdb", "--encoding=UTF8", "--locale=C", "--no-sync", *login)

    def start(self) -> None:
        """Start it on its data folder."""
        where = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder}"
        small = "-c fsync=off -c shared_buffers=16MB -c timezone=Asia/Shanghai"
        self._run("pg_ctl", "start", "--wait", f"--log={self.folder / 'log'}", f"--options={where} {small}")

    def stop(self) -> None:
        """Stop it at once, as in a crash; by the process id in the data folder, so no other one is stopped."""
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), *arguments, f"--pgdata={self.folder / 'data'}"]
        log, tools_log = self.folder / "log", self.folder / "log.tools"
        # Not captured: the server would inherit the pipe, and it would never be closed.
        with tools_log.open("ab") as output:
            done = subprocess.run(command, check=False, stdout=output, stderr=output, user=self.user, cwd=self.folder)
        assert done.returncode == 0, tools_log.read_text() + (log.read_text() if log.exists() else "")


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true" or os.environ.get("AFTER_SALES_TEST_POSTGRES") == "required":
        pytest.fail(f"PostgreSQL is required here: {reason}")
    pytest.skip(f"no PostgreSQL: {reason}")


def installed() -> Path | None:
    """Return the program folder of the newest installed version, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


def _unprivileged_user() -> str | None:
    """Return the user to run the server as: PostgreSQL refuses to run as root."""
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
def running() -> Iterator[Cluster]:
    """Run a cluster in a temporary folder until the block ends."""
    binaries = installed()
    if binaries is None:
        _missing("initdb is neither in /usr/lib/postgresql nor on PATH; Debian: apt install postgresql")
    with tempfile.TemporaryDirectory(prefix="after-sales-postgres-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(_free_port(), Path(folder), binaries, _unprivileged_user())
        cluster.create()
        try:
            cluster.start()
        except AssertionError:  # another process may have taken that port meanwhile
            cluster = replace(cluster, port=_free_port())
            cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
