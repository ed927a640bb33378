"""A case that is declared complex: the solution becomes a preliminary plan and a detailed result (F3)."""

from datetime import timedelta
from typing import Any

from cases.vocabulary import PromiseState
from tests.cases.world import START, World, open_case

HOUR = timedelta(hours=1)
PHOTO = {"kind": "photo", "uri": "s3://e/1.jpg"}


def crushed(**fields: Any) -> World:
    return open_case("goods.damage", line="fresh_food", **{"evidence": [PHOTO], **fields})


def declared(world: World, **fields: Any) -> World:
    world.says("declare-complex", reason="three suppliers are involved", by="Zhao", **fields)
    return world


def test_a_plan_and_a_result_take_the_place_of_the_solution_and_count_from_receipt() -> None:
    """F3: 24 h and 48 h from received, in place of F2."""
    world = declared(crushed().after(hours=20))

    assert world.state("solution") is PromiseState.VOID
    assert world.due("preliminary_plan") == START + 24 * HOUR
    assert world.due("detailed_result") == START + 48 * HOUR


def test_time_in_which_the_clock_stood_still_is_not_lost() -> None:
    """F3, S1."""
    world = crushed(evidence=[]).after(hours=10)
    world.says("evidence-received", evidence=[PHOTO])

    declared(world.after(hours=1))

    assert world.due("preliminary_plan") == START + 34 * HOUR
    assert world.due("detailed_result") == START + 58 * HOUR


def test_while_evidence_is_waited_for_the_new_promises_stand_still_too() -> None:
    """S2."""
    world = declared(crushed(evidence=[]).after(hours=5))
    assert world.state("preliminary_plan") is PromiseState.PAUSED

    world.after(hours=5).says("evidence-received", evidence=[PHOTO])

    assert world.due("preliminary_plan") == START + 34 * HOUR


def test_the_plan_is_kept_when_it_has_been_delivered() -> None:
    """F3."""
    world = declared(crushed().after(hours=2), plan="我们先补发，再与三家供应商核对。")

    assert world.state("preliminary_plan") is PromiseState.KEPT
    assert [letter.facts["plan"] for letter in world.letters("preliminary_plan")] == [
        "我们先补发，再与三家供应商核对。"
    ]


def test_a_plan_can_follow_the_declaration() -> None:
    world = declared(crushed().after(hours=2))
    assert world.state("preliminary_plan") is PromiseState.OPEN

    declared(world.after(hours=2), plan="the plan")

    assert world.state("preliminary_plan") is PromiseState.KEPT
    assert sum(p.name == "preliminary_plan" for p in world.case.promises) == 1


def test_findings_and_offer_keep_the_detailed_result() -> None:
    """F3."""
    world = declared(crushed().after(hours=2), plan="the plan").after(hours=30)

    world.says("assess", upheld=True, liable="delivery", by="Zhao")

    assert world.state("detailed_result") is PromiseState.KEPT


def test_what_is_declared_twice_or_too_late_is_refused() -> None:
    """F3: while F2 is open."""
    assert "was declared complex already" in declared(crushed()).refuses("declare-complex", reason="again")
    assert "is broken" in crushed().after(hours=25).refuses("declare-complex", reason="late")
    solved = crushed()
    solved.says("assess", upheld=True, liable="delivery", by="Zhao")
    assert "is kept" in solved.refuses("declare-complex", reason="solved")


def test_a_delivered_plan_is_not_replaced() -> None:
    world = declared(crushed(), plan="the plan")

    assert "was declared complex already" in world.refuses("declare-complex", reason="again", plan="another")


def test_the_ladders_of_both_are_climbed() -> None:
    """G10."""
    world = declared(crushed()).after(hours=60)

    assert world.rungs("solution") == []
    assert world.rungs("preliminary_plan") == [1, 2, 3, 4]
    assert world.rungs("detailed_result") == [1, 2]


def test_who_was_warned_of_the_solution_is_not_warned_of_the_plan_that_takes_its_place() -> None:
    """F3, S6: declared complex at 23:58 with the plan; the warning at 80 % of 24 hours was the same one."""
    world = declared(crushed().after(hours=23, minutes=58), plan="the plan")

    assert world.until(world.now).ladder == [("solution", 1, "owner")]
    assert world.state("preliminary_plan") is PromiseState.KEPT


def test_rungs_that_the_solution_had_not_reached_are_notified_for_the_plan() -> None:
    """F3, G10: from then on each promise has its own rungs; other times count as other rungs."""
    world = declared(crushed().after(hours=20)).after(hours=60)

    assert world.rungs("solution") == [1]
    assert world.rungs("preliminary_plan") == [2, 3, 4]
    assert world.rungs("detailed_result") == [1, 2, 3]


def test_warning_delayed_by_an_outage_is_sent_once() -> None:
    """F3, S8: the declaration arrives before the timer."""
    world = crushed()
    world.now += 20 * HOUR

    declared(world).until(world.now)

    assert world.ladder == [("solution", 1, "owner")]
