"""Read forms from browsers: only from our own pages, and only as large as they need to be."""

import asyncio

from fastapi import Request
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect
from starlette.types import Message

from web.origin import is_own
from web.problems import Failed

MAX_FIELDS = 10
SMALL = 64 * 1024
"""Bytes of a form without files."""
FORM_WITHIN, FILES_WITHIN = 20, 180
"""Seconds within which a form has to arrive. Photos may come from a phone with a slow connection."""


async def form_of(request: Request, limit: int = SMALL, files: int = 0) -> FormData:
    """Return the fields of a form. Raises `Failed` if it comes from elsewhere or has more than `limit` bytes."""
    if not is_own(request.headers):
        raise Failed(403, "the form was not sent by a page of this server")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise _too_large(limit)
        return message

    bounded = Request(request.scope, receive)
    try:
        async with asyncio.timeout(FILES_WITHIN if files else FORM_WITHIN):
            return await bounded.form(max_files=files, max_fields=MAX_FIELDS, max_part_size=SMALL)
    except (ClientDisconnect, TimeoutError):
        raise Failed(400, "the form did not arrive completely") from None


def _too_large(limit: int) -> Failed:
    return Failed(413, f"the form has more than {limit} bytes")
