"""A move to another policy keeps the time that promises have consumed, and notifies nobody twice (S18)."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.calendar import WorkCalendar
from cases.inbox.policy_move import preview
from cases.policy.every_line import Rung
from cases.policy.policy import Policy, PromiseRule
from cases.state.promise import Promise
from cases.vocabulary import PromiseName, PromiseState, Role
from tests.cases.inbox.moves import EDITED, changed, edited, organic, pausable, spoiled
from tests.cases.lines import FOOD, GREENS, PHOTO
from tests.cases.offers import offered
from tests.cases.promises import promised
from tests.cases.world import ACK, DETAIL, SECOND, START, in_force, open_case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def with_ladder(*rungs: tuple[Role, float]) -> Policy:
    return changed(in_force()["building_materials"], escalation=[Rung(role=role, at=at) for role, at in rungs])


def ran(promise: Promise) -> list[tuple[datetime, datetime | None]]:
    return [(segment.ran_from, segment.ran_until) for segment in promise.segments]


# Running promises


@pytest.mark.parametrize("hours", [24, 72])
def test_a_moved_promise_is_due_when_the_new_time_has_run_from_its_own_start(hours: int) -> None:
    """S18: ten of the hours are used up under any new limit; to the second on both sides."""
    world = open_case().after(hours=10)
    before = ran(world.promise(DETAIL))

    answer = world.moves(edited(detailed_result=f"{hours}h"))

    promise = world.promise(DETAIL)
    assert ran(promise) == before == [(START, None)]
    assert promise.consumed(world.now) == 10 * HOUR
    assert (world.due(DETAIL), world.state(DETAIL)) == (START + hours * HOUR, "open")
    assert world.until(START + hours * HOUR - SECOND).state(DETAIL) == "open"
    assert world.until(START + hours * HOUR).state(DETAIL) == "broken"
    assert (answer["applied"], answer["policy"]) == (True, EDITED)
    assert [(c["name"], c["before"]["within"], c["after"]["within"]) for c in answer["promises"]] == [
        (DETAIL, "48h", f"{hours}h")
    ]


def test_case_that_is_not_moved_keeps_its_deadline() -> None:
    """S18, the control: an edited policy alone changes nothing."""
    world = open_case().after(hours=10)

    assert preview(world.case, edited(detailed_result="24h"), world.now) is not None
    assert world.until(START + 48 * HOUR - SECOND).state(DETAIL) == "open"
    assert world.case.policy.version == in_force()["building_materials"].version


@pytest.mark.parametrize(("used_up", "state"), [(-SECOND, "open"), (timedelta(), "broken"), (5 * HOUR, "broken")])
def test_a_move_breaks_a_promise_whose_new_time_is_used_up_already(used_up: timedelta, state: str) -> None:
    """S18, from both sides."""
    world = open_case().until(START + 24 * HOUR + used_up)

    world.moves(edited(detailed_result="24h"))

    assert world.state(DETAIL) == state
    assert world.promise(DETAIL).live


@pytest.mark.parametrize("within", ["24h", "96h"])
def test_a_broken_promise_stays_broken_and_is_not_due_at_another_time(within: str) -> None:
    """S18: a longer time does not mend it."""
    world = open_case().until(START + 49 * HOUR)

    answer = world.moves(edited(detailed_result=within))

    assert (world.state(DETAIL), world.due(DETAIL)) == ("broken", START + 48 * HOUR)
    assert answer["promises"] == []


def test_a_promise_that_was_up_while_no_worker_ran_is_broken_before_it_gets_more_time() -> None:
    """S3, S18: an outage does not become a longer promise."""
    world = open_case()
    world.now = START + 48 * HOUR

    world.moves(edited(detailed_result="96h"))

    assert (world.state(DETAIL), world.due(DETAIL)) == ("broken", START + 48 * HOUR)


def test_kept_and_void_promises_never_change() -> None:
    """S10, S18."""
    world = offered("moderate").after(hours=1)
    over = {p.name: p.model_dump() for p in world.case.promises if not p.live}

    world.moves(edited(acknowledge="1s", detailed_result="1s"))

    assert over.keys() == {ACK, DETAIL}
    assert {p.name: p.model_dump() for p in world.case.promises} == over


@pytest.mark.parametrize(
    ("hours", "state"),
    [
        pytest.param(30, "kept", id="before the move, in the old time"),
        pytest.param(40, "broken", id="after the move"),
        pytest.param(20, "kept", id="in either time"),
    ],
)
def test_a_fact_from_before_a_move_is_judged_by_what_was_promised_then(hours: int, state: str) -> None:
    """S9, S18: moved after 40 hours, from 48 to 24, before the fact was entered."""
    promise = promised(DETAIL, "48h", START, rule="B4", cycle=1, pausable=True, calendar=WorkCalendar())
    promise.take_terms(rule_of("24h"), WorkCalendar(), [], START + 40 * HOUR)
    assert promise.state == "broken"

    promise.keep(START + hours * HOUR)

    assert promise.state == state


def test_a_fact_is_judged_by_the_terms_of_its_time_whatever_moves_followed() -> None:
    """S9, S18: twice moved; each stretch has its own terms and its own way of counting."""
    promise = promised(DETAIL, "4h", START, rule="B4", cycle=1, pausable=True, calendar=WorkCalendar())
    for within, hours in (("1 working day", 3), ("2h", 30)):  # by then the working day is over
        promise.take_terms(rule_of(within), WorkCalendar(), [], START + hours * HOUR)
    late = promise.model_copy(deep=True)

    promise.keep(START + 24 * HOUR)
    late.keep(START + 25 * HOUR)

    assert (promise.state, late.state) == ("kept", "broken")


def test_time_consumed_stays_over_a_pause() -> None:
    """S1, S18: six hours ran, the clock is paused; the rest of the new time runs after the pause."""
    promise = promised(DETAIL, "48h", START, rule="B4", cycle=1, pausable=True, calendar=WorkCalendar())
    promise.pause("photo", START + 6 * HOUR)

    promise.take_terms(rule_of("24h"), WorkCalendar(), [], START + 20 * HOUR)

    assert (promise.state, promise.due_at(), ran(promise)) == ("paused", None, [(START, START + 6 * HOUR)])
    promise.resume("photo", START + 30 * HOUR)
    assert promise.due_at() == START + (30 + 18) * HOUR


@pytest.mark.parametrize(("within", "state"), [("6h", "broken"), ("7h", "paused")])
def test_a_paused_promise_whose_new_time_is_used_up_is_broken_at_once(within: str, state: str) -> None:
    """S3, S18: standing still hides no breach; from both sides."""
    promise = promised(DETAIL, "48h", START, rule="B4", cycle=1, pausable=True, calendar=WorkCalendar())
    promise.pause("photo", START + 6 * HOUR)

    promise.take_terms(rule_of(within), WorkCalendar(), ["photo"], START + 20 * HOUR)

    assert promise.state == state
    promise.resume("photo", START + 30 * HOUR)
    assert promise.state == {"broken": "broken", "paused": "open"}[state]


def rule_of(within: str, *, pausable: bool = True) -> PromiseRule:
    return PromiseRule(rule="B4", name=PromiseName.DETAILED_RESULT, within=within, pausable=pausable)


def test_a_promise_that_may_not_pause_any_more_runs_on_from_the_move() -> None:
    """G11, S2: what stood still until then is not counted."""
    world = spoiled().after(hours=5)
    assert world.state("solution") == "paused"

    world.moves(pausable(in_force()["fresh_food"], yes=False))

    assert (world.state("solution"), world.due("solution")) == ("open", START + (5 + 24) * HOUR)


def test_promise_that_may_pause_now_is_paused_from_the_move_while_evidence_is_awaited() -> None:
    """G11: not from when it was asked for, for that time is consumed."""
    stiff = pausable(in_force()["fresh_food"], yes=False)
    world = open_case("goods.damage", line="fresh_food", order=FOOD, affected=GREENS, policy=stiff).after(hours=5)
    assert world.state("solution") == "open"

    world.moves(pausable(stiff, yes=True).model_copy(update={"version": "2027-01+x"}))
    assert world.state("solution") == "paused"
    world.after(hours=3).says("evidence-received", evidence=[PHOTO])

    assert world.due("solution") == START + (24 + 3) * HOUR


def test_working_days_that_are_used_up_stay_used_up() -> None:
    """S1, S11, S18: from Wednesday, over a weekend; three of five working days are gone on Monday."""
    world = organic(START).until(START + 5 * DAY)
    consumed = world.promise("solution").consumed(world.now)

    world.moves(edited("organic_food", solution="4 working days"))

    assert consumed == world.promise("solution").consumed(world.now) == 3 * DAY
    assert world.due("solution") == START + 6 * DAY


def test_another_calendar_changes_no_time_that_was_counted_by_the_old_one() -> None:
    """S12, S18: shorter opening hours do not give working days back; the fourth day ends when the shop closes."""
    world = organic(START).until(START + 5 * DAY)
    shop = in_force()["organic_food"].working_days.model_copy(update={"opens": time(9), "closes": time(18)})

    world.moves(edited("organic_food", solution="4 working days").model_copy(update={"working_days": shop}))

    assert world.case.policy.working_days.closes == time(18)
    assert world.promise("solution").consumed(world.now) == 3 * DAY
    assert world.due("solution") == START + 5 * DAY + 9 * HOUR


def test_a_calendar_that_was_announced_later_reaches_an_open_case_for_the_time_to_come() -> None:
    """S33: what ran is counted by the old edition, though the new one has those days off; what comes by the new one."""
    world = organic(START).until(START + 5 * DAY)
    days = in_force()["organic_food"].working_days
    off = {START.date(): False, (START + 6 * DAY).date(): False}
    news = days.model_copy(update={"exceptions": {**days.exceptions, **off}})

    answer = world.moves(changed(in_force()["organic_food"], working_days=news))

    assert answer["applied"]
    assert world.promise("solution").consumed(world.now) == 3 * DAY
    assert world.due("solution") == START + 8 * DAY
    assert world.until(START + 8 * DAY - SECOND).state("solution") == "open"
    assert world.until(START + 8 * DAY).state("solution") == "broken"


def test_a_deadline_is_provisional_until_its_case_takes_the_calendar_that_announces_it() -> None:
    """S33: and what moves it says so."""
    days = in_force()["organic_food"].working_days
    old = days.model_copy(update={"announced_through": date(2026, 11, 30)})
    policy = in_force()["organic_food"]
    world = open_case(
        "goods.damage", line="organic_food", order=FOOD, affected=GREENS, evidence=[PHOTO],
        policy=policy.model_copy(update={"working_days": old}),
    )  # fmt: skip
    assert world.promise("solution").provisional

    answer = world.moves(changed(policy, working_days=days))

    assert not world.promise("solution").provisional
    changes = [(c["name"], c["before"]["provisional"], c["after"]["provisional"]) for c in answer["promises"]]
    assert changes == [("solution", True, False)]


@given(moves=st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=4), pause=st.integers(1, 200))
def test_moving_between_editions_of_a_calendar_never_changes_what_was_consumed(
    moves: list[tuple[int, bool]], pause: int
) -> None:
    """S1, S33: at any time of the move and of the pause."""
    shop = WorkCalendar(opens=time(9), closes=time(18))
    editions = [WorkCalendar(exceptions={(START + 2 * DAY).date(): False}), shop]
    promise = promised(DETAIL, "5 working days", START, rule="B4", cycle=1, pausable=True, calendar=shop)
    now = START + pause * HOUR
    promise.pause("photo", now)
    promise.resume("photo", now + 10 * HOUR)
    now += 10 * HOUR

    for hours, other in moves:
        now += hours * HOUR
        before = promise.consumed(now)
        promise.take_terms(rule_of("5 working days"), editions[other], [], now)
        assert promise.consumed(now) == before
    due = promise.due_at()
    assert due is not None
    assert timedelta() <= promise.budget.amount - promise.consumed(due) <= timedelta(microseconds=3)


def test_a_promise_that_is_counted_in_working_days_from_now_on_knows_the_days_off() -> None:
    """S11, S12: hours need no calendar, so the case carried none."""
    off = WorkCalendar(exceptions={date(2026, 11, 20): False})
    world = open_case().after(hours=10)
    assert world.promise(DETAIL).calendar.exceptions == {}

    world.moves(edited(detailed_result="3 working days").model_copy(update={"working_days": off}))

    assert world.due(DETAIL) == START + 6 * DAY  # Thursday, not Friday, not the weekend, Monday, Tuesday


def test_a_promise_of_an_urgent_topic_is_moved_to_what_urgent_cases_are_promised() -> None:
    """S18, G10: the case is as urgent as the new policy has it, and warned of as early."""
    policy = in_force()["building_materials"]
    topic = policy.topics["transport.damage"].model_copy(update={"urgent": True})
    world = open_case().after(hours=10)

    world.moves(changed(policy, topics={**policy.topics, "transport.damage": topic}))

    assert world.case.urgent
    assert world.until(START + 24 * HOUR).rungs(DETAIL) == [1]


@given(
    before=st.integers(1, 90),
    after=st.integers(1, 90),
    at=st.integers(0, 100 * 3600),
    pauses=st.lists(st.integers(1, 30 * 3600), max_size=5),
)
def test_whenever_it_is_moved_the_whole_of_the_new_time_has_run_when_it_is_due(
    before: int, after: int, at: int, pauses: list[int]
) -> None:
    """S1, S18: neither gained nor lost, but for a promise that was up before."""
    promise = promised(DETAIL, f"{before}h", START, rule="B4", cycle=1, pausable=True, calendar=WorkCalendar())
    edge = START
    for number, pause in enumerate(pauses):
        edge += timedelta(seconds=pause)
        (promise.resume if number % 2 else promise.pause)("photo", edge)
    moved = max(edge, START + timedelta(seconds=at))
    consumed, broken = promise.consumed(moved), promise.consumed(moved) >= before * HOUR

    promise.take_terms(rule_of(f"{after}h"), WorkCalendar(), sorted(promise.pauses), moved)

    assert promise.consumed(moved) == consumed
    assert (promise.state is PromiseState.BROKEN) == (broken or consumed >= after * HOUR)
    promise.resume("photo", moved)
    due = promise.due_at()
    assert due is not None
    assert promise.consumed(due) == (before if broken else after) * HOUR


# The ladder


def test_notified_roles_are_not_notified_again() -> None:
    """S6, S18: the owner was warned at 80 % of the old time, and there is a new 80 %."""
    world = open_case().until(START + 40 * HOUR)
    assert world.ladder == [(DETAIL, 1, "owner")]

    world.moves(edited(detailed_result="96h"))
    world.until(START + 96 * HOUR - SECOND)

    assert world.ladder == [(DETAIL, 1, "owner")]
    assert world.after(seconds=1).ladder[1:] == [(DETAIL, 2, "team_lead")]


def test_roles_not_yet_notified_are_notified_at_the_new_time() -> None:
    """The control to the test before: moved two hours earlier, the owner is warned at the new 80 %."""
    world = open_case().until(START + 38 * HOUR)

    world.moves(edited(detailed_result="96h"))

    assert world.until(START + 76.8 * HOUR - SECOND).ladder == []
    assert world.after(seconds=1).ladder == [(DETAIL, 1, "owner")]


def test_rungs_that_a_move_makes_due_are_notified_once_in_order_and_are_not_late() -> None:
    """S8, S18: by the old time none was due before, so no outage shows; the last rung comes in its new time."""
    world = open_case().until(START + 40 * HOUR)

    world.moves(edited(detailed_result="24h"))
    world.until(world.now)

    assert world.ladder == [(DETAIL, 1, "owner"), (DETAIL, 2, "team_lead"), (DETAIL, 3, "manager")]
    assert [e.due_at for e in world.case.escalations[1:]] == [START + 40 * HOUR] * 2
    assert not any(letter.facts["late"] for letter in world.letters("promise_broken") + world.letters("escalation"))
    assert world.until(START + 48 * HOUR - SECOND).rungs(DETAIL) == [1, 2, 3]
    assert world.after(seconds=1).rungs(DETAIL) == [1, 2, 3, 4]


def test_inserted_rung_notifies_only_its_role() -> None:
    """S6, S18: rungs are distinguished by their role, not by their number."""
    world = open_case().until(START + 40 * HOUR)

    world.moves(with_ladder((Role.MANAGER, 0.5), (Role.OWNER, 0.8), (Role.TEAM_LEAD, 1.0), (Role.DIRECTOR, 2.0)))
    world.until(START + 96 * HOUR)

    assert [role for _, _, role in world.ladder] == ["owner", "manager", "team_lead", "director"]


def test_role_with_two_rungs_is_still_notified_of_the_second() -> None:
    """S6, S18."""
    world = open_case().until(START + 40 * HOUR)

    world.moves(with_ladder((Role.OWNER, 0.8), (Role.OWNER, 0.9), (Role.TEAM_LEAD, 1.0)))

    assert world.until(START + 48 * HOUR).rungs(DETAIL) == [1, 2, 3]


def test_broken_promise_continues_with_the_new_rungs() -> None:
    """G10, S18: its time stays, what comes after it is the new policy's."""
    world = open_case().until(START + 49 * HOUR)

    world.moves(with_ladder((Role.OWNER, 0.8), (Role.TEAM_LEAD, 1.0), (Role.DIRECTOR, 1.25)))

    assert world.until(START + 60 * HOUR - SECOND).rungs(DETAIL) == [1, 2]
    assert world.after(seconds=1).ladder[2:] == [(DETAIL, 3, "director")]
