"""Parcels: claims need documents, insured and uninsured are paid differently, and a loss is searched for (E1–E14)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cases.entitlement.agent_offers import check_limit
from cases.entitlement.granting import assess
from cases.errors import Refusal
from cases.partner_calls import StepFinding
from cases.state.finding import Finding, PartialFinding
from cases.state.offer import Option, Remedy
from cases.vocabulary import RemedyKind
from tests.cases.lines import AT_ONCE, PARCEL, PHOTO, plan_of
from tests.cases.world import START, in_force, open_case

DAY = timedelta(days=1)
PROOF = {"kind": "proof_of_value", "uri": "s3://2"}
INSURED, UNINSURED = {"declared_value": "500.00", "goods_value": "600.00"}, {"goods_value": "300.00"}
FREIGHT = {"freight_refund": {"amount": "18.00"}}
EXPLAINED = {"explain": {"explanation": AT_ONCE}}
TOPICS = sorted(in_force()["express"].topics)
BOTH = ["transport", "claim"]


def plan(topic: str, finding: dict[str, Any] | None = None, **fields: Any) -> Any:
    return plan_of("express", topic, finding, **fields)


def pays(amount: str) -> dict[str, Any]:
    return {"pay": {"claim_payment": {"amount": amount}}}


# Promises


@pytest.mark.parametrize("topic", TOPICS)
def test_everybody_is_answered_in_30_minutes_and_a_complaint_has_its_result_in_48_hours(topic: str) -> None:
    """E1, E2: a claim, an inquiry and a suggestion have no detailed result."""
    owed = {"acknowledge": timedelta(minutes=30)}
    if topic.startswith("transport."):
        owed["detailed_result"] = timedelta(hours=48)

    planned = plan(topic)

    assert planned.within() == owed
    assert planned.pausable == owed.keys() - {"acknowledge"}


@pytest.mark.parametrize(
    ("topic", "evidence", "needed"),
    [
        ("claim.damage", [], ["proof_of_value", "photo"]),
        ("claim.damage", [PROOF], ["photo"]),
        ("claim.damage", [PROOF, PHOTO], []),
        ("claim.damage", [PROOF, PHOTO | {"kind": "video"}], []),
        ("claim.loss", [], ["proof_of_value"]),
        ("claim.loss", [PROOF], []),
        ("claim.delay", [PROOF], []),
    ],
)
def test_a_claim_is_decided_seven_days_after_its_documents_are_complete(
    topic: str, evidence: list[Any], needed: list[str]
) -> None:
    """E3: before that, the date is unknown."""
    planned = plan(topic, evidence=evidence)

    assert planned.evidence == needed
    assert planned.within().get("claim_decision") == (None if needed else 7 * DAY)
    assert ("claim_decision" in planned.pausable) is (needed == [])


def test_a_claim_is_paid_within_seven_days_of_consent() -> None:
    """E4."""
    rule = next(p for p in in_force()["express"].promises if p.rule == "E4")

    assert (rule.name, rule.topics, rule.within, rule.starts) == ("claim_paid", ["claim.*"], "7 days", "consent")


@pytest.mark.parametrize("topic", TOPICS)
def test_only_claims_are_audited_and_need_documents(topic: str) -> None:
    """§6: a complaint without a claim is remedied by the same table, without that audit."""
    what = in_force()["express"].topics[topic]

    assert what.audit == ("claims" if topic.startswith("claim.") else None)
    assert bool(what.evidence) is topic.startswith("claim.")
    assert what.audit is None or what.team != what.audit


def test_a_claim_whose_documents_never_come_is_closed() -> None:
    """E3: nothing can be decided without them."""
    terms = in_force()["express"].evidence

    assert (terms.remind_after, terms.go_on_after, terms.close_after) == ("24h", None, "7 days")


# Answers


@pytest.mark.parametrize(
    ("topic", "source", "look_up"),
    [("inquiry", "trail", ["trail"]), ("tracking", "trail", ["trail"]), ("suggestion", "policy", [])],
)
def test_who_only_asks_or_suggests_is_answered(topic: str, source: str, look_up: list[str]) -> None:
    """§6: from the trail; a suggestion is thanked for."""
    planned = plan(topic, description="")

    assert (planned.options, planned.outcome) == ({"answer": {"answer": AT_ONCE}}, "informed")
    assert not planned.consent
    what = in_force()["express"].topics[topic]
    assert (what.answered_from, what.look_up) == (source, look_up)


# Delay


@pytest.mark.parametrize("area", BOTH)
def test_the_freight_of_a_late_parcel_goes_back(area: str) -> None:
    """E10: upheld, for any value of the parcel."""
    planned = plan(f"{area}.delay", {"upheld": True}, order=INSURED)

    assert planned.options == {"refund": FREIGHT}
    assert planned.consent
    assert plan(f"{area}.delay").missing == ["upheld"]


def test_the_orders_amount_is_the_freight() -> None:
    """§6: even without a second notice."""
    assert plan("transport.delay", {"upheld": True}, order={"freight": "0.00"}).options == {"refund": FREIGHT}


# Damage


@pytest.mark.parametrize("area", BOTH)
@pytest.mark.parametrize(("severity", "amount"), [("minor", "150.00"), ("moderate", "300.00"), ("severe", "500.00")])
def test_an_insured_parcel_is_paid_by_the_damaged_share_of_its_declared_value(
    area: str, severity: str, amount: str
) -> None:
    """E11: the declared value, not what it was worth, and however little the freight."""
    planned = plan(f"{area}.damage", {"severity": severity}, order=INSURED)

    assert planned.options == pays(amount)
    assert planned.consent


@pytest.mark.parametrize("area", BOTH)
@pytest.mark.parametrize(
    ("severity", "worth", "amount"),
    [
        ("minor", "300.00", "90.00"),
        ("minor", "299.90", "89.97"),
        ("minor", "300.10", "90.00"),
        ("moderate", "100.00", "60.00"),
        ("moderate", "150.01", "90.00"),
        ("severe", "89.99", "89.99"),
        ("severe", "90.01", "90.00"),
        ("severe", "9000.00", "90.00"),
    ],
)
def test_an_uninsured_parcel_is_paid_the_same_share_of_its_worth_up_to_five_times_the_freight(
    area: str, severity: str, worth: str, amount: str
) -> None:
    """E12: both sides of 5 × 18.00."""
    assert plan(f"{area}.damage", {"severity": severity}, order={"goods_value": worth}).options == pays(amount)


def test_what_a_damaged_parcel_still_lacks_is_asked_for() -> None:
    """E11 needs a severity; E12 also the value of the goods."""
    assert plan("claim.damage", order=INSURED).missing == ["severity"]
    assert plan("claim.damage").missing == ["severity", "goods_value"]
    assert plan("claim.damage", {"severity": "minor"}).missing == ["goods_value"]


def test_what_documents_prove_counts_for_what_the_goods_were_worth() -> None:
    """E12: the agent enters it; it beats what the order says."""
    proven = {"severity": "severe", "goods_value": "60.00"}

    assert plan("claim.damage", proven).options == pays("60.00")
    assert plan("claim.damage", proven, order=UNINSURED).options == pays("60.00")


def test_a_parcel_declared_worth_nothing_is_insured_for_nothing() -> None:
    """E11: not uninsured; no option is left, so an agent decides."""
    planned = plan("transport.damage", {"severity": "severe"}, order={"declared_value": "0.00", "goods_value": "50.00"})

    assert (planned.options, planned.missing) == ({}, [])


# Loss


@pytest.mark.parametrize("area", BOTH)
@pytest.mark.parametrize(
    ("order", "amount"),
    [
        (INSURED, "500.00"),
        (UNINSURED, "90.00"),
        ({"goods_value": "89.99"}, "89.99"),
        ({"goods_value": "90.01"}, "90.00"),
    ],
)
def test_a_lost_parcel_is_paid_and_its_freight_goes_back(area: str, order: dict[str, Any], amount: str) -> None:
    """E13."""
    planned = plan(f"{area}.loss", {"lost": True}, order=order)

    assert planned.options == {"pay": {"claim_payment": {"amount": amount}, **FREIGHT}}
    assert planned.consent


@pytest.mark.parametrize("area", BOTH)
def test_a_parcel_that_was_found_again_is_explained(area: str) -> None:
    """E13."""
    planned = plan(f"{area}.loss", {"lost": False}, order=INSURED)

    assert (planned.options, planned.outcome) == (EXPLAINED, "rejected")


@pytest.mark.parametrize("area", BOTH)
def test_whether_it_is_lost_is_what_a_search_establishes_in_three_days(area: str) -> None:
    """E13: at once, before any offer."""
    assert plan(f"{area}.loss", order=INSURED).missing == ["lost"]

    (search,) = in_force()["express"].investigations
    assert (search.do, search.establishes, search.within) == ("search", "lost", "3 days")
    assert f"{area}.loss" in search.topics


def test_a_trail_that_says_lost_is_enough() -> None:
    """E13, G3."""
    complaint = open_case("transport.loss", line="express", order=PARCEL | INSURED, affected=None).case.complaint
    finding = Finding().with_facts(PartialFinding(lost=True), source="trail", at=START)

    assert assess(in_force()["express"].slice_for(complaint), complaint, finding).rule == "E13"


def test_a_search_can_report_what_it_found() -> None:
    """E13: lost or not is among the things that a step's report may establish."""
    assert StepFinding.model_validate({"lost": True}).lost


