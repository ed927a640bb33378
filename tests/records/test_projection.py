"""The projection of cases: no older change overwrites a newer one, and lists are complete, filtered and in order."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cases.views.listing import Listing
from records import CaseFilter, Listed, Position, Records
from tests.records.projected import COMPLAINT, NOW, projected

HOUR = timedelta(hours=1)
ANOTHER = {"customer": {"name": "赵云", "phone": "139 1111 2222"}, "description": "什么时候送到"}


def ids(records: Records, **wanted: Any) -> list[str]:
    return [row.case_id for row in records.listed(CaseFilter(**wanted)).cases]


def only(records: Records) -> Listed:
    [row] = records.listed(CaseFilter(state="all")).cases
    return row


def test_case_is_listed_as_it_was_projected(records: Records) -> None:
    given = projected(
        owner="Zhao Yun",
        urgent=True,
        broken=["first_contact", "solution"],
        escalation_rung=2,
        needs=["assess", "offer"],
        unknown_money=True,
        paid=Decimal("640.05"),
        next_due_at=None,
        next_due=None,
    )

    assert records.project(given)

    row = only(records)
    assert {name: getattr(row, name) for name in Listing.model_fields} == dict(given.listing)
    assert (row.seq, row.ended) == (1, None)
    assert records.snapshot_of("HL-1") == (1, given.snapshot)


def test_case_that_was_never_projected_has_no_snapshot(records: Records) -> None:
    assert records.snapshot_of("HL-1") is None


def test_newer_change_replaces_the_row_and_an_older_or_equal_one_does_not(records: Records) -> None:
    assert records.project(projected(seq=5, status="assessing"))
    assert records.project(projected(seq=7, status="executing"))

    assert not records.project(projected(seq=6, status="offering"))
    assert not records.project(projected(seq=7, status="closed"))

    assert (only(records).status, only(records).seq) == ("executing", 7)


def test_changes_that_arrive_in_any_order_from_several_writers_leave_the_newest(records: Records) -> None:
    changes = [projected(seq=seq, status=f"change-{seq}") for seq in range(40)]
    random.Random(7).shuffle(changes)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(records.project, changes))

    assert (only(records).seq, only(records).status) == (39, "change-39")
    assert ids(records, text="瓷砖") == ["HL-1"]


def test_replacing_needs_the_change_that_was_seen(records: Records) -> None:
    assert records.replace(projected(seq=3), None)
    assert not records.replace(projected(seq=4), None)
    assert not records.replace(projected(seq=4), 2)

    assert records.replace(projected(seq=3, status="offering"), 3)

    assert (only(records).seq, only(records).status) == (3, "offering")


def test_replacing_does_not_undo_a_change_that_came_meanwhile(records: Records) -> None:
    records.project(projected(seq=3))
    records.project(projected(seq=8, status="executing"))

    assert not records.replace(projected(seq=5, status="offering"), 3)

    assert only(records).status == "executing"


def test_case_whose_workflow_ended_otherwise_is_not_open_until_it_writes_again(records: Records) -> None:
    records.project(projected(seq=3))

    assert not records.mark_ended("HL-1", "terminated", 2)
    assert not records.mark_ended("HL-2", "terminated", 3)
    assert records.mark_ended("HL-1", "terminated", 3)

    assert (ids(records), ids(records, state="closed")) == ([], ["HL-1"])
    assert only(records).ended == "terminated"
    assert records.project(projected(seq=4))
    assert (ids(records), only(records).ended) == (["HL-1"], None)


CASES: dict[str, dict[str, Any]] = {
    "HL-1": {"line": "express", "team": "parcels", "owner": "Zhao Yun", "order_id": "SO-7", "next_due_at": NOW - HOUR},
    "HL-2": {"urgent": True, "broken": ["solution"], "needs": ["offer", "assess"], "next_due_at": NOW + HOUR},
    "HL-3": {"status": "executing", "topic": "fee.dispute", "unknown_money": True, "next_due_at": None, "needs": []},
    "HL-4": {"status": "closed", "closed_at": NOW, "owner": "Zhao Yun", "next_due_at": None, "opened_at": NOW - HOUR},
}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["HL-1", "HL-2", "HL-3"]),
        ({"state": "closed"}, ["HL-4"]),
        ({"state": "all"}, ["HL-3", "HL-2", "HL-1", "HL-4"]),
        ({"line": "express"}, ["HL-1"]),
        ({"team": "parcels"}, ["HL-1"]),
        ({"owner": "Zhao Yun"}, ["HL-1"]),
        ({"owner": "Zhao Yun", "state": "all"}, ["HL-1", "HL-4"]),
        ({"order_id": "SO-7"}, ["HL-1"]),
        ({"status": "executing"}, ["HL-3"]),
        ({"topic": "fee.dispute"}, ["HL-3"]),
        ({"urgent": True}, ["HL-2"]),
        ({"urgent": False}, ["HL-1", "HL-3"]),
        ({"broken": True}, ["HL-2"]),
        ({"broken": False}, ["HL-1", "HL-3"]),
        ({"overdue_at": NOW}, ["HL-1", "HL-2"]),
        ({"overdue_at": NOW + 2 * HOUR}, ["HL-1", "HL-2"]),
        ({"needs": "offer"}, ["HL-2"]),
        ({"needs": "assess"}, ["HL-1", "HL-2"]),
        ({"needs": "ass"}, []),
        ({"needs": "%"}, []),
        ({"unknown_money": True}, ["HL-3"]),
        ({"urgent": True, "line": "express"}, []),
        ({"text": "补发", "urgent": True}, ["HL-2"]),
    ],
)
def test_cases_are_filtered(records: Records, wanted: dict[str, Any], found: list[str]) -> None:
    for case_id, listing in CASES.items():
        records.project(projected(case_id, **listing))

    assert ids(records, **wanted) == found
    assert records.count(CaseFilter(**wanted)) == len(found)


@pytest.mark.parametrize("state", ["open", "all"])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_are_complete_and_repeat_nothing_under_ties(records: Records, state: Any, size: int) -> None:
    for number in range(9):
        due = None if number % 3 == 0 else NOW + HOUR * (number % 2)
        records.project(projected(f"HL-{number}", next_due_at=due, opened_at=NOW + HOUR * (number % 2)))
    whole = ids(records, state=state)
    pages: list[list[str]] = []
    after: Position | None = None

    for _ in range(20):
        page = records.listed(CaseFilter(state=state), after, size)
        pages.append([row.case_id for row in page.cases])
        after = page.after
        if after is None:
            break

    assert [case_id for page in pages for case_id in page] == whole
    assert len(whole) == 9
    assert {len(page) for page in pages[:-1]} <= {size}


def test_open_cases_are_in_order_of_their_deadline_those_without_one_last(records: Records) -> None:
    for number, due in enumerate([None, NOW + HOUR, NOW - HOUR, None, NOW + HOUR]):
        records.project(projected(f"HL-{number}", next_due_at=due))

    assert ids(records) == ["HL-2", "HL-1", "HL-4", "HL-0", "HL-3"]


@pytest.mark.parametrize(
    "text",
    [
        "三块裂开",
        "王丽",
        "8000",
        "13800138000",
        "138 0013 8000",
        "0013-8000",
        "LI@example.org",
        "so-1",
        "ＳＯ-１",
        "sf1234567",
        "1234567",
        "slate-9",
        "岩板",
        "cracked ARRIVAL",
        "补发 王丽 8000",
        "HL-1",
    ],
)
def test_case_is_found_by(records: Records, text: str) -> None:
    records.project(projected())
    records.project(projected("ZZ-2", order_id=None, complaint=ANOTHER))

    assert ids(records, text=text) == ["HL-1"]


@pytest.mark.parametrize(
    "text", ["", "…", "王力", "丽王", "800", "3800138001", "cracked arrivals", "补发 赵云", "瓷砖 %"]
)
def test_case_is_not_found_by(records: Records, text: str) -> None:
    records.project(projected(complaint={**COMPLAINT, "description": "Cracked on arrival"}))

    assert ids(records, text=text) == []


def test_terms_follow_the_complaint(records: Records) -> None:
    records.project(projected(seq=1))
    records.project(projected(seq=2, complaint={**COMPLAINT, "description": "地板翘起"}))

    assert (ids(records, text="瓷砖"), ids(records, text="地板翘起")) == ([], ["HL-1"])
