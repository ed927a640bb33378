"""The fault suite's short tier, its control arm, and each of its rules broken once; `make faults` is the long tier."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from records import EntryState
from tests.complaints import complaint
from tests.faults import people
from tests.faults.arms import ARMS
from tests.faults.evidence import Evidence
from tests.faults.invariants import violations
from tests.faults.people import Life, Sent
from tests.faults.plots import Plot
from tests.faults.report import table
from tests.faults.suite import run

KINDS = ("worker", "server", "partner", "case reset")
"""What a short run has to have seen, or it has shown nothing."""


async def test_no_complaint_is_lost_no_promise_forgotten_and_nothing_done_twice_whatever_fails(tmp_path: Path) -> None:
    """S6, S8, S13–S15; cases of all lines."""
    found = await run(tmp_path / "data", seed=11, count=37, pause=0.5, rounds=1)

    assert found.violations == [], table(found)
    for kind in KINDS:
        assert any(kind in name for name in found.mischief.done), table(found)


async def test_suite_sees_what_workers_without_keys_do_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control arm: else the suite would find nothing in anybody."""
    monkeypatch.setattr(people, "LOOKS", 20)  # such workers never learn what became of a step
    found = await run(tmp_path / "data", seed=1, count=7, pause=1, rounds=0, arm="keyless")

    assert ARMS["keyless"].breaks in {violation.rule for violation in found.violations}, table(found)


@pytest.mark.long
@pytest.mark.parametrize("arm", sorted(ARMS.keys() - {"keyless"}))
async def test_suite_sees_what_each_control_arm_does_wrong(tmp_path: Path, arm: str) -> None:
    """S25–S28, S35: workers that judge as ours did before."""
    found = await run(tmp_path / "data", seed=1, count=37, pause=1, rounds=0, arm=arm, odds=ARMS[arm].odds)

    assert ARMS[arm].breaks in {violation.rule for violation in found.violations}, table(found)


NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
STEP = {
    "case_id": "HL-1",
    "order_id": "SO-HL-1",
    "key": "HL-1/1/o1/refund",
    "kind": "refund",
    "amount": "100.00",
    "reference": "REF-1",
    "step": "refund",
    "items": [],
    "first": "done",
    "state": "done",
}
AGAIN = {**STEP, "key": f"{STEP['key']}/a1b2c3"}
"""The same payment under the key of an attempt."""
SECOND = {**STEP, "key": f"{STEP['key']}/2", "reference": "REF-2"}
"""The same payment once more, as after a final no."""
TAKEN_BACK = {**STEP, "state": "failed"}
ENTRY = {"key": STEP["key"], "case_id": "HL-1", "kind": "refund", "reference": "REF-1", "state": EntryState.COMMITTED}
A_STEP = {"id": "refund", "kind": "refund", "key": STEP["key"], "state": "done"}
NOTICE = {"case_id": "HL-1", "content": {"event": "promise_warning"}}
RUNG = {"promise": "detailed_result", "cycle": 1, "rung": 1, "due_at": "x", "sent_at": "y"}


ACKNOWLEDGED_LATE = {
    "name": "acknowledge",
    "cycle": 1,
    "within": "10m",
    "segments": [{"ran_from": NOW.isoformat(), "ran_until": (NOW + HOUR).isoformat(), "why_stopped": "kept"}],
}


def a_life() -> Life:
    """A case whose customer was sent one remark's worth of attention."""
    plot = Plot(complaint(case_id="HL-1"), {}, {}, Random(1))
    return Life(plot, SimpleNamespace(), {"HL-1/0": Sent("note", ["applied", "repeated"])})  # type: ignore[arg-type]


