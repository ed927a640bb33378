"""Every test that takes `url` or `records` runs on SQLite and on a real PostgreSQL, each time on an empty database."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from cases.vocabulary import RemedyKind
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


KEY = "HL-1/1/1/refund"


def reserve(records: Records, key: str, amount: str, kind: RemedyKind = RemedyKind.REFUND, **other: Any) -> bool:
    """Reserve on order SO-1, for which 1000.00 was paid; the case is the key's first part."""
    payment = {"order_id": "SO-1", "case_id": key.partition("/")[0], "currency": "CNY", "paid": Decimal("1000.00")}
    return records.reserve(key, **{"kind": kind, "amount": Decimal(amount), **payment, **other})


def states(records: Records) -> dict[str, str]:
    return {entry["key"]: entry["state"] for entry in records.entries()}
