"""The fixed data set on SQLite and on PostgreSQL, and its review."""

from collections.abc import Iterator

import pytest

from cases.policy.policy import Policy
from policies import known_policies
from records import Records
from review.figures import Review
from review.making import make
from tests.review.data import WANTED, fill


@pytest.fixture(scope="session")
def known() -> dict[str, Policy]:
    """The policies by line."""
    return dict(known_policies())


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    """The data set in SQLite. Tests only read it."""
    records = fill(f"sqlite:///{tmp_path_factory.mktemp('review')}/records.db")
    yield records
    records.close()


@pytest.fixture(scope="session")
def made(filled: Records, known: dict[str, Policy]) -> Review:
    """The review of October."""
    return make(filled, known, WANTED)
