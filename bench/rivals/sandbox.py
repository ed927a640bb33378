"""`python -m bench.rivals.sandbox PORT LEDGER FIXTURES URL`: the partner sandbox. It posts its reports to `URL`."""

import sys
from pathlib import Path
from typing import Any

import uvicorn
from aiohttp import ClientSession

from partners.sandbox import fixtures
from partners.sandbox.app import create_app
from partners.sandbox.ledger import Ledger
from partners.sandbox.reports import Courier
from partners.sandbox.switches import Faults, Sandbox


class HttpReports:
    """Sends reports by POST to `URL/case/message`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: ClientSession | None = None

    async def __call__(self, to: str, signal: str, payload: dict[str, Any]) -> None:
        """Send one report."""
        self._session = self._session or ClientSession(raise_for_status=True)
        async with self._session.post(f"{self._url}/{to}/{signal.replace('-', '_')}", json=payload):
            pass


if __name__ == "__main__":
    port, ledger, orders, url = sys.argv[1:]
    records = Ledger(Path(ledger))
    known = fixtures.Fixtures(fixtures.load(Path(orders)), records.change)
    sandbox = Sandbox(records, known, Faults(), Courier(records, HttpReports(url)))
    uvicorn.run(create_app(sandbox), host="127.0.0.1", port=int(port), access_log=False)
