"""How many requests are answered: by key in a minute, and at the same time."""

import math
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from cases.rate_limit import after_one_more
from web.problems import problem

MAX_KNOWN = 10_000
"""Senders that are remembered before those are dropped that have sent nothing for long enough."""
READS, WRITES = 40, 10
"""API requests that are answered at the same time. More would only wait longer, and slow down each other."""
AGAIN = "1"
"""Seconds after which a request may be repeated that found the server busy."""


class Rates:
    """Counts requests by sender. Each process counts by itself."""

    def __init__(self, per_minute: int) -> None:
        self._at_once, self._every = per_minute, timedelta(minutes=1) / per_minute
        self._free_at: dict[str, datetime] = {}

    def take(self, sender: str, now: datetime) -> int | None:
        """Count one more request. Return None, or the seconds after which the next one is accepted."""
        free_at = self._free_at.get(sender)
        then = after_one_more(free_at, now, self._at_once, self._every)
        if then is None:
            early = (free_at or now) + self._every - now - self._at_once * self._every
            return max(1, math.ceil(early.total_seconds()))
        if len(self._free_at) >= MAX_KNOWN:
            self._free_at = {known: at for known, at in self._free_at.items() if at > now}
        self._free_at[sender] = then
        return None


class BusyMiddleware:
    """Answers API requests with 429 while too many others are in progress."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._free = {"reads": READS, "writes": WRITES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        kind = "reads" if scope["method"] in ("GET", "HEAD") else "writes"
        if not self._free[kind]:
            detail = "too many requests are in progress: try again in a second"
            await problem(Request(scope), 429, detail, {"retry-after": AGAIN})(scope, receive, send)
            return
        self._free[kind] -= 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._free[kind] += 1
