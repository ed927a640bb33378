"""Nothing is carried out before the customer's yes, and nobody gives beyond their limits alone: G4, G5, S19, S20."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cases.inbox import commands, facts
from cases.state.case import Case
from cases.state.letter import Audience
from cases.state.offer import Offer
from cases.vocabulary import OfferState, Outcome, RemedyKind, Status
from tests.cases.world import SECOND, START, World, a_trail, late_by, open_case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def severe(**fields: Any) -> World:
    """A full refund with 10 to 20 % on top, put to the customer."""
    world = open_case(**fields)
    world.says("assess", severity="severe", by="li")
    return world


def money(amount: str, *, kind: str = "compensation", key: str = "own", **remedy: Any) -> list[dict[str, Any]]:
    """An agent's own offer of one remedy."""
    return [{"key": key, "remedies": [{"kind": kind, "amount": amount, **remedy}]}]


# Consent


def test_nothing_is_carried_out_before_the_customers_yes() -> None:
    """G5."""
    world = severe().after(days=3)

    assert world.steps == {}
    assert world.commands == []


def test_the_yes_begins_what_the_option_says() -> None:
    """G5, B12: in two legs (S14)."""
    world = severe()

    world.says("customer-approved", offer="o1", option="refund", by="wei")

    sent = [(command.kind.value, command.amount) for command in world.commands]
    assert sent == [("refund", Decimal("12800.00")), ("compensation", Decimal("1280.00"))]
    assert (world.offer.state, world.offer.accepted) == (OfferState.ACCEPTED, "refund")


def test_only_the_chosen_option_is_carried_out() -> None:
    """B15: the customer chooses."""
    world = late_by(6)
    assert "say which of 1 wait, 2 cancel" in world.refuses("customer-approved")
    assert "has no option refund: it has 1 wait, 2 cancel" in world.refuses("customer-approved", option="refund")

    world.says("customer-approved", option="wait")

    assert list(world.steps) == ["explanation", "compensation"]
    assert world.paid == Decimal("768.00")


def test_what_is_at_once_needs_no_yes_and_takes_none() -> None:
    """B13, G5."""
    world = late_by(1)

    assert world.offer.state is OfferState.ACCEPTED
    assert "needs no consent" in world.refuses("customer-approved")


def test_a_yes_names_the_offer_and_one_to_an_old_offer_is_refused_with_the_current_one() -> None:
    """S19."""
    world = severe()
    world.says("assess", severity="minor", by="li")

    why = world.refuses("customer-approved", offer="o1")

    assert "o1 is not the current one: that is o2, repair" in why
    assert world.case.offers[0].state is OfferState.REPLACED


def test_without_that_guard_a_yes_to_the_refund_would_bring_the_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    """S19, the control: the customer agreed to something else than what would be done."""
    world = severe()
    world.says("assess", severity="minor", by="li")

    def careless(case: Case, _offer_id: str | None, _at: datetime) -> Offer:
        assert case.offer is not None
        return case.offer

    monkeypatch.setattr(facts, "_answerable", careless)
    world.says("customer-approved", offer="o1")

    assert "refund" not in world.steps
    assert "onsite_repair" in world.steps


def test_the_same_yes_twice_is_refused_with_what_was_chosen() -> None:
    """G5, S19."""
    world = severe()
    world.says("customer-approved")

    assert "is accepted" in world.refuses("customer-approved", offer="o1")
    assert "chosen: refund" in world.refuses("customer-approved", offer="o1")


def test_nobody_can_agree_before_there_is_an_offer() -> None:
    """G5."""
    assert "has made no offer yet" in open_case().refuses("customer-approved")


def test_a_finding_that_takes_the_ground_from_an_offer_takes_the_offer_back() -> None:
    """S19: it turns out not to be lost, and how late it is nobody knows yet; the full refund must not be had now."""
    world = open_case("transport.loss", trail=a_trail(state="lost"))

    world.says("assess", lost=False, by="li")
    assert world.status is Status.ASSESSING

    world.refuses("customer-approved", offer="o1")


def test_nobody_agreed_before_the_offer_was_made() -> None:
    """S9, B4: a yes dated back to the first minute would make a result that came too late kept."""
    world = open_case().after(hours=50)
    world.says("assess", severity="severe")

    world.refuses("customer-approved", occurred_at=(START + HOUR).isoformat())


# No


def test_a_declined_offer_goes_back_to_an_agent_with_the_reason() -> None:
    """G5."""
    world = severe()

    world.says("customer-declined", reason="I want a new slab", wish="replace")

    assert (world.status, world.offer.state) == (Status.ASSESSING, OfferState.DECLINED)
    assert world.steps == {}
    assert [letter.facts["reason"]["code"] for letter in world.told("needs_offer")] == ["declined"]
    assert any("I want a new slab" in entry.text for entry in world.case.timeline)
    assert "there is nothing to answer" in world.refuses("customer-approved", offer="o1")


