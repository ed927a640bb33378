"""One real Temporal server for all tests of a run; it lives in memory and skips time case by case."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.engine import serving
from worker import register_search_attributes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real processes first, otherwise shuffled: two processes that share the tests by file then end together."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The server's address."""
    async with serving(tmp_path_factory.mktemp("engine")) as address:
        await register_search_attributes(await Client.connect(address))
        yield address


@pytest.fixture
async def client(engine: str) -> Client:
    """A client of the server, as the worker uses it."""
    return await Client.connect(engine, data_converter=pydantic_data_converter)
