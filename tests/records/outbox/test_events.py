"""Events are written with the row of their case, once and in order, and no reader misses one that commits late."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from records import Records, StoredEvent
from records.outbox.events import event_id
from tests.records.conftest import run
from tests.records.projected import projected

RAW = """
INSERT INTO case_events (event_id, case_id, number, line, type, subject, state, occurred_at, written_at, data)
VALUES ('{id}', '{case}', 1, 'express', 'case.opened', 'status', 'received', '2026-11-22 09:00:00+00',
    '2026-11-22 09:00:00+00', '{{}}')
"""


def types(records: Records, case_id: str = "HL-1") -> list[str]:
    return [event.type for event in records.events_of(case_id)]


def read(records: Records, after: int = 0, **wanted: Any) -> list[StoredEvent]:
    while records.number_events():
        pass
    return records.events_after(after, 1000, **wanted)


def test_row_and_its_events_are_written_together(records: Records) -> None:
    records.project(projected(seq=1, status="assessing", needs=[]))

    events = records.events_of("HL-1")
    assert [event.type for event in events] == ["case.opened", "case.assigned", "case.status_changed"]
    assert [event.number for event in events] == [1, 2, 3]
    assert {(event.case_id, event.line) for event in events} == {("HL-1", "building_materials")}
    assert [event.id for event in events] == [event_id("HL-1", number) for number in (1, 2, 3)]
    assert events[2].data == {"status": "assessing"}
    assert events[2].occurred_at == projected(seq=1).at


def test_row_that_cannot_get_its_events_is_not_written(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(Records, "_add_events", fails)
    with pytest.raises(RuntimeError, match="killed"):
        records.project(projected(seq=1))

    assert records.snapshot_of("HL-1") is None


def test_change_that_is_written_again_or_late_has_no_event(records: Records) -> None:
    records.project(projected(seq=5, status="assessing"))
    records.project(projected(seq=7, status="executing"))
    before = records.events_of("HL-1")

    records.project(projected(seq=6, status="offering"))
    records.project(projected(seq=7, status="executing"))
    records.project(projected(seq=8, status="executing"))

    assert records.events_of("HL-1") == before


def test_writers_of_one_case_at_the_same_time_leave_no_gap_and_no_duplicate(records: Records) -> None:
    rows = [projected(seq=seq, status=f"change-{seq}") for seq in range(1, 41)]
    random.Random(7).shuffle(rows)

    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(records.project, rows))

    events = records.events_of("HL-1")
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    statuses = [event.data["status"] for event in events if event.type == "case.status_changed"]
    assert statuses == sorted(statuses, key=lambda status: int(status.removeprefix("change-")))
    assert (statuses[-1], len(statuses)) == ("change-40", sum(written))


def test_repaired_row_has_the_events_that_were_missed(records: Records) -> None:
    records.replace(projected(seq=3, status="assessing"), None)
    records.replace(projected(seq=3, status="offering"), 3)
    assert not records.replace(projected(seq=3, status="executing"), 2)

    assert types(records)[-1] == "case.status_changed"
    assert [e.data["status"] for e in records.events_of("HL-1") if e.type == "case.status_changed"] == [
        "assessing",
        "offering",
    ]


def test_workflow_that_was_ended_is_announced_once(records: Records) -> None:
    records.project(projected(seq=3))

    assert not records.mark_ended("HL-1", "terminated", 2)
    assert records.mark_ended("HL-1", "terminated", 3)
    assert records.mark_ended("HL-1", "terminated", 3)
    records.project(projected(seq=4))

    assert types(records)[-2:] == ["case.interrupted", "case.resumed"]


def test_events_of_a_row_that_was_deleted_are_not_written_twice(records: Records, url: str) -> None:
    records.project(projected(seq=3))
    before = records.events_of("HL-1")
    run(url, "DELETE FROM case_projection", "DELETE FROM case_terms")

    records.project(projected(seq=4))

    assert records.events_of("HL-1") == before


def test_readers_get_all_events_in_the_order_in_which_they_were_written(records: Records) -> None:
    for seq in range(1, 4):
        for case_id in ("HL-1", "HL-2"):
            records.project(projected(case_id, seq=seq, status=f"change-{seq}", line=case_id.lower()))

    events = read(records)

    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert records.latest_seq() == len(events)
    for case_id in ("HL-1", "HL-2"):
        assert [e.id for e in events if e.case_id == case_id] == [e.id for e in records.events_of(case_id)]
    assert read(records, events[4].seq) == events[5:]
    assert read(records, types=["case.opened"]) == [e for e in events if e.type == "case.opened"]
    assert read(records, lines=["hl-2"]) == [e for e in events if e.case_id == "HL-2"]
    assert records.events_after(0, 2) == events[:2]


def test_events_are_numbered_by_one_at_a_time(records: Records) -> None:
    for number in range(30):
        records.project(projected(f"HL-{number}"))

    with ThreadPoolExecutor(6) as pool:
        counts = list(pool.map(lambda _: records.number_events(), range(6)))

    events = records.events_after(0, 1000)
    assert sum(counts) == len(events) == 120
    assert [event.seq for event in events] == list(range(1, 121))


def test_new_events_are_not_read_before_they_are_numbered(records: Records) -> None:
    """The number is what readers go by; without one, an event would have no place."""
    records.project(projected())

    assert records.events_after(0, 10) == []
    assert {event.seq for event in records.events_of("HL-1")} == {0}


def test_event_that_commits_late_is_read_after_those_that_were_read_before(postgresql_url: str) -> None:
    """Two connections: the first has written an event and has not committed when the second one's are read."""
    records, slow = Records(postgresql_url), create_engine(postgresql_url).connect()
    slow.execute(text(RAW.format(id="evt_late", case="HL-LATE")))
    records.project(projected())
    seen = read(records)

    slow.commit()
    slow.close()

    late = read(records, seen[-1].seq)
    assert [event.id for event in late] == ["evt_late"]
    assert late[0].seq == seen[-1].seq + 1
    records.close()


def test_late_event_would_be_missed_if_it_were_numbered_when_it_is_written(postgresql_url: str) -> None:
    """The control: the place at writing is lower than that of the event that was read meanwhile."""
    records, slow = Records(postgresql_url), create_engine(postgresql_url).connect()
    place = slow.scalar(text(RAW.format(id="evt_late", case="HL-LATE") + " RETURNING id"))
    records.project(projected())
    engine = create_engine(postgresql_url)
    with engine.connect() as other:
        assert other.scalar(text("SELECT min(id) FROM case_events")) > place
    slow.close()
    engine.dispose()
    records.close()


def test_id_of_an_event_is_stable_and_does_not_show_the_case() -> None:
    assert event_id("HL-1", 1) == "evt_z3hnmej6nt3gmi2isfshp5rr"
    assert len({event_id(case_id, number) for case_id in ("HL-1", "HL-11") for number in (1, 11)}) == 4
