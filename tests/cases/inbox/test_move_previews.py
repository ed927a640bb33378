"""Before a case is moved, a preview shows what would change and who would be notified (S18)."""

import json
from datetime import UTC, timedelta
from typing import Any

import pytest

from cases.errors import Refusal
from cases.inbox.policy_move import answer_preview, preview
from tests.cases.inbox.moves import EDITED, changed, edited, organic, silence
from tests.cases.offers import offered
from tests.cases.world import DETAIL, START, in_force, open_case

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_what_a_move_would_do_at_once_is_previewed() -> None:
    """G5: the customer has been silent for longer than the new policy waits."""
    world = offered("moderate").until(START + 80 * HOUR)

    answer_preview = preview(world.case, silence(close_after="3 days"), world.now)
    world.moves(silence(close_after="3 days"))
    world.until(world.now)

    assert answer_preview is not None
    assert answer_preview["at_once"] == ["no answer to o1: close"]
    assert world.case.outcome == "no_response"


def test_preview_shows_each_promise_and_who_would_be_notified_and_changes_nothing() -> None:
    """S18."""
    world = open_case().until(START + 40 * HOUR)
    before = world.case.model_dump()

    answer_preview = preview(world.case, edited(detailed_result="24h"), world.now)

    same = {"pausable": True, "provisional": False}
    assert world.case.model_dump() == before
    assert answer_preview == {
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
    json.dumps(answer_preview)


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

    answer_preview = preview(world.case, policy, world.now)
    answer = world.moves(policy)
    world.until(world.now)

    assert answer_preview is not None
    assert answer_preview["promises"] == answer["promises"]
    done = [{"promise": p, "cycle": 1, "rung": n, "role": r} for p, n, r in world.ladder[rungs:]]
    assert answer_preview["rungs"] == done


def test_a_preview_travels_as_json() -> None:
    """As the query is asked: the policy whole, with its holidays."""
    world = organic(START).until(START + 2 * DAY)
    policy = edited("organic_food", solution="3 working days")
    asked = json.loads(json.dumps({"policy": policy.model_dump(mode="json"), "now": world.now.isoformat()}))

    assert answer_preview(world.case, asked) == preview(world.case, policy, world.now)


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
        answer_preview(open_case().case, asked)

    assert sentence in str(refusal.value)


def test_a_repeated_message_is_applied_once() -> None:
    """Contract, *Messages*."""
    world = open_case()
    first = world.moves(edited(detailed_result="24h"), message_id="m-1")
    second = world.moves(edited(detailed_result="72h"), message_id="m-1")

    assert (first["applied"], second["applied"]) == (True, False)
    assert world.due(DETAIL) == START + 24 * HOUR
