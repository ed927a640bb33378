"""No agent gives beyond their limits alone, and none approves what they prepared: G4, S20."""

from decimal import Decimal
from typing import Any

import pytest

from cases.inbox import commands
from cases.state.case import Case
from cases.vocabulary import OfferState, Status
from tests.cases.offers import money, offered
from tests.cases.world import World, late_by, open_case

# An agent's own offer


@pytest.mark.parametrize(
    ("amount", "alone"), [("1280.00", True), ("2560.00", True), ("2560.01", False), ("12800.00", False)]
)
def test_an_agent_may_go_to_the_high_end_alone_and_a_manager_beyond(amount: str, alone: bool) -> None:
    """G4, B12: 20 % of 12,800.00 and a cent more."""
    world = offered()

    world.says("propose", by="li", options=money(amount))

    assert world.status is (Status.AWAITING_CONSENT if alone else Status.AWAITING_APPROVAL)
    assert world.offer.state is (OfferState.OPEN if alone else OfferState.AWAITING_APPROVAL)
    assert len(world.letters("needs_approval")) == (0 if alone else 1)


def test_what_the_policy_does_not_grant_waits_for_a_manager() -> None:
    """G4: here a gift of any value."""
    world = offered()

    world.says("propose", by="li", options=[{"key": "own", "remedies": [{"kind": "gift"}]}])

    assert world.status is Status.AWAITING_APPROVAL
    assert [str(why) for why in world.offer.over_limits] == ["own: the policy grants no gift here"]


def test_an_agent_cannot_join_the_refund_of_one_option_with_the_money_of_another() -> None:
    """G4, B15: a full refund comes with at most 10 %; 30 % is for who keeps waiting."""
    world = late_by(31)
    both = [
        {
            "key": "both",
            "remedies": [*money("12800.00", kind="refund")[0]["remedies"], *money("3840.00")[0]["remedies"]],
        }
    ]

    world.says("propose", by="li", options=both)

    assert world.status is Status.AWAITING_APPROVAL


def test_words_cost_nothing_and_need_no_manager() -> None:
    """G4."""
    world = offered()

    world.says("propose", by="li", options=[{"key": "own", "remedies": [{"kind": "apology"}, {"kind": "explanation"}]}])

    assert world.status is Status.AWAITING_CONSENT


def test_parts_of_one_kind_are_added_up() -> None:
    """G4: two halves do not slip under the limit."""
    world = offered()
    halves = [{"key": "own", "remedies": money("1500.00")[0]["remedies"] * 2}]

    world.says("propose", by="li", options=halves)

    assert [str(why) for why in world.offer.over_limits] == ["own: compensation 3000.00 is over 2560.00"]


def test_nobody_may_refund_more_than_was_paid() -> None:
    """S14: manager or not."""
    world = offered()

    assert "more than the 12800.00 left" in world.refuses("propose", by="li", options=money("12800.01", kind="refund"))
    both = [
        {
            "key": "own",
            "remedies": [
                *money("12800.00", kind="refund")[0]["remedies"],
                *money("0.01", kind="freight_refund")[0]["remedies"],
            ],
        }
    ]
    assert "more than the 12800.00 left" in world.refuses("propose", by="li", options=both)


def test_even_a_manager_has_a_limit() -> None:
    """G4: 100 % of the order in this policy, over all payments of an option."""
    world = offered()
    parts = [*money("12000.00")[0]["remedies"], *money("800.01", kind="coupon")[0]["remedies"]]

    why = world.refuses("propose", by="li", options=[{"key": "own", "remedies": parts}])

    assert "more than the 12800.00 that even a manager may approve" in why


def test_a_managers_limit_is_for_all_offers_of_a_case_together() -> None:
    """G4: "up to this much money in all", says the policy file."""
    world = offered()
    world.says("propose", by="li", options=money("12800.00"))
    world.says("approve", by="wu")
    world.says("customer-approved")
    world.says("satisfaction-reported", score=1)

    world.refuses("propose", by="li", options=money("12800.00"))


def test_an_agents_own_offer_pays_nothing_before_the_customers_yes() -> None:
    """G5: at once is what the rule marks so; G4: no money out beyond accepted offers."""
    world = open_case()
    world.says("assess", severity="minor")
    coupon, repair = {"kind": "coupon", "amount": "640.00", "at_once": True}, {"kind": "onsite_repair"}

    world.says("propose", by="li", options=[{"key": "own", "remedies": [coupon, repair]}])
    world.says("customer-declined", reason="no")

    assert world.paid == 0


def test_goods_that_were_never_ordered_are_not_offered() -> None:
    """G4."""
    remedy = {"kind": "replacement", "items": [{"sku": "SLATE-9", "quantity": 5}]}

    why = offered().refuses("propose", by="li", options=[{"key": "own", "remedies": [remedy]}])

    assert "5 of SLATE-9 is more than was ordered" in why


