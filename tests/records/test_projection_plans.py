"""Lists and searches read an index, in the index's order, when there are many cases."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from records import CaseFilter, Position, Records
from records.projection import listing_query
from records.vault import PLAIN
from tests.records.conftest import run

FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO case_projection (case_id, seq, line, topic, order_id, channel, status, urgent, team, owner, received_at,
    opened_at, closed_at, next_due_at, broken, escalation_rung, needs, unknown_money, paid, written_at, snapshot)
SELECT 'HL-' || i, i, 'line-' || (i % 8), 'transport.damage', 'SO-' || (i / 2), 'app', 'assessing', FALSE,
    'team-' || (i % 12), CASE WHEN i % 3 = 0 THEN 'owner-' || (i % 15) END, AT, AT, CASE WHEN i % 4 = 0 THEN AT END, AT,
    '[]', 0, '[]', FALSE, 0, AT, 'a snapshot'
FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO case_terms (case_id, terms) SELECT 'HL-' || i, TERMS FROM n
"""
"""20,000 cases, every fourth closed."""
AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', '2026-01-01', '+' || ((i * 7919) % 30000) || ' minutes')",
    "postgresql": "timestamptz '2026-01-01Z' + ((i * 7919) % 30000) * interval '1 minute'",
}
_EACH = [f"'word{number}x' || (i % 3000)" for number in range(1, 9)]
TERMS = {"sqlite": " || ' ' || ".join(_EACH), "postgresql": f"ARRAY[{', '.join(_EACH)}]"}
PAGE = 50
MIDDLE = Position(datetime(2026, 1, 10, tzinfo=UTC), "HL-7")
LISTS = {
    "by default": CaseFilter(),
    "of a team": CaseFilter(team="team-3"),
    "of an owner": CaseFilter(owner="owner-3"),
    "of a line": CaseFilter(line="line-5"),
    "of the line of a key": CaseFilter(lines=frozenset({"line-5"})),
    "latest first": CaseFilter(latest_first=True),
    "closed": CaseFilter(state="closed"),
    "all": CaseFilter(state="all"),
}
FOUND = {
    "of an order": CaseFilter(order_id="SO-77"),
    "of an order, closed or not": CaseFilter(order_id="SO-77", state="all"),
    "by a term": CaseFilter(text="word1x77"),
    "by a term, closed or not": CaseFilter(text="word1x77", state="all"),
    "by several terms": CaseFilter(text="word1x77 word2x77 word3x77"),
}


@pytest.fixture
def filled(url: str) -> str:
    """A database with many cases."""
    return fill(url)


def fill(url: str) -> str:
    Records(url).close()
    kind = "postgresql" if url.startswith("postgresql") else "sqlite"
    run(url, *(re.sub(r"\bAT\b", lambda _: AT[kind], each).replace("TERMS", TERMS[kind]) for each in FILL.split(";\n")))
    return url


def plan(connection: Connection, wanted: CaseFilter, after: Position | None = None) -> list[str]:
    """Return the steps by which the database answers for a page."""
    query = listing_query(wanted, PLAIN, after, PAGE, postgresql=connection.dialect.name == "postgresql")
    sql = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    rows: list[Any] = list(connection.execute(text(f"{explain} {str(sql).replace(':', chr(92) + ':')}")))
    return [row[-1] for row in rows]


def scans(steps: list[str]) -> list[str]:
    """Return the steps that read a whole table."""
    return [s for s in steps if "Seq Scan" in s or (s.startswith("SCAN ") and "INDEX" not in s and "SUBQUERY" not in s)]


def sorts(steps: list[str]) -> list[str]:
    return [step for step in steps if "Sort" in step or "ORDER BY" in step]


def check_plans(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        lists = {name: plan(connection, wanted) for name, wanted in LISTS.items()}
        lists |= {f"{name}, next page": plan(connection, wanted, MIDDLE) for name, wanted in LISTS.items()}
        found = {name: plan(connection, wanted) for name, wanted in FOUND.items()}
    engine.dispose()

    assert {name: steps for name, steps in (lists | found).items() if scans(steps)} == {}
    assert {name: steps for name, steps in lists.items() if sorts(steps)} == {}


def test_lists_are_read_from_an_index_in_its_order_and_searches_from_theirs(filled: str) -> None:
    run(filled, "ANALYZE")

    check_plans(filled)


def test_sqlite_needs_no_statistics_for_it(sqlite_url: str) -> None:
    """Nothing analyses the file; PostgreSQL does so by itself."""
    check_plans(fill(sqlite_url))


def test_scan_and_sort_are_seen_without_the_indexes(filled: str) -> None:
    """The control."""
    names = ("open_cases", *(f"open_cases_of_{each}" for each in ("team", "owner", "line")), "all_cases")
    run(filled, *(f"DROP INDEX {name}" for name in names), "ANALYZE")
    engine = create_engine(filled)
    with engine.connect() as connection:
        steps = plan(connection, CaseFilter())
    engine.dispose()

    assert scans(steps)
    assert sorts(steps)
