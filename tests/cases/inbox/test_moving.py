"""An open case is moved to another policy on purpose: the time consumed stays, and a preview tells it before (S18)."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.calendar import WorkCalendar
from cases.errors import Refusal
from cases.inbox.policy_move import preview, previewed
from cases.inbox.receiving import receive_signal
from cases.policy.every_line import Rung
from cases.policy.policy import Policy, PromiseRule
from cases.state.promise import Promise
from cases.vocabulary import PromiseName, PromiseState, Role, Starts, StepState
from tests.cases.lines import FOOD, GREENS, PHOTO
from tests.cases.promises import promised
from tests.cases.world import ACK, DETAIL, PROGRESS, SECOND, START, World, in_force, open_case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EDITED = "2026-12+edited"


def edited(line: str = "building_materials", *, without: tuple[str, ...] = (), **within: str) -> Policy:
    """The policy of a line in which promises have other times, or are gone."""
    policy = in_force()[line]
    promises = [
        rule.model_copy(update={"within": within.get(rule.name, rule.within)})
        for rule in policy.promises
        if rule.name not in without
    ]
    return changed(policy, promises=promises)


def changed(policy: Policy, **parts: Any) -> Policy:
    """The policy in which some parts say something else."""
    return policy.model_copy(update={"version": EDITED, **parts})


def with_ladder(*rungs: tuple[Role, float]) -> Policy:
    return changed(in_force()["building_materials"], escalation=[Rung(role=role, at=at) for role, at in rungs])


def pausable(policy: Policy, *, yes: bool) -> Policy:
    return changed(policy, promises=[r.model_copy(update={"pausable": yes}) for r in policy.promises])


def ran(promise: Promise) -> list[tuple[datetime, datetime | None]]:
    return [(segment.ran_from, segment.ran_until) for segment in promise.segments]


def spoiled() -> World:
    """A case whose solution, due in 24 hours, stands still from the first moment: a photo was asked for."""
    return open_case("goods.damage", line="fresh_food", order=FOOD, affected=GREENS)


def organic(received: datetime) -> World:
    return open_case(
        "goods.damage", line="organic_food", order=FOOD, affected=GREENS, evidence=[PHOTO], received=received
    )


def offered(severity: str = "severe", **fields: Any) -> World:
    world = open_case(**fields)
    world.says("assess", severity=severity)
    return world


# Running promises


@pytest.mark.parametrize("hours", [24, 72])
def test_a_moved_promise_is_due_when_the_new_time_has_run_from_its_own_start(hours: int) -> None:
    """S18: ten of the hours are used up, whatever is allowed now; to the second on both sides."""
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


def test_a_case_that_nobody_moves_keeps_its_deadline() -> None:
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
    """S9, S18: moved after 40 hours, from 48 to 24, before we heard of it."""
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
    """S1, S18: six hours ran, the clock stands still; what is left of the new time runs on when it may."""
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


def test_a_promise_that_may_pause_now_stands_still_from_the_move_while_evidence_is_awaited() -> None:
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
    """S1, S33: whenever the case is moved and whenever its clock stands still."""
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


def test_who_was_told_is_not_told_again() -> None:
    """S6, S18: the owner was warned at 80 % of the old time, and there is a new 80 %."""
    world = open_case().until(START + 40 * HOUR)
    assert world.ladder == [(DETAIL, 1, "owner")]

    world.moves(edited(detailed_result="96h"))
    world.until(START + 96 * HOUR - SECOND)

    assert world.ladder == [(DETAIL, 1, "owner")]
    assert world.after(seconds=1).ladder[1:] == [(DETAIL, 2, "team_lead")]


def test_who_was_not_told_yet_is_told_at_the_new_time() -> None:
    """The control to the test before: moved two hours earlier, the owner is warned at the new 80 %."""
    world = open_case().until(START + 38 * HOUR)

    world.moves(edited(detailed_result="96h"))

    assert world.until(START + 76.8 * HOUR - SECOND).ladder == []
    assert world.after(seconds=1).ladder == [(DETAIL, 1, "owner")]


def test_rungs_that_a_move_makes_due_are_told_once_in_order_and_are_not_late() -> None:
    """S8, S18: by the old time none was due before, so no outage shows; the last rung comes in its new time."""
    world = open_case().until(START + 40 * HOUR)

    world.moves(edited(detailed_result="24h"))
    world.until(world.now)

    assert world.ladder == [(DETAIL, 1, "owner"), (DETAIL, 2, "team_lead"), (DETAIL, 3, "manager")]
    assert [e.due_at for e in world.case.escalations[1:]] == [START + 40 * HOUR] * 2
    assert not any(letter.facts["late"] for letter in world.told("promise_broken") + world.told("escalation"))
    assert world.until(START + 48 * HOUR - SECOND).rungs(DETAIL) == [1, 2, 3]
    assert world.after(seconds=1).rungs(DETAIL) == [1, 2, 3, 4]


def test_a_rung_that_is_put_in_tells_its_role_and_no_other_again() -> None:
    """S6, S18: rungs are told apart by whom they tell, not by their number."""
    world = open_case().until(START + 40 * HOUR)

    world.moves(with_ladder((Role.MANAGER, 0.5), (Role.OWNER, 0.8), (Role.TEAM_LEAD, 1.0), (Role.DIRECTOR, 2.0)))
    world.until(START + 96 * HOUR)

    assert [role for _, _, role in world.ladder] == ["owner", "manager", "team_lead", "director"]


def test_a_role_with_two_rungs_is_still_told_of_the_second() -> None:
    """S6, S18."""
    world = open_case().until(START + 40 * HOUR)

    world.moves(with_ladder((Role.OWNER, 0.8), (Role.OWNER, 0.9), (Role.TEAM_LEAD, 1.0)))

    assert world.until(START + 48 * HOUR).rungs(DETAIL) == [1, 2, 3]


def test_the_ladder_of_a_broken_promise_goes_on_by_the_new_rungs() -> None:
    """G10, S18: its time stays, what comes after it is the new policy's."""
    world = open_case().until(START + 49 * HOUR)

    world.moves(with_ladder((Role.OWNER, 0.8), (Role.TEAM_LEAD, 1.0), (Role.DIRECTOR, 1.25)))

    assert world.until(START + 60 * HOUR - SECOND).rungs(DETAIL) == [1, 2]
    assert world.after(seconds=1).ladder[2:] == [(DETAIL, 3, "director")]


