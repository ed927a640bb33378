"""Cases in the archive: an id is used once; a closed case never changes."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from cases.vocabulary import Outcome, Status
from records import AlreadyArchived, CaseIdTaken, Records, UnknownCase

RECEIVED = datetime(2026, 11, 22, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
OPENED = RECEIVED + timedelta(seconds=3)
CLOSED = RECEIVED + timedelta(days=2)
SNAPSHOT = {"case_id": "HL-1", "outcome": "satisfied", "paid": {"refund": "640.00"}, "note": "四片石板破损 \u0000 😀"}


def opened(records: Records, case_id: str = "HL-1", run_id: str = "run-1", **other: Any) -> list[str]:
    complaint: dict[str, Any] = {"line": "building_materials", "topic": "transport.damage", "order_id": "SO-1"}
    times = {"received_at": RECEIVED, "opened_at": OPENED}
    return records.open_case(case_id, run_id, **{**complaint, **times, **other})


def test_opened_case_is_on_record_until_it_closes(records: Records) -> None:
    opened(records)

    case = records.case("HL-1")

    assert case == {
        "case_id": "HL-1",
        "first_run_id": "run-1",
        "line": "building_materials",
        "topic": "transport.damage",
        "order_id": "SO-1",
        "status": Status.RECEIVED,
        "outcome": None,
        "received_at": RECEIVED,
        "opened_at": OPENED,
        "closed_at": None,
        "ended": None,
        "forgotten_at": None,
        "record": None,
        "complaint": None,
        "later_call": None,
    }


def test_times_come_back_aware_in_utc_to_the_microsecond(records: Records) -> None:
    opened(records)

    case = records.case("HL-1")

    assert case
    assert case["received_at"] == datetime(2026, 11, 22, 1, 0, 0, 123456, tzinfo=UTC)
    assert case["received_at"].utcoffset() == timedelta(0)


def test_time_without_an_offset_is_never_stored(records: Records) -> None:
    with pytest.raises(Exception, match="has no offset"):
        opened(records, opened_at=datetime(2026, 11, 22, 9))  # noqa: DTZ001 (the point of this test)

    assert records.case("HL-1") is None


def test_case_that_was_never_opened_is_unknown(records: Records) -> None:
    assert records.case("HL-1") is None


def test_opening_again_after_a_crash_changes_nothing(records: Records) -> None:
    """G1: the same complaint sent twice is one case."""
    opened(records)
    before = records.case("HL-1")

    opened(records, topic="transport.delay", opened_at=CLOSED)

    assert records.case("HL-1") == before


def test_case_id_is_never_used_by_another_run(records: Records) -> None:
    """G1: not even after the case has closed and the server has forgotten it."""
    opened(records)
    records.archive_case("HL-1", CLOSED, Outcome.SATISFIED, SNAPSHOT)
    before = records.case("HL-1")

    with pytest.raises(CaseIdTaken, match="case HL-1 exists already"):
        opened(records, run_id="run-2")

    assert records.case("HL-1") == before


def test_archived_case_has_its_final_snapshot(records: Records) -> None:
    """G9: the record outlives the workflow's retention."""
    opened(records)

    records.archive_case("HL-1", CLOSED, Outcome.SATISFIED, SNAPSHOT)

    case = records.case("HL-1")
    assert case
    assert (case["status"], case["outcome"], case["closed_at"]) == (Status.CLOSED, Outcome.SATISFIED, CLOSED)
    assert case["record"] == SNAPSHOT


def test_archiving_again_after_a_crash_changes_nothing(records: Records) -> None:
    opened(records)
    records.archive_case("HL-1", CLOSED, Outcome.SATISFIED, SNAPSHOT)
    before = records.case("HL-1")

    records.archive_case("HL-1", CLOSED.astimezone(UTC), "satisfied", dict(reversed(SNAPSHOT.items())))

    assert records.case("HL-1") == before


@pytest.mark.parametrize(
    "other",
    [
        {"record": {**SNAPSHOT, "paid": {"refund": "641.00"}}},
        {"outcome": Outcome.NEUTRAL},
        {"closed_at": CLOSED + timedelta(seconds=1)},
    ],
    ids=["record", "outcome", "closed_at"],
)
def test_closed_case_never_changes(records: Records, other: dict[str, Any]) -> None:
    """S10: past cycles never change."""
    opened(records)
    archive: dict[str, Any] = {"closed_at": CLOSED, "outcome": Outcome.SATISFIED, "record": SNAPSHOT}
    records.archive_case("HL-1", **archive)
    before = records.case("HL-1")

    with pytest.raises(AlreadyArchived, match="HL-1 was closed as satisfied at 2026-11-24T01:00"):
        records.archive_case("HL-1", **{**archive, **other})

    assert records.case("HL-1") == before


def test_late_messages_complete_the_record_and_remove_nothing(records: Records) -> None:
    """S22."""
    opened(records)
    late = {**SNAPSHOT, "refused": [{"message": "customer-approved", "why": "it is closed"}]}
    records.archive_case("HL-1", CLOSED, "satisfied", SNAPSHOT)

    records.archive_case("HL-1", CLOSED, "satisfied", late)

    found = records.case("HL-1")
    assert found is not None
    assert found["record"] == late
    with pytest.raises(AlreadyArchived):
        records.archive_case("HL-1", CLOSED, "satisfied", SNAPSHOT)


