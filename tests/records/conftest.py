"""Every test that takes `url` or `records` runs on SQLite and on a real PostgreSQL, each time on an empty database."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from records import Records


def run(url: str, *statements: str) -> None:
    """Run another program's statements in one transaction."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def records(url: str) -> Iterator[Records]:
    """Our records, empty."""
    opened = Records(url)
    yield opened
    opened.close()
