"""An activity that belongs to no workflow is encrypted too: workers with the same keys send events to webhooks."""

import asyncio

import pytest
from temporalio.client import Client

from client.webhooks import serving
from partners.webhooks import new_secret
from records import Delivery, Records
from tests.engine import Workshop, eventually
from tests.records.projected import projected


async def test_webhook_is_served_by_workers_with_keys(
    workshop: Workshop, client: Client, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing may be sent to this address; that it was tried shows that the worker could read its task."""
    monkeypatch.setattr(serving, "EVERY", 0.05)
    webhook = records.add_endpoint("https://127.0.0.1:1/", new_secret()).endpoint_id
    records.project(projected())

    async def tried() -> list[Delivery]:
        return [each for each in records.deliveries(webhook, 10) if each.attempts]

    task = asyncio.create_task(serving.serve_webhooks(client, records, workshop.task_queue))
    [first] = await eventually(tried, "an attempt")
    task.cancel()
    await workshop.parts.webhooks.aclose()

    assert "127.0.0.1 is not public" in first.error
