"""Has events sent to webhooks: starts an activity for each webhook to which something is to be sent."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client
from temporalio.common import ActivityIDConflictPolicy, RetryPolicy

from cases.contract import DELIVER_WEBHOOKS, TASK_QUEUE
from client.cases import ANSWER_WITHIN
from records import Records

EVERY = 1.0
"""Seconds between two looks whether there are new events."""


async def serve_webhooks(client: Client, records: Records, task_queue: str = TASK_QUEUE) -> None:
    """Start to send what is due, until cancelled. Each worker does so; one activity at a time serves a webhook.

    Nothing but the delay depends on it: what one look misses, the next one finds.
    """
    log, said = structlog.get_logger("webhooks"), None
    while True:
        try:
            for endpoint_id in await asyncio.to_thread(_to_serve, records):
                await _serve(client, endpoint_id, task_queue)
            said = None
        except Exception as error:  # noqa: BLE001 (whatever it is, cases go on, and so does the next look)
            if str(error) != said:
                said = str(error)
                log.warning("webhooks are not served", why=said)
        await asyncio.sleep(EVERY)


def _to_serve(records: Records) -> list[str]:
    while records.number_events():
        pass
    return records.endpoints_to_serve(datetime.now(UTC))


async def _serve(client: Client, endpoint_id: str, task_queue: str) -> None:
    await client.start_activity(
        DELIVER_WEBHOOKS,
        endpoint_id,
        id=activity_id(endpoint_id),
        task_queue=task_queue,
        id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING,
        start_to_close_timeout=timedelta(minutes=5),
        # One delivery takes up to 15 seconds. After a worker was killed, another one goes on.
        heartbeat_timeout=timedelta(seconds=30),
        retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=1)),
        summary="sends events to a webhook",
        rpc_timeout=ANSWER_WITHIN,
    )


def activity_id(endpoint_id: str) -> str:
    """Return the id of the activity that serves a webhook."""
    return f"webhook-{endpoint_id}"
