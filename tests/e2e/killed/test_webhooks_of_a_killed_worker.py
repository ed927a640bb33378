"""A worker is killed while it sends events: another one sends them again, in order, and none is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from temporalio.client import Client

from cases.contract import CASE_WORKFLOW, TASK_QUEUE, workflow_id
from client.webhooks.admin import OpenDatabase, Webhooks
from embedded import Embedded
from partners.addresses import AllowedAddresses
from records import Records
from settings import configured
from tests.complaints import complaint
from tests.engine import ONCE, OpenCase, eventually
from tests.partners.webhook_receiver import receiving

pytestmark = [pytest.mark.e2e, pytest.mark.long]


@pytest.fixture
async def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Embedded]:
    """Everything on this machine; webhooks may lead to it."""
    monkeypatch.setenv("AFTER_SALES_WEBHOOK_NETWORKS", '["127.0.0.0/8"]')
    monkeypatch.setenv("AFTER_SALES_WEBHOOK_HTTP", "true")
    async with Embedded(data=tmp_path / "data", port=0, ui_port=0, partners_port=0) as machine:
        yield machine


async def test_each_event_arrives_and_in_order(machine: Embedded, tmp_path: Path) -> None:
    client = await Client.connect(machine.address)
    content = complaint()
    case_id = content["case_id"]
    async with receiving() as receiver:
        with closing(Records(f"sqlite:///{tmp_path / 'data' / 'records.db'}")) as records:
            await Webhooks(OpenDatabase(records), AllowedAddresses.of(configured())).add(receiver.url)
            receiver.answer = lambda _: "hang"
            handle = await client.start_workflow(
                CASE_WORKFLOW, content, id=workflow_id(case_id), task_queue=TASK_QUEUE, **ONCE
            )
            case = OpenCase(case_id, client, handle)
            await asyncio.wait_for(receiver.came.wait(), 60)
            await machine.kill_worker()
            held = {got.id for got in receiver.received}

            receiver.answer = lambda _: 200
            receiver.released.set()
            await machine.start_worker()
            await case.becomes("assessing")
            await case.signals("complaint-withdrawn", reason="it was found")
            await asyncio.wait_for(handle.result(), 60)

            async def all_there() -> bool:
                events = await asyncio.to_thread(records.events_of, case_id)
                return events[-1].type == "case.closed" and {e.id for e in events} <= {g.id for g in receiver.accepted}

            await eventually(all_there, "all events at the receiver")
            order = list(dict.fromkeys(got.id for got in receiver.accepted))
            assert order == [event.id for event in await asyncio.to_thread(records.events_of, case_id)]
            assert held <= set(order)
