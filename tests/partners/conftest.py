"""Every test has a sandbox and a ledger file of its own."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from partners.http import Partners
from partners.sandbox.app import create_app
from partners.sandbox.fixtures import Fixtures
from partners.sandbox.ledger import Ledger
from partners.sandbox.reports import Courier, Tell
from partners.sandbox.switches import Faults, Sandbox
from tests.partners.running import RunningSandbox, Start, Told, served, talk_to

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading everybody's certificates takes longer than most of these tests."""


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Start:
    """Starts a sandbox; twice in a test means the second works on the first one's ledger."""

    @contextlib.asynccontextmanager
    async def start(
        entries: dict[str, Any] | None = None, *, tell: Tell | None = None, key_life: timedelta = timedelta(hours=24)
    ) -> AsyncIterator[RunningSandbox]:
        ledger = Ledger(tmp_path / "ledger.db", key_life)
        told: Told = asyncio.Queue()

        async def record(to: str, signal: str, payload: dict[str, Any]) -> None:
            await told.put((to, signal, payload))

        courier = Courier(ledger, tell or record, first_wait=0.01)
        app = create_app(Sandbox(ledger, Fixtures(entries or {}, ledger.change), Faults(), courier))
        async with served(app) as url, httpx.AsyncClient(base_url=url, trust_env=False, verify=NO_TLS) as admin:
            yield RunningSandbox(url, ledger, admin, told)
        ledger.close()

    return start


@pytest.fixture
async def sandbox(start_sandbox: Start) -> AsyncIterator[RunningSandbox]:
    """A sandbox without a fixtures file."""
    async with start_sandbox() as running:
        yield running


@pytest.fixture
async def partners(sandbox: RunningSandbox) -> AsyncIterator[Partners]:
    """The partners of that sandbox."""
    async with talk_to(sandbox.url) as opened:
        yield opened
