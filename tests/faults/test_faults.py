"""Test the fault suite: a short run, a control arm, and each rule broken once. `make faults` is the long run."""

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
from tests.faults.evidence import Evidence, shown
from tests.faults.invariants import violations
from tests.faults.people import Life, Sent
from tests.faults.report import table
from tests.faults.scenarios import Scenario
from tests.faults.suite import run

KINDS = ("worker", "server", "partner", "case reset")
"""Kinds of faults that a short run must have had."""


async def test_no_complaint_is_lost_no_promise_forgotten_and_nothing_done_twice_under_faults(tmp_path: Path) -> None:
    """S6, S8, S13–S15; cases of all lines."""
    found = await run(tmp_path / "data", seed=11, count=37, pause=0.5, rounds=1)

    assert found.violations == [], table(found)
    for kind in KINDS:
        assert any(kind in name for name in found.injector.done), table(found)


async def test_suite_detects_double_payments_of_workers_without_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control arm: without it, a suite that detects nothing would pass."""
    monkeypatch.setattr(people, "LOOKS", 20)  # such workers never learn the outcome of a step
    found = await run(tmp_path / "data", seed=1, count=7, pause=1, rounds=0, arm="keyless")

    assert ARMS["keyless"].breaks in {violation.rule for violation in found.violations}, table(found)


@pytest.mark.long
@pytest.mark.parametrize("arm", sorted(ARMS.keys() - {"keyless"}))
async def test_suite_detects_the_fault_of_each_control_arm(tmp_path: Path, arm: str) -> None:
    """S25–S28, S35: workers with faults that ours had before."""
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
"""The same payment under another attempt's key."""
SECOND = {**STEP, "key": f"{STEP['key']}/2", "reference": "REF-2"}
"""The same payment again, as after a final refusal."""
TAKEN_BACK = {**STEP, "state": "failed"}
ENTRY = {"key": STEP["key"], "case_id": "HL-1", "kind": "refund", "reference": "REF-1", "state": EntryState.COMMITTED}
A_STEP = {"id": "refund", "kind": "refund", "key": STEP["key"], "state": "done"}
NOTICE = {"case_id": "HL-1", "content": {"event": "promise_warning"}}
RUNG = {"promise": "detailed_result", "cycle": 1, "rung": 1, "due_at": "x", "sent_at": "y"}


ACKNOWLEDGED_LATE = {
    "name": "acknowledge",
    "cycle": 1,
    "state": "broken",
    "within": "10m",
    "segments": [{"ran_from": NOW.isoformat(), "ran_until": (NOW + HOUR).isoformat(), "why_stopped": "kept"}],
}


def a_life() -> Life:
    """A case to which one note was sent."""
    scenario = Scenario(complaint(case_id="HL-1"), {}, {}, Random(1))
    return Life(scenario, SimpleNamespace(), {"HL-1/0": Sent("note", ["applied", "repeated"])})  # type: ignore[arg-type]