# Promises that are gone, or new


def test_what_the_new_policy_does_not_promise_is_not_owed_any_more() -> None:
    world = open_case().after(hours=10)

    world.moves(edited(without=(DETAIL,)))

    assert (world.state(DETAIL), world.promise(DETAIL).live) == ("void", False)
    assert world.after(days=9).ladder == []


def test_a_promise_that_the_case_has_not_made_begins_with_its_start_and_never_in_the_past() -> None:
    """S9, S18: nobody told this customer of a solution in 24 hours; daily updates come with their yes."""
    old = edited(without=(PROGRESS,))
    solution = PromiseRule(rule="X1", name=PromiseName.SOLUTION, within="24h")
    new = changed(in_force()["building_materials"], promises=[*in_force()["building_materials"].promises, solution])
    new = new.model_copy(update={"version": "2027-01+x"})
    world = offered("moderate", policy=old).after(hours=30)

    told = preview(world.case, new, world.now)
    world.moves(new)
    assert world.case.promise("solution") is None
    world.says("customer-approved")
    agreed = world.now

    assert told is not None
    assert told["begins"] == [
        {"name": "progress_update", "within": "24h", "starts": Starts.CONSENT, "passed": False},
        {"name": "solution", "within": "24h", "starts": Starts.RECEIVED, "passed": True},
    ]
    assert world.case.promise("solution") is None
    assert world.promise(PROGRESS).started_at == agreed


# Offers, steps, silence


def test_an_open_offer_stays_as_offered_until_somebody_assesses_anew() -> None:
    """S18, S19: what the customer reads is what they get."""
    policy = in_force()["building_materials"]
    world = offered("minor")
    [was] = [r.amount for r in world.offer.options[0].remedies if r.amount]

    told = preview(world.case, half_the_coupon(policy), world.now)
    world.moves(half_the_coupon(policy))
    assert [r.amount for r in world.offer.options[0].remedies if r.amount] == [was]
    assert world.offer.state == "open"
    world.says("assess", severity="minor")

    assert told is not None
    assert told["offer"]["id"] == "o1"
    assert [r["amount"] for r in told["offer"]["instead"][0]["remedies"] if "amount" in r] == ["256.00"]
    assert world.offer.id == "o2"
    assert [str(r.amount) for r in world.offer.options[0].remedies if r.amount] == ["256.00"]


