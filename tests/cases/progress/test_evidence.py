"""Evidence requested from the customer: the clock is paused, a reminder is sent, the case continues: G11."""

from datetime import timedelta
from typing import Any

import pytest

from cases.progress.alarms import alarms
from cases.vocabulary import EvidenceKind, Outcome, PromiseState, Status
from tests.cases.world import START, World, open_case

HOUR = timedelta(hours=1)
PHOTO = {"kind": "photo", "uri": "s3://e/1.jpg"}
REPORT = {"kind": "inspection_report", "uri": "s3://e/2.pdf"}
VALUE = {"kind": "proof_of_value", "uri": "s3://e/3.pdf"}


def spoiled(**fields: Any) -> World:
    """Spoiled goods: photos and the inspection report are asked for."""
    return open_case("goods.quality", line="fresh_food", **fields)


def claimed(**fields: Any) -> World:
    """A claim for a damaged parcel."""
    order = {"amount": "18.00", "freight": "18.00", "goods_value": "300.00", "items": []}
    return open_case("claim.damage", line="express", order=order, **fields)


def assessed(world: World) -> World:
    world.says("assess", upheld=True, liable="delivery", by="Zhao")
    return world


def test_what_the_customer_has_not_shown_is_asked_for_once() -> None:
    """F10: photos, and the inspection report when the claim is spoilage."""
    world = spoiled(evidence=[PHOTO]).after(hours=11)

    assert [letter.facts["kinds"] for letter in world.letters("evidence_request")] == [["inspection_report"]]
    assert world.case.status is Status.AWAITING_EVIDENCE


def test_a_video_serves_as_a_photo() -> None:
    world = open_case("goods.damage", line="fresh_food", evidence=[{"kind": "video", "uri": "s3://v"}])

    assert world.case.awaited == []
    assert world.case.status is Status.ASSESSING
    assert world.letters("evidence_request") == []


def test_clock_is_paused_until_the_evidence_arrives_and_continues_with_the_rest() -> None:
    """G11, S1: acknowledge and progress never pause; the solution's 24 h do."""
    world = spoiled(opened_at=START + HOUR)
    assert world.state("solution") is PromiseState.PAUSED

    world.after(hours=10).says("evidence-received", evidence=[PHOTO, REPORT])

    assert world.state("solution") is PromiseState.OPEN
    assert world.due("solution") == START + 34 * HOUR
    assert world.promise("acknowledge").pausable is False


def test_with_two_kinds_outstanding_one_that_comes_does_not_start_the_clock() -> None:
    """S2."""
    world = spoiled().after(hours=1)

    world.says("evidence-received", evidence=[PHOTO])
    assert world.state("solution") is PromiseState.PAUSED
    assert world.case.status is Status.AWAITING_EVIDENCE

    world.after(hours=2).says("evidence-received", evidence=[REPORT])
    assert world.state("solution") is PromiseState.OPEN
    assert world.due("solution") == START + 27 * HOUR


def test_evidence_counts_from_when_it_came_not_from_when_it_was_entered() -> None:
    """S9."""
    world = spoiled(evidence=[PHOTO]).after(hours=8)

    world.says("evidence-received", evidence=[REPORT], occurred_at=(START + 3 * HOUR).isoformat())

    assert world.due("solution") == START + 27 * HOUR


def test_evidence_that_nobody_asked_for_is_kept_and_changes_nothing_else() -> None:
    world = spoiled().after(hours=1)

    world.says("evidence-received", evidence=[VALUE])

    assert [e.kind for e in world.case.evidence] == ["proof_of_value"]
    assert world.state("solution") is PromiseState.PAUSED


def test_customer_is_reminded_once_after_half_a_day_and_the_case_continues_without_it_after_a_day() -> None:
    """F10: asked for once, with a reminder after 12 h; on without it after 24 h."""
    world = spoiled()
    assert world.after(hours=11).letters("evidence_reminder") == []
    assert len(world.after(hours=2).letters("evidence_reminder")) == 1

    world.after(hours=11)

    assert len(world.letters("evidence_reminder")) == 1
    assert world.case.status is Status.ASSESSING
    assert world.due("solution") == START + 48 * HOUR
    assert world.case.awaited == []