def an_end(**changes: Any) -> dict[str, Any]:
    """A final snapshot: a refund, agreed and paid, and a result 40 hours after the complaint."""
    kept = (NOW + 40 * HOUR).isoformat()
    segment = {"ran_from": NOW.isoformat(), "ran_until": kept, "why_stopped": "kept"}
    promise = {"name": "detailed_result", "cycle": 1, "state": "kept", "within": "48h", "segments": [segment]}
    remedy = {"kind": "refund", "amount": "100.00", "at_once": False}
    offer = {"id": "o1", "accepted": "refund", "options": [{"key": "refund", "remedies": [remedy]}]}
    end = {
        "line": "building_materials",
        "urgent": False,
        "outcome": "satisfied",
        "owner": {"team": "logistics", "name": None},
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


def a_row(**changes: Any) -> dict[str, Any]:
    """The row of a case, which shows this final snapshot."""
    return {"shown": shown(an_end()), "snapshot": shown(an_end()), "ended": None, **changes}


def some_evidence(**changes: Any) -> Evidence:
    """Evidence without violations, except for `changes`."""
    good = Evidence(
        steps=[STEP],
        messages=[NOTICE],
        entries=[ENTRY],
        ends={"HL-1": an_end()},
        closed={"HL-1"},
        archived={"HL-1": {"record": an_end()}},
        rows={"HL-1": a_row()},
        applied={"HL-1/0": 1},
    )
    return replace(good, **changes)


def rules_broken(evidence: Evidence) -> set[str]:
    """Return the rules that this evidence breaks."""
    return {violation.rule for violation in violations([a_life()], set(), evidence)}


def test_good_evidence_breaks_no_rule() -> None:
    assert rules_broken(some_evidence()) == set()


def ended(**changes: Any) -> dict[str, Any]:
    """The same final snapshot in the history and in the archive."""
    end = an_end(**changes)
    row = a_row(shown=shown(end), snapshot=shown(end))
    return {"ends": {"HL-1": end}, "archived": {"HL-1": {"record": end}}, "rows": {"HL-1": row}}


def test_notices_and_reservations_that_a_reset_case_has_forgotten_break_no_rule() -> None:
    """An extra notice and a payment that is still reserved are allowed after a reset."""
    reserved = {**ENTRY, "reference": None, "state": EntryState.RESERVED}
    evidence = some_evidence(messages=[NOTICE, NOTICE], entries=[reserved])

    assert {v.rule for v in violations([a_life()], {"HL-1"}, evidence)} == set()
    assert rules_broken(evidence) == {"rung not notified exactly once", "ledger disagrees with the partner"}


def goods(kind: str, quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """A row for goods that were sent or collected."""
    items = [{"sku": "SLATE-9", "quantity": quantity}]
    key = f"HL-1/1/o1/{kind}"
    return {**STEP, "key": key, "kind": kind, "step": kind, "amount": None, "items": items, **changes}


def chosen(*remedies: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The same final snapshot with an offer of these remedies."""
    option = {"key": "chosen", "remedies": [{"at_once": False, **remedy} for remedy in remedies]}
    return ended(offers=[{"id": "o1", "accepted": "chosen", "options": [option]}], **changes)


RETRIED = "refund: retry, approved"
COMPENSATION = {"kind": "compensation", "amount": "3840.01"}
"""One cent more than the 30 % of the order that may be paid besides refunds."""
REPLACED = {"kind": "replacement"}, {"kind": "collection"}

BREAKING: dict[str, tuple[str, dict[str, Any]]] = {
    "no case": ("lost", {"ends": {}}),
    "not archived": ("lost", {"archived": {}}),
    "archived otherwise": ("lost", {"archived": {"HL-1": {"record": an_end(urgent=True)}}}),
    "open, and not shown": ("lost", {"closed": set(), **ended(status="offering")}),
    "paid twice under one key": ("carried out twice", {"steps": [STEP, {**STEP, "reference": "REF-2"}]}),
    "paid again by an attempt's key": (
        "carried out twice",
        {"steps": [STEP, AGAIN]},
    ),
    "paid more than agreed": ("paid beyond what was agreed", {"steps": [{**STEP, "amount": "100.01"}]}),
    "paid, but not agreed": ("paid beyond what was agreed", {"steps": [{**STEP, "kind": "compensation"}]}),
    "refunded beyond the order": ("refunded beyond what was paid", {"steps": [{**STEP, "amount": "12800.01"}]}),
    "paid again without a refusal": ("carried out twice", {"steps": [STEP, SECOND]}),
    "paid beyond the limit": (
        "paid beyond the order's limit",
        {"steps": [{**STEP, **COMPENSATION}], **chosen(COMPENSATION)},
    ),
    "paid beyond the limit by who assessed": (
        "paid beyond the order's limit",
        {
            "steps": [{**STEP, **COMPENSATION}],
            **chosen(
                COMPENSATION,
                finding={"facts": [{"source": "agent", "by": people.APPROVER}]},
                timeline=[{"what": "step resolved", "by": people.APPROVER, "text": RETRIED}],
            ),
        },
    ),
    "more sent than bought": ("made good more often than bought", {"steps": [goods("replacement", 5)]}),
    "sent, and its price refunded": (
        "made good more often than bought",
        {"steps": [goods("reship"), {**STEP, "amount": "12800.00"}]},
    ),
    "collected for nothing": (
        "collected, but nothing was sent",
        {"steps": [goods("collection")], **chosen(*REPLACED)},
    ),
    "paid, and released in our ledger": (
        "ledger disagrees with the partner",
        {"entries": [{**ENTRY, "state": EntryState.RELEASED}]},
    ),
    "paid, but not according to the case": (
        "case disagrees with the partner",
        ended(steps=[{**A_STEP, "state": "waived"}]),
    ),
    "paid, but unknown to the case": ("case disagrees with the partner", ended(steps=[])),
    "not paid, but done according to the case": ("case disagrees with the partner", {"steps": []}),
    "taken back": ("taken back, and not reported", {"steps": [TAKEN_BACK]}),
    "paid and not in our ledger": ("ledger disagrees with the partner", {"entries": []}),
    "in our ledger and not paid": ("ledger disagrees with the partner", {"steps": []}),
    "rung not notified": ("rung not notified exactly once", ended(escalations=[])),
    "rung of minutes not notified": ("rung not notified exactly once", ended(promises=[ACKNOWLEDGED_LATE])),
    "rung notified twice": ("rung not notified exactly once", ended(escalations=[RUNG, RUNG])),
    "notice sent twice": ("rung not notified exactly once", {"messages": [NOTICE, NOTICE]}),
    "message applied twice": ("message not applied exactly once", {"applied": {"HL-1/0": 2}}),
    "message lost": ("message not applied exactly once", {"applied": {}}),
    "note on the timeline twice": (
        "message not applied exactly once",
        ended(timeline=[{"what": "note", "text": "HL-1/0"}] * 2),
    ),
    "garbage accepted": ("accepted, but not a complaint", {"accepted_garbage": {"HL-1": "is still open"}}),
    "no row": ("list differs from the case", {"rows": {}}),
    "row of an earlier change": (
        "list differs from the case",
        {"rows": {"HL-1": a_row(**dict.fromkeys(("shown", "snapshot"), shown(an_end(status="following_up"))))}},
    ),
    "row with the snapshot of an earlier change": (
        "list differs from the case",
        {"rows": {"HL-1": a_row(snapshot=shown(an_end(status="following_up")))}},
    ),
    "row says that it was terminated": (
        "list differs from the case",
        {"rows": {"HL-1": a_row(ended="terminated")}},
    ),
    "task fails": ("workflow task fails", {"failing": {"HL-1": "attempt 9 of a workflow task"}}),
    "history does not replay": ("does not replay", {"unreplayable": {"HL-1": "nondeterminism"}}),
}


@pytest.mark.parametrize("how", BREAKING)
def test_every_rule_of_the_suite_detects_its_violation(how: str) -> None:
    rule, changes = BREAKING[how]

    assert rule in rules_broken(some_evidence(**changes))


HOLDING: dict[str, tuple[str, dict[str, Any]]] = {
    "paid again after a refusal": ("carried out twice", {"steps": [{**STEP, "state": "failed"}, SECOND]}),
    "approved by a second person": (
        "paid beyond the order's limit",
        {
            "steps": [{**STEP, **COMPENSATION}],
            **chosen(COMPENSATION, timeline=[{"what": "step resolved", "by": people.APPROVER, "text": RETRIED}]),
        },
    ),
    "approved by an agent who assessed another case": (
        "paid beyond the order's limit",
        {
            "steps": [{**STEP, **COMPENSATION}],
            **chosen(COMPENSATION, timeline=[{"what": "step resolved", "by": "Li Na", "text": RETRIED}]),
        },
    ),
    "with a carrier claim": (
        "paid beyond the order's limit",
        {"steps": [STEP, {**STEP, "key": "HL-1/claim", "kind": "carrier_claim", "amount": None}]},
    ),
    "all that was bought": ("made good more often than bought", {"steps": [goods("replacement", 4)]}),
    "collected in exchange": (
        "collected, but nothing was sent",
        {"steps": [goods("replacement"), goods("collection")], **chosen(*REPLACED)},
    ),
    "returned": ("collected, but nothing was sent", {"steps": [goods("collection")], **chosen({"kind": "collection"})}),
    "taken back, and contested": (
        "taken back, and not reported",
        {"steps": [TAKEN_BACK], "entries": [{**ENTRY, "state": "contested"}]},
    ),
}


@pytest.mark.parametrize("how", HOLDING)
def test_rules_allow_what_is_right(how: str) -> None:
    """For each rule, a case on the right side of it."""
    rule, changes = HOLDING[how]

    assert rule not in rules_broken(some_evidence(**changes))
