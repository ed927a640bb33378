"""Tables are migrated to the current version at start-up: completely, once, with their rows, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, create_engine, inspect, make_url

from records import CaseFilter, NewerSchema, Records, RecordsUnavailable
from records.migrations import VERSION_TABLE
from records.tables import metadata
from tests.postgres import PASSWORD, Cluster
from tests.records.conftest import run
from tests.records.projected import projected

BY_HAND = """
CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE cases (case_id TEXT NOT NULL, first_run_id TEXT NOT NULL, line TEXT NOT NULL, topic TEXT NOT NULL,
    order_id TEXT, status TEXT NOT NULL, outcome TEXT, received_at {instant} NOT NULL, opened_at {instant} NOT NULL,
    closed_at {instant}, record TEXT, PRIMARY KEY (case_id));
CREATE INDEX cases_of_order ON cases (order_id, topic);
CREATE TABLE orders (order_id TEXT NOT NULL, currency TEXT NOT NULL, paid BIGINT NOT NULL, PRIMARY KEY (order_id),
    CONSTRAINT orders_paid_not_negative CHECK (paid >= 0));
CREATE TABLE paid_statements (order_id TEXT NOT NULL, paid BIGINT NOT NULL, case_id TEXT NOT NULL,
    stated_at {instant} NOT NULL, PRIMARY KEY (order_id, paid), FOREIGN KEY(order_id) REFERENCES orders (order_id));
CREATE TABLE entries (key TEXT NOT NULL, order_id TEXT NOT NULL, case_id TEXT NOT NULL, kind TEXT NOT NULL,
    amount BIGINT NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL, late BOOLEAN DEFAULT {false} NOT NULL,
    reserved_at {instant} NOT NULL, settled_at {instant}, reference TEXT, reason TEXT, PRIMARY KEY (key),
    CONSTRAINT entries_amount_not_negative CHECK (amount >= 0),
    CONSTRAINT entries_state_known CHECK (state IN ('reserved', 'committed', 'released')),
    FOREIGN KEY(order_id) REFERENCES orders (order_id));
CREATE INDEX ix_entries_order_id ON entries (order_id);
CREATE INDEX ix_entries_case_id ON entries (case_id);
CREATE TABLE claims (case_id TEXT NOT NULL, order_id TEXT NOT NULL, carrier TEXT NOT NULL, state TEXT NOT NULL,
    currency TEXT NOT NULL, claimed BIGINT NOT NULL, recovered BIGINT NOT NULL, filed_at {instant},
    closed_at {instant}, PRIMARY KEY (case_id));
INSERT INTO schema_version VALUES (1);
INSERT INTO cases VALUES ('HL-1', 'run-1', 'building_materials', 'transport.damage', 'SO-1', 'received', NULL,
    '2026-11-20 09:00:00{utc}', '2026-11-20 09:00:00{utc}', NULL, NULL);
INSERT INTO orders VALUES ('SO-1', 'CNY', 1280000);
INSERT INTO entries VALUES ('HL-1/1/o1/refund', 'SO-1', 'HL-1', 'refund', 64000, 'CNY', 'committed', {false},
    '2026-11-20 10:00:00{utc}', NULL, 'R-1', NULL);
INSERT INTO claims VALUES ('HL-1', 'SO-1', 'Swift', 'filed', 'CNY', 90000, 0, NULL, NULL)
"""
"""The tables of version 1, with a case in them."""
COMMENTS = """
COMMENT ON COLUMN cases.record IS 'the final snapshot, JSON; personal data';
COMMENT ON COLUMN orders.paid IS 'the smallest that any case stated';
COMMENT ON COLUMN entries.late IS 'paid after it had been given up';
COMMENT ON COLUMN entries.reference IS 'the partner''s number for the payment';
COMMENT ON COLUMN entries.reason IS 'why it was given up'
"""
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
FULL_TEXT = "case_terms_index"
"""The name of SQLite's full-text index, and how the names of the tables begin that SQLite keeps for it."""
TABLES = sorted(["schema_version", *metadata.tables])


@pytest.fixture
def old_url(url: str) -> str:
    """A database that version 1 created and used."""
    postgresql = url.startswith("postgresql")
    if not postgresql:
        Path(str(make_url(url).database)).parent.mkdir()
    instant, false, utc = ("TIMESTAMP WITH TIME ZONE", "false", "+00") if postgresql else ("DATETIME", "0", "")
    script = BY_HAND.format(instant=instant, false=false, utc=utc) + (f";\n{COMMENTS}" if postgresql else "")
    run(url, *script.split(";\n"))
    return url


def differences(url: str) -> list[Any]:
    """Return what Alembic would change to make the database match the models."""
    engine = create_engine(url)
    # SQLite has neither arrays, whose index this is, nor identity columns.
    elsewhere = {("index", FULL_TEXT), ("column", "id")} if engine.dialect.name == "sqlite" else set()
    how = {
        "version_table": VERSION_TABLE,
        "compare_server_default": True,
        "include_name": lambda name, kind, _: kind != "table" or not name.startswith(FULL_TEXT),
        "include_object": lambda _, name, kind, *__: (kind, name) not in elsewhere,
    }
    with engine.connect() as connection:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=how), metadata)
    engine.dispose()
    return found


