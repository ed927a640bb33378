"""G13: a person is forgotten in every table; figures, money and ids stay."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from cases.forgetting import Person
from cases.later_call.later_call import LaterCallView
from cases.views.listing import Projected
from encryption.keys import KeyRing, new_key
from encryption.vault import SealingVault
from records import AlreadyArchived, CaseFilter, Records, SealedRecord, Vault
from records.afterwards.forgetting import EXPIRING, HANDLED
from records.tables import metadata
from tests.cases.test_forgetting import EMAIL, NAME, PHONE, PRIVATE, record
from tests.records.conftest import reserve
from tests.records.projected import NOW, projected

CLOSED = NOW + timedelta(days=2)
FORGOTTEN = NOW + timedelta(days=60)
WANG = Person(phone="13800000001")


def keep(records: Records, case_id: str, known: dict[str, Any], *, closed: bool = True) -> Projected:
    """Write a case to every table that knows its customer."""
    times = {"received_at": NOW, "opened_at": NOW}
    records.open_case(case_id, "run", line="building_materials", topic="transport.damage", order_id="SO-1", **times)
    row = projected(case_id, closed_at=CLOSED if closed else None, status="closed" if closed else "assessing")
    row = row.model_copy(update={"snapshot": json.dumps({**known, "case_id": case_id}, ensure_ascii=False)})
    records.project(row)
    reserve(records, f"{case_id}/1/o1/refund", "1.00")
    records.contest(f"{case_id}/1/o1/refund", f"the account of {NAME} ({PHONE}) is closed")
    if closed:
        records.archive_case(case_id, CLOSED, "satisfied", {**known, "case_id": case_id})
        said = {"answered_at": CLOSED, "reached": True, "score": 4, "comment": "slow", "by": "li.na"}
        records.keep_later_call(LaterCallView(case_id=case_id, line="x", due_at=CLOSED, asked=1, **said))
        about: dict[str, Any] = {"line": "building_materials", "product": "SLATE-9", "question": "my slab is cracked"}
        records.keep_answer(case_id, **about, answer=f"Dear {NAME}, glue it", answered_at=CLOSED)
    return row


def everything(url: str) -> str:
    """Return the content of all tables."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = [row for name in metadata.tables for row in connection.execute(text(f"SELECT * FROM {name}"))]  # noqa: S608
    engine.dispose()
    found = "\n".join(str(value) for row in rows for value in row)
    return re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), found)


