"""Payments besides refunds over all cases of an order, line by line, and who may go beyond the limit (G4, S15, S20)."""

from decimal import Decimal
from typing import Any

import pytest

from cases.partner_calls import Payment, StepCommand
from cases.policy.amounts import Base, Sums, evaluate, needs
from cases.policy.policy import Policy
from cases.policy.remedy_kinds import MONEY, PAYOUTS
from cases.reasons import Reason
from cases.vocabulary import RemedyKind, Status
from tests.cases.lines import FOOD, PARCEL, PHOTO
from tests.cases.world import World, building_materials, in_force, open_case

PROOF = {"kind": "proof_of_value", "uri": "s3://2"}
COMPENSATION = {"kind": "compensation", "amount": "5000.00"}


def payments(world: World) -> dict[str, Decimal | None]:
    """The limit that goes with each payment of a case, by kind."""
    return {c.kind.value: c.limit for c in world.commands if isinstance(c, Payment)}


def limit(world: World, **finding: Any) -> Decimal | None:
    """The limit that goes with the payment of what is found."""
    world.says("assess", by="li", **finding)
    if world.status is Status.AWAITING_APPROVAL:
        world.says("approve", by="wu")
    world.says("customer-approved")
    (found,) = {limit for kind, limit in payments(world).items() if kind not in ("refund", "freight_refund")}
    return found


def parcel(topic: str = "claim.damage", **order: Any) -> World:
    return open_case(
        topic, line="express", order={**PARCEL, "amount": "18.00", **order}, evidence=[PROOF, PHOTO], affected=None
    )


def over_limit(**answers: Any) -> World:
    """Li's finding brought compensation, and the ledger says that the order's other cases have used up the limit."""
    world = open_case(looked_up=False, answers={"compensation": "over_limit", **answers})
    world.says("assess", severity="severe", by="Li")
    world.says("customer-approved")
    return world


# How much


def test_slate_pays_30_percent_of_the_order_at_most_beside_refunds() -> None:
    """S15, B12: refunds are held to what was paid instead."""
    world = open_case(looked_up=False)

    assert limit(world, severity="severe") == Decimal("3840.00")
    assert payments(world) == {"refund": None, "compensation": Decimal("3840.00")}


def test_a_coupon_counts_as_compensation_does() -> None:
    """S15, B10."""
    assert limit(open_case(looked_up=False), severity="minor") == Decimal("3840.00")


@pytest.mark.parametrize("line", ["fresh_food", "organic_food"])
def test_food_pays_30_percent_of_the_order_at_most_whatever_is_affected(line: str) -> None:
    """S15, F10: of two complaints about one order each has its own affected items."""
    affected = [{"sku": "GREENS", "quantity": 1}]
    world = open_case("goods.damage", line=line, order=FOOD, affected=affected, evidence=[PHOTO])
    world.says("assess", upheld=True, liable="delivery", by="li")
    world.says("customer-approved", option="refund")

    assert payments(world) == {"refund": None, "compensation": Decimal("258.00")}


@pytest.mark.parametrize(
    ("order", "most"),
    [
        ({"declared_value": "500.00", "goods_value": "600.00"}, "500.00"),
        ({"goods_value": "60.00"}, "60.00"),
        ({"goods_value": "300.00"}, "90.00"),
    ],
    ids=["insured", "worth little", "worth more than 5 times the freight"],
)
def test_for_a_parcel_no_more_is_paid_than_it_is_worth(order: dict[str, str], most: str) -> None:
    """S15, E11, E12: two complaints about it, and both count."""
    assert limit(parcel(**order), severity="minor") == Decimal(most)


def test_what_documents_prove_counts_for_the_limit_as_well() -> None:
    """S15, E12."""
    assert limit(parcel(), severity="minor", goods_value="40.00") == Decimal("40.00")


def test_for_a_parcel_of_unknown_worth_nothing_is_paid_without_a_manager() -> None:
    """S15, G4: nothing of it can be measured, so a person decides, up to their own limit."""
    world = parcel("transport.attitude")
    world.says("propose", by="Li", options=[{"key": "own", "remedies": [{"kind": "coupon", "amount": "9.00"}]}])
    world.says("approve", by="Wu")
    world.says("customer-approved")

    assert payments(world) == {"coupon": Decimal("5000.00")}


def _the_most(text: str, policy: Policy) -> Decimal:
    bases = dict(zip(Base, map(Decimal, ("1000.00", "940.00", "60.00", "300.00", "300.00")), strict=True))
    if policy.line == "express":
        bases[Base.ORDER] = Decimal("60.00")
    sums = Sums(dict(bases), days_late=100, damaged_share=Decimal(1), digits=2)
    assert needs(text, sums) == []
    return evaluate(text, sums)[1]


@pytest.mark.parametrize("line", sorted(in_force()))
def test_what_one_complaint_may_bring_is_never_beyond_the_limit_of_its_order(line: str) -> None:
    """S15: otherwise the policy's own offer could not be paid."""
    policy = in_force()[line]
    options = [option for rule in policy.remedies for option in rule.options.values()]
    most = _the_most(policy.compensation_limit[0], policy)

    paid = [sum(_the_most(r.amount, policy) for r in o if r.amount and r.do in PAYOUTS) for o in options]

    # Of the two payments for a lost parcel only one is ever due: it is insured or not.
    assert max(paid) <= (2 * most if line == "express" else most)


