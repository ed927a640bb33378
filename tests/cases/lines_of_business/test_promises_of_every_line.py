"""What keeps the promises that only some lines of business make: F4, M1–M5, O2–O5, G7 and the clocks of a new cycle."""

from datetime import timedelta
from typing import Any

import pytest

from cases.vocabulary import Outcome, PromiseState, Status
from tests.cases.lines import FOOD, PARCEL
from tests.cases.world import START, Answer, World, a_trail, in_force, open_case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PHOTO = {"kind": "photo", "uri": "s3://e/1.jpg"}
BATCH = {"kind": "batch_number", "uri": "B20260801"}
KEPT, OPEN, BROKEN, VOID = PromiseState.KEPT, PromiseState.OPEN, PromiseState.BROKEN, PromiseState.VOID


def fresh(topic: str = "goods.damage", option: str = "replace", **answers: Answer) -> World:
    """Fresh food: upheld, and the customer has chosen."""
    world = open_case(topic, line="fresh_food", evidence=[PHOTO], answers=answers)
    world.says("assess", upheld=True, liable="delivery", by="Zhao")
    world.says("customer-approved", option=option)
    return world


def returned(line: str = "organic_food", option: str = "refund", **answers: Answer) -> World:
    """A return for its quality: upheld, and the customer has chosen."""
    world = open_case("return.quality", line=line, evidence=[PHOTO, BATCH], answers=answers)
    world.says("assess", upheld=True, by="Zhao")
    world.says("customer-approved", option=option)
    return world


# F4: made good within a day of consent


def test_it_is_made_good_when_the_goods_have_left_not_when_they_were_promised() -> None:
    """F4."""
    world = fresh().after(hours=2)
    assert world.due("make_good") == START + 24 * HOUR
    assert world.state("make_good") is OPEN

    world.says("step-reported", step="replacement", state="dispatched")

    assert world.state("make_good") is KEPT


def test_goods_that_have_not_left_after_a_day_break_it() -> None:
    """F4."""
    assert fresh().after(hours=25).state("make_good") is BROKEN


def test_with_nothing_to_send_it_is_made_good_when_the_money_is_paid() -> None:
    """F4: a refund instead."""
    assert fresh(option="refund").state("make_good") is KEPT
    assert fresh(option="refund", refund="silent").state("make_good") is OPEN


def test_wrong_goods_are_made_good_when_the_right_ones_have_left() -> None:
    """F4, F13: the return may still be on its way."""
    world = open_case("transport.wrong_goods", line="fresh_food", evidence=[PHOTO])
    world.says("assess", upheld=True, by="Zhao")
    world.says("customer-approved")

    world.says("step-reported", step="reship", state="dispatched")

    assert world.state("make_good") is KEPT


def test_the_sample_of_a_precaution_makes_nothing_good() -> None:
    """F11: it is collected for any finding."""
    world = open_case("goods.safety", line="fresh_food", evidence=[PHOTO])

    assert world.steps == {"stop_use_notice": "done", "collection": "running"}
    assert world.case.promise("make_good") is None


# F11: precautions


def test_what_is_done_at_once_is_not_done_again_by_the_offer() -> None:
    """F11: the stop-use notice and the sample are in every option they belong to, and are carried out once."""
    world = open_case("goods.safety", line="fresh_food", evidence=[PHOTO])
    world.says("assess", upheld=True, liable="supplier", by="Zhao")
    world.says("customer-approved", option="refund")

    assert sorted(world.steps) == ["collection", "compensation", "refund", "stop_use_notice"]
    assert len(world.letters("stop_use_notice")) == 1


def test_precautions_wait_for_no_evidence() -> None:
    """F11: at once, though the photos are still asked for."""
    world = open_case("goods.safety", line="fresh_food")

    assert world.steps["stop_use_notice"] == "done"
    assert world.case.status is Status.AWAITING_EVIDENCE


def test_an_urgent_case_starts_with_its_expert() -> None:
    """§3: first in every queue, owner the quality expert or the logistics manager at once."""
    food, road = (open_case(topic, line="fresh_food").case for topic in ("goods.safety", "transport.accident"))

    assert (food.urgent, food.owner) == (True, "quality_expert")
    assert (road.urgent, road.owner) == (True, "logistics_manager")


# M1–M5: call centre


def test_a_call_that_was_picked_up_in_time_is_an_answer() -> None:
    """M1: the call was answered, intake says so; imported long after."""
    world = open_case(
        "return.unwanted", line="infant_formula", opened_at=START + HOUR,
        answered_at=(START + timedelta(seconds=12)).isoformat(),
    )  # fmt: skip

    assert world.state("acknowledge") is KEPT
    assert world.promise("acknowledge").kept_at == START + timedelta(seconds=12)
    assert world.rungs("acknowledge") == []


def test_a_call_that_rang_too_long_broke_its_promise() -> None:
    """M1: kept late stays broken."""
    world = open_case(
        "return.unwanted", line="infant_formula", opened_at=START + HOUR,
        answered_at=(START + timedelta(seconds=31)).isoformat(),
    )  # fmt: skip

    assert world.state("acknowledge") is BROKEN


def test_where_intake_says_nothing_the_acknowledgement_has_to_be_that_quick() -> None:
    """M1: else G2."""
    in_time = open_case("return.unwanted", line="infant_formula", opened_at=START + timedelta(seconds=20))
    late = open_case("return.unwanted", line="infant_formula", opened_at=START + timedelta(seconds=40))

    assert (in_time.state("acknowledge"), late.state("acknowledge")) == (KEPT, BROKEN)


