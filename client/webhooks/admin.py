"""Webhooks, for any front end: add, show, change and test them, and send events again."""

import asyncio
import json
import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from cases.errors import InvalidInput, Problem
from cases.views.case_events import EventType
from partners.addresses import AllowedAddresses, ForbiddenAddress
from partners.webhooks import Attempt, WebhookSender, new_secret, signed
from records import Delivery, Disabled, Endpoint, Records

Json = dict[str, Any]
BOTH_SECRETS = timedelta(hours=24)
"""How long the secret before the last one signs too."""


class Webhooks:
    """The webhooks in our database."""

    def __init__(self, records: Records, allowed: AllowedAddresses) -> None:
        self._records = records
        self._allowed = allowed

    async def add(self, url: str, types: Collection[str] = (), lines: Collection[str] = ()) -> tuple[Json, str]:
        """Add a webhook; return it, and its secret. Raises `InvalidInput`."""
        known = set(EventType)
        problems = [
            Problem(field="types", problem=f"{each} is no type of event") for each in sorted(set(types) - known)
        ]
        try:
            await self._allowed.check(url)
        except ForbiddenAddress as error:
            problems.append(Problem(field="url", problem=str(error)))
        if problems:
            raise InvalidInput(problems)
        secret = new_secret()
        add = partial(self._records.add_endpoint, url, secret, types, lines)
        return await asyncio.to_thread(lambda: self._shown(add())), secret

    async def all(self) -> list[Json]:
        """Return all webhooks, oldest first."""
        return await asyncio.to_thread(lambda: [self._shown(each) for each in self._records.endpoints()])

    async def show(self, endpoint_id: str) -> Json:
        """Return a webhook. Raises `UnknownEndpoint`, as all that follow."""
        return await asyncio.to_thread(lambda: self._shown(self._records.endpoint(endpoint_id)))

    async def rotate(self, endpoint_id: str, both: timedelta = BOTH_SECRETS) -> str:
        """Return another secret. The one before signs too, for as long as `both`."""
        secret = new_secret()
        await asyncio.to_thread(self._records.rotate_secret, endpoint_id, secret, datetime.now(UTC) + both)
        return secret

    async def disable(self, endpoint_id: str) -> None:
        """Send nothing more. Events are kept."""
        await asyncio.to_thread(self._records.disable_endpoint, endpoint_id, Disabled.BY_HAND)

    async def enable(self, endpoint_id: str, *, from_now: bool = False) -> None:
        """Send again: everything since it was disabled, or only what comes from now on."""
        await asyncio.to_thread(lambda: self._records.enable_endpoint(endpoint_id, from_now=from_now))

    async def remove(self, endpoint_id: str) -> None:
        """Delete a webhook, with its log and what waits for it."""
        await asyncio.to_thread(self._records.remove_endpoint, endpoint_id)

    async def ping(self, endpoint_id: str) -> Attempt:
        """Send a test event, once, from this process. It is sent to a disabled webhook too."""
        endpoint = await asyncio.to_thread(self._records.endpoint, endpoint_id)
        now = datetime.now(UTC)
        event_id = f"evt_ping{secrets.token_hex(8)}"
        about = {"id": event_id, "type": "webhook.ping", "timestamp": now.isoformat().replace("+00:00", "Z")}
        body = json.dumps({**about, "data": {"webhook": endpoint_id}})
        keys = await asyncio.to_thread(self._records.secrets_of, endpoint_id, now)
        async with WebhookSender(self._allowed) as sender:
            attempt = await sender.send(endpoint.url, body, signed(keys, event_id, now, body))
        result = (attempt.status, attempt.error, now)
        await asyncio.to_thread(self._records.log_ping, endpoint_id, event_id, *result)
        return attempt

    async def replay(
        self,
        endpoint_id: str,
        event_ids: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Send events again, by id or by when they were written; return how many.

        Raises `TooManyEvents`, or `InvalidInput` if neither ids nor a time are given.
        """
        if not event_ids and since is None:
            raise InvalidInput([Problem(field="since", problem="give the ids of events, or a time")])
        return await asyncio.to_thread(self._records.replay, endpoint_id, event_ids, since, until)

    async def log(self, endpoint_id: str, limit: int, state: str | None = None) -> list[Json]:
        """Return the latest deliveries, the last one first."""
        await asyncio.to_thread(self._records.endpoint, endpoint_id)
        found = await asyncio.to_thread(self._records.deliveries, endpoint_id, limit, state)
        return [_logged(each) for each in found]

    def _shown(self, endpoint: Endpoint) -> Json:
        return {
            "id": endpoint.endpoint_id,
            "url": endpoint.url,
            "types": endpoint.types,
            "lines": endpoint.lines,
            "disabled": endpoint.disabled,
            "failing_since": _text(endpoint.failing_since),
            "waiting": self._records.waiting(endpoint.endpoint_id),
            "created_at": _text(endpoint.created_at),
        }


def _logged(delivery: Delivery) -> Json:
    return {
        "event": delivery.event_id,
        "type": delivery.type,
        "case_id": delivery.case_id or None,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_at": _text(delivery.last_at),
        "next_at": _text(delivery.due_at) if delivery.state == "pending" else None,
        "status": delivery.status,
        "error": delivery.error,
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