def half_the_coupon(policy: Policy) -> Policy:
    content = json.loads(policy.model_dump_json().replace("5% of order", "2% of order"))
    return changed(Policy.model_validate(content))


def test_an_agents_own_offer_is_no_policys_and_does_not_differ() -> None:
    world = open_case()
    world.says("propose", options=[{"key": "a", "remedies": [{"kind": "apology"}, {"kind": "onsite_repair"}]}], by="li")

    told = preview(world.case, half_the_coupon(in_force()["building_materials"]), world.now)

    assert told is not None
    assert (told["offer"], told["differs"]) == (None, ["remedies"])


def test_what_was_agreed_is_carried_out_as_agreed() -> None:
    """S18, S19: consent was to these steps."""
    world = offered("minor", answers={"onsite_repair": "silent"})
    world.says("customer-approved")
    steps = [step.model_dump() for step in world.case.steps]

    told = preview(world.case, half_the_coupon(in_force()["building_materials"]), world.now)
    world.moves(half_the_coupon(in_force()["building_materials"]))

    assert [step.model_dump() for step in world.case.steps] == steps
    assert (world.step("coupon").state, world.step("coupon").remedy.amount) == (StepState.WAITING, Decimal("640.00"))
    assert told is not None
    assert told["offer"] is None


def silence(**terms: Any) -> Policy:
    policy = in_force()["building_materials"]
    return changed(policy, silence=policy.silence.model_copy(update=terms))


@pytest.mark.parametrize(
    ("terms", "reminders", "told"),
    [
        pytest.param({}, [], [72], id="the same plan"),
        pytest.param({"reminders": ["12h", "24h", "36h", "48h"]}, [], [72], id="more of them, all past"),
        pytest.param({"reminders": ["24h"]}, [], [72], id="fewer of them"),
        pytest.param({"reminders": ["24h", "60h"]}, [60], [72], id="one still to come"),
        pytest.param({"tell_after": "49h"}, [], [50], id="somebody should have been told by now"),
    ],
)
def test_a_reminder_is_neither_repeated_nor_made_up_for(
    terms: dict[str, Any], reminders: list[int], told: list[int]
) -> None:
    """G5, S18: after 50 hours of silence, of which the customer was reminded twice."""
    world = offered("moderate").until(START + 50 * HOUR)
    before = len(world.told("reminder"))
    sent: dict[str, list[int]] = {"reminder": [], "silence": []}

    world.moves(silence(**terms, close_after="8 days"))
    for hour in range(50, 7 * 24):
        world.until(START + hour * HOUR)
        sent["reminder"] += [hour] * (len(world.told("reminder")) - before - len(sent["reminder"]))
        sent["silence"] += [hour] * (len(world.told("silence")) - len(sent["silence"]))

    assert before == 2
    assert sent == {"reminder": reminders, "silence": told}


def test_who_was_told_of_the_silence_is_not_told_again_and_the_case_closes_in_its_new_time() -> None:
    """G5, S18: also where the new time is up already."""
    world = offered("moderate").until(START + 80 * HOUR)
    assert len(world.told("silence")) == 1

    told = preview(world.case, silence(tell_after="100h", close_after="120h"), world.now)
    world.moves(silence(tell_after="100h", close_after="120h"))

    assert told is not None
    assert (told["differs"], told["at_once"]) == (["silence"], [])
    assert world.until(START + 120 * HOUR - SECOND).case.outcome is None
    assert world.after(seconds=1).case.outcome == "no_response"
    assert len(world.told("silence")) == 1


def test_what_a_move_would_do_at_once_is_previewed() -> None:
    """G5: the customer has been silent for longer than the new policy waits."""
    world = offered("moderate").until(START + 80 * HOUR)

    told = preview(world.case, silence(close_after="3 days"), world.now)
    world.moves(silence(close_after="3 days"))
    world.until(world.now)

    assert told is not None
    assert told["at_once"] == ["no answer to o1: close"]
    assert world.case.outcome == "no_response"


