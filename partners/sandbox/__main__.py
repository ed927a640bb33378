"""`python -m partners.sandbox --port N --ledger FILE [--fixtures FILE]`: simulated partners on this machine."""

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
    """Prints its address once it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            host, port = listening.getsockname()[:2]
            print(f"partner sandbox ready at http://{host}:{port}", flush=True)  # noqa: T201 (starters wait for this line)


def main() -> int:
    """Serve until interrupted. Return 2 if it cannot start."""
    arguments = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        entries = fixtures.load(arguments.fixtures) if arguments.fixtures else {}
        ledger = _ledger(arguments.ledger, timedelta(hours=arguments.key_hours))
        listening = _listen(arguments.host, arguments.port)
    except (InvalidInput, _CannotStartError) as error:
        print(f"partner sandbox: {error}", file=sys.stderr)  # noqa: T201 (a command-line program)
        return 2
    sandbox = Sandbox(ledger, fixtures.Fixtures(entries, ledger.change), Faults(), Courier(ledger, TemporalSignals()))
    config = uvicorn.Config(
        create_app(sandbox), log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=1
    )
    with contextlib.closing(ledger), contextlib.suppress(KeyboardInterrupt):
        _Server(config).run(sockets=[listening])
    return 0


class _CannotStartError(Exception):
    """The reason why it cannot start, and what to do."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m partners.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8733, help="port to listen on (8733); 0 chooses a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--ledger", type=Path, required=True, help="SQLite file for its records; created if missing")
    parser.add_argument("--fixtures", type=Path, help="YAML or JSON file: what partners know about each order")
    parser.add_argument("--key-hours", type=float, default=24.0, help="hours for which a key is remembered (24)")
    return parser.parse_args()


def _ledger(path: Path, key_life: timedelta) -> Ledger:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Ledger(path, key_life)
    except (OSError, sqlite3.Error) as error:
        raise _CannotStartError(f"cannot open its ledger {path} ({error}): set another file with --ledger") from error


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else "no such port"
        raise _CannotStartError(f"cannot listen on {host}:{port} ({reason}): set another port with --port") from error
    return listening


if __name__ == "__main__":
    sys.exit(main())