def test_after_an_outage_the_reminder_is_still_sent_and_the_case_continues() -> None:
    """S8."""
    world = spoiled().without_worker(hours=40)

    assert len(world.letters("evidence_reminder")) == 1
    assert world.case.status is Status.ASSESSING


def test_what_comes_after_the_case_went_on_is_kept() -> None:
    world = spoiled().after(hours=30)

    world.says("evidence-received", evidence=[PHOTO])

    assert [e.kind for e in world.case.evidence] == ["photo"]
    assert world.due("solution") == START + 48 * HOUR


def test_agent_can_continue_without_it() -> None:
    world = assessed(spoiled().after(hours=2))

    assert world.case.status is Status.AWAITING_CONSENT
    assert world.state("solution") is PromiseState.KEPT
    assert not any(a.name == "evidence" for a in alarms(world.case))


def test_agents_own_offer_does_not_wait_for_it() -> None:
    world = spoiled().after(hours=2)

    world.says("propose", options=[{"key": "explain", "remedies": [{"kind": "explanation"}]}], by="Zhao")

    assert world.case.awaited == []
    assert world.case.status is Status.AWAITING_CONSENT


def test_nothing_polls_while_the_clock_is_paused() -> None:
    """S4: the next thing to happen is the reminder, and no promise has a timer."""
    waiting = {a.name for a in alarms(spoiled().case)}

    assert "evidence" in waiting
    assert not any(a.summary.startswith("solution") for a in alarms(spoiled().case)), (
        "a paused promise has nothing to wait for"
    )


def test_a_closed_case_waits_for_nothing() -> None:
    world = spoiled()

    world.says("complaint-withdrawn", reason="thrown away")

    assert alarms(world.case) == []
    assert world.case.status is Status.CLOSED


# Claims: nothing is decided without the documents (E3)


def test_the_decision_on_a_claim_is_owed_from_the_day_its_documents_are_complete() -> None:
    """E3: 7 days from complete documents."""
    world = claimed().after(hours=30)
    assert world.case.promise("claim_decision") is None

    world.says("evidence-received", evidence=[PHOTO, VALUE])

    assert world.due("claim_decision") == START + 30 * HOUR + timedelta(days=7)


def test_documents_that_came_with_the_claim_start_its_decision_at_receipt() -> None:
    """E3."""
    world = claimed(evidence=[PHOTO, VALUE], opened_at=START + HOUR)

    assert world.due("claim_decision") == START + timedelta(days=7)
    assert world.case.status is Status.ASSESSING


def test_a_claim_is_not_decided_before_its_documents_have_come() -> None:
    world = claimed(evidence=[PHOTO]).after(hours=1)

    answer = world.says("assess", severity="severe", by="Zhao")
    assert answer == {
        "applied": True, "status": Status.AWAITING_EVIDENCE, "outcome": None,
        "offer": None, "missing": ["evidence: proof_of_value"],
    }  # fmt: skip
    assert "proof_of_value" in world.refuses(
        "propose", options=[{"key": "a", "remedies": [{"kind": "apology"}]}], by="Z"
    )

    world.says("evidence-received", evidence=[VALUE])
    assert world.case.status is Status.AWAITING_APPROVAL


def test_a_claim_without_documents_closes_after_a_week_of_silence() -> None:
    world = claimed().after(days=6)
    assert len(world.letters("evidence_reminder")) == 1
    assert world.case.outcome is None

    world.after(days=2)

    assert world.case.outcome is Outcome.NO_RESPONSE


@pytest.mark.parametrize("kind", list(EvidenceKind))
def test_every_kind_of_evidence_can_be_kept(kind: EvidenceKind) -> None:
    world = spoiled()

    world.says("evidence-received", evidence=[{"kind": kind, "uri": "s3://x"}])

    assert [e.kind for e in world.case.evidence] == [kind]


def test_a_case_that_waits_for_evidence_travels_through_a_continued_run() -> None:
    """S1: the pause goes along."""
    world = spoiled().after(hours=3).continues_as_new().after(hours=2)

    world.says("evidence-received", evidence=[PHOTO, REPORT])

    assert world.due("solution") == START + 29 * HOUR
