"""A promise is a ledger (S1–S3, S9): pausing and resuming at any time never gains or loses time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.calendar import WorkCalendar, length
from cases.progress.alarms import fire
from cases.state.escalation import next_rung, settle_past_rungs
from cases.state.promise import Promise
from cases.vocabulary import EvidenceKind, PromiseName, PromiseState
from tests.cases.promises import promised as promised_within
from tests.cases.world import DETAIL, SECOND, SHANGHAI, World, building_materials, open_case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT = datetime(2026, 11, 18, 9, tzinfo=SHANGHAI)
LADDER = building_materials().escalation


def promised(
    within: str = "48h", *, pausable: bool = True, at: datetime = AT, calendar: WorkCalendar | None = None
) -> Promise:
    return promised_within(
        PromiseName.DETAILED_RESULT,
        within,
        at,
        rule="B4",
        cycle=1,
        pausable=pausable,
        calendar=calendar or WorkCalendar(),
    )


# Due


def test_a_promise_is_due_when_its_time_has_passed() -> None:
    """S1: and each share of it in proportion."""
    promise = promised()

    assert promise.due_at() == AT + 48 * HOUR
    assert promise.due_at(0.8) == AT + 38.4 * HOUR
    assert promise.due_at(2.0) == AT + 96 * HOUR


def test_what_was_left_runs_on_after_a_pause() -> None:
    """G11, S1: 10 hours used, 20 hours paused, 38 hours left."""
    promise = promised()
    promise.pause("evidence", AT + 10 * HOUR)
    assert (promise.state, promise.due_at()) == (PromiseState.PAUSED, None)

    promise.resume("evidence", AT + 30 * HOUR)

    assert (promise.state, promise.due_at()) == (PromiseState.OPEN, AT + 68 * HOUR)
    assert promise.consumed(AT + 40 * HOUR) == 20 * HOUR


def test_a_pause_over_the_weekend_takes_no_working_time() -> None:
    """S1: the wall clock would add two days to a deadline in working time."""
    promise = promised("5 working days")  # from Wednesday 09:00
    friday, monday = AT + 2 * DAY + 15 * HOUR, AT + 4 * DAY + 15 * HOUR
    due = promise.due_at()

    promise.pause("evidence", friday)
    promise.resume("evidence", monday)

    assert promise.due_at() == due == AT + 7 * DAY


def test_a_weekend_before_the_pause_used_up_nothing() -> None:
    """S1: by the wall clock all five days would be gone on the next Monday."""
    promise = promised("5 working days")  # from Wednesday 09:00; three are used up on the next Monday 09:00
    promise.pause("evidence", AT + 5 * DAY)

    promise.resume("evidence", AT + 6 * DAY)

    assert promise.due_at() == AT + 8 * DAY


def test_the_clock_runs_when_the_last_reason_is_gone() -> None:
    """S2: two reasons, one resume."""
    promise = promised()
    promise.pause("evidence", AT + 10 * HOUR)
    promise.pause("documents", AT + 12 * HOUR)

    promise.resume("evidence", AT + 20 * HOUR)
    assert promise.state is PromiseState.PAUSED

    promise.resume("documents", AT + 30 * HOUR)
    assert promise.due_at() == AT + 68 * HOUR


def test_the_same_reason_twice_is_one_and_an_unknown_one_resumes_nothing() -> None:
    """S2."""
    promise = promised()
    promise.pause("evidence", AT + 10 * HOUR)
    promise.pause("evidence", AT + 15 * HOUR)

    promise.resume("weather", AT + 16 * HOUR)
    assert promise.state is PromiseState.PAUSED
    promise.resume("evidence", AT + 20 * HOUR)

    assert promise.due_at() == AT + 58 * HOUR


def test_a_promise_that_is_not_pausable_runs_on() -> None:
    """G11: acknowledge and progress never pause."""
    promise = promised("10m", pausable=False)

    promise.pause("evidence", AT)

    assert (promise.state, promise.due_at()) == (PromiseState.OPEN, AT + HOUR / 6)


def test_the_segments_say_when_the_clock_ran_and_why_it_did_not() -> None:
    """Contract: this is what explains a deadline."""
    promise = promised()
    promise.pause("evidence", AT + HOUR)
    promise.resume("evidence", AT + 2 * HOUR)
    promise.keep(AT + 3 * HOUR)

    ran = [(s.ran_from - AT, s.ran_until and s.ran_until - AT, s.why_stopped) for s in promise.segments]
    assert ran == [(0 * HOUR, HOUR, "evidence"), (2 * HOUR, 3 * HOUR, "kept")]


# Kept and broken


@pytest.mark.parametrize(
    ("late", "state"), [(-SECOND, PromiseState.KEPT), (0 * SECOND, PromiseState.KEPT), (SECOND, PromiseState.BROKEN)]
)
def test_a_promise_is_kept_up_to_its_last_second(late: timedelta, state: PromiseState) -> None:
    promise = promised()

    promise.keep(AT + 48 * HOUR + late)

    assert promise.state is state


@pytest.mark.parametrize(("late", "state"), [(-SECOND, PromiseState.OPEN), (0 * SECOND, PromiseState.BROKEN)])
def test_a_promise_breaks_when_its_time_is_up(late: timedelta, state: PromiseState) -> None:
    promise = promised()

    promise.check_overdue(AT + 48 * HOUR + late)

    assert promise.state is state


def test_a_fact_that_arrives_late_is_judged_by_when_it_happened() -> None:
    """S9: broken in the meantime."""
    promise = promised()
    promise.check_overdue(AT + 50 * HOUR)

    promise.keep(AT + 47 * HOUR)

    assert (promise.state, promise.kept_at) == (PromiseState.KEPT, AT + 47 * HOUR)


def test_what_is_over_changes_no_more() -> None:
    """Kept late stays broken; what lapsed is not kept."""
    kept, lapsed = promised(), promised()
    kept.keep(AT + 50 * HOUR)
    lapsed.lapse(AT + 47 * HOUR)
    before = kept.model_dump(), lapsed.model_dump()

    for promise in (kept, lapsed):
        promise.keep(AT + 50 * HOUR)
        promise.lapse(AT + HOUR)
        promise.pause("evidence", AT + HOUR)
        promise.resume("evidence", AT + HOUR)
        promise.check_overdue(AT + 90 * HOUR)

    assert (kept.state, lapsed.state) == (PromiseState.BROKEN, PromiseState.VOID)
    assert (kept.model_dump(), lapsed.model_dump()) == before


def test_a_breach_before_the_pause_stays_and_the_ladder_stands_still() -> None:
    """G11, S3: broken at 48 h, paused at 60 h; the 150 % rung waits for the clock."""
    promise = promised()
    promise.check_overdue(AT + 48 * HOUR)
    promise.claimed = [1, 2]
    promise.pause("evidence", AT + 60 * HOUR)
    assert promise.state is PromiseState.BROKEN
    assert next_rung(promise, LADDER, urgent=False) is None

    promise.resume("evidence", AT + 100 * HOUR)

    assert promise.state is PromiseState.BROKEN
    assert next_rung(promise, LADDER, urgent=False) == (3, AT + 112 * HOUR)


def test_a_promise_that_was_up_before_the_pause_is_broken() -> None:
    """S3: the worker was down at 48 h, and at 49 h the case asks for evidence."""
    promise = promised()

    promise.pause("evidence", AT + 49 * HOUR)
    promise.check_overdue(AT + 49 * HOUR)

    assert promise.state is PromiseState.BROKEN


# Pausing in every stretch of the ladder (S3)


@pytest.mark.parametrize("urgent", [False, True])
@pytest.mark.parametrize("hours", [1, 23, 25, 39, 47, 49, 71, 73, 95])
def test_a_pause_in_any_stretch_moves_the_rungs_that_are_left_and_no_other(hours: int, urgent: bool) -> None:
    """S3: before the warning, between warning and breach, and beyond; every rung is notified once, at its time."""
    world = open_case(urgent=urgent)
    world.after(hours=hours)
    sent = world.rungs(DETAIL)
    world.promise(DETAIL).pause("photo", world.now)
    world.case.awaited = [EvidenceKind.PHOTO]
    world.after(hours=100)
    assert world.rungs(DETAIL) == sent

    world.says("evidence-received", evidence=[{"kind": "photo", "uri": "s3://p"}])
    world.after(hours=200)

    shares = [0.5 if urgent else 0.8, 1.0, 1.5, 2.0]
    due = [world.promise(DETAIL).started_at + 48 * HOUR * share for share in shares]
    moved = [at if number < len(sent) else at + 100 * HOUR for number, at in enumerate(due)]
    assert [e.due_at for e in world.case.escalations if e.promise == DETAIL] == moved
    assert [e.sent_at for e in world.case.escalations if e.promise == DETAIL] == moved


def test_the_lowest_rung_that_is_not_settled_comes_next() -> None:
    """G10."""
    promise = promised()
    promise.claimed = [1, 3]

    assert next_rung(promise, LADDER, urgent=False) == (2, AT + 48 * HOUR)
    promise.claimed = [1, 2, 3, 4]
    assert next_rung(promise, LADDER, urgent=False) is None


@pytest.mark.parametrize(("age", "claimed"), [(47, []), (48, [1]), (71, [1]), (72, [1, 3]), (96, [1, 3, 4])])
def test_on_arrival_the_rungs_that_had_passed_are_settled_but_for_the_breach(age: int, claimed: list[int]) -> None:
    """G10: only if the whole time had passed."""
    promise = promised()

    settle_past_rungs(promise, LADDER, AT + age * HOUR, urgent=False)

    assert promise.claimed == claimed
    assert promise.state is (PromiseState.BROKEN if claimed else PromiseState.OPEN)


# Any sequence

INSTANTS = st.lists(st.integers(0, 400 * 3600), min_size=1, max_size=12).map(sorted)
WITHIN = st.sampled_from(["10m", "48h", "1 day", "7 days", "1 working day", "5 working days", "8 working hours"])


@given(within=WITHIN, seconds=INSTANTS)
def test_pausing_and_resuming_at_any_time_never_gains_or_loses_time(within: str, seconds: list[int]) -> None:
    """S1, S2: what is left is the budget less the time in which the clock ran; the due date follows from it."""
    promise = promised(within)
    budget, calendar = length(within), promise.calendar
    ran, since, running = timedelta(), AT, True
    for at in (AT + timedelta(seconds=s) for s in seconds):
        if running:
            promise.pause("evidence", at)
            ran += calendar.between(since, at, budget.measure)
        else:
            promise.resume("evidence", at)
            since = at
        running = not running

    now = AT + timedelta(seconds=seconds[-1])
    assert promise.consumed(now) == ran + (calendar.between(since, now, budget.measure) if running else timedelta())
    due = promise.due_at()
    if due is not None:
        assert promise.consumed(due) == budget.amount
        assert promise.consumed(due - SECOND) < budget.amount


@given(within=WITHIN, seconds=INSTANTS, share=st.sampled_from([0.5, 0.8, 1.5, 2.0]))
def test_a_pause_after_a_rung_leaves_the_rung_where_it_was(within: str, seconds: list[int], share: float) -> None:
    """S3: what was due before the pause is still due then."""
    promise = promised(within)
    due = promise.due_at(share)
    assert due is not None

    for at in (due + timedelta(seconds=s) for s in seconds):
        promise.pause("evidence", at)
        assert promise.due_at(share) == due
        promise.resume("evidence", at + HOUR)
        assert promise.due_at(share) == due


@given(seconds=st.lists(st.integers(1, 3_600_000), max_size=6, unique=True))
def test_a_promise_travels_through_json_unchanged(seconds: list[int]) -> None:
    """Continue-as-new forgets no pause."""
    promise = promised("5 working days", calendar=WorkCalendar(exceptions={AT.date(): False}))
    for number, at in enumerate(sorted(seconds)):
        (promise.resume if number % 2 else promise.pause)("evidence", AT + timedelta(seconds=at))

    assert Promise.model_validate(promise.model_dump(mode="json")) == promise


def test_an_alarm_of_a_paused_promise_does_nothing() -> None:
    """S5, G11: a timer that was set before the pause."""
    world: World = open_case()
    world.promise(DETAIL).pause("evidence", AT + HOUR)
    before = world.case.model_dump()

    fire(world.case, "promise-1", AT + 400 * HOUR)

    assert world.case.model_dump() == before


def test_times_are_compared_independently_of_their_offset() -> None:
    """S1."""
    promise: Any = promised(at=AT.astimezone(UTC))

    promise.keep(AT + 48 * HOUR)

    assert promise.state is PromiseState.KEPT
