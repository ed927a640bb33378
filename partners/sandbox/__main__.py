"""`python -m partners.sandbox --port N --ledger FILE [--fixtures FILE]`: partners on this machine."""

import argparse
import contextlib
import logging
import socket
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path

import uvicorn

from cases.errors import InvalidInput
from partners.sandbox import fixtures
from partners.sandbox.app import create_app
from partners.sandbox.ledger import Ledger
from partners.sandbox.reports import Courier, TemporalSignals
from partners.sandbox.switches import Faults, Sandbox


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            host, port = listening.getsockname()[:2]
            print(f"partner sandbox ready at http://{host}:{port}", flush=True)  # noqa: T201 (what a starter waits for)


def main() -> int:
    """Serve until interrupted; 2 where it cannot start."""
    arguments = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        entries = fixtures.load(arguments.fixtures) if arguments.fixtures else {}
        ledger = _ledger(arguments.ledger, timedelta(hours=arguments.key_hours))
        listening = _listen(arguments.host, arguments.port)
    except (InvalidInput, _CannotStartError) as error:
        print(f"partner sandbox: {error}", file=sys.stderr)  # noqa: T201 (for the one who started it)
        return 2
    sandbox = Sandbox(ledger, fixtures.Fixtures(entries, ledger.change), Faults(), Courier(ledger, TemporalSignals()))
    config = uvicorn.Config(
        create_app(sandbox), log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=1
    )
    with contextlib.closing(ledger), contextlib.suppress(KeyboardInterrupt):
        _Server(config).run(sockets=[listening])
    return 0


class _CannotStartError(Exception):
    """What is in the way, and what to do."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m partners.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8733, help="where to listen (8733); 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="which address to listen on (127.0.0.1)")
    parser.add_argument("--ledger", type=Path, required=True, help="SQLite file of what happened; made if missing")
    parser.add_argument("--fixtures", type=Path, help="YAML or JSON: what is known of which order")
    parser.add_argument("--key-hours", type=float, default=24.0, help="hours that a key is remembered (24)")
    return parser.parse_args()


def _ledger(path: Path, key_life: timedelta) -> Ledger:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Ledger(path, key_life)
    except (OSError, sqlite3.Error) as error:
        raise _CannotStartError(f"cannot keep its ledger in {path} ({error}): name another file by --ledger") from error


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else "no such port"
        raise _CannotStartError(f"cannot listen at {host}:{port} ({reason}): name another by --port") from error
    return listening


if __name__ == "__main__":
    sys.exit(main())
