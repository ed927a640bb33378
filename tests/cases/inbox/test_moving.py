"""An open case is moved to another policy on purpose: what was offered and agreed stays (S18)."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cases.errors import Refusal
from cases.inbox.policy_move import preview
from cases.inbox.receiving import receive_signal
from cases.policy.policy import Policy, PromiseRule
from cases.vocabulary import PromiseName, Starts, StepState
from tests.cases.inbox.moves import EDITED, changed, edited, pausable, silence, spoiled
from tests.cases.offers import offered
from tests.cases.world import DETAIL, PROGRESS, SECOND, START, World, in_force, open_case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


# Promises that are gone, or new


def test_what_the_new_policy_does_not_promise_is_not_owed_any_more() -> None:
    world = open_case().after(hours=10)

    world.moves(edited(without=(DETAIL,)))

    assert (world.state(DETAIL), world.promise(DETAIL).live) == ("void", False)
    assert world.after(days=9).ladder == []


def test_a_promise_that_the_case_has_not_made_begins_with_its_start_and_never_in_the_past() -> None:
    """S9, S18: this customer was never promised a solution in 24 hours; daily updates start with their consent."""
    old = edited(without=(PROGRESS,))
    solution = PromiseRule(rule="X1", name=PromiseName.SOLUTION, within="24h")
    new = changed(in_force()["building_materials"], promises=[*in_force()["building_materials"].promises, solution])
    new = new.model_copy(update={"version": "2027-01+x"})
    world = offered("moderate", policy=old).after(hours=30)

    previewed = preview(world.case, new, world.now)
    world.moves(new)
    assert world.case.promise("solution") is None
    world.says("customer-approved")
    agreed = world.now

    assert previewed is not None
    assert previewed["begins"] == [
        {"name": "progress_update", "within": "24h", "starts": Starts.CONSENT, "passed": False},
        {"name": "solution", "within": "24h", "starts": Starts.RECEIVED, "passed": True},
    ]
    assert world.case.promise("solution") is None
    assert world.promise(PROGRESS).started_at == agreed


# Offers, steps, silence


def test_open_offer_stays_as_offered_until_a_new_assessment() -> None:
    """S18, S19: what the customer reads is what they get."""
    policy = in_force()["building_materials"]
    world = offered("minor")
    [was] = [r.amount for r in world.offer.options[0].remedies if r.amount]

    previewed = preview(world.case, half_the_coupon(policy), world.now)
    world.moves(half_the_coupon(policy))
    assert [r.amount for r in world.offer.options[0].remedies if r.amount] == [was]
    assert world.offer.state == "open"
    world.says("assess", severity="minor")

    assert previewed is not None
    assert previewed["offer"]["id"] == "o1"
    assert [r["amount"] for r in previewed["offer"]["instead"][0]["remedies"] if "amount" in r] == ["256.00"]
    assert world.offer.id == "o2"
    assert [str(r.amount) for r in world.offer.options[0].remedies if r.amount] == ["256.00"]


def half_the_coupon(policy: Policy) -> Policy:
    content = json.loads(policy.model_dump_json().replace("5% of order", "2% of order"))
    return changed(Policy.model_validate(content))


def test_an_agents_own_offer_is_no_policys_and_does_not_differ() -> None:
    world = open_case()
    world.says("propose", options=[{"key": "a", "remedies": [{"kind": "apology"}, {"kind": "onsite_repair"}]}], by="li")

    previewed = preview(world.case, half_the_coupon(in_force()["building_materials"]), world.now)

    assert previewed is not None
    assert (previewed["offer"], previewed["differs"]) == (None, ["remedies"])


def test_what_was_agreed_is_carried_out_as_agreed() -> None:
    """S18, S19: consent was to these steps."""
    world = offered("minor", answers={"onsite_repair": "silent"})
    world.says("customer-approved")
    steps = [step.model_dump() for step in world.case.steps]

    previewed = preview(world.case, half_the_coupon(in_force()["building_materials"]), world.now)
    world.moves(half_the_coupon(in_force()["building_materials"]))

    assert [step.model_dump() for step in world.case.steps] == steps
    assert (world.step("coupon").state, world.step("coupon").remedy.amount) == (StepState.WAITING, Decimal("640.00"))
    assert previewed is not None
    assert previewed["offer"] is None


@pytest.mark.parametrize(
    ("terms", "reminders", "silence_at"),
    [
        pytest.param({}, [], [72], id="the same plan"),
        pytest.param({"reminders": ["12h", "24h", "36h", "48h"]}, [], [72], id="more of them, all past"),
        pytest.param({"reminders": ["24h"]}, [], [72], id="fewer of them"),
        pytest.param({"reminders": ["24h", "60h"]}, [60], [72], id="one still to come"),
        pytest.param({"tell_after": "49h"}, [], [50], id="the team lead should have been notified by now"),
    ],
)
def test_a_reminder_is_neither_repeated_nor_made_up_for(
    terms: dict[str, Any], reminders: list[int], silence_at: list[int]
) -> None:
    """G5, S18: after 50 hours of silence, of which the customer was reminded twice."""
    world = offered("moderate").until(START + 50 * HOUR)
    before = len(world.letters("reminder"))
    sent: dict[str, list[int]] = {"reminder": [], "silence": []}

    world.moves(silence(**terms, close_after="8 days"))
    for hour in range(50, 7 * 24):
        world.until(START + hour * HOUR)
        sent["reminder"] += [hour] * (len(world.letters("reminder")) - before - len(sent["reminder"]))
        sent["silence"] += [hour] * (len(world.letters("silence")) - len(sent["silence"]))

    assert before == 2
    assert sent == {"reminder": reminders, "silence": silence_at}


def test_silence_is_not_reported_again_and_the_case_closes_at_its_new_time() -> None:
    """G5, S18: even if the new time has already passed."""
    world = offered("moderate").until(START + 80 * HOUR)
    assert len(world.letters("silence")) == 1

    previewed = preview(world.case, silence(tell_after="100h", close_after="120h"), world.now)
    world.moves(silence(tell_after="100h", close_after="120h"))

    assert previewed is not None
    assert (previewed["differs"], previewed["at_once"]) == (["silence"], [])
    assert world.until(START + 120 * HOUR - SECOND).case.outcome is None
    assert world.after(seconds=1).case.outcome == "no_response"
    assert len(world.letters("silence")) == 1


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


def test_move_is_on_the_timeline_with_who_and_why_and_survives_a_new_run() -> None:
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
    """S18: it could not continue there; the preview says the same."""
    policy = in_force()["building_materials"]
    rest = {name: topic for name, topic in policy.topics.items() if name != "transport.damage"}
    fewer = policy.topics["transport.damage"].model_copy(update={"severities": ["minor", "severe"]})
    other = {
        "topic": changed(policy, topics=rest),
        "severity": changed(policy, topics={**rest, "transport.damage": fewer}),
        "line": in_force()["fresh_food"],
    }[part]
    world = offered("moderate")

    previewed = preview(world.case, other, world.now)

    assert sentence in refused(world, other)
    assert previewed is not None
    assert previewed.keys() == {"policy", "refused"}
    assert sentence in previewed["refused"]


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
    """S18: deadlines cannot be moved in the past."""
    world = spoiled().after(hours=5)
    stiff = pausable(in_force()["fresh_food"], yes=False)

    world.moves(stiff, occurred_at=START.isoformat())

    assert world.due("solution") == START + (5 + 24) * HOUR
