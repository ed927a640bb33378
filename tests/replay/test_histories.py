"""Recorded histories of every path replay on the current code (S24), with the commands of their recording.

A failure here means that open cases would stop; it names the changed commands and what to do.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import BaseModel
from temporalio import workflow
from temporalio.client import WorkflowHistory

from activities.refunds import Refunds
from cases.claim.view import ClaimView
from cases.later_call.later_call import LaterCallView
from cases.measure.measure import MeasureView
from cases.policy import pinned
from cases.policy.policy import Policy
from cases.views.snapshot import Snapshot
from demo.stories import ALONE, TOGETHER
from tests.replay.commands import (
    FINGERPRINTS,
    HISTORIES,
    UNANNOUNCED,
    difference,
    fingerprint,
    history,
    names,
    replayed,
)
from workflows.clocks import Clocks
from workflows.display import Display
from workflows.letters import Letters
from workflows.remedies import Remedies

NAMES = names()
VIEWS: dict[str, type[BaseModel]] = {"claim-": ClaimView, "later-call-": LaterCallView, "measure-": MeasureView}
"""The results of workflows by the beginning of their ids; the others are cases."""


async def failure_of(name: str) -> str:
    """Return the failure of a golden history's replay; empty if it replays as recorded."""
    given, failure = await replayed(history(name))
    return difference(name, fingerprint(name), given, failure)


@pytest.mark.parametrize("name", NAMES)
async def test_a_recorded_history_replays_with_the_commands_of_its_fingerprint(name: str) -> None:
    difference = await failure_of(name)

    assert not difference, difference


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("reconcile-", "review-"))])
def test_a_recorded_result_is_read_and_handed_on_as_it_was_written(name: str) -> None:
    """S24: earlier workers wrote these snapshots; the client shows them unchanged."""
    view = next((view for prefix, view in VIEWS.items() if name.startswith(prefix)), Snapshot)
    ended = history(name).events[-1].workflow_execution_completed_event_attributes
    for payload in ended.result.payloads:
        found = view.model_validate_json(payload.data).model_dump(mode="json", exclude_unset=True)
        assert found == json.loads(payload.data)


@pytest.mark.parametrize("name", ["case-DEMO-07", "case-PATH-moved", "case-PATH-taking-over"])
async def test_a_case_leaves_its_policy_as_it_was_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S18: other cases share it."""
    read: dict[bytes, Policy] = {}
    monkeypatch.setattr(pinned, "_read", lambda record: read.setdefault(record, Policy.model_validate_json(record)))

    await replayed(history(name))

    assert read
    assert [p.model_dump_json() for p in read.values()] == [
        Policy.model_validate_json(record).model_dump_json() for record in read
    ]


def test_every_story_of_the_demonstration_is_recorded() -> None:
    stories = len([*TOGETHER, *ALONE])
    assert {n for n in NAMES if "DEMO" in n} == {*(f"case-DEMO-{n:02}" for n in range(1, stories + 1)), "claim-DEMO-07"}


def test_every_history_has_a_fingerprint_and_no_other() -> None:
    """A missing or extra file: record the history with `python -m tests.replay.record NAME`."""
    assert sorted(path.stem for path in FINGERPRINTS.iterdir()) == NAMES


# Changed code does not replay, and the failure names the change


def another_command(monkeypatch: pytest.MonkeyPatch) -> None:
    async def releases(_self: Remedies) -> None:
        a_minute = timedelta(minutes=1)
        await workflow.execute_activity_method(Refunds.release, args=["key", "why"], start_to_close_timeout=a_minute)

    monkeypatch.setattr(Remedies, "release_unpaid", releases)


def another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    refresh = Display.refresh
    monkeypatch.setattr(Display, "refresh", lambda self: asyncio.get_running_loop().call_soon(refresh, self))


def no_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clocks, "start_timer", lambda _self: None)


def no_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Letters, "deliver", lambda _self: None)


@pytest.mark.parametrize(
    ("tamper", "name", "change"),
    [
        (another_command, "case-DEMO-01", "-activity archive"),
        (another_order, "case-DEMO-01", "+timer\n search attributes\n-timer"),
        (no_timers, "case-DEMO-13", "-timer"),
        (no_letters, "case-DEMO-01", "-local activity message-customer"),
        (no_letters, "case-PATH-look-up", "-local activity message-customer"),
    ],
)
async def test_a_changed_workflow_does_not_replay(
    monkeypatch: pytest.MonkeyPatch, tamper: Callable[[pytest.MonkeyPatch], None], name: str, change: str
) -> None:
    """The guard fails when it should: for closed cases, and for one that was open when it was recorded."""
    tamper(monkeypatch)

    difference = await failure_of(name)

    assert change in difference
    assert "Nondeterminism" in difference
    assert "docs/deploying.md" in difference
    assert "python -m tests.replay.record" in difference


async def test_a_change_that_is_not_announced_fails_the_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard fails when it should: every history is replayed under it."""

    def forgotten(letters: Letters) -> None:
        letters._desk.case.reminded = True  # noqa: SLF001 (past `Desk.apply`)

    monkeypatch.setattr(Letters, "deliver", forgotten)

    assert UNANNOUNCED in await failure_of("case-DEMO-01")


async def test_a_history_with_a_step_at_another_partner_does_not_replay() -> None:
    """The guard fails when it should: for a change of the history."""
    tampered = json.loads((HISTORIES / "case-DEMO-02.json").read_text(encoding="utf-8"))
    for event in tampered["events"]:
        scheduled = event.get("activityTaskScheduledEventAttributes")
        if scheduled and scheduled["activityType"]["name"] == "warehouse-step":
            scheduled["activityType"]["name"] = "refunds-step"

    _, failure = await replayed(WorkflowHistory.from_json("x", json.dumps(tampered)))

    assert "Nondeterminism" in (failure or "")


async def test_fingerprint_that_differs_is_reported_even_if_the_history_replays() -> None:
    """The guard fails when it should: for what replay itself does not detect."""
    given, failure = await replayed(history("claim-DEMO-07"))

    shown = difference("claim-DEMO-07", [*given[:-1], "timer", given[-1]], given, failure)

    assert failure is None
    assert "-timer\n complete" in shown
    assert "replays all the same" in shown
