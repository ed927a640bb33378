"""A step runs once, through any failure, and money waits for what can fail: G6, S13, S14, S17."""

from decimal import Decimal

from cases.state.letter import Audience
from cases.vocabulary import Outcome, Status
from tests.cases.offers import agreed, of_kind
from tests.cases.world import building_materials, late_by, open_case

# Order


def test_the_old_goods_are_collected_only_after_the_new_ones_have_left() -> None:
    """G6, B11: accepted is not left."""
    world = agreed()
    assert world.steps == {"replacement": "running", "collection": "waiting"}

    world.says("step-reported", step="replacement", state="dispatched")

    assert world.steps == {"replacement": "dispatched", "collection": "running"}


def test_money_waits_for_the_visit_that_can_fail() -> None:
    """S17, B10: no crew, no coupon yet."""
    world = agreed("minor", onsite_repair="failed")

    assert world.steps == {"coupon": "waiting", "onsite_repair": "blocked"}
    assert world.paid == 0


def test_money_goes_out_when_the_crew_has_taken_it_on() -> None:
    """S17, B10: it need not be over."""
    world = agreed("minor")

    assert world.steps == {"coupon": "done", "onsite_repair": "running"}


def test_the_money_of_a_reinstallation_waits_for_its_crew() -> None:
    """S17, B18."""
    world = agreed("severe", "installation.defect", reinstallation="silent")
    assert world.steps == {"reinstallation": "running", "compensation": "waiting"}

    world.says("step-reported", step="reinstallation", state="dispatched")

    assert world.steps == {"reinstallation": "dispatched", "compensation": "done"}


def test_the_money_of_another_offer_waits_for_the_crew_that_was_sent_at_once() -> None:
    """S17, B18: li raised the money, the crew of the first offer has not answered yet."""
    world = open_case("installation.defect", looked_up=False, answers={"reinstallation": "silent"})
    world.says("assess", severity="severe", by="li")
    more = {"kind": "compensation", "amount": "1280.00"}
    world.says(
        "propose", by="li", options=[{"key": "own", "remedies": [{"kind": "reinstallation", "at_once": True}, more]}]
    )

    world.says("customer-approved")

    assert world.steps == {"reinstallation": "running", "compensation": "waiting"}


def test_what_does_not_depend_on_each_other_runs_side_by_side() -> None:
    """G6, B12."""
    world = agreed("severe", refund="silent")

    assert world.steps == {"refund": "running", "compensation": "done"}


# What is asked of a partner


def test_a_command_says_all_that_the_partner_needs() -> None:
    """G6, S13: with the key `case/cycle/offer/step`."""
    world = agreed()

    command = world.commands[0]
    assert command.key == "HL-1/1/o1/replacement"
    assert (command.order_id, command.address, command.contact.name) == ("SO-88121", "1 Example Road", "Wei Li")
    assert [(item.sku, item.quantity) for item in command.items] == [("SLATE-9", 1)]


def test_every_step_has_a_unique_key_over_all_cycles() -> None:
    """S13: a second, rightful payment is not taken for the first."""
    world = agreed("severe")
    world.says("satisfaction-reported", score=1)
    world.says("assess", severity="severe", by="li")
    world.says("customer-approved")

    keys = [command.key for command in world.commands]
    assert keys == ["HL-1/1/o1/refund", "HL-1/1/o1/compensation", "HL-1/2/o2/compensation-2"]


# Never more than was paid (S14)


def test_over_several_offers_no_more_is_refunded_than_was_paid() -> None:
    """S14: the second full refund is none."""
    world = agreed("severe")
    for _ in range(2):
        world.says("satisfaction-reported", score=2)
        world.says("assess", severity="severe", by="li")
        world.says("customer-approved")

    assert [command.amount for command in of_kind(world, "refund")] == [Decimal("12800.00")]
    assert world.case.refunded == Decimal("12800.00")


def test_a_part_that_was_refunded_leaves_only_the_rest() -> None:
    """S14, S16: the last part takes the remainder."""
    world = open_case()
    world.says("propose", by="wu", options=[{"key": "part", "remedies": [{"kind": "refund", "amount": "12799.99"}]}])
    world.says("approve", by="he")
    world.says("customer-approved")
    world.says("satisfaction-reported", score=1)

    world.says("assess", severity="severe", by="li")

    assert world.options["refund"]["refund"] == {"amount": "0.01"}


