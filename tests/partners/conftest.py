"""Every test has a separate sandbox and ledger file."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from partners.http import Partners
from tests.partners.running import RunningSandbox, Start, sandbox_in, talk_to


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Start:
    """Starts a sandbox; a second start in a test uses the first one's ledger."""
    return partial(sandbox_in, tmp_path)


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
