"""What operators see: search attributes, the page of a case, and the summary of its start."""

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.sdk.v1 import WorkflowMetadata

from cases.partner_calls import Trail, TrailState
from cases.policy.policy import Policy
from tests.complaints import CUSTOMER, complaint
from tests.engine import PATIENCE, OpenCase, Workshop, eventually, promise, step
from tests.fakes import FakePartners, Turn
from tests.workflows.conftest import Open, agreed, offered
from workflows.sdk.search import KEYS

TASK_WITHIN = timedelta(seconds=3)
"""Short, but longer than a busy machine needs for a task."""


async def attributes(case: OpenCase) -> dict[str, Any]:
    """Return the search attributes of a case, by name."""
    found = (await case.handle.describe()).typed_search_attributes
    return {name: found.get(key) for name, key in KEYS.items()}


async def page(case: OpenCase) -> str:
    """Return the Markdown on the page of a case in the Temporal UI."""
    metadata = await case.asks("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


async def test_search_attributes_say_what_and_where_a_case_is(open_case: Open) -> None:
    """Contract, *Search attributes*."""
    case = await open_case(urgent=True)
    seen = await case.becomes("assessing")
    await case.at_rest()

    assert await attributes(case) == {
        "CaseLine": "building_materials",
        "CaseTopic": "transport.damage",
        "CaseStatus": "assessing",
        "CaseTeam": "logistics",
        "CaseOutcome": None,
        "CaseOrder": seen["order_id"],
        "BrokenPromises": None,  # the server keeps no empty list
        "EscalationRung": 0,
        "NextDueAt": datetime.fromisoformat(promise(seen, "detailed_result")["due_at"]),
        "Urgent": True,
    }


async def test_search_attributes_follow_the_case(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")

    await case.after(hours=73)
    broken = await attributes(case)
    await case.says("assign", team="quality", by="Zhao")
    await case.says("complaint-withdrawn")
    await case.result()
    closed = await attributes(case)

    assert (broken["BrokenPromises"], broken["EscalationRung"]) == (["detailed_result"], 3)
    assert (closed["CaseStatus"], closed["CaseOutcome"], closed["CaseTeam"]) == ("closed", "withdrawn", "quality")
    assert closed["NextDueAt"] is None
    assert closed["BrokenPromises"] == ["detailed_result"]


async def test_cases_are_found_by_their_search_attributes(open_case: Open) -> None:
    case = await open_case()
    seen = await case.becomes("assessing")
    query = f"CaseOrder = '{seen['order_id']}' AND CaseStatus = 'assessing' AND NextDueAt > '2026-01-01T00:00:00Z'"

    async def found() -> list[str]:
        return [listed.id async for listed in case.client.list_workflows(query)]

    assert await eventually(found) == [case.handle.id]


async def test_page_shows_promises_steps_and_what_to_do_next(open_case: Open, partners: FakePartners) -> None:
    case = await open_case()
    await offered(case, "moderate")
    assert "customer-approved (1 replace)" in await page(case)
    await case.says("customer-approved")
    await case.until(lambda c: step(c, "replacement")["reference"])

    shown = await page(case)

    assert "**executing**" in shown
    assert "acknowledge: **kept**" in shown
    assert "replacement, 4 × SLATE-9: **running**" in shown
    assert "daily update to the customer" in shown
    assert partners.messaging.events == ["acknowledged", "offer"]


async def test_operators_see_no_personal_data(open_case: Open) -> None:
    case = await open_case(description="My neighbour Li Lei dropped it.")
    await agreed(case)
    await case.becomes("following_up")

    shown = await page(case)
    found = str(await attributes(case))
    summaries = "".join(str(event.user_metadata) for event in await case.events())

    for secret in (*CUSTOMER.values(), "Li Lei"):
        assert secret == "zh-CN" or secret not in shown + found + summaries


async def test_what_is_read_back_is_what_the_case_knew_when_it_happened(closed_workshop: Workshop) -> None:
    """Admission takes longer than a workflow task may: a replay must see the same clock as the first run."""
    slow = SlowPolicies(closed_workshop.parts.policies)
    closed_workshop.parts = replace(closed_workshop.parts, policies=slow)
    await closed_workshop.open()
    case = await closed_workshop.take_in(complaint(), task_timeout=TASK_WITHIN)
    await eventually(lambda: case.events("WORKFLOW_TASK_COMPLETED"))
    slow.ready.set()
    await case.becomes("assessing")
    await case.says("complaint-withdrawn")
    result = await case.result()

    assert await case.snapshot() == result


async def test_what_is_read_back_is_the_same_where_a_partner_was_slow(
    workshop: Workshop, partners: FakePartners
) -> None:
    answers = asyncio.Event()
    partners.logistics.knows = Trail(state=TrailState.IN_TRANSIT, promised_at=datetime.now(UTC) - timedelta(days=1))
    partners.logistics.when_looked_up(Turn(until=answers))
    case = await workshop.take_in(complaint(), task_timeout=TASK_WITHIN)
    await eventually(lambda: case.events("WORKFLOW_TASK_COMPLETED"))
    answers.set()
    await case.becomes("assessing")
    await case.says("complaint-withdrawn")
    result = await case.result()

    # When it was opened has a known fault, which the test above covers.
    assert {**await case.snapshot(), "opened_at": result["opened_at"]} == result


class SlowPolicies(dict[str, Policy]):
    """Policies that are found only once `ready` is set."""

    def __init__(self, policies: dict[str, Policy]) -> None:
        super().__init__(policies)
        self.ready = threading.Event()

    def __contains__(self, line: object) -> bool:
        self.ready.wait(PATIENCE)
        return super().__contains__(line)
