"""A promise is judged by the earliest fact that keeps it, in any order of entry (S32)."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.state.letter import Audience
from cases.state.promise import Promise
from cases.vocabulary import PromiseName, PromiseState
from tests.cases.state.test_promise_ledger import AT, promised
from tests.cases.world import ACK, DETAIL, DISPATCH, PROGRESS, START, World, in_force, open_case

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
KEPT, BROKEN, OPEN, VOID = PromiseState.KEPT, PromiseState.BROKEN, PromiseState.OPEN, PromiseState.VOID
PHOTO = {"kind": "photo", "uri": "s3://e/1.jpg"}
WORTH = {"kind": "proof_of_value", "uri": "s3://e/2.pdf"}


def reached(world: World, **after: float) -> World:
    """An agent enters that they reached the customer so long after receipt."""
    world.says("contact-made", by="li", occurred_at=(START + timedelta(**after)).isoformat())
    return world


# A first answer


def test_a_call_five_minutes_after_receipt_keeps_what_a_letter_two_hours_later_had_broken() -> None:
    """S32: entered 2 h late; the escalation stays and has a remark."""
    world = open_case(opened_at=START + 2 * HOUR)
    world.until(world.now)
    assert (world.state(ACK), world.rungs(ACK)) == (BROKEN, [2])

    reached(world, minutes=5)

    promise = world.promise(ACK)
    assert (promise.state, promise.kept_at) == (KEPT, START + 5 * MINUTE)
    assert promise.segments[-1].ran_until == START + 5 * MINUTE
    remark = world.case.escalations[0].remark
    assert world.rungs(ACK) == [2]
    assert remark is not None
    assert (START + 5 * MINUTE).isoformat() in remark


@pytest.mark.parametrize(("seconds", "state"), [(600, KEPT), (601, BROKEN)])
def test_an_earlier_fact_that_was_late_itself_leaves_it_broken(seconds: int, state: PromiseState) -> None:
    """S32: both sides of ten minutes."""
    world = open_case(opened_at=START + 2 * HOUR)

    reached(world, seconds=seconds)

    assert (world.state(ACK), world.promise(ACK).kept_at) == (state, START + timedelta(seconds=seconds))


def test_a_later_fact_changes_nothing() -> None:
    """S32: whenever it is entered."""
    world = reached(open_case(down={Audience.CUSTOMER}), seconds=0).after(minutes=30)
    before = world.promise(ACK).model_copy(deep=True)

    reached(world, minutes=20).comes_back(Audience.CUSTOMER)

    assert world.promise(ACK) == before


@given(minutes=st.permutations([3, 9, 11, 25, 90]))
def test_the_order_in_which_facts_are_entered_does_not_matter(minutes: list[int]) -> None:
    """S32."""
    world = open_case(down={Audience.CUSTOMER}, opened_at=START + 2 * HOUR)

    for each in minutes:
        reached(world, minutes=each)

    assert (world.state(ACK), world.promise(ACK).kept_at) == (KEPT, START + 3 * MINUTE)


def test_an_owner_who_was_named_earlier_than_was_entered() -> None:
    """S32, O2: 24 hours."""
    world = open_case("goods.damage", line="organic_food", evidence=[PHOTO]).after(hours=30)
    world.says("assign", owner="Wang", by="li")
    assert world.state("assign") is BROKEN

    world.says("assign", owner="Wang", by="li", occurred_at=(START + 20 * HOUR).isoformat())

    assert (world.state("assign"), world.promise("assign").kept_at) == (KEPT, START + 20 * HOUR)


# What has lapsed, other terms, other cycles


def test_a_fact_from_before_a_promise_lapsed_keeps_it_and_a_later_one_does_not() -> None:
    """S9, S32: nothing was owed any more when the later one happened."""
    earlier, later = promised(), promised()
    for promise in (earlier, later):
        promise.lapse(AT + 10 * HOUR)

    earlier.keep(AT + 9 * HOUR)
    later.keep(AT + 10 * HOUR)

    assert (earlier.state, earlier.kept_at) == (KEPT, AT + 9 * HOUR)
    assert (later.state, later.kept_at) == (VOID, None)


def test_an_earlier_fact_is_judged_by_the_terms_of_its_time() -> None:
    """S18, S32: first two hours were allowed, then one."""
    policy = in_force()["building_materials"]

    def within(text: str) -> Any:
        rules = [r.model_copy(update={"within": text}) if r.name == ACK else r for r in policy.promises]
        return policy.model_copy(update={"promises": rules, "version": text})

    world = open_case(down={Audience.CUSTOMER}, policy=within("2h")).after(minutes=90)
    world.moves(within("1h"))
    world.after(hours=2).comes_back(Audience.CUSTOMER)
    assert world.state(ACK) is BROKEN

    reached(world, minutes=80)

    assert world.state(ACK) is KEPT


def test_a_fact_of_the_first_cycle_corrects_the_first_cycle() -> None:
    """S10, S32: a past cycle changes by what happened in it alone."""
    world = open_case().after(hours=50)
    world.says("assess", severity="severe")
    offer = world.offer
    world.says("customer-approved")
    world.says("satisfaction-reported", score=1)
    first, second = (p for p in world.case.promises if p.name == DETAIL)
    assert (first.state, second.state) == (BROKEN, OPEN)

    from cases.progress.offering import offer_delivered  # noqa: PLC0415 (a letter of the first cycle that reports late)

    offer_delivered(world.case, offer, START + 40 * HOUR)

    assert (first.state, first.kept_at) == (KEPT, START + 40 * HOUR)
    assert (second.state, second.kept_at) == (OPEN, None)


def test_only_the_escalations_of_the_promise_that_was_kept_have_the_remark() -> None:
    """S9, S32: the daily update is promised again and again in one cycle."""
    world = open_case(answers={"replacement": "silent"})
    world.says("assess", severity="moderate")
    world.says("customer-approved")
    for _ in range(2):
        world.down = {Audience.CUSTOMER}
        world.after(hours=25)
        world.comes_back(Audience.CUSTOMER)
    first = next(p for p in world.case.promises if p.name == PROGRESS)

    world.case.keep(first.kept_by, START + 23 * HOUR)

    mine = [e for e in world.case.escalations if e.promise == PROGRESS]
    assert [(e.rung, e.remark is not None) for e in mine] == [(1, False), (2, True), (1, False), (2, False)]


# Steps


def test_a_crew_that_had_left_earlier_than_was_entered() -> None:
    """B3, S32: reported done at 30 h; then it is entered that it had been dispatched at 20 h."""
    world = open_case("installation.defect")
    world.says("assess", severity="severe", by="Zhao")
    world.after(hours=30).says("step-reported", step="reinstallation", state="done")
    assert world.state(DISPATCH) is BROKEN

    world.says("step-reported", step="reinstallation", state="dispatched", occurred_at=(START + 20 * HOUR).isoformat())

    assert (world.state(DISPATCH), world.promise(DISPATCH).kept_at) == (KEPT, START + 20 * HOUR)
    assert world.steps["reinstallation"] == "done"


def test_second_report_on_a_step_that_is_no_earlier_is_refused() -> None:
    """S32: it says nothing new."""
    world = open_case("installation.defect")
    world.says("assess", severity="severe", by="Zhao")
    world.after(hours=3).says("step-reported", step="reinstallation", state="dispatched")

    assert "dispatched already" in world.refuses("step-reported", step="reinstallation", state="dispatched")


def test_what_is_carried_out_is_judged_by_its_last_step_in_whatever_order_they_are_entered() -> None:
    """O3, S32: goods left and were collected; the later one was entered first."""
    world = open_case("return.quality", line="organic_food", evidence=[PHOTO, {"kind": "batch_number", "uri": "B1"}])
    world.says("assess", upheld=True, by="Zhao")
    world.says("customer-approved", option="exchange")
    goods, way_back = "replacement", "collection"
    world.says("step-reported", step=goods, state="dispatched")
    world.after(hours=40).says(
        "step-reported", step=way_back, state="done", occurred_at=(START + 30 * HOUR).isoformat()
    )

    world.says("step-reported", step=goods, state="done", occurred_at=(START + 10 * HOUR).isoformat())

    assert world.promise("solution").kept_at == START + 30 * HOUR


# Evidence


def test_evidence_that_came_earlier_than_was_entered_lets_the_clock_run_from_then() -> None:
    """G11, S32: entered at 20 h, then it turns out that it had come at 6 h."""
    world = open_case("goods.damage", line="fresh_food").after(hours=20)
    world.says("evidence-received", evidence=[PHOTO])
    assert world.due("solution") == START + 44 * HOUR

    world.says("evidence-received", evidence=[PHOTO], occurred_at=(START + 6 * HOUR).isoformat())

    assert world.due("solution") == START + 30 * HOUR


def test_evidence_that_came_before_the_case_went_on_without_it() -> None:
    """G11, S32: the wait ended when it came, not when we gave it up."""
    world = open_case("goods.damage", line="fresh_food").after(hours=25)
    assert world.due("solution") == START + 48 * HOUR

    world.says("evidence-received", evidence=[PHOTO], occurred_at=(START + 5 * HOUR).isoformat())

    assert world.due("solution") == START + 29 * HOUR


def test_a_claim_is_decided_from_the_last_document_whichever_was_entered_last() -> None:
    """E3, S32: 7 days from complete documents."""
    parcel = {"amount": "18.00", "freight": "18.00", "tracking_no": "T-1", "items": [], "goods_value": "90.00"}
    world = open_case("claim.damage", line="express", order=parcel, affected=None).after(hours=12)
    world.says("evidence-received", evidence=[WORTH], occurred_at=(START + 10 * HOUR).isoformat())
    world.says("evidence-received", evidence=[PHOTO], occurred_at=(START + 5 * HOUR).isoformat())
    assert world.promise("claim_decision").started_at == START + 10 * HOUR

    world.says("evidence-received", evidence=[WORTH], occurred_at=(START + 8 * HOUR).isoformat())

    assert world.promise("claim_decision").started_at == START + 8 * HOUR
    assert world.due("claim_decision") == START + 8 * HOUR + 7 * DAY


@given(
    windows=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 100), st.integers(0, 100)), max_size=5),
    last=st.integers(100, 200),
)
def test_a_correction_leaves_the_clock_as_if_it_had_been_known_at_once(
    windows: list[tuple[str, int, int]], last: int
) -> None:
    """S1, S2, S32: pauses whose ends are corrected, against the same pauses entered right."""
    corrected, right = promised("400h"), promised("400h")
    at = 0
    for reason, wait, early in windows:
        since, until = at + wait, at + wait + 50
        for promise in (corrected, right):
            promise.pause(reason, AT + since * HOUR)
        resumed = since + min(early, 50)
        right.resume(reason, AT + resumed * HOUR)
        corrected.resume(reason, AT + until * HOUR)
        corrected.resume(reason, AT + resumed * HOUR)
        at = until

    now = AT + (at + last) * HOUR
    assert corrected.consumed(now) == right.consumed(now)
    assert corrected.due_at() == right.due_at()


def test_a_promise_kept_in_time_only_by_a_pause_that_was_shorter_is_broken() -> None:
    """S32: what is kept is judged again."""
    promise: Promise = promised("10h")
    promise.pause("photo", AT + 5 * HOUR)
    promise.resume("photo", AT + 20 * HOUR)
    promise.keep(AT + 24 * HOUR)
    assert promise.state is KEPT

    promise.resume("photo", AT + 6 * HOUR)

    assert (promise.state, promise.kept_at) == (BROKEN, AT + 24 * HOUR)
    assert promise.name is PromiseName.DETAILED_RESULT


@pytest.mark.parametrize("ended", ["kept", "lapsed"])
def test_a_promise_that_was_recorded_before_there_was_this_rule_is_corrected_as_well(ended: str) -> None:
    """S32: its pauses are not known, and when it ended follows from its segments."""
    promise = promised("10h")
    promise.keep(AT + 12 * HOUR) if ended == "kept" else promise.lapse(AT + 9 * HOUR)
    old = Promise.model_validate(promise.model_dump(mode="json", exclude={"waits", "lapsed_at", "known_at"}))

    old.resume("photo", AT + HOUR)
    old.keep(AT + 8 * HOUR)

    assert (old.state, old.kept_at) == (KEPT, AT + 8 * HOUR)
