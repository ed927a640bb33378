"""One real Temporal server, which skips time, and one PostgreSQL for all tests of a run that need them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from tests import postgres, profiles
from tests.engine import serving
from worker import register_search_attributes

profiles.register()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests with real processes first, the rest shuffled, so that two test processes end at the same time."""
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


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL on loopback for as long as the tests run."""
    with postgres.running() as running:
        yield running


@pytest.fixture
def postgresql_url(cluster: postgres.Cluster) -> str:
    """An empty schema; creating one takes a tenth of the time of a database."""
    name = f"test_{uuid4().hex}"
    cluster.execute(f"CREATE SCHEMA {name}")
    return f"{cluster.url}?options=-csearch_path%3D{name}"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet, in a folder that does not exist either."""
    return f"sqlite:///{tmp_path / 'data' / 'records.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database, of each kind in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))
