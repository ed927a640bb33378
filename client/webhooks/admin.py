"""Webhooks, for any front end: add, show, change and test them, and send events again."""

import asyncio
import json
import secrets
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self, TypeVar

from cases.errors import InvalidInput, Problem
from cases.views.case_events import EventType
from client.errors import NoSuchWebhook
from partners.addresses import AllowedAddresses, ForbiddenAddress
from partners.webhooks import Attempt, WebhookSender, new_secret, signed
from records import Delivery, Disabled, Endpoint, Records, TooManyEvents, UnknownEndpoint
from settings import Settings

Json = dict[str, Any]
Result = TypeVar("Result")
BOTH_SECRETS = timedelta(hours=24)
"""How long the secret before the last one signs too."""


class Database(Protocol):
    """Our database, whose calls run in threads (`client.store.Store`)."""

    async def run(self, call: Callable[[Records], Result]) -> Result:
        """Return what `call` returns for our database."""


class OpenDatabase:
    """Our database, opened by the caller."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def run(self, call: Callable[[Records], Result]) -> Result:
        """Return what `call` returns for our database, in a thread."""
        return await asyncio.to_thread(call, self._records)


class Webhooks:
    """The webhooks in our database.

    With `only`, only those that are bound to some of these lines exist, and no others can be added.
    """

    def __init__(self, database: Database, allowed: AllowedAddresses, only: Collection[str] | None = None) -> None:
        self._database = database
        self._allowed = allowed
        self._only = only

    @classmethod
    def of(cls, settings: Settings, database: Database, only: Collection[str] | None = None) -> Self:
        """Return the webhooks; the settings say where they may lead."""
        return cls(database, AllowedAddresses.of(settings), only)

    async def add(
        self,
        url: str,
        types: Collection[str] = (),
        lines: Collection[str] = (),
        *,
        known: Collection[str] | None = None,
    ) -> tuple[Json, str]:
        """Add a webhook; return it, and its secret. Raises `InvalidInput`. `known` are the lines that there are."""
        lines = lines or self._only or ()
        there_are = known if self._only is None else self._only
        problems = [
            Problem(field="types", problem=f"{each} is no type of event") for each in _others(types, list(EventType))
        ]
        if there_are is not None:
            problems += [
                Problem(field="lines", problem=f"there is no line {each}") for each in _others(lines, there_are)
            ]
        try:
            await self._allowed.check(url)
        except ForbiddenAddress as error:
            problems.append(Problem(field="url", problem=str(error)))
        if problems:
            raise InvalidInput(problems)
        secret = new_secret()
        shown = await self._database.run(
            lambda records: _shown(records, records.add_endpoint(url, secret, types, lines))
        )
        return shown, secret

    async def all(self) -> list[Json]:
        """Return all webhooks, oldest first."""
        found = await self._database.run(lambda records: [_shown(records, each) for each in records.endpoints()])
        return [each for each in found if self._exists(each["lines"])]

    async def show(self, endpoint_id: str) -> Json:
        """Return a webhook. Raises `NoSuchWebhook`, as all that follow."""
        return await self._with(endpoint_id, lambda records: _shown(records, records.endpoint(endpoint_id)))

    async def rotate(self, endpoint_id: str, both: timedelta = BOTH_SECRETS) -> str:
        """Return another secret. The one before signs too, for as long as `both`."""
        secret, until = new_secret(), datetime.now(UTC) + both
        await self._with(endpoint_id, lambda records: records.rotate_secret(endpoint_id, secret, until))
        return secret

    async def disable(self, endpoint_id: str) -> None:
        """Send nothing more. Events are kept."""
        await self._with(endpoint_id, lambda records: records.disable_endpoint(endpoint_id, Disabled.BY_HAND))

    async def enable(self, endpoint_id: str, *, from_now: bool = False) -> None:
        """Send again: everything since it was disabled, or only what comes from now on."""
        await self._with(endpoint_id, lambda records: records.enable_endpoint(endpoint_id, from_now=from_now))

    async def remove(self, endpoint_id: str) -> None:
        """Delete a webhook, with its log and what waits for it."""
        await self._with(endpoint_id, lambda records: records.remove_endpoint(endpoint_id))

    async def ping(self, endpoint_id: str) -> Attempt:
        """Send a test event, once, from this process. It is sent to a disabled webhook too."""
        now, event_id = datetime.now(UTC), f"evt_ping{secrets.token_hex(8)}"
        url, keys = await self._with(
            endpoint_id, lambda records: (records.endpoint(endpoint_id).url, records.secrets_of(endpoint_id, now))
        )
        about = {"id": event_id, "type": "webhook.ping", "timestamp": now.isoformat().replace("+00:00", "Z")}
        body = json.dumps({**about, "data": {"webhook": endpoint_id}})
        async with WebhookSender(self._allowed) as sender:
            attempt = await sender.send(url, body, signed(keys, event_id, now, body))
        result = (attempt.status, attempt.error, now)
        await self._database.run(lambda records: records.log_ping(endpoint_id, event_id, *result))
        return attempt

    async def replay(
        self,
        endpoint_id: str,
        event_ids: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> int:
        """Send events again, by id or by when they were written; return how many.

        Raises `InvalidInput` if neither ids nor a time are given, or if these are too many events.
        """
        if not event_ids and since is None:
            raise InvalidInput([Problem(field="since", problem="give the ids of events, or a time")])
        try:
            return await self._with(endpoint_id, lambda records: records.replay(endpoint_id, event_ids, since, until))
        except TooManyEvents as error:
            raise InvalidInput([Problem(field="since", problem=str(error))]) from None

    async def log(self, endpoint_id: str, limit: int, state: str | None = None) -> list[Json]:
        """Return the latest deliveries, the last one first."""
        found = await self._with(endpoint_id, lambda records: records.deliveries(endpoint_id, limit, state))
        return [_logged(each) for each in found]

    async def _with(self, endpoint_id: str, call: Callable[[Records], Result]) -> Result:
        """Return what `call` returns, if the webhook exists."""

        def checked(records: Records) -> Result:
            if not self._exists(records.endpoint(endpoint_id).lines):
                raise NoSuchWebhook(f"there is no webhook {endpoint_id}")
            return call(records)

        try:
            return await self._database.run(checked)
        except UnknownEndpoint as error:
            raise NoSuchWebhook(str(error)) from None

    def _exists(self, lines: Collection[str]) -> bool:
        return self._only is None or (bool(lines) and set(lines) <= set(self._only))


def _others(given: Collection[str], known: Collection[str]) -> list[str]:
    return sorted(set(given) - set(known))


def _shown(records: Records, endpoint: Endpoint) -> Json:
    return {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "types": endpoint.types,
        "lines": endpoint.lines,
        "disabled": endpoint.disabled,
        "failing_since": _text(endpoint.failing_since),
        "waiting": records.waiting(endpoint.endpoint_id),
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
