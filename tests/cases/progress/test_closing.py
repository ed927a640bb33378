"""A case ends on the customer's statement or on the written rule for silence: G8, G9, G12, S10, S21."""

from datetime import timedelta
from typing import Any

import pytest

from cases.state.letter import Audience
from cases.vocabulary import Outcome, PromiseState, Role, Status
from tests.cases.world import DETAIL, SECOND, START, World, a_trail, late_by, open_case

DAY = timedelta(days=1)


def carried_out(**fields: Any) -> World:
    """A severe damage, refunded: only the customer's score is missing."""
    world = open_case(**fields)
    world.says("assess", severity="severe", by="li")
    world.says("customer-approved")
    assert world.status is Status.FOLLOWING_UP
    return world


# The callback


@pytest.mark.parametrize(
    ("score", "outcome"), [(5, Outcome.SATISFIED), (4, Outcome.SATISFIED), (3, Outcome.NEUTRAL), (2, None), (1, None)]
)
def test_the_score_says_how_the_case_ends(score: int, outcome: Outcome | None) -> None:
    """G8: 4–5 satisfied, 3 neutral, 1–2 dissatisfied."""
    world = carried_out()

    world.says("satisfaction-reported", score=score, comment="…")

    assert world.case.outcome is outcome
    assert world.status is (Status.CLOSED if outcome else Status.ASSESSING)


def test_the_customer_is_asked_when_all_is_done_and_not_before() -> None:
    """G8."""
    world = open_case()
    world.says("assess", severity="moderate")
    assert "satisfaction is asked once the steps are done" in world.refuses("satisfaction-reported", score=5)
    world.says("customer-approved")
    world.says("step-reported", step="replacement", state="done")
    assert world.letters("callback") == []

    world.says("step-reported", step="collection", state="done")

    assert [letter.facts["attempt"] for letter in world.letters("callback")] == [1]


@pytest.mark.parametrize("slip", [-SECOND, timedelta()])
def test_who_does_not_answer_is_asked_three_times_a_day_apart_and_the_case_then_closes(slip: timedelta) -> None:
    """G8: as `unreachable`; both sides of each attempt."""
    world = carried_out()
    seen = []
    for days in (1, 2, 3):
        world.until(START + days * DAY + slip)
        seen.append((len(world.letters("callback")), world.case.outcome))

    on_time = [(2, None), (3, None), (3, Outcome.UNREACHABLE)]
    assert seen == (on_time if not slip else [(1, None), *on_time[:2]])


def test_a_callback_channel_that_is_down_holds_up_nothing_else() -> None:
    """S7."""
    world = open_case(down={Audience.CALLBACK})
    world.says("assess", severity="severe")
    world.says("customer-approved")

    world.says("satisfaction-reported", score=5, by="li")

    assert world.case.outcome is Outcome.SATISFIED


@pytest.mark.parametrize("score", [0, 6, 4.5, "five", None, True])
def test_a_score_is_one_to_five(score: Any) -> None:
    """G8: the refusal names the field."""
    assert "score" in carried_out().refuses("satisfaction-reported", score=score)


# Dissatisfied


def test_the_first_dissatisfied_answer_goes_to_the_team_lead_the_second_to_the_manager() -> None:
    """G8: and to the manager from then on."""
    world = carried_out()
    for _ in range(3):
        world.says("satisfaction-reported", score=2)
        world.says("assess", severity="severe", by="li")
        world.says("customer-approved")

    assert [letter.role for letter in world.letters("dissatisfied")] == [Role.TEAM_LEAD, Role.MANAGER, Role.MANAGER]
    assert [letter.facts["times"] for letter in world.letters("dissatisfied")] == [1, 2, 3]


def test_dissatisfied_customer_gets_another_offer_with_a_new_deadline() -> None:
    """G8, S10."""
    world = carried_out().after(hours=5)

    world.says("satisfaction-reported", score=1)

    assert (world.status, world.case.cycle) == (Status.ASSESSING, 2)
    assert world.due(DETAIL) == START + timedelta(hours=53)
    assert [letter.facts["reason"]["code"] for letter in world.letters("needs_offer")] == ["dissatisfied"]
    world.says("assess", severity="severe", by="li")
    assert world.promise(DETAIL).state is PromiseState.KEPT


def test_the_callbacks_of_a_new_cycle_begin_anew() -> None:
    """S10, G8: three attempts each."""
    world = carried_out().after(days=2)
    world.says("satisfaction-reported", score=1)
    world.says("assess", severity="severe", by="li")
    world.says("customer-approved")

    world.after(days=3, seconds=-1)
    assert world.case.outcome is None
    world.after(seconds=1)
    assert world.case.outcome is Outcome.UNREACHABLE


