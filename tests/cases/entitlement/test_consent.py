"""Nothing is carried out before the customer's yes: G4, G5, S19."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from cases.inbox import facts
from cases.state.case import Case
from cases.state.offer import Offer
from cases.vocabulary import OfferState, RemedyKind, Status
from tests.cases.offers import money, offered
from tests.cases.world import START, a_trail, late_by, open_case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


# Consent


def test_nothing_is_carried_out_before_the_customers_yes() -> None:
    """G5."""
    world = offered().after(days=3)

    assert world.steps == {}
    assert world.commands == []


def test_the_yes_begins_what_the_option_says() -> None:
    """G5, B12: in two legs (S14)."""
    world = offered()

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


def test_approval_of_an_old_offer_is_refused_with_the_current_one() -> None:
    """S19."""
    world = offered()
    world.says("assess", severity="minor", by="li")

    why = world.refuses("customer-approved", offer="o1")

    assert "o1 is not the current one: that is o2, repair" in why
    assert world.case.offers[0].state is OfferState.REPLACED


def test_without_that_guard_an_approval_of_the_refund_would_bring_the_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    """S19, the control: the customer agreed to something other than what would be done."""
    world = offered()
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
    world = offered()
    world.says("customer-approved")

    assert "is accepted" in world.refuses("customer-approved", offer="o1")
    assert "chosen: refund" in world.refuses("customer-approved", offer="o1")


def test_nobody_can_agree_before_there_is_an_offer() -> None:
    """G5."""
    assert "has made no offer yet" in open_case().refuses("customer-approved")


def test_a_finding_that_takes_the_ground_from_an_offer_takes_the_offer_back() -> None:
    """S19: it is not lost after all, and how late it is is still unknown; the full refund must not be available."""
    world = open_case("transport.loss", trail=a_trail(state="lost"))

    world.says("assess", lost=False, by="li")
    assert world.status is Status.ASSESSING

    world.refuses("customer-approved", offer="o1")


def test_nobody_agreed_before_the_offer_was_made() -> None:
    """S9, B4: an approval dated back to the first minute would turn a late result into a kept one."""
    world = open_case().after(hours=50)
    world.says("assess", severity="severe")

    world.refuses("customer-approved", occurred_at=(START + HOUR).isoformat())


# No


def test_a_declined_offer_goes_back_to_an_agent_with_the_reason() -> None:
    """G5."""
    world = offered()

    world.says("customer-declined", reason="I want a new slab", wish="replace")

    assert (world.status, world.offer.state) == (Status.ASSESSING, OfferState.DECLINED)
    assert world.steps == {}
    assert [letter.facts["reason"]["code"] for letter in world.letters("needs_offer")] == ["declined"]
    assert any("I want a new slab" in entry.text for entry in world.case.timeline)
    assert "there is nothing to answer" in world.refuses("customer-approved", offer="o1")


def test_a_declined_offer_is_followed_by_another_that_can_be_accepted() -> None:
    """G5, G4."""
    world = offered()
    world.says("customer-declined", reason="too little")

    world.says("propose", by="li", options=money("2560.00"))
    world.says("customer-approved", offer="o2")

    assert world.paid == Decimal("2560.00")


def test_decline_needs_a_reason() -> None:
    """G5: with a reason."""
    assert "reason: is required" in offered().refuses("customer-declined")


# Silence


def test_what_was_offered_is_checked_again_when_it_is_carried_out() -> None:
    """S20, S14: other money has been refunded since; the approval changes nothing, and an agent makes a new offer."""
    world = open_case()
    world.says("assess", severity="severe", by="li")
    world.case.paid_before = {RemedyKind.REFUND: Decimal("100.00")}

    assert "12700.00 left" in world.refuses("customer-approved")
    world.says("assess", severity="severe", by="li")
    world.says("customer-approved")

    assert world.step("refund").remedy.amount == Decimal("12700.00")
