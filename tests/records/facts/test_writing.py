"""Facts follow the row of their case, and cases that were written before there were facts get them (G13)."""

from typing import Any

from sqlalchemy import create_engine, text

from cases.views.listing import Listing, Projected
from cases.views.snapshot import Snapshot
from records import Records
from records.facts.writing import BY_THESE_RULES
from tests.cases.world import World, open_case


def projected(world: World, seq: int) -> Projected:
    snapshot = Snapshot.of(world.case)
    return Projected(seq=seq, listing=Listing.of(world.case, snapshot), snapshot=snapshot.model_dump_json())


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    engine = create_engine(url)
    with engine.begin() as connection:
        found = [tuple(row) for row in connection.execute(text(sql))] if sql.startswith("SELECT") else []
        if not found:
            connection.execute(text(sql))
    engine.dispose()
    return found


CASES = "SELECT case_id, topic, digest FROM case_facts"
PROMISES = "SELECT name, state, fault FROM promise_facts ORDER BY number"


def derive_all(records: Records) -> int:
    after, batches = "", 0
    while (last := records.derive_facts(after)) is not None:
        after, batches = last, batches + 1
    return batches


def test_a_case_writes_its_facts_with_its_row(records: Records, url: str) -> None:
    """G13"""
    world = open_case("transport.damage")
    records.project(projected(world, 1))
    before = rows(url, PROMISES)
    world.says("assess", severity="moderate", by="li.na")
    records.project(projected(world, 2))

    after = rows(url, PROMISES)

    assert [row[0] for row in before] == [promise.name for promise in world.case.promises[: len(before)]]
    assert [row[1] for row in after] == [promise.state for promise in world.case.promises]
    assert before != after


def test_an_older_row_changes_no_facts(records: Records, url: str) -> None:
    world = open_case("transport.damage")
    older = projected(world, 1)
    world.says("assess", severity="moderate", by="li.na")
    records.project(projected(world, 2))
    before = rows(url, CASES), rows(url, PROMISES)

    assert not records.project(older)

    assert (rows(url, CASES), rows(url, PROMISES)) == before


def test_facts_that_have_not_changed_are_not_written_again(records: Records, url: str) -> None:
    """G13: the case writes its row more often than its facts change."""
    world = open_case("transport.damage")
    records.project(projected(world, 1))
    rows(url, "UPDATE promise_facts SET fault = 'marked'")
    world.says("note", text="prefers mornings", by="li.na")

    records.project(projected(world, 2))

    assert {row[2] for row in rows(url, PROMISES)} == {"marked"}


def test_a_case_that_was_written_before_there_were_facts_gets_them(records: Records, url: str) -> None:
    """G13: a review derives what is missing, once."""
    records.project(projected(open_case("transport.damage"), 1))
    written = rows(url, CASES), rows(url, PROMISES)
    rows(url, "DELETE FROM promise_facts")
    rows(url, "DELETE FROM case_facts")

    assert derive_all(records) == 1

    assert (rows(url, CASES), rows(url, PROMISES)) == written
    assert derive_all(records) == 0


def test_facts_of_older_rules_are_derived_again(records: Records, url: str) -> None:
    records.project(projected(open_case("transport.damage"), 1))
    rows(url, "UPDATE case_facts SET digest = '0:of-older-rules', topic = 'wrong'")

    derive_all(records)

    [(_, topic, digest)] = rows(url, CASES)
    assert topic == "transport.damage"
    assert digest.startswith(BY_THESE_RULES)


def test_a_case_that_closed_before_there_were_rows_is_read_from_the_archive(records: Records, url: str) -> None:
    """G13: its record outlives the workflow (G9)."""
    case = open_case("transport.damage").case
    at = case.complaint.received_at
    records.open_case(
        "HL-1", "run", line="building_materials", topic="transport.damage", order_id=None, received_at=at, opened_at=at
    )
    records.archive_case("HL-1", at, "withdrawn", Snapshot.of(case).model_dump(mode="json"))

    assert derive_all(records) == 1

    assert [row[:2] for row in rows(url, CASES)] == [("HL-1", "transport.damage")]


def test_a_row_whose_snapshot_was_erased_has_no_facts_and_stops_no_review(records: Records, url: str) -> None:
    records.project(projected(open_case("transport.damage"), 1))
    rows(url, "DELETE FROM promise_facts")
    rows(url, "DELETE FROM case_facts")
    rows(url, """UPDATE case_projection SET snapshot = '{"case_id"\\: "HL-1"}'""")

    derive_all(records)

    assert rows(url, CASES) == []
