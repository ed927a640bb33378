"""Sends the events that wait for a webhook, in order for each case, and records what came of it.

The activity belongs to no workflow: a worker starts it when there is something to send (`client.webhooks`). What is to
be sent, and when, is in our database.
"""

import asyncio
from datetime import UTC, datetime
from time import monotonic

from temporalio import activity
from yarl import URL

from activities.outcomes import as_application_errors
from cases.contract import DELIVER_WEBHOOKS
from cases.partner_calls import StaffNotice
from cases.vocabulary import Role
from partners.ports import Messaging
from partners.webhooks import AT_A_TIME, WebhookSender, signed
from records import Disabled, Due, Endpoint, Records, UnknownEndpoint
from records.outbox.deliveries import DOWN_AFTER

LONGEST = 60
"""Seconds after which the activity ends; it is started again if there is more to send."""
AT_ONCE = 40
"""Events that are read at once."""
TEAM = "customer_service"
"""The team whose manager is notified: a notice needs one, and a webhook belongs to no case."""


class Webhooks:
    """The activity that sends events to webhooks."""

    def __init__(self, records: Records, sender: WebhookSender, messaging: Messaging) -> None:
        self._records = records
        self._sender = sender
        self._messaging = messaging

    @activity.defn(name=DELIVER_WEBHOOKS)
    async def deliver(self, endpoint_id: str) -> None:
        """Send what is due, until nothing is. If the worker is killed, an event may be sent again, and none is lost."""
        until = monotonic() + LONGEST
        while await self._serve(endpoint_id) and monotonic() < until and not activity.is_worker_shutdown():
            pass

    async def _serve(self, endpoint_id: str) -> bool:
        """Send some of what is due; return whether there may be more."""
        records, now = self._records, datetime.now(UTC)
        try:
            endpoint = await asyncio.to_thread(records.endpoint, endpoint_id)
        except UnknownEndpoint:
            return False
        if endpoint.disabled is not None:
            await self._notify(endpoint)
            return False
        if endpoint.paused_until is not None and endpoint.paused_until > now:
            return False
        await asyncio.to_thread(records.queue_events, endpoint, now)
        few = 1 if endpoint.failures >= DOWN_AFTER else AT_ONCE
        due = await asyncio.to_thread(records.due_deliveries, endpoint_id, now, few)
        if not due:
            await asyncio.to_thread(records.shorten_log, endpoint_id)
            return False
        keys = await asyncio.to_thread(records.secrets_of, endpoint_id, now)
        slots = asyncio.Semaphore(AT_A_TIME)
        async with asyncio.TaskGroup() as sending:
            for each in due:
                sending.create_task(self._send(endpoint, each, keys, slots))
        return True

    async def _send(self, endpoint: Endpoint, due: Due, keys: list[str], slots: asyncio.Semaphore) -> None:
        async with slots:
            body, endpoint_id = due.event.body, endpoint.endpoint_id
            headers = signed(keys, due.event.id, datetime.now(UTC), body)
            attempt = await self._sender.send(endpoint.url, body, headers)
            now = datetime.now(UTC)
            if attempt.error is None:
                await asyncio.to_thread(self._records.delivered, endpoint_id, due, attempt.status, now)
            else:
                about = (attempt.status, attempt.error, now)
                await asyncio.to_thread(self._records.not_delivered, endpoint_id, due, *about)
                extra = {"webhook": endpoint_id, "event": due.event.id, "case": due.event.case_id}
                activity.logger.warning("webhook not delivered", extra={**extra, "why": attempt.error})
            if attempt.is_unwanted:
                await asyncio.to_thread(self._records.disable_endpoint, endpoint_id, Disabled.GONE)
            activity.heartbeat()

    async def _notify(self, endpoint: Endpoint) -> None:
        """Notify staff that an endpoint was disabled, unless a person did so. A repeated notice has the same key."""
        if endpoint.disabled == Disabled.BY_HAND or endpoint.disabled_at is None:
            return
        [last] = await asyncio.to_thread(self._records.deliveries, endpoint.endpoint_id, 1)
        notice = StaffNotice(
            key=f"webhook/{endpoint.endpoint_id}/{endpoint.disabled_at:%Y%m%dT%H%M%S}",
            case_id=last.case_id,
            event="webhook_disabled",
            role=Role.MANAGER,
            team=TEAM,
            facts={
                "endpoint": endpoint.endpoint_id,
                # The rest of the URL may be a secret.
                "address": str(URL(endpoint.url).origin()),
                "gone": endpoint.disabled == Disabled.GONE,
                "since": endpoint.failing_since and endpoint.failing_since.isoformat(),
            },
        )
        async with as_application_errors():
            await self._messaging.to_staff(notice)
