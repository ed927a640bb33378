"""Bodies of requests: read completely, within limits of size and time, and decoded as all other input is."""

import asyncio
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from cases.contract import MAX_INPUT_BYTES
from cases.errors import InvalidInput
from cases.input.decoding import check_size, decode
from web.problems import Failed

JSON, NDJSON = "application/json", "application/x-ndjson"
MAX_BODY = 4 * MAX_INPUT_BYTES
"""Bytes of a complaint or message with all blanks; without them `MAX_INPUT_BYTES`, as everywhere."""
MAX_BATCH = 16 * 1024 * 1024
"""Bytes of a batch."""
BODY_WITHIN = 20
"""Seconds within which a body has to arrive."""


async def read(request: Request, limit: int = MAX_BODY, media_type: str = JSON) -> bytes:
    """Return the body. Raises `Failed` for another media type, a body that is too large, or one that takes too long."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise Failed(415, f"send {media_type}, with this Content-Type", {"accept-post": media_type})
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Failed(415, "send the body without Content-Encoding", {"accept-encoding": "identity"})
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise Failed(413, f"the body is larger than {limit} bytes")
    except ClientDisconnect:
        raise Failed(400, "the connection was closed before the request was complete") from None
    except TimeoutError:
        raise Failed(408, f"the request did not arrive within {BODY_WITHIN} s: send it again") from None
    return bytes(body)


def value_in(body: bytes) -> Any:
    """Return the JSON value in a body. Raises `InvalidInput` with every fault, and `Failed` if it is too large."""
    value = decode(body)
    try:
        check_size(value)
    except InvalidInput as error:
        raise Failed(413, str(error)) from None
    return value


def object_in(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises as `value_in`, and for any other value."""
    value = value_in(body)
    if not isinstance(value, dict):
        raise Failed(422, "send a JSON object", errors=[{"field": "(whole)", "problem": "must be a JSON object"}])
    return value
