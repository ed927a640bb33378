"""The facts that reviews count: from snapshots of any build, without a customer's data (G13)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cases.partner_calls import DispatchRecord, Trail, TrailState
from cases.state.letter import Audience
from cases.views.facts import Facts, Fault, facts_of
from cases.views.snapshot import Snapshot
from tests.cases.world import ACK, START, World, open_case, snapshot
from tests.replay.commands import history, names

MINUTE = timedelta(minutes=1)


def facts(world: World) -> Facts:
    found = facts_of(snapshot(world.case))
    assert found is not None
    return found


def promise(world: World, name: str) -> Any:
    return next(each for each in facts(world).promises if each.name == name)


def test_a_case_is_counted_by_what_handled_its_order() -> None:
    """G13"""
    world = open_case("transport.damage", looked_up=False)
    world.finds("trail", Trail(state=TrailState.SIGNED, carrier="  Minjiang\nFreight ", route="FZ-SH"))
    world.finds("dispatch", DispatchRecord(warehouse="ＷＨ-1"))

    case = facts(world).case

    assert (case.line, case.topic, case.product) == ("building_materials", "transport.damage", "SLATE-9")
    assert (case.carrier, case.route, case.warehouse, case.crew) == ("Minjiang Freight", "FZ-SH", "WH-1", None)


def test_facts_hold_nothing_about_the_customer() -> None:
    """G13"""
    world = open_case("transport.damage")
    customer = world.case.complaint.customer

    written = json.dumps(facts(world), default=str)

    for personal in (customer.name, customer.phone, customer.email, world.case.complaint.description):
        assert not personal or personal not in written


def test_a_promise_that_nobody_kept_is_our_fault() -> None:
    """G13, S8: its owner was warned in time."""
    world = open_case(down={Audience.CUSTOMER}).after(hours=1)

    assert promise(world, ACK).fault == Fault.OURS
    assert promise(world, ACK).kept_at is None


def test_a_promise_that_broke_while_the_system_was_down_is_not_our_neglect() -> None:
    """G13, S8: the warning was due before the deadline and went out after it."""
    world = open_case(down={Audience.CUSTOMER})
    world.without_worker(minutes=30)

    assert promise(world, ACK).fault == Fault.SYSTEM


def test_a_complaint_that_came_in_too_late_is_neither() -> None:
    """G13, S9: its deadline had passed when the case was opened."""
    world = open_case(received=START - timedelta(hours=1), opened_at=START, down={Audience.CUSTOMER}).after(minutes=1)

    assert promise(world, ACK).fault == Fault.LATE


def test_times_are_whole_seconds_from_receipt() -> None:
    """G13"""
    world = open_case("transport.damage", down={Audience.CUSTOMER}).after(minutes=3)
    before = facts(world).case
    world.says("contact-made", by="li.na")

    case = facts(world).case

    assert (before.to_acknowledge, before.to_offer, before.to_resolve) == (None, None, None)
    assert case.to_acknowledge == 180


@pytest.mark.parametrize(
    ("finding", "topic", "party"),
    [
        ({"liable": "supplier", "days_late": 3}, "transport.delay", "supplier"),
        ({"days_late": 3}, "transport.delay", "delivery"),
        ({"days_late": 0}, "transport.delay", None),
        ({"lost": True}, "claim.loss", "delivery"),
        ({"severity": "minor"}, "installation.defect", "installation"),
        ({"severity": "minor", "upheld": False}, "installation.defect", None),
        ({"upheld": True}, "goods.quality", None),
        ({}, "transport.damage", None),
    ],
)
def test_who_is_responsible(finding: dict[str, Any], topic: str, party: str | None) -> None:
    """G13: as found; else by the topic, if the complaint was upheld or the goods were late."""
    shown = snapshot(open_case("transport.damage").case)
    shown["complaint"]["topic"], shown["finding"] = topic, finding

    found = facts_of(shown)

    assert found is not None
    assert found.case.party == party


def test_the_answer_to_an_inquiry_is_not_a_cause() -> None:
    shown = snapshot(open_case("transport.damage").case)
    shown["finding"]["cause"] = "keep it dry"
    shown["complaint"]["topic"] = "inquiry"

    found = facts_of(shown)

    assert found is not None
    assert found.case.cause is None


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("case-")])
def test_facts_are_derived_from_every_recorded_snapshot(name: str) -> None:
    """G13, S24: those of early builds have no complaint and so no facts."""
    ended = history(name).events[-1].workflow_execution_completed_event_attributes
    for payload in ended.result.payloads:
        shown = json.loads(payload.data)
        found = facts_of(shown)

        assert (found is not None) == bool(shown.get("complaint") and shown.get("opened_at"))
        if found:
            assert [each.state for each in found.promises] == [each["state"] for each in shown["promises"]]
            assert found.case.closed_at == datetime.fromisoformat(shown["closed_at"]).astimezone(UTC)


def test_a_complaint_that_is_being_admitted_has_no_facts() -> None:
    assert facts_of(Snapshot.being_admitted("HL-1").as_json()) is None