def an_end(**changes: Any) -> dict[str, Any]:
    """What it ended with: a refund, agreed and paid; a result 40 hours after the complaint."""
    kept = (NOW + 40 * HOUR).isoformat()
    segment = {"ran_from": NOW.isoformat(), "ran_until": kept, "why_stopped": "kept"}
    promise = {"name": "detailed_result", "cycle": 1, "within": "48h", "segments": [segment]}
    remedy = {"kind": "refund", "amount": "100.00", "at_once": False}
    offer = {"id": "o1", "accepted": "refund", "options": [{"key": "refund", "remedies": [remedy]}]}
    end = {
        "line": "building_materials",
        "urgent": False,
        "opened_at": NOW.isoformat(),
        "status": "closed",
        "promises": [promise],
        "offers": [offer],
        "escalations": [RUNG],
        "steps": [A_STEP],
        "needs": [],
        "links": [],
        "timeline": [{"what": "note", "text": "HL-1/0"}],
    }
    return end | changes


def some_evidence(**changes: Any) -> Evidence:
    """Evidence in which nothing is wrong, but for `changes`."""
    good = Evidence(
        steps=[STEP],
        messages=[NOTICE],
        entries=[ENTRY],
        ends={"HL-1": an_end()},
        closed={"HL-1"},
        archived={"HL-1": {"record": an_end()}},
        applied={"HL-1/0": 1},
    )
    return replace(good, **changes)


def rules_broken(evidence: Evidence) -> set[str]:
    """The rules that this evidence breaks."""
    return {violation.rule for violation in violations([a_life()], set(), evidence)}


def test_good_evidence_breaks_no_rule() -> None:
    assert rules_broken(some_evidence()) == set()


def ended(**changes: Any) -> dict[str, Any]:
    """The same ending in the history and in the record."""
    return {"ends": {"HL-1": an_end(**changes)}, "archived": {"HL-1": {"record": an_end(**changes)}}}


def test_what_a_reset_case_has_forgotten_breaks_no_rule() -> None:
    """Notices that went out, and a payment that is still reserved; both are within bounds."""
    reserved = {**ENTRY, "reference": None, "state": EntryState.RESERVED}
    evidence = some_evidence(messages=[NOTICE, NOTICE], entries=[reserved])

    assert {v.rule for v in violations([a_life()], {"HL-1"}, evidence)} == set()
    assert rules_broken(evidence) == {"rung not told once", "books disagree"}


