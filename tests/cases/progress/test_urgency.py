"""A case becomes urgent, and stays so (G10, G12)."""

from datetime import timedelta
from typing import Any

import pytest

from cases.entitlement.follow_up import Earlier, follow_up
from cases.inbox.policy_move import preview
from cases.policy.policy import Policy, PromiseRule
from cases.progress.opening import open_case as opened
from cases.state.letter import Audience
from cases.views.search_attributes import search_attributes
from cases.vocabulary import PromiseName, PromiseState
from tests.cases.world import DETAIL, SECOND, START, World, building_materials, in_force, open_case, snapshot
from tests.complaints import check_complaint

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ACK = PromiseName.ACKNOWLEDGE
REASON = {"reason": "children have eaten of it", "by": "Zhao"}


def unanswered(**complaint: Any) -> World:
    """A complaint about food whose acknowledgement no channel takes yet: an hour, or ten minutes when urgent (F1)."""
    return open_case("goods.shortage", line="fresh_food", channel="app", down={Audience.CUSTOMER}, **complaint)


def hasty(**fields: Any) -> Policy:
    """A policy that promises urgent cases the detailed result in other terms."""
    policy = building_materials()
    rule = next(rule for rule in policy.promises if rule.name is DETAIL)
    others = [r for r in policy.promises if r is not rule]
    urgent = PromiseRule.model_validate({**rule.model_dump(), "urgent": True, **fields})
    return policy.model_copy(
        update={"promises": [*others, rule.model_copy(update={"urgent": False}), urgent], "version": "2026-12+hasty"}
    )


# The ladder, the queues, the search attribute


@pytest.mark.parametrize(("marked", "due"), [(False, 0.8), (True, 0.5)])
def test_a_marked_case_warns_its_owner_at_half_of_the_time(marked: bool, due: float) -> None:
    """G10."""
    world = open_case()
    if marked:
        world.says("mark-urgent", **REASON)
    at = START + due * 48 * HOUR

    assert world.until(at - SECOND).rungs(DETAIL) == []
    assert world.until(at).rungs(DETAIL) == [1]


def test_a_warning_that_is_past_when_a_case_is_marked_is_given_at_once_and_is_not_late() -> None:
    """G10, S8: nothing was down; it is due since the mark."""
    world = open_case().after(hours=30)

    world.says("mark-urgent", **REASON)
    world.until(world.now)

    (warning,) = world.case.escalations
    assert warning.due_at == START + 30 * HOUR
    assert world.letters("promise_warning")[0].facts["late"] is None


def test_a_rung_that_an_outage_held_up_keeps_its_time_when_the_case_is_marked_first() -> None:
    """S8: the mark arrives before the timers."""
    world = open_case()
    world.now = START + 49 * HOUR

    world.says("mark-urgent", **REASON)
    world.until(world.now)

    assert [(e.rung, e.due_at) for e in world.case.escalations if e.promise == DETAIL] == [
        (1, START + 24 * HOUR),
        (2, START + 48 * HOUR),
    ]


def test_a_marked_case_is_found_as_urgent_and_its_notices_say_so() -> None:
    """G10."""
    world = open_case()
    assert search_attributes(world.case)["Urgent"] is False

    assert world.says("mark-urgent", **REASON)["applied"] is True
    world.after(hours=24)

    assert search_attributes(world.case)["Urgent"] is True
    assert snapshot(world.case)["urgent"] is True
    assert world.case.notice(world.letters("promise_warning")[0]).urgent is True
    assert [(e.text, e.by) for e in world.case.timeline if e.what == "urgent"] == [(REASON["reason"], "Zhao")]


@pytest.mark.parametrize("complaint", [{}, {"urgent": True}])
def test_a_case_that_is_urgent_already_says_so_and_changes_nothing(complaint: dict[str, Any]) -> None:
    world = open_case(**complaint)
    if not complaint:
        world.says("mark-urgent", **REASON)
    entries = len(world.case.timeline)

    answer = world.says("mark-urgent", reason="again", by="Li")

    assert (answer["applied"], answer["why"]) == (False, "HL-1 is urgent already")
    assert len(world.case.timeline) == entries


def test_a_mark_needs_a_reason() -> None:
    assert "reason: is required" in open_case().refuses("mark-urgent")


def test_a_closed_case_is_not_marked() -> None:
    world = open_case()
    world.says("complaint-withdrawn")

    assert "is closed as withdrawn" in world.refuses("mark-urgent", **REASON)


# What urgent cases are promised


