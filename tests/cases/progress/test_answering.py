"""Inquiries are answered, and closed as informed: M14, O1, §6."""

from typing import Any

import pytest

from cases.vocabulary import Outcome, PromiseState, Status
from tests.cases.world import World, a_trail, open_case

PARCEL = {"amount": "18.00", "freight": "18.00", "items": [], "tracking_no": "SF1"}


def asked(topic: str, line: str = "express", **fields: Any) -> World:
    return open_case(topic, line=line, order=PARCEL, description="在哪里？", **fields)


@pytest.mark.parametrize("state", ["collected", "in_transit", "out_for_delivery", "signed"])
@pytest.mark.parametrize("topic", ["tracking", "inquiry"])
def test_where_a_parcel_is_is_answered_from_its_trail(topic: str, state: str) -> None:
    """§6: collected, in transit, out for delivery, signed."""
    world = asked(topic, trail=a_trail(state=state))

    assert [letter.facts["trail_state"] for letter in world.letters("answer")] == [state]
    assert world.case.outcome is Outcome.INFORMED
    assert world.case.status is Status.CLOSED


def test_a_parcel_without_a_trail_is_looked_into_by_an_agent() -> None:
    world = asked("tracking")
    assert world.case.status is Status.ASSESSING
    assert [letter.facts["missing"] for letter in world.letters("needs_assessment")] == [["cause"]]

    world.says("assess", cause="您的包裹在分拣中心，今晚送达。", by="Zhao")

    assert [letter.facts["text"] for letter in world.letters("answer")] == ["您的包裹在分拣中心，今晚送达。"]
    assert world.case.outcome is Outcome.INFORMED


def test_late_tracking_history_still_answers() -> None:
    world = asked("tracking").after(minutes=5)

    world.finds("trail", a_trail(state="out_for_delivery"))

    assert world.case.outcome is Outcome.INFORMED


def test_a_suggestion_is_thanked_for_and_routed() -> None:
    """§6: thanked, recorded, routed."""
    world = asked("suggestion")

    assert len(world.letters("answer")) == 1
    assert len(world.letters("suggestion")) == 1
    assert world.case.outcome is Outcome.INFORMED


@pytest.mark.parametrize("line", ["infant_formula", "organic_food"])
def test_an_inquiry_is_answered_in_an_agents_words(line: str) -> None:
    """M14, O1: an empty answer does not count."""
    world = open_case("inquiry", line=line, description="几段适合一岁？")
    assert world.case.status is Status.ASSESSING
    assert world.letters("answer") == []

    world.says("assess", cause="一岁以上用三段。", by="Zhao")

    assert [letter.facts["text"] for letter in world.letters("answer")] == ["一岁以上用三段。"]
    assert world.case.outcome is Outcome.INFORMED


def test_an_inquiry_gets_one_answer_and_no_offer() -> None:
    world = asked("tracking", trail=a_trail(state="signed"))

    assert world.letters("offer") == []


def test_an_inquiry_needs_no_order() -> None:
    """Contract: inquiry, tracking and suggestion need none."""
    world = open_case("inquiry", line="infant_formula", order={"items": []}, description="")

    assert world.state("acknowledge") is PromiseState.KEPT
