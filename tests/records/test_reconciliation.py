"""What reconciling reads and writes in our database."""

from datetime import UTC, datetime
from typing import Any

import pytest

from records import Records
from tests.records.projected import NOW, projected


@pytest.fixture
def claimed(records: Records) -> Records:
    """Three cases that have claimed their ids, of which the first two have a row."""
    for case_id in ("HL-1", "HL-2", "HL-3"):
        opened(records, case_id)
    for case_id in ("HL-1", "HL-2"):
        records.project(projected(case_id))
    return records


def opened(records: Records, case_id: str) -> list[str]:
    about: dict[str, Any] = {"line": "building_materials", "topic": "transport.damage", "order_id": "SO-1"}
    return records.open_case(case_id, f"run of {case_id}", **about, received_at=NOW, opened_at=NOW)


def test_a_row_is_known_with_when_it_was_written(claimed: Records) -> None:
    before = datetime.now(UTC)

    found = claimed.rows_of(["HL-1", "HL-3", "HL-4"])

    assert found.keys() == {"HL-1"}
    assert (found["HL-1"].row, found["HL-1"].seq, found["HL-1"].ended) == (projected("HL-1").listing, 1, None)
    assert found["HL-1"].written_at <= before


def test_what_is_open_in_either_table_is_unfinished(claimed: Records) -> None:
    claimed.project(projected("HL-0"))  # its id is not claimed yet
    claimed.project(projected("HL-1", seq=2, closed_at=NOW, status="closed"))
    claimed.archive_case("HL-2", NOW, "satisfied", {"case_id": "HL-2"})

    assert claimed.unfinished(None, 10) == ["HL-0", "HL-1", "HL-2", "HL-3"]
    assert claimed.unfinished(None, 2) == ["HL-0", "HL-1"]
    assert claimed.unfinished("HL-1", 10) == ["HL-2", "HL-3"]
    claimed.archive_case("HL-1", NOW, "satisfied", {"case_id": "HL-1"})
    assert claimed.unfinished(None, 10) == ["HL-0", "HL-2", "HL-3"]


def test_an_ended_case_is_not_open_and_no_other_case_waits_for_it(claimed: Records) -> None:
    """G12: its workflow is gone, so it cannot answer."""
    assert opened(claimed, "HL-4") == ["HL-1", "HL-2", "HL-3"]

    assert claimed.end_case("HL-1", "terminated")
    assert claimed.mark_ended("HL-1", "terminated", 1)

    assert not claimed.end_case("HL-1", "gone"), "what is known stays"
    assert claimed.unfinished(None, 10) == ["HL-2", "HL-3", "HL-4"]
    assert opened(claimed, "HL-4") == ["HL-2", "HL-3"]
    assert opened(claimed, "HL-5") == ["HL-2", "HL-3", "HL-4"]


def test_a_case_that_runs_again_is_open_again(claimed: Records) -> None:
    claimed.end_case("HL-1", "terminated")
    claimed.end_case("HL-2", "terminated")

    claimed.runs_again(["HL-1", "HL-3"])

    assert [row["ended"] for id_ in ("HL-1", "HL-2") if (row := claimed.case(id_))] == [None, "terminated"]


def test_a_case_that_closes_after_all_has_not_ended_otherwise(claimed: Records) -> None:
    claimed.end_case("HL-1", "terminated")

    claimed.archive_case("HL-1", NOW, "satisfied", {"case_id": "HL-1"})

    row = claimed.case("HL-1")
    assert row is not None
    assert (row["ended"], row["outcome"]) == (None, "satisfied")