def test_final_snapshots_that_differ_in_times_only_are_the_same(records: Records) -> None:
    """A worker that takes a case over may compute other times than the one that closed it."""
    opened(records)
    kept = {**SNAPSHOT, "timeline": [{"at": "2026-11-24T00:59:00Z", "what": "ended", "text": ""}]}
    again = {**kept, "timeline": [{"at": "2026-11-24T00:59:05Z", "what": "ended", "text": ""}]}
    records.archive_case("HL-1", CLOSED, "satisfied", kept)

    records.archive_case("HL-1", CLOSED, "satisfied", again)

    found = records.case("HL-1")
    assert found is not None
    assert found["record"] == again


def test_only_an_opened_case_can_be_archived(records: Records) -> None:
    with pytest.raises(UnknownCase, match="HL-1 was never opened"):
        records.archive_case("HL-1", CLOSED, Outcome.SATISFIED, SNAPSHOT)

    assert records.case("HL-1") is None


@pytest.mark.parametrize("theirs", [{}, {"complaint": {"case_id": "HL-1", "topic": "transport.damage", "wish": None}}])
def test_archived_case_has_its_complaint_and_its_outcome(records: Records, theirs: dict[str, Any]) -> None:
    """G12: so that it can be reopened after the server has forgotten it; older snapshots have no complaint."""
    opened(records)
    complaint = {"case_id": "HL-1", "topic": "transport.damage"}

    records.archive_case("HL-1", CLOSED, Outcome.SATISFIED, SNAPSHOT | theirs, complaint)

    case = records.case("HL-1")
    assert case
    assert case["record"] == {**SNAPSHOT, "complaint": complaint} | theirs
    assert case["complaint"] == {"complaint": complaint, **theirs}["complaint"]


# A second complaint about the same order and topic (G12)


def test_second_case_gets_the_open_ones_about_its_order_and_topic_oldest_first(records: Records) -> None:
    """G12."""
    opened(records, "later", "run-1", opened_at=OPENED + timedelta(hours=1))
    opened(records, "first", "run-2")
    opened(records, "closed", "run-3")
    records.archive_case("closed", CLOSED, Outcome.SATISFIED, SNAPSHOT)
    opened(records, "other order", "run-4", order_id="SO-2")
    opened(records, "other topic", "run-5", topic="transport.delay")

    assert opened(records, "second", "run-6") == ["first", "later"]


def test_cases_without_an_order_are_never_about_the_same(records: Records) -> None:
    opened(records, "one", "run-1", order_id=None)

    assert opened(records, "two", "run-2", order_id=None) == []


def test_after_a_crash_a_case_gets_no_case_that_came_after_it(records: Records) -> None:
    """G12: otherwise two cases would each take the other for the first."""
    opened(records, "first", "run-1", opened_at=OPENED + timedelta(hours=1))
    opened(records, "second", "run-2", opened_at=OPENED)

    assert opened(records, "first", "run-1") == []
    assert opened(records, "second", "run-2") == ["first"]


def test_case_that_has_closed_meanwhile_is_not_an_earlier_one(records: Records) -> None:
    opened(records, "first", "run-1")
    opened(records, "second", "run-2")
    records.archive_case("first", CLOSED, Outcome.SATISFIED, SNAPSHOT)

    assert opened(records, "second", "run-2") == []


# Answers (M14)


def test_answer_is_stored_once_for_each_case_and_found_by_product(records: Records) -> None:
    """M14."""
    for number, product in enumerate(["MILK-1", "MILK-2", None], start=1):
        opened(records, f"Q-{number}", f"run-{number}", order_id=None)
        row: dict[str, Any] = {"product": product, "question": f"?{number}", "answer": f"!{number}"}
        for answer in (row, {**row, "answer": "another"}):
            records.keep_answer(f"Q-{number}", line="infant_formula", answered_at=CLOSED, **answer)

    assert [a["case_id"] for a in records.answers("infant_formula")] == ["Q-1", "Q-2", "Q-3"]
    assert records.answers("infant_formula", "MILK-2") == [
        {
            "case_id": "Q-2",
            "line": "infant_formula",
            "product": "MILK-2",
            "question": "?2",
            "answer": "!2",
            "answered_at": CLOSED,
        }
    ]
    assert records.answers("express") == []


def test_text_is_stored_without_characters_that_no_database_accepts(records: Records) -> None:
    """M14: PostgreSQL would refuse the row, the worker would retry forever, and the case would never close."""
    opened(records, order_id=None)
    records.keep_answer(
        "HL-1", line="express", product=None, question="Is it\0safe?", answer="\0Yes.", answered_at=CLOSED
    )

    [kept] = records.answers("express")
    assert (kept["question"], kept["answer"]) == ("Is it\ufffdsafe?", "\ufffdYes.")
