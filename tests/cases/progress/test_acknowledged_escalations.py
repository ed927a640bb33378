"""Acknowledging an escalation spares one reminder, and nothing else: S23."""

from datetime import timedelta
from typing import Any

import pytest

from cases.policy.every_line import Rung
from cases.state.letter import Audience
from cases.vocabulary import PromiseState, Role
from tests.cases.world import ACK, DETAIL, START, World, building_materials, open_case

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def unanswered(**fields: Any) -> World:
    """A damage case without any action of staff, and letters do not arrive: its promises run out."""
    return open_case(down={Audience.CUSTOMER}, **fields)


@pytest.mark.parametrize(
    ("minutes", "rungs"),
    [
        pytest.param(8, [1, 2, 3, 4], id="of the warning: the breach is still to come, and is notified"),
        pytest.param(9, [1, 2, 3, 4], id="of the warning, just before the breach"),
        pytest.param(10, [1, 2, 4], id="of the breach: the next reminder passes"),
        pytest.param(15, [1, 2, 3], id="of the manager's: the director is spared"),
    ],
)
@pytest.mark.parametrize("outage", [False, True])
def test_an_acknowledgement_spares_one_reminder_and_never_the_breach(
    minutes: int, rungs: list[int], outage: bool
) -> None:
    """G10, S23: it covers what has happened; also several rungs that were due at once."""
    world = unanswered().until(START + minutes * MINUTE)

    world.says("acknowledge-escalation", promise="acknowledge", by="li")
    world.without_worker(hours=1) if outage else world.after(hours=1)

    assert world.rungs(ACK) == rungs
    assert [e.acknowledged_by for e in world.case.escalations].count("li") == 1


def test_breach_of_an_urgent_case_is_notified_however_early_its_warning_was_acknowledged() -> None:
    """G10: warned at half time."""
    world = unanswered(urgent=True).until(START + 5 * MINUTE)

    world.says("acknowledge-escalation", promise="acknowledge", by="li")

    assert world.after(hours=1).rungs(ACK) == [1, 2, 3, 4]


def test_of_two_warnings_an_acknowledgement_of_the_first_spares_the_second() -> None:
    """G10: reminders are what it spares."""
    ladder = [Rung(role=Role.OWNER, at=at) for at in (0.5, 0.8)] + [Rung(role=Role.TEAM_LEAD, at=1.0)]
    policy = building_materials().model_copy(update={"escalation": ladder})
    world = unanswered(policy=policy).until(START + 5 * MINUTE)

    world.says("acknowledge-escalation", promise="acknowledge", by="li")

    assert world.after(hours=1).rungs(ACK) == [1, 3]


def test_the_same_escalation_is_not_acknowledged_twice() -> None:
    """S23: nor one that was never sent."""
    world = unanswered().until(START + 8 * MINUTE)
    world.says("acknowledge-escalation", promise="acknowledge", by="li")

    assert "li has acknowledged it already" in world.refuses("acknowledge-escalation", promise="acknowledge", by="wu")
    assert "acknowledge was" in world.refuses("acknowledge-escalation", promise="detailed_result")


def test_acknowledging_does_not_keep_the_promise() -> None:
    """S23: the customer still waits."""
    world = unanswered().until(START + 8 * MINUTE)
    world.says("acknowledge-escalation", promise="acknowledge", by="li")

    world.after(minutes=5)

    assert world.state(ACK) is PromiseState.BROKEN


def test_an_old_cycles_escalation_cannot_hold_back_the_new_cycles_ladder() -> None:
    """S10, S23: there has been no notice about the new promise."""
    world = open_case().after(hours=40)
    assert world.rungs(DETAIL) == [1]
    world.says("assess", severity="severe")
    world.says("customer-approved")
    world.says("satisfaction-reported", score=1)

    world.refuses("acknowledge-escalation", promise="detailed_result", by="li")