def test_a_declined_offer_is_followed_by_another_that_can_be_accepted() -> None:
    """G5, G4."""
    world = severe()
    world.says("customer-declined", reason="too little")

    world.says("propose", by="li", options=money("2560.00"))
    world.says("customer-approved", offer="o2")

    assert world.paid == Decimal("2560.00")


def test_a_no_needs_a_reason() -> None:
    """G5: with a reason."""
    assert "reason: is required" in severe().refuses("customer-declined")


# An agent's own offer


@pytest.mark.parametrize(
    ("amount", "alone"), [("1280.00", True), ("2560.00", True), ("2560.01", False), ("12800.00", False)]
)
def test_an_agent_may_go_to_the_high_end_alone_and_a_manager_beyond(amount: str, alone: bool) -> None:
    """G4, B12: 20 % of 12,800.00 and a cent more."""
    world = severe()

    world.says("propose", by="li", options=money(amount))

    assert world.status is (Status.AWAITING_CONSENT if alone else Status.AWAITING_APPROVAL)
    assert world.offer.state is (OfferState.OPEN if alone else OfferState.AWAITING_APPROVAL)
    assert len(world.told("needs_approval")) == (0 if alone else 1)


def test_what_the_policy_does_not_grant_waits_for_a_manager() -> None:
    """G4: a gift here, of whatever worth."""
    world = severe()

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
    world = severe()

    world.says("propose", by="li", options=[{"key": "own", "remedies": [{"kind": "apology"}, {"kind": "explanation"}]}])

    assert world.status is Status.AWAITING_CONSENT


def test_parts_of_one_kind_are_added_up() -> None:
    """G4: two halves do not slip under the limit."""
    world = severe()
    halves = [{"key": "own", "remedies": money("1500.00")[0]["remedies"] * 2}]

    world.says("propose", by="li", options=halves)

    assert [str(why) for why in world.offer.over_limits] == ["own: compensation 3000.00 is over 2560.00"]


def test_nobody_may_refund_more_than_was_paid() -> None:
    """S14: manager or not."""
    world = severe()

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
    world = severe()
    parts = [*money("12000.00")[0]["remedies"], *money("800.01", kind="coupon")[0]["remedies"]]

    why = world.refuses("propose", by="li", options=[{"key": "own", "remedies": parts}])

    assert "more than the 12800.00 that even a manager may approve" in why


def test_a_managers_limit_is_for_all_offers_of_a_case_together() -> None:
    """G4: "up to this much money in all", says the policy file."""
    world = severe()
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

    why = severe().refuses("propose", by="li", options=[{"key": "own", "remedies": [remedy]}])

    assert "5 of SLATE-9 is more than was ordered" in why


def test_more_goods_than_were_ordered_are_not_offered_in_parts() -> None:
    """G4: twice 4 of 4."""
    world = open_case()
    world.says("assess", severity="moderate")
    remedy = {"kind": "replacement", "items": [{"sku": "SLATE-9", "quantity": 4}]}

    world.refuses("propose", by="li", options=[{"key": "own", "remedies": [remedy, remedy]}])


def test_two_options_need_two_keys() -> None:
    """S19: else a yes would name both."""
    assert "two have the same key" in severe().refuses("propose", by="li", options=money("1.00") * 2)


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
    assert f"{field}: " in severe().refuses("propose", by="li", options=options)


def test_a_range_of_an_agents_own_making_raises_no_limit() -> None:
    """G4: `max_amount` is the policy's word."""
    world = severe()

    world.says("propose", by="li", options=money("100.00", max_amount="99999.00"))

    assert world.options == {"own": {"compensation": {"amount": "100.00"}}}


# Approval


def over() -> World:
    """An offer that waits for a manager, asked for by li."""
    world = severe()
    world.says("propose", by="Li Ming", options=money("5000.00"))
    return world


@pytest.mark.parametrize("by", ["Li Ming", "li ming", "LI MING", "  Li Ming "])
def test_the_one_who_asked_never_approves(by: str) -> None:
    """S20: however they write their name."""
    assert "prepared offer o2: somebody else has to decide" in over().refuses("approve", by=by)
    assert "prepared offer o2: somebody else has to decide" in over().refuses("reject", by=by)


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
    assert [letter.facts["reason"]["code"] for letter in world.told("needs_offer")] == ["not_approved"]
    assert "nothing waits for one" in world.refuses("approve", by="wu")


def test_an_approval_names_who_decides_and_what() -> None:
    """S20."""
    world = over()

    assert "needs the name of who decides: by" in world.refuses("approve")
    assert "o2 waits for one" in world.refuses("approve", by="wu", approval="o1")
    assert "nothing waits for one" in severe().refuses("approve", by="wu")