# The message


def test_moving_twice_changes_nothing_the_second_time() -> None:
    """S18: not even the timeline."""
    world = open_case().until(START + 40 * HOUR)
    world.moves(edited(detailed_result="24h"))
    world.until(world.now)
    before = world.case.model_dump()

    answer = world.moves(edited(detailed_result="24h"))

    assert (answer["applied"], answer["why"]) == (False, f"HL-1 has policy {EDITED} already")
    assert world.case.model_dump() == before


def test_a_move_is_told_on_the_timeline_with_who_and_why_and_goes_on_in_a_new_run() -> None:
    """S18."""
    world = open_case()
    old = world.case.policy.version

    world.moves(edited(detailed_result="24h"), by="Chen Wei", reason="shorter for all")

    [entry] = [e for e in world.case.timeline if e.what == "policy moved"]
    assert (entry.by, entry.text) == ("Chen Wei", f"{old} → {EDITED}: shorter for all")
    assert world.continues_as_new().due(DETAIL) == START + 24 * HOUR
    assert world.case.policy.version == EDITED


def test_without_the_policy_a_move_is_only_rehearsed() -> None:
    """The update is looked at before anybody looks the policy up."""
    world = open_case()
    before = world.case.model_dump()

    answer = world.says("move-policy", by="chen", reason="new terms")

    assert answer["applied"]
    assert world.case.model_dump() == before


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"reason": "new terms"}, "move-policy: by: is required"),
        ({"by": "chen"}, "move-policy: reason: is required"),
        ({"by": "chen", "reason": "x", "policy": {"line": "mine"}}, "move-policy: policy: is not known here"),
    ],
)
def test_a_move_needs_who_and_why_and_brings_no_policy_of_its_own(payload: dict[str, Any], sentence: str) -> None:
    """S18: a payload could be forged by anybody who may send one."""
    assert open_case().refuses("move-policy", **payload) == sentence


def test_a_move_to_a_version_that_is_not_in_force_is_refused() -> None:
    """S18: what was previewed is not what the worker has; the case is unchanged."""
    world = open_case()
    sentence = refused(world, edited(detailed_result="24h"), version="2026-12+previewed")

    assert sentence.startswith(f"the policy in force is {EDITED}, not 2026-12+previewed: restart every worker")
    assert world.moves(edited(detailed_result="24h"), version=EDITED)["applied"]


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("topic", "topic: building_materials has no topic transport.damage"),
        ("severity", "severity: is minor or severe for transport.damage, not moderate"),
        ("line", "HL-1 is of line building_materials, and the policy of line fresh_food"),
    ],
)
def test_a_case_that_does_not_fit_the_new_policy_stays_where_it_is(part: str, sentence: str) -> None:
    """S18: it could not go on there; the preview says the same."""
    policy = in_force()["building_materials"]
    rest = {name: topic for name, topic in policy.topics.items() if name != "transport.damage"}
    fewer = policy.topics["transport.damage"].model_copy(update={"severities": ["minor", "severe"]})
    other = {
        "topic": changed(policy, topics=rest),
        "severity": changed(policy, topics={**rest, "transport.damage": fewer}),
        "line": in_force()["fresh_food"],
    }[part]
    world = offered("moderate")

    told = preview(world.case, other, world.now)

    assert sentence in refused(world, other)
    assert told is not None
    assert told.keys() == {"policy", "refused"}
    assert sentence in told["refused"]


def refused(world: World, policy: Policy, **payload: Any) -> str:
    """The sentence with which a move is refused; the case is unchanged."""
    before = world.case.model_dump()
    with pytest.raises(Refusal) as refusal:
        world.moves(policy, **payload)
    assert world.case.model_dump() == before
    return str(refusal.value)


def test_a_case_that_is_over_is_neither_moved_nor_previewed() -> None:
    world = open_case()
    world.says("complaint-withdrawn")

    assert "is closed as withdrawn" in refused(world, edited(detailed_result="24h"))
    assert preview(world.case, edited(detailed_result="24h"), world.now) is None


def test_a_move_does_not_come_as_a_signal() -> None:
    world = open_case()

    with pytest.raises(Refusal, match="move-policy is a command: send it as an update"):
        receive_signal(world.case, "move-policy", {"by": "chen", "reason": "x"}, world.now)


