"""Recorded histories of every path replay on the present code (S24); a changed workflow does not.

What fails here would strand the cases in flight: bring the old commands back, or drain the cases and then record
anew (`python -m tests.replay.record`).
"""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from tests.engine import replayer
from workflows.clocks import Clocks
from workflows.letters import Letters

HISTORIES = sorted(Path(__file__).with_name("histories").glob("*.json"))


async def _replayed(text: str, name: str) -> str | None:
    """What keeps a history from replaying; None when it does."""
    history = WorkflowHistory.from_json(name, text)
    failure = (await replayer().replay_workflow(history, raise_on_replay_failure=False)).replay_failure
    return None if failure is None else str(failure)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    assert await _replayed(path.read_text(encoding="utf-8"), path.stem) is None


def test_every_story_of_the_demonstration_is_recorded() -> None:
    stories = 16
    assert {p.stem for p in HISTORIES} == {*(f"case-DEMO-{n:02}" for n in range(1, stories + 1)), "claim-DEMO-07"}


async def test_a_workflow_that_tells_nobody_does_not_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard bites: a change of the code."""
    monkeypatch.setattr(Letters, "deliver", lambda _self: None)

    assert "Nondeterminism" in (await _replayed(_history("case-DEMO-01"), "x") or "")


async def test_a_workflow_that_keeps_no_time_does_not_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard bites: promises without timers."""
    monkeypatch.setattr(Clocks, "wind", lambda _self: None)

    assert "Nondeterminism" in (await _replayed(_history("case-DEMO-13"), "x") or "")


async def test_a_history_with_a_step_at_another_partner_does_not_replay() -> None:
    """The guard bites: a change of the history."""
    tampered = json.loads(_history("case-DEMO-02"))
    for event in tampered["events"]:
        scheduled = event.get("activityTaskScheduledEventAttributes")
        if scheduled and scheduled["activityType"]["name"] == "warehouse-step":
            scheduled["activityType"]["name"] = "refunds-step"

    assert "Nondeterminism" in (await _replayed(json.dumps(tampered), "x") or "")


def _history(name: str) -> str:
    return next(p for p in HISTORIES if p.stem == name).read_text(encoding="utf-8")