def test_who_asks_for_more_than_their_limit_has_to_say_who_they_are() -> None:
    """S20: else anybody could approve it, the asker included."""
    assert "so say who proposes it: by" in severe().refuses("propose", options=money("5000.00"))


def test_eligibility_is_checked_again_when_it_is_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    """S20: other money may have gone out since it was asked for."""
    world = severe()
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


# Silence


@pytest.mark.parametrize("slip", [-SECOND, timedelta()])
def test_silence_is_broken_by_two_reminders_the_team_lead_and_the_end(slip: timedelta) -> None:
    """G5: after 24 h, 48 h, 72 h and 7 days from the offer's delivery, and not a second before."""
    world = severe()
    seen = []
    for hours in (24, 48, 72, 168):
        world.until(START + hours * HOUR + slip)
        seen.append((len(world.told("reminder")), len(world.told("silence")), world.case.outcome))

    on_time = [(1, 0, None), (2, 0, None), (2, 1, None), (2, 1, Outcome.NO_RESPONSE)]
    assert seen == (on_time if not slip else [(0, 0, None), *on_time[:3]])


def test_silence_counts_from_the_delivery_of_the_offer() -> None:
    """G5: not from when it was written."""
    world = open_case()
    world.down = {Audience.CUSTOMER}
    world.says("assess", severity="severe")
    world.after(days=3).comes_back(Audience.CUSTOMER)

    world.after(hours=24, seconds=-1)
    assert world.told("reminder") == []
    world.after(seconds=1)
    assert len(world.told("reminder")) == 1


def test_a_case_that_got_no_answer_closes_with_nothing_paid() -> None:
    """G5, G9, S21: closing needs the written rule for silence."""
    world = severe().after(days=7)

    assert (world.status, world.case.outcome) == (Status.CLOSED, Outcome.NO_RESPONSE)
    assert world.offer.state is OfferState.EXPIRED
    assert world.paid == 0


def test_the_silence_of_an_offer_that_was_answered_is_over() -> None:
    """G5, S5."""
    world = severe()
    world.says("customer-declined", reason="no")

    world.after(days=8)

    assert world.told("reminder") == []
    assert world.status is Status.ASSESSING


def test_a_new_offer_begins_a_new_silence() -> None:
    """G5."""
    world = severe().after(hours=60)
    world.says("assess", severity="minor", by="li")

    world.after(hours=24, seconds=-1)
    assert len(world.told("reminder")) == 2
    world.after(seconds=1)
    assert len(world.told("reminder")) == 3


def test_of_reminders_that_an_outage_held_up_only_the_last_is_sent() -> None:
    """G5, S8: the customer is not stormed; the team lead is told all the same."""
    world = severe().without_worker(hours=73)

    assert len(world.told("reminder")) == 1
    assert len(world.told("silence")) == 1


def test_the_reminder_names_the_day_on_which_the_case_closes() -> None:
    """G5."""
    world = severe().after(hours=24)

    closes = datetime.fromisoformat(world.told("reminder")[0].facts["closes_at"])
    assert closes == START + 7 * DAY


def expiring() -> World:
    """No answer for 7 days, while the claim against the carrier is still being filed."""
    world = open_case("transport.loss", trail=a_trail(state="lost"), answers={"carrier_claim": "silent"})
    return world.after(days=7)


def test_a_late_yes_reopens_a_case_that_is_still_expiring() -> None:
    """G5: a later yes reopens it."""
    world = expiring()
    assert (world.offer.state, world.case.outcome) == (OfferState.EXPIRED, None)

    world.says("customer-approved")

    assert world.offer.state is OfferState.ACCEPTED
    assert world.paid == Decimal("15360.00")
    world.says("step-reported", step="carrier_claim", state="done")
    assert world.status is Status.FOLLOWING_UP


def test_an_expired_case_ends_when_the_last_step_is_settled() -> None:
    """G5, G9."""
    world = expiring()

    world.says("step-reported", step="carrier_claim", state="done")

    assert (world.status, world.case.outcome) == (Status.CLOSED, Outcome.NO_RESPONSE)


def test_a_late_no_of_an_expiring_case_goes_back_to_an_agent() -> None:
    """G5."""
    world = expiring()

    world.says("customer-declined", reason="too little")
    world.says("step-reported", step="carrier_claim", state="done")

    assert world.status is Status.ASSESSING
    assert world.case.outcome is None


def test_what_was_offered_is_checked_again_when_it_is_carried_out() -> None:
    """S20, S14: other money has gone back since; the yes changes nothing, and an agent offers anew."""
    world = open_case()
    world.says("assess", severity="severe", by="li")
    world.case.paid_before = {RemedyKind.REFUND: Decimal("100.00")}

    assert "12700.00 left" in world.refuses("customer-approved")
    world.says("assess", severity="severe", by="li")
    world.says("customer-approved")

    assert world.step("refund").remedy.amount == Decimal("12700.00")
