"""A step that cannot be carried out is resolved by a person: retried, waived or replaced (G6, S13, S17, S28)."""

from decimal import Decimal

import pytest

from cases.state.step import Step
from cases.vocabulary import Status
from tests.cases.lines import FORMULA, TIN
from tests.cases.offers import agreed, of_kind
from tests.cases.world import Answer, World, open_case


def test_a_step_that_cannot_be_done_goes_to_a_person_and_money_that_moved_stays() -> None:
    """G6, S17: team and reason are visible."""
    world = agreed("severe", compensation="refused")

    step = world.step("compensation")
    assert (step.state, step.team, step.reason) == ("blocked", "logistics", "partner: refused")
    assert [letter.facts["step"] for letter in world.letters("step_blocked")] == ["compensation"]
    assert world.steps["refund"] == "done"
    assert world.paid == Decimal("12800.00")
    assert world.status is Status.EXECUTING


def test_only_a_blocked_step_is_resolved() -> None:
    """G6."""
    world = agreed()

    why = world.refuses("resolve-step", step="replacement", action="retry", reason="again")
    assert "is running, not blocked" in why
    why = world.refuses("resolve-step", step="refund", action="retry", reason="again")
    assert "has no step refund; it has replacement, collection" in why


@pytest.mark.parametrize(
    ("answer", "key"),
    [("refused", "HL-1/1/o1/refund/2"), ("failed", "HL-1/1/o1/refund/2"), ("down", "HL-1/1/o1/refund")],
)
def test_after_a_final_no_a_retry_has_a_new_key_and_after_an_outage_the_same(answer: Answer, key: str) -> None:
    """S13: a mere outage may have let it through."""
    world = agreed("severe", refund=answer)
    assert world.steps["refund"] == "blocked"
    world.answers["refund"] = "done"

    world.says("resolve-step", step="refund", action="retry", reason="account corrected", by="li")

    assert [command.key for command in of_kind(world, "refund")] == ["HL-1/1/o1/refund", key]
    assert world.steps["refund"] == "done"
    assert world.paid == Decimal("14080.00")


def test_keyed_by_attempt_an_outage_could_pay_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """S13, the control: the partner would take the second call for another payment."""
    monkeypatch.setattr(Step, "key", lambda step, case_id, _=None: f"{case_id}/{step.id}/{step.attempts}")
    world = agreed("severe", refund="down")

    world.says("resolve-step", step="refund", action="retry", reason="they are back", by="li")

    assert len({command.key for command in of_kind(world, "refund")}) == 2


def test_waived_step_is_not_carried_out_and_the_case_continues() -> None:
    """G6."""
    world = agreed("severe", compensation="refused")

    world.says("resolve-step", step="compensation", action="waive", reason="the customer does not want it", by="li")

    assert world.steps == {"refund": "done", "compensation": "waived"}
    assert world.status is Status.FOLLOWING_UP
    assert world.paid == Decimal("12800.00")


def test_a_replaced_step_takes_what_depends_on_it_along_and_brings_another_offer() -> None:
    """G6, S28: nothing was sent, so nothing is collected, and satisfaction is not asked for."""
    world = agreed(replacement="refused")
    assert world.steps == {"replacement": "blocked", "collection": "waiting"}

    world.says("resolve-step", step="replacement", action="replace", reason="out of stock", by="li")

    assert world.steps == {"replacement": "waived", "collection": "waived"}
    assert str(world.step("collection").reason) == "replacement, which it depends on, was waived"
    assert of_kind(world, "collection") == []
    assert world.status is Status.ASSESSING
    assert [letter.facts["reason"]["code"] for letter in world.letters("needs_offer")] == ["step_replaced"]
    world.says("assess", severity="severe", by="li")
    assert world.offer.id == "o2"