@pytest.mark.parametrize(
    ("minutes", "state", "due"),
    [(9, PromiseState.OPEN, START + 10 * MINUTE), (11, PromiseState.BROKEN, START + 10 * MINUTE)],
)
def test_the_stricter_promise_to_urgent_cases_counts_from_receipt(minutes: int, state: PromiseState, due: Any) -> None:
    """F1, G10: past by its terms it is broken at once, as a move to another policy would have it."""
    world = unanswered().after(minutes=minutes)
    assert world.due(ACK) == START + HOUR

    world.says("mark-urgent", **REASON)

    assert (world.state(ACK), world.due(ACK)) == (state, due)


def test_late_entered_answer_from_before_the_mark_is_judged_by_the_promise_of_that_time() -> None:
    """S9, F1."""
    world = unanswered().after(minutes=30)
    world.says("mark-urgent", **REASON)
    assert world.state(ACK) is PromiseState.BROKEN
    late = unanswered().after(minutes=8)
    late.says("mark-urgent", **REASON)

    late.says("contact-made", occurred_at=(START + 7 * MINUTE).isoformat())

    assert late.state(ACK) is PromiseState.KEPT


def test_a_promise_that_was_kept_stays_kept() -> None:
    world = open_case("goods.shortage", line="fresh_food", channel="app").after(minutes=30)

    world.says("mark-urgent", **REASON)

    assert world.state(ACK) is PromiseState.KEPT
    assert world.due(ACK) == START + HOUR


@pytest.mark.parametrize(("within", "hours"), [("12h", 12), ("96h", 48)])
def test_of_both_terms_the_stricter_counts(within: str, hours: int) -> None:
    """G10, G12: whichever falls due first."""
    world = open_case(policy=hasty(within=within)).after(hours=1)

    world.says("mark-urgent", **REASON)

    assert world.due(DETAIL) == START + hours * HOUR


def test_paused_promise_continues_by_the_stricter_terms() -> None:
    """G11: what was left of them."""
    photo = {"kind": "photo", "uri": "x"}
    food = in_force()["fresh_food"]
    rule = next(r for r in food.promises if r.name == "solution")
    urgent = rule.model_copy(update={"urgent": True, "within": "6h"})
    policy = food.model_copy(update={"promises": [*food.promises, urgent]})
    policy = policy.model_copy(
        update={"promises": [r.model_copy(update={"urgent": False}) if r is rule else r for r in policy.promises]}
    )
    world = open_case("goods.damage", line="fresh_food", policy=policy).after(hours=2)
    assert world.state("solution") is PromiseState.PAUSED

    world.says("mark-urgent", **REASON)
    world.says("evidence-received", evidence=[photo])

    assert world.due("solution") == START + 8 * HOUR


def test_a_case_that_is_marked_promises_from_then_on_what_urgent_cases_are_promised() -> None:
    """S10: in a new cycle, too."""
    world = open_case(policy=hasty(within="12h"))
    world.says("mark-urgent", **REASON)
    world.says("assess", severity="severe", by="li")
    world.says("customer-approved")
    world.after(hours=1).says("satisfaction-reported", score=1)

    assert world.due(DETAIL) == START + 13 * HOUR


# Nothing takes it back


def test_a_move_to_another_policy_leaves_a_marked_case_urgent() -> None:
    """G10, S18."""
    world = open_case()
    world.says("mark-urgent", **REASON)
    edited = hasty(within="12h")

    assert (preview(world.case, edited, world.now) or {})["promises"]
    world.moves(edited)

    assert world.case.urgent
    assert world.due(DETAIL) == START + 12 * HOUR
    assert world.continues_as_new().case.urgent


def test_a_mark_on_a_case_whose_topic_is_urgent_outlives_the_topics_urgency() -> None:
    """S18: the policy made it urgent, and then a person did."""
    food = in_force()["fresh_food"]
    calm = food.topics["goods.safety"].model_copy(update={"urgent": False})
    edited = food.model_copy(update={"topics": {**food.topics, "goods.safety": calm}, "version": "2026-12+calm"})
    marked, plain = (open_case("goods.safety", line="fresh_food") for _ in range(2))
    marked.says("mark-urgent", **REASON)

    for world in (marked, plain):
        world.moves(edited)

    assert (marked.case.urgent, plain.case.urgent) == (True, False)


@pytest.mark.parametrize(("topic", "urgent"), [("transport.damage", True), ("transport.delay", False)])
def test_what_follows_an_urgent_case_of_the_same_topic_is_urgent(topic: str, urgent: bool) -> None:
    """G12."""
    old = open_case()
    old.says("mark-urgent", **REASON)
    old.says("complaint-withdrawn")
    complaint = check_complaint(follow_up(old.case.complaint, old.now, topic=topic), old.now)

    case = opened(complaint, building_materials(), old.now, Earlier.of(snapshot(old.case)))

    assert case.urgent is urgent
