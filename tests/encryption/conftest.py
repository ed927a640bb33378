"""Keys, and a client that encrypts with them; the worker of these tests uses that client."""

import pytest
from temporalio.client import Client

from encryption import encrypted
from encryption.keys import KeyRing, new_key
from tests.workflows.conftest import (  # noqa: F401 (fixtures)
    closed_workshop,
    open_case,
    partners,
    records,
    workshop,
    written_policies,
)


@pytest.fixture
def keys() -> KeyRing:
    """One key."""
    return KeyRing(text=new_key("k1"))


@pytest.fixture
async def client(engine: str, keys: KeyRing) -> Client:
    """A client that encrypts."""
    return await Client.connect(engine, data_converter=encrypted(keys))


@pytest.fixture
async def plain(engine: str) -> Client:
    """A client of another program, without keys."""
    return await Client.connect(engine)
