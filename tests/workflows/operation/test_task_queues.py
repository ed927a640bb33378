"""Task queues: of all lines, of one line, and of the calls to each partner."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from cases.contract import CASE_WORKFLOW, TASK_QUEUE, line_queue, partner_queue, workflow_id
from cases.errors import InvalidInput
from cases.partner_calls import ReceiptState
from cases.policy.admission import admitted
from cases.policy.policy import Policy
from client.cases import Engine
from client.connection import Unreachable
from client.errors import unserved
from client.opening import Opening
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, eventually
from tests.fakes import FakePartners, Turn
from tests.workflows.conftest import agreed
from worker import build_workers, queues

APART = frozenset({"building_materials", "express", "fresh_food"})
PARCEL: dict[str, Any] = {"line": "express", "topic": "claim.damage", "order": {"goods_value": "300.00"}}


@asynccontextmanager
async def serving(shop: Workshop, *names: str) -> AsyncIterator[None]:
    """Workers on these task queues, each with a connection of its own, as separate processes have."""
    address = shop.client.service_client.config.target_host
    async with AsyncExitStack() as stack:
        for name in names:
            client = await Client.connect(address, data_converter=shop.client.data_converter)
            await stack.enter_async_context(build_workers(client, shop.parts, task_queues=[name], sandboxed=True))
        yield


async def opened(shop: Workshop, raw: dict[str, Any], policies: dict[str, Policy]) -> tuple[str, OpenCase]:
    """Open a case as `starter.py open` does, where three lines have task queues of their own."""
    found, policy = admitted(raw, datetime.now(UTC), policies)
    result = await (await Opening(Engine(shop.client, "here", APART)).start(found, raw, policy))
    case = OpenCase(found.case_id, shop.client, shop.client.get_workflow_handle(workflow_id(found.case_id)))
    shop.taken_in.add(case.handle.id)
    return result.text, case


async def queue_of(case: OpenCase) -> str:
    return (await case.handle.describe()).task_queue


async def test_each_line_is_handled_by_its_workers_and_the_common_queue_accepts_every_line(
    closed_workshop: Workshop, written_policies: dict[str, Policy]
) -> None:
    shop = closed_workshop
    async with serving(shop, line_queue("building_materials"), line_queue("express"), TASK_QUEUE):
        slate = await opened(shop, complaint(), written_policies)
        parcel = await opened(shop, complaint(**PARCEL), written_policies)
        # Another system knows only the contract.
        raw = complaint(**PARCEL)
        theirs = await Workshop(shop.client, shop.parts, task_queue=TASK_QUEUE).take_in(raw)

        for case in (slate[1], parcel[1], theirs):
            await case.until(lambda seen: seen["line"])

        assert (slate[0], parcel[0]) == ("opened", "opened")
        assert await queue_of(slate[1]) == "after-sales.building_materials"
        assert await queue_of(parcel[1]) == "after-sales.express"
        assert await queue_of(theirs) == "after-sales"


async def test_case_of_a_line_that_no_worker_serves_is_reported_with_the_worker_to_start(
    closed_workshop: Workshop, written_policies: dict[str, Policy]
) -> None:
    shop, engine = closed_workshop, Engine(closed_workshop.client, "here", APART)
    raw = complaint(line="fresh_food", topic="goods.damage")

    text, case = await opened(shop, raw, written_policies)

    assert text == f"opened; no worker has accepted it yet, see starter.py show {case.id}"
    start = "start one (python worker.py --lines fresh_food)"
    with pytest.raises(Unreachable) as shown:
        await engine.snapshot(case.id)
    assert str(shown.value) == (
        f"no worker serves task queue after-sales.fresh_food, on which case-{case.id} was started: {start}"
    )
    # It waited unharmed.
    async with serving(shop, line_queue("fresh_food")):
        await case.until(lambda seen: seen["line"])


async def test_workflow_on_a_misspelt_task_queue_is_terminated_and_a_case_never_is(workshop: Workshop) -> None:
    engine, astray = Engine(workshop.client, "here"), complaint()
    await workshop.client.start_workflow(
        CASE_WORKFLOW, astray, id=workflow_id(astray["case_id"]), task_queue="aftersales"
    )
    case = await workshop.take_in(complaint())
    await case.until(lambda seen: seen["line"])

    with pytest.raises(Unreachable) as shown:
        await engine.snapshot(astray["case_id"])
    of_a_case = unserved(await case.handle.describe())
    await workshop.client.get_workflow_handle(workflow_id(astray["case_id"])).terminate()

    assert str(shown.value).endswith(
        f"and there is no case yet: temporal workflow terminate --workflow-id case-{astray['case_id']}, "
        "then start it on after-sales"
    )
    assert of_a_case.endswith(": start the worker again that served it")


@pytest.mark.parametrize(
    ("lines", "served"),
    [
        ([], ["after-sales"]),
        (["express", "fresh_food", "express"], ["after-sales.express", "after-sales.fresh_food"]),
    ],
)
def test_task_queues_of_a_worker(lines: list[str], served: list[str], written_policies: dict[str, Policy]) -> None:
    assert queues(lines, written_policies) == served


def test_worker_for_a_line_without_a_policy_does_not_start(written_policies: dict[str, Policy]) -> None:
    with pytest.raises(InvalidInput, match="--lines: there is no line expres, only building_materials, express, "):
        queues(["express", "expres"], written_policies)


async def test_partner_that_answers_slowly_holds_up_neither_other_partners_nor_our_database(
    closed_workshop: Workshop, partners: FakePartners
) -> None:
    """Two calls to the warehouse at a time; both of them hang, and more are waiting."""
    answers = asyncio.Event()
    partners.refunds.answers = ReceiptState.DONE
    partners.warehouse.will(*[Turn(until=answers) for _ in range(4)])
    await closed_workshop.open(partner_slots=2)
    waiting = [await closed_workshop.take_in(complaint()) for _ in range(4)]
    for case in waiting:
        await agreed(case, "moderate")
    await eventually(lambda: _is(len(partners.warehouse.commands) == 2), "two calls to the warehouse")

    refund = {"kind": "refund", "amount": "100.00"}
    other = await closed_workshop.take_in(complaint())
    await other.becomes("assessing")
    await other.says("assess", severity="severe", by="Zhao")
    await other.says("propose", options=[{"key": "refund", "remedies": [refund]}], by="Zhao")
    await other.becomes("awaiting_consent")
    await other.says("customer-approved", by="Wang Li")
    await other.becomes("following_up")
    await other.says("satisfaction-reported", score=5)
    ended = await other.result()  # its record was archived

    assert ended["outcome"] == "satisfied"
    assert len(partners.warehouse.commands) == 2  # the other two wait for a slot, not for this case
    answers.set()
    for case in waiting:
        await case.until(lambda seen: any(s["partner"] == "warehouse" and s["reference"] for s in seen["steps"]))
    assert len(partners.warehouse.commands) == 4


async def test_partner_with_a_rate_limit_is_called_on_its_task_queue_only(
    closed_workshop: Workshop,
) -> None:
    """The server spreads the calls: the limit is that of the task queue, for all workers together."""
    await closed_workshop.open(partner_rates={"messaging": 50.0})

    case = await closed_workshop.take_in(complaint())
    await case.becomes("assessing")
    await case.until(lambda seen: any(entry["what"] == "acknowledged" for entry in seen["timeline"]))

    scheduled = [
        event.activity_task_scheduled_event_attributes
        async for event in case.handle.fetch_history_events()
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    queues_of = {(each.activity_type.name, each.task_queue.name) for each in scheduled}
    assert ("message-customer", f"{closed_workshop.task_queue}:messaging") in queues_of
    assert await _limit(closed_workshop, "messaging") == 50.0
    assert await _limit(closed_workshop, "refunds") != 50.0


async def _limit(shop: Workshop, partner: str) -> float:
    """Return the most calls to a partner in a second, as the workers have told the server."""
    found = await shop.client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=shop.client.namespace,
            task_queue=TaskQueue(name=partner_queue(shop.task_queue, partner)),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
    )
    return max((poller.rate_per_second for poller in found.pollers), default=0.0)


async def _is(condition: bool) -> bool:
    return condition