@pytest.mark.parametrize("line", sorted(in_force()))
@pytest.mark.parametrize("channel", ["hotline", "chat"])
@pytest.mark.parametrize(("counts", "state"), [(True, KEPT), (False, BROKEN)])
def test_picking_up_reached_the_customer_in_every_line_unless_its_policy_says_not(
    line: str, channel: str, counts: bool, state: PromiseState
) -> None:
    """G2, S32: a call or a chat that was picked up in time, registered hours later."""
    policy = in_force()[line]
    rules = [r if counts else r.model_copy(update={"picking_up_counts": False}) for r in policy.promises]
    world = open_case(
        next(t for t in policy.topics if t.endswith("delay") or t == "return.unwanted"), line=line, channel=channel,
        policy=policy.model_copy(update={"promises": rules}), opened_at=START + 30 * HOUR,
        answered_at=(START + timedelta(seconds=9)).isoformat(), order=FOOD if line != "express" else PARCEL,
        affected=None,
    )  # fmt: skip

    assert world.state("acknowledge") is state
    assert world.until(world.now).rungs("acknowledge") == ([] if counts else [2])


def test_a_sealed_tin_goes_back_within_a_week_of_delivery() -> None:
    """M11; M12: after that nothing is due, whatever anybody finds."""
    in_time, late = (
        open_case("return.unwanted", line="infant_formula", order={"delivered_at": (START - days * DAY).isoformat()})
        for days in (4, 9)
    )
    in_time.says("assess", sealed=True, by="Zhao")

    assert in_time.case.status is Status.AWAITING_CONSENT
    assert late.case.outcome is Outcome.REJECTED


def test_when_it_was_delivered_is_taken_from_the_trail_where_intake_did_not_know() -> None:
    """M11, M12, G3."""
    known, late = (
        open_case(
            "return.unwanted", line="infant_formula", trail=a_trail(state="signed", delivered_at=START - days * DAY)
        )
        for days in (4, 9)
    )
    known.says("assess", sealed=True, by="Zhao")

    assert known.options["refund"]["refund"] == {"amount": "3113.00"}
    assert late.case.outcome is Outcome.REJECTED


# O2–O5


def test_a_complaint_has_a_named_owner_within_a_day() -> None:
    """O2: a team alone is not an owner."""
    world = open_case("goods.quality", line="organic_food", evidence=[PHOTO]).after(hours=1)

    world.says("assign", team="quality")
    assert world.state("assign") is OPEN
    world.says("assign", owner="Sun")

    assert world.state("assign") is KEPT


def test_a_solution_is_kept_when_the_accepted_offer_has_been_carried_out() -> None:
    """O3: five working days; neither the offer nor the consent is enough."""
    world = open_case("goods.damage", line="organic_food", evidence=[PHOTO])
    assert world.due("solution") == START + 7 * DAY
    world.says("assess", upheld=True, liable="delivery", by="Zhao")
    world.says("customer-approved", option="replace")
    assert world.state("solution") is OPEN

    world.says("step-reported", step="replacement", state="done")

    assert world.case.status is Status.FOLLOWING_UP
    assert world.state("solution") is KEPT


def test_return_is_decided_when_the_customer_has_been_informed() -> None:
    """O4."""
    world = open_case("return.quality", line="organic_food", evidence=[PHOTO, BATCH]).after(hours=3)
    assert world.due("return_decision") == START + 24 * HOUR

    world.says("assess", upheld=True, by="Zhao")

    assert world.state("return_decision") is KEPT


def test_a_return_is_done_when_money_or_goods_are_on_their_way() -> None:
    """O5: that the old goods are booked for collection is not enough."""
    world = returned(refund="silent")
    assert world.steps["collection"] == "running"
    assert world.state("return_done") is OPEN

    world.says("step-reported", step="refund", state="done")

    assert world.state("return_done") is KEPT


def test_an_exchange_is_done_when_the_new_goods_have_left() -> None:
    """O5."""
    world = returned(option="exchange")
    assert world.state("return_done") is OPEN

    world.says("step-reported", step="replacement", state="dispatched")

    assert world.state("return_done") is KEPT


def test_where_nothing_is_due_nothing_is_owed() -> None:
    """M12, O5."""
    world = open_case("return.unwanted", line="organic_food")
    world.says("assess", sealed=False, by="Zhao")

    assert world.case.outcome is Outcome.REJECTED
    assert world.state("return_done") is VOID


@pytest.mark.parametrize("channel", ["website", "app"])
def test_a_return_that_the_customer_opened_is_a_case_by_itself(channel: str) -> None:
    """§5."""
    world = open_case("return.unwanted", line="organic_food", channel=channel)

    assert world.state("acknowledge") is KEPT
    assert world.case.status is Status.ASSESSING


# Every line


def test_a_customer_who_is_not_content_is_promised_anew_what_is_still_owed() -> None:
    """S10: an answer and its carrying out, not another acknowledgement or owner."""
    world = open_case("goods.damage", line="organic_food", evidence=[PHOTO])
    world.says("assign", owner="Sun")
    world.says("assess", upheld=True, liable="delivery", by="Zhao")
    world.says("customer-approved", option="refund")
    before = [(p.name, p.cycle, p.state) for p in world.case.promises]

    world.after(hours=5).says("satisfaction-reported", score=1)

    assert [(p.name, p.cycle, p.state) for p in world.case.promises][: len(before)] == before
    assert [p.name for p in world.case.promises if p.cycle == 2] == ["solution"]
    assert world.promise("solution").started_at == world.now


@pytest.mark.parametrize("steps", [fresh, returned])
def test_while_steps_are_open_the_customer_gets_a_daily_update(steps: Any) -> None:
    """G7, F5: in every line."""
    option = "replace" if steps is fresh else "exchange"
    world = steps(option=option).after(hours=50)

    assert len(world.letters("progress")) == 2
    assert world.state("progress_update") is OPEN