def checks(url: str) -> dict[str, set[str]]:
    """Return the check constraints of every table, which Alembic does not compare."""
    engine = create_engine(url)
    found = inspect(engine)
    names = {table: {str(c["name"]) for c in found.get_check_constraints(table)} for table in metadata.tables}
    engine.dispose()
    return names


def tables(url: str) -> list[str]:
    engine = create_engine(url)
    found = sorted(inspect(engine).get_table_names())
    engine.dispose()
    return [name for name in found if not name.startswith(FULL_TEXT)]


def test_fresh_database_matches_the_models(url: str) -> None:
    Records(url).close()
    expected = {
        table.name: {check.name for check in table.constraints if isinstance(check, CheckConstraint)}
        for table in metadata.sorted_tables
    }

    assert differences(url) == []
    assert checks(url) == expected
    assert tables(url) == TABLES


def test_column_without_a_migration_is_a_difference(url: str) -> None:
    """The control: the comparison detects a forgotten migration."""
    Records(url).close()
    run(url, "ALTER TABLE claims DROP COLUMN recovered")

    assert [change[0] for change in differences(url)] == ["add_column"]


def test_database_from_before_migrations_is_taken_over_with_its_rows(old_url: str) -> None:
    records = Records(old_url)

    case, claim = records.case("HL-1"), records.claims()[0]
    assert case is not None
    assert (case["first_run_id"], case["received_at"]) == ("run-1", datetime(2026, 11, 20, 9, tzinfo=UTC))
    assert (claim["claimed"], claim["paid_out"]) == (Decimal("900.00"), Decimal("640.00"))
    about = {"line": case["line"], "topic": case["topic"], "order_id": case["order_id"]}
    assert records.open_case("HL-2", "run-2", **about, received_at=NOW, opened_at=NOW) == ["HL-1"]  # of a new table
    records.close()
    assert differences(old_url) == []
    assert tables(old_url) == TABLES


def test_database_that_was_taken_over_opens_again(old_url: str) -> None:
    Records(old_url).close()
    records = Records(old_url)

    assert records.case("HL-1") is not None
    records.close()


def test_workers_that_start_at_once_take_a_database_over_once(old_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(Records, [old_url] * 8))

    assert [len(records.claims()) for records in opened] == [1] * 8
    for records in opened:
        records.close()
    assert differences(old_url) == []


def test_databases_that_are_created_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path / f'{number}.db'}" for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        for records in pool.map(Records, urls):
            records.close()

    assert [differences(url) for url in urls] == [[]] * 8


def test_failed_migration_leaves_the_database_unchanged(old_url: str) -> None:
    """The second table already exists, so the first one is not created either."""
    run(old_url, "CREATE TABLE answers (text TEXT)")
    before = tables(old_url)

    with pytest.raises(RecordsUnavailable, match=r"answers.* already exists"):
        Records(old_url)

    assert tables(old_url) == before
    run(old_url, "DROP TABLE answers")
    Records(old_url).close()
    assert differences(old_url) == []


def test_version_1_stops_at_a_database_that_was_taken_over(old_url: str) -> None:
    """Started again by mistake, it asks for its version and finds nothing that it understands."""
    Records(old_url).close()

    with pytest.raises(Exception, match="version"):
        run(old_url, "SELECT max(schema_version.version) FROM schema_version")


@pytest.mark.parametrize("newer", ["UPDATE schema_version SET version_num = '0099'", None], ids=["alembic", "by hand"])
def test_database_of_a_newer_version_is_refused_and_not_changed(old_url: str, newer: str | None) -> None:
    if newer:
        Records(old_url).close()
    run(old_url, newer or "UPDATE schema_version SET version = 99", "DROP TABLE claims")
    before = tables(old_url)

    with pytest.raises(NewerSchema, match=r"has version 0099, this program knows versions up to \d{4}:") as refused:
        Records(old_url)

    assert PASSWORD not in str(refused.value)
    assert tables(old_url) == before


def test_role_without_create_rights_opens_a_current_database(cluster: Cluster, postgresql_url: str) -> None:
    Records(postgresql_url).close()
    schema = postgresql_url.rpartition("%3D")[2]
    cluster.execute(f"CREATE ROLE {schema} LOGIN PASSWORD '{PASSWORD}'")
    cluster.execute(f"GRANT USAGE ON SCHEMA {schema} TO {schema}")
    cluster.execute(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO {schema}")
    cluster.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {schema}")

    records = Records(postgresql_url.replace("//owner:", f"//{schema}:"))

    assert records.record_claim("HL-1", "SO-1", "Swift", "filed", claimed=Decimal("9.00"), currency="CNY") == 0
    assert records.project(projected())
    assert records.count(CaseFilter(text="cracked")) == 1
    records.close()