def test_where_nothing_of_an_offer_was_carried_out_another_one_is_needed() -> None:
    """S28."""
    world = agreed(replacement="refused")

    world.says("resolve-step", step="replacement", action="waive", reason="out of stock", by="li")

    assert world.steps == {"replacement": "waived", "collection": "waived"}
    assert world.status is Status.ASSESSING
    assert world.case.callbacks == 0
    assert [letter.facts["reason"]["code"] for letter in world.letters("needs_offer")] == ["nothing_carried_out"]


def test_a_replaced_step_brings_another_offer_once_the_rest_is_done() -> None:
    """G6: steps that do not depend on it continue."""
    world = agreed("severe", compensation="refused", refund="accepted")

    world.says("resolve-step", step="compensation", action="replace", reason="another account", by="li")
    assert world.letters("needs_offer") == []
    world.says("step-reported", step="refund", state="done")

    assert world.steps == {"refund": "done", "compensation": "waived"}
    assert world.status is Status.ASSESSING


@pytest.mark.parametrize("action", ["waive", "replace"])
def test_money_that_waited_for_a_step_that_was_waived_is_not_paid(action: str) -> None:
    """S28: the offer that takes its place says what is paid."""
    world = agreed("minor", onsite_repair="failed")

    world.says("resolve-step", step="onsite_repair", action=action, reason="done by the customer", by="li")

    assert world.steps == {"coupon": "waived", "onsite_repair": "waived"}
    assert world.paid == 0
    assert world.status is Status.ASSESSING


def test_person_can_still_have_dependents_of_a_waived_step_carried_out() -> None:
    """S28, S17."""
    world = agreed("minor", onsite_repair="failed")
    resolved = {"step": "onsite_repair", "action": "waive", "reason": "done by the customer", "by": "li"}

    world.says("resolve-step", **resolved, dependents="carry_out")

    assert world.steps == {"coupon": "done", "onsite_repair": "waived"}
    assert world.status is Status.FOLLOWING_UP


def returned(**answers: Answer) -> World:
    """A return of faulty goods: they are collected while their price is refunded (M10)."""
    world = open_case("return.quality", line="infant_formula", order=FORMULA, affected=TIN, answers=answers)
    world.says("assess", upheld=True, by="li")
    world.says("customer-approved", option="refund")
    return world


WAIVED = {"step": "refund", "action": "waive", "reason": "paid in cash", "by": "li"}


@pytest.mark.parametrize("collection", ["accepted", "done"])
def test_a_refund_is_not_waived_while_its_goods_are_collected(collection: Answer) -> None:
    """M10, S28: the refusal names the ways out."""
    world = returned(refund="refused", collection=collection)

    refusal = world.refuses("resolve-step", **WAIVED)

    assert "without refund the customer gets nothing for it" in refusal
    assert world.steps["refund"] == "blocked"


def test_a_refund_is_waived_once_nothing_is_collected_or_a_person_says_otherwise() -> None:
    """M10, S28."""
    cancelled, insisted = (returned(refund="refused", collection="accepted") for _ in range(2))

    cancelled.says("step-reported", step="collection", state="failed", by="logistics")
    cancelled.says("resolve-step", **WAIVED)
    insisted.says("resolve-step", **WAIVED, dependents="carry_out")

    assert cancelled.steps == {"collection": "blocked", "refund": "waived"}
    assert insisted.steps["refund"] == "waived"


def test_a_refund_that_another_offer_replaces_leaves_its_collection_under_way() -> None:
    """M10, G6: the other offer says what is given for the goods."""
    world = returned(refund="refused", collection="accepted")

    world.says("resolve-step", **{**WAIVED, "action": "replace"})

    assert world.steps["refund"] == "waived"
    assert str(world.case.needs_offer) == "refund is to be replaced"


def test_the_offer_that_was_accepted_last_is_the_one_that_counts() -> None:
    """G6, B17: the one before it was replaced."""
    world = agreed(replacement="refused")
    world.says("resolve-step", step="replacement", action="replace", reason="out of stock", by="li")
    world.says("assess", severity="severe", by="li")
    world.says("customer-approved", option="refund")

    assert world.case.accepted is not None
    assert world.case.accepted.id == "o2"
