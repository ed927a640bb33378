"""What the outcome of a call means for a step, also when a report has overtaken it: S13, S25, S26."""

from datetime import timedelta

import pytest

from cases.partner_calls import Receipt, ReceiptState
from cases.progress.call_outcomes import (
    CONTRADICTIONS,
    NUMBERS,
    CallOutcome,
    Found,
    Refused,
    Then,
    Try,
    TryAgain,
    Unknown,
    cleared_up,
    earlier_found,
    outcome,
    reports_cleared_up,
)
from cases.progress.carrying_out import take_contradictions
from tests.cases.offers import agreed
from tests.cases.world import World

DONE = Receipt(reference="P-1", state=ReceiptState.DONE)
ACCEPTED = Receipt(reference="P-1", state=ReceiptState.ACCEPTED)
FAILED = Receipt(reference="P-1", state=ReceiptState.FAILED)
FAILURES: list[CallOutcome] = [Refused("no"), TryAgain("down"), Unknown("timed out")]


def paying() -> tuple[World, Try]:
    """A coupon has been sent to its partner, which has not answered yet."""
    world = agreed("minor", coupon="silent")
    return world, Try.begin(world.case, world.step("coupon"), world.now)


def came_of(world: World, tried: Try, result: CallOutcome) -> Then:
    return outcome(world.case, tried, result, world.now)


@pytest.mark.parametrize(
    ("result", "state", "then"),
    [
        (Found(DONE), "done", Then.NOTHING),
        (Refused("no"), "blocked", Then.NOTHING),
        (TryAgain("down"), "blocked", Then.NOTHING),
        (Unknown("timed out"), "unknown", Then.ASK),
        (Refused("gone beyond", later_try=3), "running", Then.START_OVER),
    ],
)
def test_outcome_of_a_call_sets_the_state_of_the_step_and_the_next_call(
    result: CallOutcome, state: str, then: Then
) -> None:
    """S13, S25."""
    world, tried = paying()

    assert came_of(world, tried, result) is then

    assert tried.step.state == state


def test_only_a_final_no_frees_the_next_key() -> None:
    """S13: after an outage the same key is used again."""
    numbers = {}
    for result in FAILURES:
        world, tried = paying()
        came_of(world, tried, result)
        numbers[type(result)] = tried.step.number

    assert numbers == {Refused: 2, TryAgain: 1, Unknown: 1}


def test_step_unknown_to_its_partner_is_sent_again_until_the_key_may_be_forgotten() -> None:
    """S13: afterwards a person looks."""
    world, tried = paying()
    came_of(world, tried, Unknown("timed out"))

    assert came_of(world, tried, Found(None)) is Then.SEND

    world.now = tried.send_until - timedelta(seconds=1)
    assert came_of(world, tried, Found(None)) is Then.SEND
    world.now = tried.send_until
    assert came_of(world, tried, Found(None)) is Then.NOTHING
    assert (tried.step.state, tried.step.number, tried.step.uncertain) == ("blocked", 1, True)


@pytest.mark.parametrize("result", FAILURES)
def test_failed_call_undoes_no_report_that_came_meanwhile(result: CallOutcome) -> None:
    """S13, S26: a refusal contradicts it; after another failure the number is asked for."""
    world, tried = paying()
    world.says("step-reported", step="coupon", state="done", by="wang")

    then = came_of(world, tried, result)

    assert then is (Then.CLEAR_UP if isinstance(result, Refused) else Then.ASK)
    assert tried.step.state == ("unknown" if isinstance(result, Refused) else "done")


def test_failed_call_changes_nothing_once_the_step_was_retried() -> None:
    """S26."""
    world, tried = paying()
    world.says("step-reported", step="coupon", state="failed")
    world.says("resolve-step", step="coupon", action="retry", reason="once more")
    before = world.case.model_dump()

    results: list[CallOutcome] = [*FAILURES, Found(DONE), Found(None)]
    assert {came_of(world, tried, result) for result in results} == {Then.NOTHING}
    assert world.case.model_dump() == before


