"""An unanswered offer is followed by two reminders, a notice to the team lead, and closing: G5."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from cases.state.letter import Audience
from cases.vocabulary import OfferState, Outcome, Status
from tests.cases.offers import offered
from tests.cases.world import SECOND, START, World, a_trail, open_case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize("slip", [-SECOND, timedelta()])
def test_silence_is_broken_by_two_reminders_the_team_lead_and_the_end(slip: timedelta) -> None:
    """G5: after 24 h, 48 h, 72 h and 7 days from the offer's delivery, and not a second before."""
    world = offered()
    seen = []
    for hours in (24, 48, 72, 168):
        world.until(START + hours * HOUR + slip)
        seen.append((len(world.letters("reminder")), len(world.letters("silence")), world.case.outcome))

    on_time = [(1, 0, None), (2, 0, None), (2, 1, None), (2, 1, Outcome.NO_RESPONSE)]
    assert seen == (on_time if not slip else [(0, 0, None), *on_time[:3]])


def test_silence_counts_from_the_delivery_of_the_offer() -> None:
    """G5: not from when it was written."""
    world = open_case()
    world.down = {Audience.CUSTOMER}
    world.says("assess", severity="severe")
    world.after(days=3).comes_back(Audience.CUSTOMER)

    world.after(hours=24, seconds=-1)
    assert world.letters("reminder") == []
    world.after(seconds=1)
    assert len(world.letters("reminder")) == 1


def test_a_case_that_got_no_answer_closes_with_nothing_paid() -> None:
    """G5, G9, S21: closing needs the written rule for silence."""
    world = offered().after(days=7)

    assert (world.status, world.case.outcome) == (Status.CLOSED, Outcome.NO_RESPONSE)
    assert world.offer.state is OfferState.EXPIRED
    assert world.paid == 0


def test_the_silence_of_an_offer_that_was_answered_is_over() -> None:
    """G5, S5."""
    world = offered()
    world.says("customer-declined", reason="no")

    world.after(days=8)

    assert world.letters("reminder") == []
    assert world.status is Status.ASSESSING


def test_a_new_offer_begins_a_new_silence() -> None:
    """G5."""
    world = offered().after(hours=60)
    world.says("assess", severity="minor", by="li")

    world.after(hours=24, seconds=-1)
    assert len(world.letters("reminder")) == 2
    world.after(seconds=1)
    assert len(world.letters("reminder")) == 3


def test_of_reminders_that_an_outage_held_up_only_the_last_is_sent() -> None:
    """G5, S8: the customer does not get several reminders at once; the team lead is still notified."""
    world = offered().without_worker(hours=73)

    assert len(world.letters("reminder")) == 1
    assert len(world.letters("silence")) == 1


def test_the_reminder_names_the_day_on_which_the_case_closes() -> None:
    """G5."""
    world = offered().after(hours=24)

    closes = datetime.fromisoformat(world.letters("reminder")[0].facts["closes_at"])
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
