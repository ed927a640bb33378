"""A claim is decided by a second person, and paid once the customer agrees: E3, E4, S20."""

from datetime import timedelta
from typing import Any

import pytest

from cases.vocabulary import Outcome, PromiseState, Status
from tests.cases.world import START, Answer, World, open_case

PHOTO = {"kind": "photo", "uri": "s3://e/1.jpg"}
VALUE = {"kind": "proof_of_value", "uri": "s3://e/3.pdf"}


def parcel(topic: str, answers: dict[str, Answer] | None = None, **order: Any) -> World:
    express_order = {"amount": "18.00", "freight": "18.00", "goods_value": "300.00", "items": [], **order}
    return open_case(topic, line="express", order=express_order, evidence=[PHOTO, VALUE], answers=answers)


def prepared() -> World:
    """A damage that an agent has assessed."""
    world = parcel("claim.damage", declared_value="500.00").after(hours=1)
    world.says("assess", severity="moderate", by="Zhao")
    return world


def test_a_claim_waits_for_the_claims_team_though_it_is_within_every_limit() -> None:
    """E3: the claims team approves or rejects."""
    world = prepared()

    assert world.case.status is Status.AWAITING_APPROVAL
    assert world.letters("offer") == []
    [notice] = world.letters("needs_approval")
    assert (world.case.notice(notice).team, notice.role) == ("claims", "team_lead")
    assert [why["code"] for why in notice.facts["over"]] == ["audit"]


@pytest.mark.parametrize("by", ["Zhao", "ZHAO", " zhao "])
def test_who_prepared_a_claim_does_not_decide_on_it(by: str) -> None:
    """S20: everybody who contributed to it."""
    assert "prepared offer o1: another person has to decide" in prepared().refuses("approve", by=by)
    assert "prepared offer o1: another person has to decide" in prepared().refuses("reject", by=by)


def test_nobody_assesses_a_claim_without_a_name() -> None:
    """S20: otherwise who prepared it could not be distinguished from who decides."""
    world = parcel("claim.delay")

    assert "by" in world.refuses("assess", upheld=True)


def test_customer_gets_the_decision_once_a_second_person_has_approved() -> None:
    """E3, E11: the decision is delivered, and the clock of the payment starts with consent."""
    world = prepared()

    world.says("approve", by="Qian")

    assert world.options["pay"] == {"claim_payment": {"amount": "300.00"}}
    assert world.state("claim_decision") is PromiseState.KEPT
    assert world.case.promise("claim_paid") is None


def test_a_claim_that_was_not_approved_goes_back_to_the_one_who_prepared_it() -> None:
    world = prepared()

    world.says("reject", by="Qian", note="the photo shows another parcel")

    assert world.case.status is Status.ASSESSING
    assert [letter.facts["reason"]["code"] for letter in world.letters("needs_offer")] == ["not_approved"]
    assert world.state("claim_decision") is PromiseState.OPEN


def test_that_a_claim_is_not_upheld_is_the_claims_teams_decision_too() -> None:
    """G4, E3."""
    world = parcel("claim.delay")
    world.says("assess", upheld=False, by="Zhao")
    assert world.case.status is Status.AWAITING_APPROVAL

    world.says("approve", by="Qian")

    assert world.case.outcome is Outcome.REJECTED
    assert world.state("claim_decision") is PromiseState.KEPT


def test_what_a_claim_pays_is_promised_within_a_week_of_consent_and_kept_when_all_of_it_is_paid() -> None:
    """E4."""
    world = parcel("claim.loss", answers={"search": "accepted", "freight_refund": "silent"})
    world.says("step-reported", step="search", state="done", finding={"lost": True})
    world.says("assess", note="lost", lost=True, by="Zhao")
    world.says("approve", by="Qian")
    world.says("customer-approved")
    assert world.due("claim_paid") == START + timedelta(days=7)
    assert world.steps["claim_payment"] == "done"
    assert world.state("claim_paid") is PromiseState.OPEN

    world.says("step-reported", step="freight_refund", state="done")

    assert world.state("claim_paid") is PromiseState.KEPT


def test_a_complaint_without_a_claim_needs_no_audit() -> None:
    """§6: remedied by the same table."""
    world = open_case("transport.delay", line="express", order={"amount": "18.00", "freight": "18.00", "items": []})

    world.says("assess", upheld=True)

    assert world.case.status is Status.AWAITING_CONSENT
    assert world.options["refund"] == {"freight_refund": {"amount": "18.00"}}


def test_an_agents_own_offer_for_a_claim_is_audited_too() -> None:
    """S20."""
    world = prepared()
    world.says("propose", options=[{"key": "sorry", "remedies": [{"kind": "apology"}]}], by="Sun")

    assert world.case.status is Status.AWAITING_APPROVAL
    assert "prepared offer o2" in world.refuses("approve", by="Sun")
    assert "prepared offer o2" in world.refuses("approve", by="Zhao")
    world.says("approve", by="Qian")
    assert world.case.status is not Status.AWAITING_APPROVAL


def test_beyond_the_limits_of_a_claim_a_manager_is_asked() -> None:
    """G4."""
    world = prepared()
    money = {"kind": "claim_payment", "amount": "400.00"}

    world.says("propose", options=[{"key": "pay", "remedies": [money]}], by="Sun")

    assert [n.role for n in world.letters("needs_approval")] == ["team_lead", "manager"]


def test_what_the_policy_grants_is_within_every_limit() -> None:
    """G4: a parcel insured for more than a manager may give away is still paid what it is insured for."""
    world = parcel("claim.damage", declared_value="20000.00")
    world.says("assess", severity="severe", by="Zhao")

    world.says("propose", options=[{"key": "pay", "remedies": [dear()]}], by="Zhao")
    world.says("approve", by="Qian")

    assert world.options["pay"] == {"claim_payment": {"amount": "20000.00"}}
    more = {"key": "pay", "remedies": [dear("20000.01")]}
    assert "even a manager" in world.refuses("propose", options=[more], by="Zhao")


def dear(amount: str = "20000.00") -> dict[str, str]:
    return {"kind": "claim_payment", "amount": amount}
