"""Workers that serve only some lines of business, beside the task queue on which cases of every line can be started."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from cases.contract import CASE_WORKFLOW, TASK_QUEUE, line_queue, workflow_id
from cases.errors import InvalidInput
from cases.policy.admission import admitted
from cases.policy.policy import Policy
from client.cases import Engine
from client.connection import Unreachable
from client.errors import unserved
from client.opening import Opening
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop
from worker import queues

APART = frozenset({"building_materials", "express", "fresh_food"})
PARCEL = {"line": "express", "topic": "claim.damage", "order": {"goods_value": "300.00"}}


@asynccontextmanager
async def serving(shop: Workshop, *names: str) -> AsyncIterator[None]:
    """Workers on these task queues."""
    workers = [Workshop(shop.client, shop.parts, task_queue=name) for name in names]
    for each in workers:
        await each.open()
    yield
    for each in workers:
        await each.close()


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