def test_a_move_counts_from_when_it_is_made_whatever_it_says() -> None:
    """S18: nobody moves a deadline in the past."""
    world = spoiled().after(hours=5)
    stiff = pausable(in_force()["fresh_food"], yes=False)

    world.moves(stiff, occurred_at=START.isoformat())

    assert world.due("solution") == START + (5 + 24) * HOUR


# The preview


def test_a_preview_tells_each_promise_and_who_would_be_told_and_changes_nothing() -> None:
    """S18."""
    world = open_case().until(START + 40 * HOUR)
    before = world.case.model_dump()

    told = preview(world.case, edited(detailed_result="24h"), world.now)

    same = {"pausable": True, "provisional": False}
    assert world.case.model_dump() == before
    assert told == {
        "policy": {"from": in_force()["building_materials"].version, "to": EDITED},
        "promises": [
            {
                "name": DETAIL,
                "cycle": 1,
                "before": {"within": "48h", "due_at": utc(48), "state": "open", **same},
                "after": {"within": "24h", "due_at": utc(24), "state": "broken", **same},
            }
        ],
        "begins": [],
        "rungs": [
            {"promise": DETAIL, "cycle": 1, "rung": 2, "role": "team_lead"},
            {"promise": DETAIL, "cycle": 1, "rung": 3, "role": "manager"},
        ],
        "at_once": [],
        "offer": None,
        "differs": ["promises"],
    }
    json.dumps(told)


def utc(hours: int) -> str:
    return (START + hours * HOUR).astimezone(UTC).isoformat()


def test_a_case_that_an_edit_does_not_concern_is_not_previewed() -> None:
    """S18: another topic's remedy, and another version's name."""
    policy = in_force()["building_materials"]
    world = open_case("transport.loss")
    elsewhere = [r.model_copy(update={"rule": "B10x"}) if r.rule == "B10" else r for r in policy.remedies]

    assert preview(world.case, changed(policy, remedies=elsewhere), world.now) is None
    assert preview(world.case, policy, world.now) is None
    assert preview(open_case().case, changed(policy, remedies=elsewhere), world.now) is not None


@pytest.mark.parametrize("hours", [1, 30, 39, 47, 49, 75, 100])
@pytest.mark.parametrize("within", ["1h", "24h", "40h", "96h", "2 working days"])
def test_a_preview_is_what_the_move_then_does(hours: int, within: str) -> None:
    """S18: promises and rungs, at any time."""
    world = open_case().until(START + hours * HOUR)
    policy, rungs = edited(detailed_result=within), len(world.case.escalations)

    told = preview(world.case, policy, world.now)
    answer = world.moves(policy)
    world.until(world.now)

    assert told is not None
    assert told["promises"] == answer["promises"]
    done = [{"promise": p, "cycle": 1, "rung": n, "role": r} for p, n, r in world.ladder[rungs:]]
    assert told["rungs"] == done


def test_a_preview_travels_as_json() -> None:
    """As the query is asked: the policy whole, with its holidays."""
    world = organic(START).until(START + 2 * DAY)
    policy = edited("organic_food", solution="3 working days")
    asked = json.loads(json.dumps({"policy": policy.model_dump(mode="json"), "now": world.now.isoformat()}))

    assert previewed(world.case, asked) == preview(world.case, policy, world.now)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (None, "(whole): "),
        ({}, "policy: is required; now: is required"),
        ({"policy": {"line": "x"}, "now": "2026-11-18T09:00:00+08:00"}, "policy.timezone: is required"),
        ({"policy": {}, "now": 5}, "now: must be a time as text"),
    ],
)
def test_a_preview_that_makes_no_sense_is_answered_with_a_sentence(asked: Any, sentence: str) -> None:
    with pytest.raises(Refusal) as refusal:
        previewed(open_case().case, asked)

    assert sentence in str(refusal.value)


def test_a_repeated_message_is_applied_once() -> None:
    """Contract, *Messages*."""
    world = open_case()
    first = world.moves(edited(detailed_result="24h"), message_id="m-1")
    second = world.moves(edited(detailed_result="72h"), message_id="m-1")

    assert (first["applied"], second["applied"]) == (True, False)
    assert world.due(DETAIL) == START + 24 * HOUR