def goods(kind: str, quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """Goods that were sent, or collected."""
    items = [{"sku": "SLATE-9", "quantity": quantity}]
    key = f"HL-1/1/o1/{kind}"
    return {**STEP, "key": key, "kind": kind, "step": kind, "amount": None, "items": items, **changes}


def chosen(*remedies: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The same ending, of an offer of these remedies."""
    option = {"key": "chosen", "remedies": [{"at_once": False, **remedy} for remedy in remedies]}
    return ended(offers=[{"id": "o1", "accepted": "chosen", "options": [option]}], **changes)


RETRIED = "refund: retry, approved"
COMPENSATION = {"kind": "compensation", "amount": "3840.01"}
"""A cent more than the 30 % of the order that may be paid beside refunds."""
REPLACED = {"kind": "replacement"}, {"kind": "collection"}

BREAKING: dict[str, tuple[str, dict[str, Any]]] = {
    "no case": ("lost", {"ends": {}}),
    "not archived": ("lost", {"archived": {}}),
    "archived otherwise": ("lost", {"archived": {"HL-1": {"record": an_end(urgent=True)}}}),
    "open, and nobody is told": ("lost", {"closed": set(), **ended(status="offering")}),
    "paid twice under one key": ("carried out twice", {"steps": [STEP, {**STEP, "reference": "REF-2"}]}),
    "paid again by an attempt's key": (
        "carried out twice",
        {"steps": [STEP, AGAIN]},
    ),
    "paid more than agreed": ("paid beyond what was agreed", {"steps": [{**STEP, "amount": "100.01"}]}),
    "paid what nobody agreed to": ("paid beyond what was agreed", {"steps": [{**STEP, "kind": "compensation"}]}),
    "refunded beyond the order": ("refunded beyond what was paid", {"steps": [{**STEP, "amount": "12800.01"}]}),
    "paid again after a no that was none": ("carried out twice", {"steps": [STEP, SECOND]}),
    "paid beyond the limit": (
        "paid beyond the order's limit",
        {"steps": [{**STEP, **COMPENSATION}], **chosen(COMPENSATION)},
    ),
    "more sent than bought": ("made good more often than bought", {"steps": [goods("replacement", 5)]}),
    "sent, and its price refunded": (
        "made good more often than bought",
        {"steps": [goods("reship"), {**STEP, "amount": "12800.00"}]},
    ),
    "collected for nothing": (
        "collected, and nothing was sent",
        {"steps": [goods("collection")], **chosen(*REPLACED)},
    ),
    "paid, and free again in our books": (
        "books disagree",
        {"entries": [{**ENTRY, "state": EntryState.RELEASED}]},
    ),
    "paid, and the case says no": (
        "case and partner disagree",
        ended(steps=[{**A_STEP, "state": "waived"}]),
    ),
    "paid, and the case knows nothing of it": ("case and partner disagree", ended(steps=[])),
    "not paid, and the case says so": ("case and partner disagree", {"steps": []}),
    "taken back": ("taken back, and nobody is told", {"steps": [TAKEN_BACK]}),
    "paid and not in our books": ("books disagree", {"entries": []}),
    "in our books and not paid": ("books disagree", {"steps": []}),
    "rung not told": ("rung not told once", ended(escalations=[])),
    "rung of minutes not told": ("rung not told once", ended(promises=[ACKNOWLEDGED_LATE])),
    "rung told twice": ("rung not told once", ended(escalations=[RUNG, RUNG])),
    "notice sent twice": ("rung not told once", {"messages": [NOTICE, NOTICE]}),
    "message applied twice": ("message not applied once", {"applied": {"HL-1/0": 2}}),
    "message lost": ("message not applied once", {"applied": {}}),
    "remark stands twice": ("message not applied once", ended(timeline=[{"what": "note", "text": "HL-1/0"}] * 2)),
    "garbage taken in": ("taken in, and no complaint", {"taken_in": {"HL-1": "is still open"}}),
    "task fails": ("workflow task fails", {"failing": {"HL-1": "attempt 9 of a workflow task"}}),
    "history does not replay": ("does not replay", {"unreplayable": {"HL-1": "nondeterminism"}}),
}


@pytest.mark.parametrize("how", BREAKING)
def test_every_rule_of_the_suite_is_broken_by_what_it_is_there_for(how: str) -> None:
    rule, changes = BREAKING[how]

    assert rule in rules_broken(some_evidence(**changes))


HOLDING: dict[str, tuple[str, dict[str, Any]]] = {
    "paid again after a no that was one": ("carried out twice", {"steps": [{**STEP, "state": "failed"}, SECOND]}),
    "approved by somebody else": (
        "paid beyond the order's limit",
        {
            "steps": [{**STEP, **COMPENSATION}],
            **chosen(COMPENSATION, timeline=[{"what": "step resolved", "by": people.APPROVER, "text": RETRIED}]),
        },
    ),
    "a carrier claim beside it": (
        "paid beyond the order's limit",
        {"steps": [STEP, {**STEP, "key": "HL-1/claim", "kind": "carrier_claim", "amount": None}]},
    ),
    "all that was bought": ("made good more often than bought", {"steps": [goods("replacement", 4)]}),
    "collected in exchange": (
        "collected, and nothing was sent",
        {"steps": [goods("replacement"), goods("collection")], **chosen(*REPLACED)},
    ),
    "returned": ("collected, and nothing was sent", {"steps": [goods("collection")], **chosen({"kind": "collection"})}),
    "taken back, and contested": (
        "taken back, and nobody is told",
        {"steps": [TAKEN_BACK], "entries": [{**ENTRY, "state": "contested"}]},
    ),
}


@pytest.mark.parametrize("how", HOLDING)
def test_rules_are_not_broken_by_what_is_right(how: str) -> None:
    """The other side of each."""
    rule, changes = HOLDING[how]

    assert rule not in rules_broken(some_evidence(**changes))