def test_money_out_is_what_the_accepted_offers_say() -> None:
    """G4: declined, replaced and unanswered offers pay nothing."""
    world = late_by(6)
    world.says("customer-declined", reason="no")
    world.says("assess", days_late=9, by="li")
    world.says("customer-approved", option="wait")

    accepted = [o for offer in world.case.offers for o in offer.options if o.key == offer.accepted]
    assert (
        world.paid
        == sum((r.amount or Decimal(0) for o in accepted for r in o.remedies), Decimal(0))
        == Decimal("1152.00")
    )


# Repeated at once


def test_a_gift_is_sent_once_though_two_offers_promise_it() -> None:
    """G6, B13, B19: the finding was only refined while it was on its way."""
    world = open_case("installation.delay", answers={"appointment": "silent"})
    world.says("assess", days_late=1, by="li")

    assert world.steps == {"explanation": "done", "appointment": "running", "gift": "running"}
    assert "is executing" in world.refuses("assess", days_late=2, by="li")


def test_three_visits_at_most_and_then_the_installation_is_redone() -> None:
    """B17: again until the customer is content, at most 3 visits, then B18."""
    world = open_case("installation.defect")
    world.says("step-reported", step="inspection", state="done", finding={"severity": "minor"})

    for visit in ("rectification", "rectification-2", "rectification-3"):
        assert world.offer.rule == "B17"
        world.says("step-reported", step=visit, state="done")
        world.says("satisfaction-reported", score=1)

    assert world.offer.rule == "B18"
    assert world.steps["reinstallation"] == "running"
    assert len(of_kind(world, "rectification")) == 3


def test_there_are_at_most_three_visits_for_any_source_of_the_finding() -> None:
    """B17: the agent's first judgement is overtaken by what happened."""
    world = open_case("installation.defect", looked_up=False)
    world.says("assess", severity="minor", by="li")

    for visit in ("rectification", "rectification-2", "rectification-3"):
        world.says("step-reported", step=visit, state="done")
        world.says("satisfaction-reported", score=1)

    assert world.offer.rule == "B18"


def test_the_visits_end_when_the_customer_is_content() -> None:
    """B17."""
    world = open_case("installation.defect", looked_up=False)
    world.says("assess", severity="minor", by="li")
    world.says("step-reported", step="rectification", state="done")

    world.says("satisfaction-reported", score=4)

    assert (world.status, world.case.outcome) == (Status.CLOSED, Outcome.SATISFIED)


def test_a_policy_that_allows_one_visit_sends_one() -> None:
    """B17: the number is the policy's, not the program's."""
    policy = building_materials()
    rules = [r.model_copy(update={"repeat_at_most": 1}) if r.repeat_at_most else r for r in policy.remedies]
    world = open_case("installation.defect", policy=policy.model_copy(update={"remedies": rules}))
    world.says("step-reported", step="inspection", state="done", finding={"severity": "minor"})
    world.says("step-reported", step="rectification", state="done")

    world.says("satisfaction-reported", score=1)

    assert world.offer.rule == "B18"


# Continue-as-new


def test_steps_continue_in_a_new_run_under_the_same_keys() -> None:
    """S13: a crash or a new run sends nothing twice."""
    world = agreed().continues_as_new()
    world.attend()
    assert len(world.commands) == 1

    world.says("step-reported", step="replacement", state="dispatched")

    assert [command.key for command in world.commands] == ["HL-1/1/o1/replacement", "HL-1/1/o1/collection"]


def test_words_are_steps_too_and_done_when_they_have_arrived() -> None:
    """G6, B14."""
    world = late_by(4)
    world.says("customer-approved")

    assert world.steps == {"explanation": "done", "compensation": "done"}
    assert world.status is Status.FOLLOWING_UP


def test_words_that_no_channel_takes_block_their_step() -> None:
    """G6, S7."""
    world = late_by(4)
    world.closed = {Audience.CUSTOMER}

    world.says("customer-approved")

    assert world.steps == {"explanation": "blocked", "compensation": "done"}
