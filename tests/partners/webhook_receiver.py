"""A receiver of webhooks on loopback that can fail, hang, redirect, and come back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import web

Answer = Callable[[web.Request], Any]


class Received(NamedTuple):
    """One request."""

    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """Keeps what it was sent, and answers as told."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.accepted: list[Received] = []
        self.answer: Callable[[Received], int | str] = lambda _: 200
        """Returns a status, or: hang, endless, redirect."""
        self.url = ""
        self.came = asyncio.Event()
        self.released = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        got = Received({name.lower(): value for name, value in request.headers.items()}, await request.text())
        self.received.append(got)
        self.came.set()
        answer = self.answer(got)
        if answer == "hang":
            await self.released.wait()
            return web.Response(status=503)
        if answer == "endless":
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 65536)
        if answer == "redirect":
            return web.Response(status=302, headers={"Location": f"{self.url}/elsewhere"})
        if answer == 200:
            self.accepted.append(got)
        return web.Response(status=int(answer))


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver on a free port of loopback."""
    receiver, app = Receiver(), web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
    try:
        yield receiver
    finally:
        receiver.released.set()
        await runner.cleanup()
