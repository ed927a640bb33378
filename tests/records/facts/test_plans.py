"""A review reads indexes when there are many cases (G13)."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Select, create_engine, text

from records import Records, Scope
from records.facts.queries import (
    QUERIES,
    cases_behind,
    exported_cases,
    exported_promises,
    ids_of_cases,
    ids_of_promises,
)
from tests.records.conftest import run
from tests.records.test_projection_plans import AT, scans
from tests.records.test_projection_plans import FILL as CASES

FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO case_facts (case_id, digest, line, topic, channel, team, order_id, carrier, party, received_at, opened_at,
    closed_at, outcome, to_acknowledge, follows, cycles)
SELECT 'HL-' || i, '1:x', 'line-' || (i % 8), 'transport.damage', 'app', 'team-' || (i % 12), 'SO-' || (i / 2),
    'carrier-' || (i % 20), 'delivery', AT, AT, AT, 'satisfied', i, FALSE, 1
FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO promise_facts (case_id, number, name, rule, state, due_at)
SELECT 'HL-' || i, 0, 'acknowledge', 'B1', 'kept', AT FROM n;
INSERT INTO orders (order_id, currency, paid) VALUES ('SO-1', 'CNY', 100);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO entries (key, order_id, case_id, kind, amount, currency, state, reserved_at)
SELECT 'HL-' || i || '/1/o1/refund', 'SO-1', 'HL-' || i, 'refund', 1, 'CNY', 'committed', AT FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO claims (case_id, order_id, carrier, state, currency, claimed, recovered)
SELECT 'HL-' || i, 'SO-1', 'carrier-1', 'closed', 'CNY', 1, 1 FROM n
"""
NINE = datetime(2026, 1, 9, 9, tzinfo=UTC)
SCOPE = Scope(NINE, NINE + timedelta(hours=1), NINE + timedelta(days=300))
"""An hour of the three weeks that are filled."""
ASKED: dict[str, Callable[[Scope], Select[Any]]] = {
    **QUERIES,
    "cases, exported": exported_cases,
    "promises, exported": exported_promises,
    "number of cases": ids_of_cases,
    "number of promises": ids_of_promises,
    "cases behind a promise": lambda scope: cases_behind(scope, "broken", "team", ["team-3"]),
    "cases behind a party": lambda scope: cases_behind(scope, "delivery", "carrier", ["carrier-3"]),
}


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    Records(url).close()
    at = AT["postgresql" if url.startswith("postgresql") else "sqlite"]
    filled = f"{CASES.split(';' + chr(10))[0]};\n{FILL}"
    run(url, *(re.sub(r"\bAT\b", lambda _: at, each) for each in filled.split(";\n")), "ANALYZE")
    engine = create_engine(url)
    with engine.connect() as open_connection:
        yield open_connection
    engine.dispose()


def plan(connection: Connection, name: str) -> list[str]:
    sql = ASKED[name](SCOPE).compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    return [row[-1] for row in connection.execute(text(f"{explain} {str(sql).replace(':', chr(92) + ':')}"))]


def test_a_review_of_an_hour_reads_no_whole_table(connection: Connection) -> None:
    """G13"""
    found = {name: scans(plan(connection, name)) for name in ASKED if name != "open_cases"}

    assert {name: steps for name, steps in found.items() if steps} == {}


def test_open_cases_are_counted_from_an_index_on_sqlite(connection: Connection) -> None:
    """PostgreSQL may read the table: most of its cases are open here."""
    if connection.dialect.name == "sqlite":
        assert scans(plan(connection, "open_cases")) == []


def test_without_its_index_a_whole_table_would_be_read(connection: Connection) -> None:
    """The control."""
    connection.execute(text("DROP INDEX promises_by_deadline"))
    connection.execute(text("DROP INDEX ix_case_facts_closed_at"))

    assert scans(plan(connection, "due_promises"))
    assert scans(plan(connection, "closed_cases"))