# The report


def test_the_report_says_what_was_found_done_and_paid_and_how_it_is_prevented() -> None:
    """G9."""
    world = carried_out()
    world.says("satisfaction-reported", score=5)

    report = world.letters("report")[-1].facts
    assert report["outcome"] == "satisfied"
    assert report["finding"]["severity"] == "severe"
    assert [(done["kind"], done["amount"]) for done in report["done"]] == [
        ("refund", "12800.00"),
        ("compensation", "1280.00"),
    ]
    assert report["paid"] == {"refund": "12800.00", "compensation": "1280.00", "coupon": "0.00"}
    assert "carrier" in report["prevention"]["en"]


def test_the_case_is_closed_when_its_report_has_arrived() -> None:
    """G9: not before that."""
    world = carried_out()
    world.down = {Audience.CUSTOMER}
    world.says("satisfaction-reported", score=5)
    assert world.status is not Status.CLOSED

    world.after(hours=1).comes_back(Audience.CUSTOMER)

    assert (world.status, world.case.closed_at) == (Status.CLOSED, START + timedelta(hours=1))


def test_undeliverable_report_still_closes_the_case() -> None:
    """G9, S7."""
    world = carried_out()
    world.closed = {Audience.CUSTOMER}

    world.says("satisfaction-reported", score=5)

    assert world.status is Status.CLOSED


@pytest.mark.parametrize(
    "message", ["contact-made", "customer-approved", "complaint-withdrawn", "acknowledge-escalation", "assign", "note"]
)
def test_a_closed_case_says_that_a_new_complaint_is_needed(message: str) -> None:
    """G12, S22: within 30 days."""
    world = carried_out()
    world.says("satisfaction-reported", score=5)
    needed = {"acknowledge-escalation": {"promise": "acknowledge"}, "assign": {"team": "x"}, "note": {"text": "x"}}

    why = world.refuses(message, **needed.get(message, {}))

    assert "is closed as satisfied: take it up again within 30 days" in why


def test_a_note_can_still_be_taken_while_the_report_is_on_its_way() -> None:
    """A note changes nothing; everything else is refused."""
    world = carried_out()
    world.down = {Audience.CUSTOMER}
    world.says("satisfaction-reported", score=5)

    world.says("note", text="customer called to say thanks", by="li")

    assert world.case.timeline[-1].text == "customer called to say thanks"
    assert "is closed as satisfied" in world.refuses("assign", owner="li")


def test_what_ends_owes_nothing_more() -> None:
    """G9, G10."""
    world = open_case()

    world.says("complaint-withdrawn")

    assert {p.state for p in world.case.promises} <= {PromiseState.KEPT, PromiseState.VOID}


# Withdrawal


def test_the_customer_may_withdraw_while_no_step_has_begun() -> None:
    """G12."""
    world = open_case()
    world.says("assess", severity="severe")

    world.says("complaint-withdrawn", reason="keeps it", by="wei")

    assert (world.status, world.case.outcome) == (Status.CLOSED, Outcome.WITHDRAWN)
    assert world.commands == []


def test_nobody_withdraws_once_a_step_has_begun() -> None:
    """G12: be it the claim against the carrier, be it the technician."""
    lost = open_case("transport.loss", trail=a_trail(state="lost"))
    inspected = open_case("installation.defect")

    assert "carrier_claim has begun; decline the offer instead" in lost.refuses("complaint-withdrawn")
    assert "inspection has begun" in inspected.refuses("complaint-withdrawn")


def test_an_offer_that_waits_for_approval_dies_with_the_case() -> None:
    """G12, S20."""
    world = open_case()
    world.says("propose", by="li", options=[{"key": "own", "remedies": [{"kind": "gift"}]}])

    world.says("complaint-withdrawn")

    assert "is closed as withdrawn" in world.refuses("approve", by="wu")
    assert world.commands == []


def test_a_promise_that_ran_out_before_the_case_ended_stays_broken() -> None:
    """A broken promise stays broken, also if a withdrawal is read before the timer after an outage."""
    world = open_case()
    world.now = START + timedelta(hours=49)

    world.says("complaint-withdrawn")

    assert world.state(DETAIL) is PromiseState.BROKEN


def test_what_is_done_at_once_is_asked_after_too() -> None:
    """B13, G8: a gift that needs no consent."""
    world = late_by(1)

    world.says("step-reported", step="gift", state="done")

    assert world.status is Status.FOLLOWING_UP
