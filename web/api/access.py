"""Who calls the API, and what they may do. A client is known by its key only; nothing in a request names it."""

from collections.abc import Awaitable, Callable
from typing import Annotated, NoReturn

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from client.serving import keys
from client.serving.keys import Key
from web.problems import Failed
from web.service import Served, Service

_bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key, as `starter.py key create` prints it: `as_live_…`"
)
CHALLENGE = {"www-authenticate": "Bearer"}


async def _caller(
    request: Request, service: Served, given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Key:
    """Return the key of the request. It is looked up each time, so that a revoked key is refused at once."""
    key = await service.store.run(lambda records: keys.presented(records, given.credentials)) if given else None
    if key is None:
        _refuse_unknown(request, service)
    structlog.contextvars.bind_contextvars(client=key.client, key=key.key_id)
    now = service.now()
    if wait := service.rates.take(key.key_id, now):
        limit = service.web.requests_per_minute
        raise Failed(429, f"more than {limit} requests a minute: wait {wait} s", {"retry-after": str(wait)})
    if service.is_worth_noting(key.key_id, now):
        await service.store.run(lambda records: records.api_key_used(key.key_id, now))
    return key


def _refuse_unknown(request: Request, service: Service) -> NoReturn:
    """Refuse a request without a known key. Those of an address are counted, so that guessing is slow."""
    address = request.client.host if request.client else "unknown"
    if wait := service.refusals.take(address, service.now()):
        detail = f"too many requests without a valid key: wait {wait} s, or use a valid key"
        raise Failed(429, detail, {"retry-after": str(wait)})
    raise Failed(401, "a valid key is needed, as Authorization: Bearer as_live_…", CHALLENGE)


Caller = Annotated[Key, Depends(_caller)]
"""The type of a route's parameter that receives the key, whatever its scopes."""


def _needs(allows: Callable[[Key], bool], scope: str) -> Callable[[Key], Awaitable[Key]]:
    async def check(key: Caller) -> Key:
        if not allows(key):
            raise lacking(scope)
        return key

    return check


def lacking(scope: str) -> Failed:
    """Return the error for a key without a scope."""
    return Failed(403, f"this key does not have the scope {scope}")


Reader = Annotated[Key, Depends(_needs(lambda key: key.reads, "read:LINE or read:*"))]
"""A key that may read cases."""
Writer = Annotated[Key, Depends(_needs(lambda key: key.writes, keys.WRITE))]
"""A key that may open cases."""
