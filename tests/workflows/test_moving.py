"""A case on a server is moved to its worker's policy: its timers are reset, and the look-up is recorded."""

import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from cases.contract import PREVIEW_QUERY
from cases.policy.policy import Policy
from tests.complaints import complaint
from tests.engine import PATIENCE, OpenCase, Workshop, eventually, promise
from tests.workflows.conftest import Open

MOVE: dict[str, Any] = {"by": "Chen Wei", "reason": "24 hours for all"}
EDITED = "2026-12+edited"


def edit(workshop: Workshop, within: str = "24h") -> Policy:
    """Edit the policy file and restart the worker: the detailed result is promised in another time."""
    policy = workshop.parts.policies["building_materials"]
    promises = [r.model_copy(update={"within": within}) if r.rule == "B4" else r for r in policy.promises]
    edited = policy.model_copy(update={"version": EDITED, "promises": promises})
    workshop.parts.policies["building_materials"] = edited
    return edited


def hours_due(case: dict[str, Any]) -> float:
    """Return after how many hours the detailed result is due."""
    found = promise(case, "detailed_result")
    started, due = (datetime.fromisoformat(found[which]) for which in ("started_at", "due_at"))
    return (due - started) / timedelta(hours=1)


async def refused(case: OpenCase, **payload: Any) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await case.says("move-policy", **{**MOVE, **payload})
    return str(error.value.cause)


async def test_a_case_that_is_moved_in_the_middle_is_due_by_the_new_time_and_a_timer_for_it_is_wound(
    open_case: Open, workshop: Workshop
) -> None:
    """S18: ten hours are used; the owner is warned at 80 % of the new time, and it breaks at its end."""
    case = await open_case()
    await case.becomes("assessing")
    await case.after(hours=10)
    edited = edit(workshop)
    assert hours_due(await case.snapshot()) == 48
    timers = len(await case.events("TIMER_STARTED"))

    answer = await case.says("move-policy", **MOVE, version=edited.version)
    await case.at_rest()

    seen = await case.snapshot()
    assert (answer["applied"], answer["policy"], seen["policy"]["version"]) == (True, EDITED, EDITED)
    assert hours_due(seen) == 24
    assert len(promise(seen, "detailed_result")["segments"]) == 1
    [wound] = (await case.events("TIMER_STARTED"))[timers:]
    left = wound.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
    assert timedelta(hours=9) < left < timedelta(hours=9.3)  # until 80 % of 24 hours
    seen = await case.after(hours=13, minutes=55)
    assert (promise(seen, "detailed_result")["state"], len(seen["escalations"])) == ("open", 1)
    seen = await case.after(minutes=10)
    assert (promise(seen, "detailed_result")["state"], len(seen["escalations"])) == ("broken", 2)


async def test_the_policy_comes_from_the_worker_and_is_recorded(open_case: Open, workshop: Workshop) -> None:
    """S18: a message that contains a policy is refused, and changes nothing."""
    case = await open_case()
    await case.becomes("assessing")
    await case.at_rest()
    edited, before = edit(workshop), len(await case.events())

    forged = await refused(case, policy=edited.model_dump(mode="json"))
    assert "policy: is not known here" in forged
    assert len(await case.events()) == before

    await case.says("move-policy", **MOVE)
    scheduled = [e.activity_task_scheduled_event_attributes for e in await case.events("ACTIVITY_TASK_SCHEDULED")]
    assert [s.activity_type.name for s in scheduled] == ["policy-in-force"]


async def test_an_edited_policy_alone_moves_no_case_and_a_second_move_changes_nothing(
    open_case: Open, workshop: Workshop
) -> None:
    """S18."""
    case = await open_case()
    await case.becomes("assessing")
    edit(workshop)
    await case.says("note", text="still on the old one")
    assert hours_due(await case.snapshot()) == 48
    await case.says("move-policy", **MOVE)
    first = await case.snapshot()

    again = await case.says("move-policy", **MOVE)

    assert (again["applied"], again["why"]) == (False, f"{case.id} has policy {EDITED} already")
    assert await case.snapshot() == first


async def test_a_preview_is_what_the_move_then_answers_and_leaves_no_trace(open_case: Open, workshop: Workshop) -> None:
    """S18."""
    case = await open_case()
    await case.becomes("assessing")
    await case.after(hours=30)
    edited, before = edit(workshop), len(await case.events())
    asked = {"policy": edited.model_dump(mode="json"), "now": (await case.now()).isoformat()}

    previewed = await case.asks(PREVIEW_QUERY, asked)
    assert len(await case.events()) == before
    answer = await case.says("move-policy", **MOVE)
    seen = await case.until(lambda c: len(c["escalations"]) == 2)

    assert previewed["promises"] == answer["promises"]
    assert [r["role"] for r in previewed["rungs"]] == [e["role"] for e in seen["escalations"]] == ["owner", "team_lead"]
    assert await case.asks(PREVIEW_QUERY, asked) is None


async def test_a_move_that_the_worker_cannot_make_is_refused_with_the_reason(
    open_case: Open, workshop: Workshop
) -> None:
    """S18: another version than the previewed one, and a topic that no longer exists."""
    case = await open_case()
    await case.becomes("assessing")
    edited = edit(workshop)

    other = await refused(case, version="2026-12+previewed")
    rest = {name: topic for name, topic in edited.topics.items() if name != "transport.damage"}
    workshop.parts.policies["building_materials"] = edited.model_copy(update={"topics": rest})
    gone = await refused(case)

    assert f"the policy in force is {EDITED}, not 2026-12+previewed: restart every worker" in other
    assert "topic: building_materials has no topic transport.damage" in gone
    assert hours_due(await case.snapshot()) == 48


class Held(dict[str, Policy]):
    """Policies whose look-up can be delayed."""

    def __init__(self, policies: dict[str, Policy]) -> None:
        super().__init__(policies)
        self.free, self.asked = threading.Event(), threading.Event()
        self.free.set()

    def __contains__(self, line: object) -> bool:
        self.asked.set()
        self.free.wait(PATIENCE)
        return super().__contains__(line)


async def test_a_case_that_ends_while_the_policy_is_looked_up_is_not_moved(closed_workshop: Workshop) -> None:
    """S18: it is checked again once the policy has arrived."""
    held = Held(closed_workshop.parts.policies)
    closed_workshop.parts = replace(closed_workshop.parts, policies=held)
    await closed_workshop.open()
    case = await closed_workshop.take_in(complaint())
    await case.becomes("assessing")
    edit(closed_workshop)
    held.free.clear()
    held.asked.clear()
    moving = asyncio.create_task(refused(case))

    async def asked() -> bool:
        return held.asked.is_set()

    await eventually(asked, "the look-up")
    await case.says("complaint-withdrawn")
    held.free.set()

    assert "is closed as withdrawn" in await moving
    assert (await case.result())["policy"]["version"] != EDITED