def stored(url: str) -> str:
    """Return the content of all tables, and for SQLite everything that is in its file."""
    file = url.removeprefix("sqlite:///")
    if file == url:
        return everything(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
    return everything(url) + Path(file).read_bytes().decode(errors="replace")


def test_nothing_in_any_table_tells_who_the_customer_was(records: Records, url: str) -> None:
    """G13: neither the texts, nor the words by which the case was found."""
    keep(records, "HL-1", record())
    before = everything(url)
    assert all(word in before for word in PRIVATE)

    [case] = records.cases_of(WANG)
    assert (case.case_id, case.is_open, case.evidence) == ("HL-1", False, ["s3://photos/1"])
    assert records.forget("HL-1", FORGOTTEN)
    records.purge_words()

    left = stored(url)
    assert [word for word in PRIVATE if word in left] == []
    assert records.cases_of(WANG) == []
    assert [row.case_id for row in records.listed(CaseFilter(state="all", text="0001")).cases] == []


def test_figures_money_and_ids_stay(records: Records) -> None:
    """G13."""
    keep(records, "HL-1", record())
    before, rows, money = records.case("HL-1"), records.listed(CaseFilter(state="all")).cases, records.entries()
    assert before is not None

    records.forget("HL-1", FORGOTTEN)

    after = records.case("HL-1")
    assert after is not None
    assert after["record"]["paid"] == before["record"]["paid"]
    assert after["record"]["promises"] == before["record"]["promises"]
    assert (after["outcome"], after["order_id"], after["forgotten_at"]) == ("satisfied", "SO-1", FORGOTTEN)
    assert (after["later_call"]["score"], after["later_call"]["comment"]) == (4, "")
    [row] = records.listed(CaseFilter(state="all", text="SLATE-9")).cases
    assert row.model_copy(update={"seq": rows[0].seq}) == rows[0]
    [entry], [was] = records.entries(), money
    assert entry == {**was, "reason": "the account of … (…) is closed"}
    [answer] = records.answers("building_materials")
    assert (answer["question"], answer["answer"]) == ("", "Dear …, glue it")


def test_forgetting_again_changes_nothing(records: Records, url: str) -> None:
    keep(records, "HL-1", record())
    records.forget("HL-1", FORGOTTEN)
    left = everything(url)

    assert records.forget("HL-1", FORGOTTEN)

    assert everything(url) == left


def test_open_case_is_left_alone_and_forgotten_once_it_has_closed(records: Records, url: str) -> None:
    """G13: it would write its row again."""
    row = keep(records, "HL-1", record(), closed=False)
    [case] = records.cases_of(WANG)
    before = everything(url)

    assert case.is_open
    assert not records.forget("HL-1", FORGOTTEN)
    assert everything(url) == before

    records.archive_case("HL-1", CLOSED, "satisfied", record())
    assert not records.forget("HL-1", FORGOTTEN)  # its row is still to be written
    closing = row.listing.model_copy(update={"closed_at": CLOSED, "status": "closed"})
    records.project(row.model_copy(update={"seq": 2, "listing": closing}))
    assert records.forget("HL-1", FORGOTTEN)


def test_write_that_was_delayed_brings_nothing_back(records: Records, url: str) -> None:
    """G13: the row of a case that has closed, and its record after a reset."""
    row = keep(records, "HL-1", record())
    records.forget("HL-1", FORGOTTEN)
    left = everything(url)

    assert not records.project(row.model_copy(update={"seq": 10**17}))
    with pytest.raises(AlreadyArchived):
        records.archive_case("HL-1", CLOSED, "satisfied", record())

    assert everything(url) == left


def test_case_whose_workflow_was_ended_in_temporal_is_forgotten(records: Records, url: str) -> None:
    """It has no record; only its row knows the customer."""
    keep(records, "HL-1", record(), closed=False)
    records.end_case("HL-1", "terminated")
    records.mark_ended("HL-1", "terminated", 1)

    [case] = records.cases_of(Person(email=EMAIL))
    assert (case.is_open, records.forget("HL-1", FORGOTTEN)) == (False, True)
    records.purge_words()

    left = stored(url)
    assert [word for word in PRIVATE if word in left] == []


def test_customer_of_a_merged_complaint_is_found_and_others_are_not(records: Records) -> None:
    merged = record()
    merged["second_complaints"] = [{"case": "HL-2", "customer": merged["complaint"]["customer"], "description": "too"}]
    merged["complaint"]["customer"] = {"name": "Zhao", "phone": "13900000009", "email": None}
    keep(records, "HL-1", merged)
    other = record()
    other["complaint"]["customer"] = {"name": "Zhao", "phone": "13900000009", "email": None}
    keep(records, "HL-3", other)

    assert [case.case_id for case in records.cases_of(WANG)] == ["HL-1"]
    assert [case.case_id for case in records.cases_of(Person(phone="+86 139 0000 0009"))] == ["HL-1", "HL-3"]
    assert records.cases_of(Person(phone="13900000008")) == []


def test_sealed_rows_stay_sealed_and_are_read_only_with_their_key(url: str) -> None:
    """G13: without the keys nobody can say whose an open case is."""
    vault: Vault = SealingVault(KeyRing(text=new_key("one")))
    sealed = Records(url, vault)
    keep(sealed, "HL-1", record())
    keep(sealed, "HL-2", record(), closed=False)

    with pytest.raises(SealedRecord):
        Records(url).cases_of(WANG)
    assert [(case.case_id, case.is_open) for case in sealed.cases_of(WANG)] == [("HL-1", False), ("HL-2", True)]
    assert sealed.forget("HL-1", FORGOTTEN)

    found = sealed.snapshot_of("HL-1")
    assert found is not None
    assert NAME not in found[1]
    assert json.loads(found[1])["promises"]
    assert sealed.listed(CaseFilter(state="all", text="王丽")).cases[0].case_id == "HL-2"
    with pytest.raises(SealedRecord):
        Records(url).snapshot_of("HL-1")


def test_every_column_with_personal_data_is_handled() -> None:
    """Whoever adds one has to say what forgetting does with it."""
    personal = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if re.search("(?<!no )personal data", column.comment or "")
    }

    assert personal == HANDLED | EXPIRING
