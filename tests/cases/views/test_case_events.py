"""Case events: every change that the row shows has one event, whichever rows were written, and no event is personal."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.views.case_events import MEANINGS, Change, EventType, changes, interrupted
from cases.views.listing import Listing
from cases.views.snapshot import Snapshot
from settings import ROOT
from tests.cases import stages
from tests.cases.world import World, open_case

Row = tuple[dict[str, Any], list[str], datetime]


class Outbox:
    """The events of one case, as our database keeps them."""

    def __init__(self) -> None:
        self.events: list[Change] = []

    @property
    def known(self) -> dict[str, str]:
        return {each.subject: each.state for each in self.events}

    def writes(self, row: Row) -> list[str]:
        """Write a row; return the types of its events."""
        snapshot, needs, at = row
        new = changes("HL-1", snapshot, needs, at, self.known)
        self.events += new
        return [each.type for each in new]


def row_of(world: World) -> Row:
    snapshot = Snapshot.of(world.case)
    listing = Listing.of(world.case, snapshot)
    return json.loads(snapshot.model_dump_json()), listing.needs, world.now.astimezone(UTC)


def life() -> list[Row]:
    """Every row of a case that is paid late, dissatisfies the customer, and is then settled."""
    world = open_case()
    rows = [row_of(world)]

    def then(message: str, **payload: Any) -> None:
        world.after(hours=1)
        world.says(message, **payload)
        rows.append(row_of(world))

    then("mark-urgent", by="li", reason="no kitchen")
    then("assign", owner="li", by="wu")
    world.after(hours=50)
    rows.append(row_of(world))
    then("assess", severity="severe", by="li")
    then("evidence-received", evidence=[{"kind": "photo", "uri": "https://example.com/1"}])
    then("customer-approved", option="refund", by="li")
    then("satisfaction-reported", score=1, comment="late!")
    then("propose", options=[{"key": "more", "remedies": [{"kind": "coupon", "amount": "5.00"}]}], by="li")
    then("approve", by="wang")
    then("customer-approved", offer="o2")
    then("satisfaction-reported", score=5)
    assert rows[-1][0]["status"] == "closed"
    return rows


LIFE = life()


def test_case_that_is_answered_at_once_has_these_events_in_this_order() -> None:
    outbox = Outbox()
    world = stages.assessing()

    assert outbox.writes(row_of(world)) == [
        "case.opened",
        "case.assigned",
        "promise.made",
        "promise.kept",
        "promise.made",
        "case.status_changed",
        "case.needs_changed",
    ]
    world.after(minutes=1)
    world.says("assess", severity="moderate", by="li")
    assert outbox.writes(row_of(world)) == [
        "finding.changed",
        "offer.made",
        "promise.kept",
        "case.status_changed",
        "case.needs_changed",
    ]
    world.after(minutes=1)
    world.says("customer-approved")
    world.says("step-reported", step="replacement", state="done")
    world.says("step-reported", step="collection", state="done")
    world.says("satisfaction-reported", score=5)
    types = outbox.writes(row_of(world))
    assert types[-1] == "case.closed"
    assert types.count("step.done") == 2
    assert {"offer.accepted", "promise.made", "promise.lapsed", "satisfaction.reported"} <= set(types)


def test_every_change_of_a_long_life_has_an_event() -> None:
    outbox = Outbox()
    for row in LIFE:
        outbox.writes(row)

    assert {each.type for each in outbox.events} >= {
        EventType.CASE_URGENCY_CHANGED,
        EventType.PROMISE_BROKEN,
        EventType.PROMISE_ESCALATED,
        EventType.PROMISE_KEPT_LATE,
        EventType.EVIDENCE_RECEIVED,
        EventType.OFFER_ACCEPTED,
        EventType.STEP_DONE,
        EventType.SATISFACTION_REPORTED,
    }
    assert [each.data["score"] for each in outbox.events if each.type == "satisfaction.reported"] == [1, 5]


def test_row_that_is_written_again_has_no_event() -> None:
    outbox = Outbox()

    for row in LIFE:
        outbox.writes(row)
        assert outbox.writes(row) == []


@given(st.lists(st.booleans(), min_size=len(LIFE) - 1, max_size=len(LIFE) - 1))
def test_whichever_rows_are_written_the_last_one_is_announced_in_full(written: list[bool]) -> None:
    outbox, whole = Outbox(), Outbox()
    for row in LIFE:
        whole.writes(row)

    for row, is_written in zip(LIFE, [*written, True], strict=True):
        if is_written:
            outbox.writes(row)

    last = [each.type for each in outbox.events if each.subject == "status"]
    assert (last[0], last[-1], last.count(EventType.CASE_CLOSED)) == ("case.opened", "case.closed", 1)
    for subject, state in whole.known.items():
        if subject.startswith(("offer:", "promise:", "status", "owner", "satisfaction:", "needs")):
            assert outbox.known.get(subject, "") == state, subject


def test_case_that_was_reset_announces_what_it_shows_now_and_then_goes_on() -> None:
    """The row goes back to an earlier state, and what happens again has another event."""
    outbox = Outbox()
    for row in LIFE:
        outbox.writes(row)
    snapshot, needs, _ = LIFE[4]
    later = LIFE[-1][2] + timedelta(hours=1)

    types = outbox.writes((snapshot, needs, later))

    assert "case.status_changed" in types
    assert "case.opened" not in types
    assert outbox.writes((snapshot, needs, later)) == []
    assert "case.closed" in outbox.writes(LIFE[-1])


def test_links_and_evidence_that_is_asked_for() -> None:
    links = [{"kind": "merged", "case": "HL-2"}, {"kind": "carrier_claim", "workflow": "claim-HL-1"}]
    outbox = Outbox()
    outbox.writes(LIFE[0])

    assert outbox.writes(({**LIFE[0][0], "links": links, "awaited": ["photo"]}, LIFE[0][1], LIFE[0][2])) == [
        "evidence.awaited",
        "case.linked",
        "case.linked",
    ]
    assert [each.data for each in outbox.events[-2:]] == links
    assert outbox.writes(LIFE[0]) == ["evidence.awaited"]


def test_workflow_that_was_ended_in_temporal_and_runs_again() -> None:
    outbox = Outbox()
    outbox.writes(LIFE[0])
    outbox.events.append(interrupted("terminated", LIFE[0][2]))

    assert outbox.writes(LIFE[0]) == ["case.resumed"]
    assert outbox.writes(LIFE[0]) == []


def test_late_promise_that_is_first_seen_after_it_was_carried_out_was_made_and_broken_before() -> None:
    world = open_case()
    world.after(hours=60)
    world.says("assess", severity="moderate", by="li")
    outbox = Outbox()

    outbox.writes(row_of(world))

    about = [
        each for each in outbox.events if each.data.get("promise") == "detailed_result" and "rung" not in each.data
    ]
    assert [each.type for each in about] == ["promise.made", "promise.broken", "promise.kept_late"]
    assert about[1].at - about[0].at == timedelta(hours=48)


def test_paused_promise_is_resumed() -> None:
    promise: dict[str, Any] = {"name": "solution", "cycle": 1, "rule": "F2", "started_at": "2026-11-18T01:00:00Z"}
    outbox = Outbox()

    def shown(state: str) -> list[str]:
        snapshot = {**LIFE[0][0], "promises": [{**promise, "state": state, "due_at": None, "kept_at": None}]}
        return [each for each in outbox.writes((snapshot, [], LIFE[0][2])) if each.startswith("promise")]

    assert shown("open") == ["promise.made"]
    assert shown("paused") == ["promise.paused"]
    assert shown("open") == ["promise.resumed"]
    assert shown("paused") == ["promise.paused"]


@pytest.mark.parametrize("snapshot", [{}, {"status": "assessing"}, {"offers": [{}], "steps": [{}], "promises": [{}]}])
def test_snapshot_of_another_build_lacks_events_and_nothing_else(snapshot: dict[str, Any]) -> None:
    outbox = Outbox()

    assert outbox.writes((snapshot, [], LIFE[0][2]))[0] == "case.opened"
    assert outbox.writes((snapshot, [], LIFE[0][2])) == []


def test_no_event_has_personal_data() -> None:
    outbox = Outbox()
    for row in LIFE:
        outbox.writes(row)
    complaint = LIFE[0][0]["complaint"]
    personal = [complaint["customer"]["name"], complaint["customer"]["phone"], "no kitchen", "late!", "https://"]
    stored = json.dumps([[each.subject, each.state, each.data] for each in outbox.events], ensure_ascii=False)

    assert [text for text in personal if text and text in stored] == []
    values = [value for each in outbox.events for value in each.data.values() if isinstance(value, str)]
    assert {"li", "wu", "wang"} & set(values) == set()


def test_every_type_has_a_meaning_and_is_documented() -> None:
    table = [f"| `{each}` | {meaning} |" for each, meaning in MEANINGS.items()]
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    documented = page.partition("| type | when |")[2].partition("\n\n")[0].splitlines()

    assert set(MEANINGS) == set(EventType)
    assert documented[2:] == table