def test_an_answer_that_contradicts_a_report_is_cleared_up_under_the_key_of_that_try() -> None:
    """S26: the report has freed the next key."""
    world, tried = paying()
    world.says("step-reported", step="coupon", state="failed")
    assert tried.step.number == 2

    assert came_of(world, tried, Found(DONE)) is Then.CLEAR_UP

    assert (tried.step.number, tried.step.state) == (1, "unknown")


@pytest.mark.parametrize(
    ("found", "state", "contested"), [(DONE, "done", False), (FAILED, "blocked", True), (None, "blocked", True)]
)
def test_a_contradiction_is_settled_by_the_partners_records_else_by_a_person(
    found: Receipt | None, state: str, *, contested: bool
) -> None:
    """S26, S27."""
    world, tried = paying()
    world.says("step-reported", step="coupon", state="failed")
    came_of(world, tried, Found(DONE))

    cleared_up(world.case, tried, found, world.now)

    assert (tried.step.state, tried.step.contested) == (state, contested)
    assert bool(world.case.disputed) is contested


@pytest.mark.parametrize(
    ("found", "state", "contested"),
    [(DONE, "done", False), (ACCEPTED, "blocked", True), (FAILED, "blocked", True), (None, "blocked", True)],
)
def test_reports_that_contradict_each_other_are_settled_by_the_partners_records_else_by_a_person(
    found: Receipt | None, state: str, *, contested: bool
) -> None:
    """S26: reported as failed, then as done; it is asked once, and counts as taken meanwhile."""
    world, tried = paying()
    world.says("step-reported", step="coupon", state="failed")
    world.says("step-reported", step="coupon", state="done")
    assert take_contradictions(world.case) == [tried.step]
    assert tried.step.counts

    reports_cleared_up(world.case, tried.step, tried.step.number, found, world.now)

    assert (tried.step.state, tried.step.contested) == (state, contested)
    assert take_contradictions(world.case) == []


def test_what_a_person_has_decided_is_not_undone_by_the_partners_records() -> None:
    """S26: the step was tried again while its partner was asked."""
    world, tried = paying()
    world.says("step-reported", step="coupon", state="failed")
    world.says("step-reported", step="coupon", state="done")
    number = tried.step.number
    world.says("resolve-step", step="coupon", action="retry", reason="another account", by="li")
    before = tried.step.model_copy(deep=True)

    reports_cleared_up(world.case, tried.step, number, DONE, world.now)

    assert tried.step == before


def test_cases_that_are_older_than_a_rule_continue_without_it() -> None:
    """S26, S27: their histories know of no such call."""
    world, tried = paying()
    world.says("step-reported", step="coupon", state="done", by="wang")

    thens = {
        outcome(world.case, tried, result, world.now, lambda rule: rule not in {CONTRADICTIONS, NUMBERS})
        for result in FAILURES
    }

    assert thens == {Then.NOTHING}
    assert tried.step.reference == "wang"


@pytest.mark.parametrize(
    ("found", "then", "number", "state"),
    [(DONE, Then.NOTHING, 1, "done"), (FAILED, Then.SEND, 2, "unknown"), (None, Then.SEND, 2, "unknown")],
)
def test_what_was_done_under_an_earlier_key_is_the_outcome(
    found: Receipt | None, then: Then, number: int, state: str
) -> None:
    """S25."""
    world, tried = paying()
    step = tried.step
    came_of(world, tried, Unknown("timed out"))
    step.number = 2

    assert earlier_found(world.case, step, step.attempts, 1, found, world.now) is then

    assert (step.number, step.state) == (number, state)


@pytest.mark.parametrize(("found", "then"), [(FAILED, Then.RELEASE), (None, Then.NOTHING)])
def test_an_earlier_key_that_is_contested_is_released_only_on_its_partners_word(
    found: Receipt | None, then: Then
) -> None:
    """S26, S27."""
    world, tried = paying()
    step = tried.step
    came_of(world, tried, Unknown("timed out"))
    step.number, step.disputed = 2, [1]

    assert earlier_found(world.case, step, step.attempts, 1, found, world.now) is then

    assert step.contested is (found is None)
