"""What applies to every request: an id, headers that protect browsers, one line in the log."""

from time import perf_counter
from uuid import uuid4

import structlog
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cases.errors import printable
from web.problems import internal

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Set unless a route sets another value. A page replaces the policy with the least that it needs."""
SECURE = {"strict-transport-security": "max-age=31536000"}
"""Added over HTTPS."""
_log = structlog.get_logger("web")


class RequestMiddleware:
    """Gives each request an id (`X-Request-Id`), which its log lines have, and answers 500 if our code fails."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = request_id = uuid4().hex
        added = {**HEADERS, **(SECURE if scope["scheme"] == "https" else {}), "x-request-id": request_id}
        begun, status = perf_counter(), 0

        async def respond(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in added.items():
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, respond)
            except Exception:
                _log.exception("request failed")
                if status:
                    raise  # the answer has begun: the server closes the connection
                await internal(Request(scope))(scope, receive, respond)
            finally:
                took = round(1000 * (perf_counter() - begun), 1)
                path = printable(scope["path"])
                _log.info("request", method=scope["method"], path=path, status=status, milliseconds=took)