def test_more_goods_than_were_ordered_are_not_offered_in_parts() -> None:
    """G4: twice 4 of 4."""
    world = open_case()
    world.says("assess", severity="moderate")
    remedy = {"kind": "replacement", "items": [{"sku": "SLATE-9", "quantity": 4}]}

    world.refuses("propose", by="li", options=[{"key": "own", "remedies": [remedy, remedy]}])


def test_two_options_need_two_keys() -> None:
    """S19: otherwise an approval would match both."""
    assert "two have the same key" in offered().refuses("propose", by="li", options=money("1.00") * 2)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ([], "options"),
        ([{"key": "A", "remedies": [{"kind": "gift"}]}], "options.0.key"),
        ([{"key": "a", "remedies": []}], "options.0.remedies"),
        (money("-1.00"), "options.0.remedies.0.amount"),
        (money("1.001"), "options.0.remedies.0.amount"),
        ([{"key": "a", "remedies": [{"kind": "refund"}]}], "options.0.remedies.0"),
        ([{"key": "a", "remedies": [{"kind": "gift", "amount": "1.00"}]}], "options.0.remedies.0"),
        ([{"key": "a", "remedies": [{"kind": "bribe"}]}], "options.0.remedies.0.kind"),
        (money("1.00", discount=True), "options.0.remedies.0.discount"),
    ],
)
def test_a_malformed_offer_is_refused_by_the_field(options: list[Any], field: str) -> None:
    """Contract: each faulty field by its path."""
    assert f"{field}: " in offered().refuses("propose", by="li", options=options)


def test_a_range_of_an_agents_own_making_raises_no_limit() -> None:
    """G4: `max_amount` is the policy's value."""
    world = offered()

    world.says("propose", by="li", options=money("100.00", max_amount="99999.00"))

    assert world.options == {"own": {"compensation": {"amount": "100.00"}}}


# Approval


def over() -> World:
    """An offer that waits for a manager, asked for by li."""
    world = offered()
    world.says("propose", by="Li Ming", options=money("5000.00"))
    return world


@pytest.mark.parametrize("by", ["Li Ming", "li ming", "LI MING", "  Li Ming "])
def test_the_one_who_asked_never_approves(by: str) -> None:
    """S20: however they write their name."""
    assert "prepared offer o2: another person has to decide" in over().refuses("approve", by=by)
    assert "prepared offer o2: another person has to decide" in over().refuses("reject", by=by)


def test_without_that_guard_they_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """S20, the control."""
    world = over()
    monkeypatch.setattr(commands, "_approval", lambda case, _message: case.offers[-1])

    world.says("approve", by="Li Ming")

    assert world.offer.state is OfferState.OPEN


def test_an_approved_offer_goes_to_the_customer() -> None:
    """G4: and still needs their yes."""
    world = over()

    world.says("approve", by="wu", approval="o2")
    assert world.status is Status.AWAITING_CONSENT
    assert world.paid == 0

    world.says("customer-approved", offer="o2")
    assert world.paid == Decimal("5000.00")


def test_nobody_can_agree_to_what_is_not_approved() -> None:
    """G4, S20."""
    assert "o2 is awaiting_approval" in over().refuses("customer-approved", offer="o2")


def test_a_rejected_offer_goes_back_to_the_agent() -> None:
    """G4: and cannot be approved any more."""
    world = over()

    world.says("reject", by="wu", note="too much")

    assert world.status is Status.ASSESSING
    assert [letter.facts["reason"]["code"] for letter in world.letters("needs_offer")] == ["not_approved"]
    assert "nothing waits for one" in world.refuses("approve", by="wu")


def test_an_approval_names_who_decides_and_what() -> None:
    """S20."""
    world = over()

    assert "needs the name of who decides: by" in world.refuses("approve")
    assert "o2 waits for one" in world.refuses("approve", by="wu", approval="o1")
    assert "nothing waits for one" in offered().refuses("approve", by="wu")


def test_who_asks_for_more_than_their_limit_has_to_say_who_they_are() -> None:
    """S20: otherwise anybody could approve it, including the agent who asked."""
    assert "so state who proposes it: by" in offered().refuses("propose", options=money("5000.00"))


def test_eligibility_is_checked_again_when_it_is_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    """S20: other money may have gone out since it was asked for."""
    world = offered()
    refund = money("12800.00", kind="refund")[0]["remedies"]
    world.says("propose", by="li", options=[{"key": "own", "remedies": [*refund, *money("5000.00")[0]["remedies"]]}])
    assert world.status is Status.AWAITING_APPROVAL

    monkeypatch.setattr(Case, "refunded", property(lambda _case: Decimal("12800.00")))

    assert "more than the 0.00 left" in world.refuses("approve", by="wu")


def test_a_new_finding_replaces_what_waited_for_approval() -> None:
    """G4, S19."""
    world = over()

    world.says("assess", severity="minor", by="li")

    assert [offer.state for offer in world.case.offers] == [OfferState.REPLACED, OfferState.REPLACED, OfferState.OPEN]