def test_a_policy_that_was_pinned_before_there_was_a_limit_holds_nothing_to_it() -> None:
    """S18: what a case was promised when it was opened is paid."""
    before = building_materials().model_copy(update={"compensation_limit": []})

    assert limit(open_case(looked_up=False, policy=before), severity="severe") is None
    assert Policy.model_validate(before.model_dump(exclude={"compensation_limit"})).compensation_limit == []


def test_the_limit_goes_with_money_only_and_never_to_a_partner() -> None:
    """S13: a key has one content, even if our policy changes later."""
    world = open_case(looked_up=False)
    world.says("assess", severity="minor", by="li")
    world.says("customer-approved")

    by_kind = {command.kind: command for command in world.commands}
    coupon = by_kind[RemedyKind.COUPON]
    assert {kind for kind, command in by_kind.items() if isinstance(command, Payment)} <= MONEY
    assert isinstance(coupon, Payment)
    assert type(coupon.asked) is StepCommand
    assert coupon.asked.model_dump() == coupon.model_dump(exclude={"limit", "makes_good", "bought", "approved"})


# Who may go beyond


def test_what_a_manager_has_approved_is_held_to_the_managers_limit() -> None:
    """G4, S15: 5000.00 is more than the policy alone allows."""
    world = open_case(looked_up=False)
    world.says("propose", by="Li", options=[{"key": "own", "remedies": [COMPENSATION]}])
    world.says("approve", by="Wu")
    world.says("customer-approved")

    assert payments(world) == {"compensation": Decimal("12800.00")}


def test_a_manager_whose_limit_is_lower_takes_nothing_away() -> None:
    """S15, E11: an insured parcel may be worth more than a manager may give."""
    world = parcel("transport.damage", declared_value="9000.00")
    world.says("assess", severity="minor", by="Li")
    options = [{"key": "own", "remedies": [{"kind": "claim_payment", "amount": "2700.01"}]}]
    world.says("propose", by="Li", options=options)
    world.says("approve", by="Wu")
    world.says("customer-approved")

    assert payments(world) == {"claim_payment": Decimal("9000.00")}


def test_a_payment_that_the_limit_refused_says_what_a_person_can_do() -> None:
    """S15, G6."""
    world = over_limit()

    reason = "partner: over_limit; a person who did not prepare it can approve it: resolve-step with action retry"
    assert (world.step("compensation").state, str(world.step("compensation").reason)) == ("blocked", reason)
    assert [str(Reason.model_validate(letter.facts["reason"])) for letter in world.letters("step_blocked")] == [reason]
    assert world.steps["refund"] == "done"


def test_retry_by_a_second_person_is_an_approval_up_to_the_managers_limit() -> None:
    """S15, S20: under a new key, and the name is recorded."""
    world = over_limit()
    world.answers["compensation"] = "done"

    world.says("resolve-step", step="compensation", action="retry", reason="two honest complaints", by="Wu")

    *_, paid = [c for c in world.commands if isinstance(c, Payment) and c.kind is RemedyKind.COMPENSATION]
    assert (paid.key, paid.limit) == ("HL-1/1/o1/compensation/2", Decimal("12800.00"))
    assert world.steps["compensation"] == "done"
    assert "Wu" in [entry.by for entry in world.case.timeline if entry.what == "step resolved"]


@pytest.mark.parametrize("by", ["Li", "li"])
def test_who_contributed_to_it_never_approves_it(by: str) -> None:
    """S20."""
    why = over_limit().refuses("resolve-step", step="compensation", action="retry", reason="again", by=by)

    assert why == f"{by} prepared compensation, which the order's limit refused: another person has to decide"


def test_nobody_approves_it_without_a_name() -> None:
    """S20."""
    why = over_limit().refuses("resolve-step", step="compensation", action="retry", reason="again")

    assert why == "an approval needs the name of who decides: by"


def test_who_offered_it_never_approves_it() -> None:
    """S20."""
    world = open_case(looked_up=False, answers={"compensation": "over_limit"})
    world.says("assess", severity="severe", by="Chen")
    more = [{"kind": "refund", "amount": "12800.00"}, {"kind": "compensation", "amount": "2560.00"}]
    world.says("propose", by="Li", options=[{"key": "own", "remedies": more}])
    world.says("customer-approved")

    assert "Li prepared compensation" in world.refuses(
        "resolve-step", step="compensation", action="retry", reason="again", by="Li"
    )


def test_beyond_the_managers_limit_as_well_nobody_is_asked_to_approve() -> None:
    """S15: what was approved already is refused for good, and can be waived or replaced."""
    world = over_limit()
    world.says("resolve-step", step="compensation", action="retry", reason="two honest complaints", by="Wu")
    assert world.step("compensation").reason == "partner: over_limit"

    world.says("resolve-step", step="compensation", action="waive", reason="enough was paid", by="Li")

    assert world.status is Status.FOLLOWING_UP
    assert world.paid == Decimal("12800.00")


def test_what_a_partner_refused_anybody_may_try_again() -> None:
    """G6: no approval is asked for if no limit was the reason."""
    world = over_limit()
    world.answers["compensation"] = "refused"
    world.says("resolve-step", step="compensation", action="retry", reason="approved", by="Wu")
    world.answers["compensation"] = "done"

    world.says("resolve-step", step="compensation", action="retry", reason="new account", by="Li")

    assert world.steps["compensation"] == "done"