# Conduct, and limits


def test_a_rude_courier_is_apologised_for_at_once() -> None:
    """E14: an apology only; retraining is listed in the report."""
    planned = plan("transport.attitude", {"upheld": True})

    assert planned.options == {"apology": {"apology": AT_ONCE}}
    assert not planned.consent
    prevention = in_force()["express"].topics["transport.attitude"].prevention
    assert prevention is not None
    assert "trained" in prevention.en


def test_a_parcels_content_may_be_worth_more_than_its_freight() -> None:
    """Contract, *A complaint*: items that cost more than the order are a fault in every other line."""
    items = [{"sku": "PHONE", "quantity": 1, "unit_price": "4000.00"}]

    assert plan("transport.damage", order={"items": items}).answer["missing"]


@pytest.mark.parametrize(("amount", "allowed"), [("5000.00", True), ("5000.01", False)])
def test_a_manager_may_approve_5000_beyond_what_the_policy_grants(amount: str, allowed: bool) -> None:
    """G4: goodwill is not limited by the freight here."""
    complaint = open_case("claim.damage", line="express", order=PARCEL, affected=None).case.complaint
    policy = in_force()["express"]
    remedy = Remedy.model_validate({"kind": RemedyKind.CLAIM_PAYMENT, "amount": amount})
    proposal = [Option(key=key, remedies=[remedy]) for key in ("pay", "again")]

    def check(compensated: str = "0.00") -> None:
        check_limit(proposal, policy, complaint, compensated=Decimal(compensated))

    if allowed:
        check()
        with pytest.raises(Refusal, match=r"more than the 4999\.99"):
            check("0.01")
    else:
        with pytest.raises(Refusal, match=r"more than the 5000\.00"):
            check()


@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_not_upheld_is_explained(topic: str) -> None:
    """G4, on every topic of this line."""
    planned = plan(topic, {"upheld": False, "lost": True, "severity": "severe"}, order=INSURED)

    assert (planned.options, planned.outcome) == (EXPLAINED, "rejected")
