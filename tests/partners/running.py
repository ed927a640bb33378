"""A real sandbox on a real ledger file, HTTP partners, and servers that answer anything."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from cases.partner_calls import Contact, LookUp, StepCommand
from cases.vocabulary import Channel
from partners.http import Partners, Rendering, http_partners
from partners.sandbox.app import create_app
from partners.sandbox.fixtures import Fixtures
from partners.sandbox.ledger import Ledger
from partners.sandbox.reports import Courier, SendSignal
from partners.sandbox.switches import Faults, Sandbox

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading all CA certificates takes longer than most of these tests."""
ORDER = LookUp(case_id="HL-1", order_id="SO-1", tracking_no="T-1")
CONTACT = Contact(name="Wang Li", phone="+86 130 0000 0000", email="li@example.org")


@dataclass(frozen=True)
class Words:
    subject: str
    body: str


RENDERING = Rendering(
    customer=lambda message: Words(f"about {message.event}", f"hello {message.to.name}"),
    staff=lambda notice, locale: Words(f"{notice.event} in {locale}", f"for {notice.role}"),
    direct_channels=frozenset({Channel.SMS, Channel.EMAIL}),
    staff_locale="en",
)


def command(kind: str = "refund", **changes: Any) -> StepCommand:
    """Return a step of case HL-1; money by default."""
    content = {
        "key": f"HL-1/1/1/{kind}",
        "case_id": "HL-1",
        "step": kind,
        "kind": kind,
        "order_id": "SO-1",
        "contact": CONTACT,
        "amount": "640.00" if kind == "refund" else None,
    }
    return StepCommand.model_validate(content | changes)


def talk_to(url: str, *, timeout: float = 60.0, token: str | None = None) -> AbstractAsyncContextManager[Partners]:
    """Return all partners at `url`; they are closed afterwards."""

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Partners]:
        partners = http_partners(url, token, RENDERING, timeout=timeout)
        yield partners
        await partners.aclose()

    return opened()


Reports = asyncio.Queue[tuple[str, str, dict[str, Any]]]


@dataclass
class RunningSandbox:
    """A running sandbox; `reports` are its reports to the engine: workflow id, signal, payload."""

    url: str
    ledger: Ledger
    admin: httpx.AsyncClient
    reports: Reports

    async def fault(self, kind: str, **how: Any) -> None:
        (await self.admin.post("/_sandbox/faults", json={"kind": kind, **how})).raise_for_status()

    async def clear(self) -> None:
        (await self.admin.delete("/_sandbox/faults")).raise_for_status()

    async def order(self, order_id: str = "SO-1", **change: Any) -> None:
        (await self.admin.post(f"/_sandbox/orders/{order_id}", json=change)).raise_for_status()

    async def money(self, order_id: str = "SO-1") -> dict[str, str]:
        answer: dict[str, str] = (await self.admin.get("/_sandbox/money", params={"order_id": order_id})).json()
        return answer

    async def rows(self, table: str, **which: str) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = (await self.admin.get("/_sandbox/ledger", params=which)).json()[table]
        return answer


Start = Callable[..., AbstractAsyncContextManager[RunningSandbox]]


@contextlib.asynccontextmanager
async def sandbox_in(
    folder: Path,
    entries: dict[str, Any] | None = None,
    *,
    send: SendSignal | None = None,
    key_life: timedelta = timedelta(hours=24),
    gate: "Gate | None" = None,
) -> AsyncIterator[RunningSandbox]:
    """Run a sandbox with its ledger in `folder`, and with `gate` before it."""
    ledger = Ledger(folder / "ledger.db", key_life)
    reports: Reports = asyncio.Queue()

    async def record(to: str, signal: str, payload: dict[str, Any]) -> None:
        await reports.put((to, signal, payload))

    courier = Courier(ledger, send or record, first_wait=0.01)
    app: Any = create_app(Sandbox(ledger, Fixtures(entries or {}, ledger.change), Faults(), courier))
    if gate is not None:
        gate.app, app = app, gate
    async with served(app) as url, httpx.AsyncClient(base_url=url, trust_env=False, verify=NO_TLS) as admin:
        yield RunningSandbox(url, ledger, admin, reports)
    ledger.close()


class Gate:
    """Stands before a sandbox and holds commands to one partner until it is opened, so that no test guesses a delay.

    A held command was received completely: the partner carries it out even if the caller is gone.
    """

    def __init__(self, path: str) -> None:
        self.app: Any = None
        self.held = 0
        """How many commands have been held so far."""
        self._path = path
        self._to_hold, self._carried_out = 0, False
        self._opened = asyncio.Event()

    def hold(self, count: int, *, carried_out: bool = False) -> None:
        """Hold the next `count` commands: before they are carried out, or only their answers."""
        self._to_hold, self._carried_out = count, carried_out
        self._opened = asyncio.Event()

    def open(self) -> None:
        """Release what is held, and hold nothing more."""
        self._to_hold = 0
        self._opened.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle one request (ASGI)."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", self._path) or not self._to_hold:
            await self.app(scope, receive, send)
            return
        self._to_hold -= 1
        received = [await receive()]
        while received[-1].get("more_body"):
            received.append(await receive())
        opened, answers_only = self._opened, self._carried_out

        async def again() -> Any:
            return received.pop(0) if received else await receive()

        async def answer(message: Any) -> None:
            if answers_only and message["type"] == "http.response.start":
                self.held += 1
                await opened.wait()
            await send(message)

        if not answers_only:
            self.held += 1
            await opened.wait()
        await self.app(scope, again, answer)


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Serve `app` on a free port, in this event loop."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    # Clients that connect before uvicorn accepts wait in the socket's queue.
    listening.listen()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


@dataclass
class Stranger:
    """A server that gives everybody the same answer; `requests` are the received bytes."""

    url: str = ""
    requests: list[bytes] = field(default_factory=list)


@contextlib.asynccontextmanager
async def stranger(reply: bytes) -> AsyncIterator[Stranger]:
    """Serve: answer every request with `reply` and close the connection."""
    found = Stranger()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
        found.requests.append(head + body)
        with contextlib.suppress(ConnectionError):
            writer.write(reply)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield found


def reply(status: int, body: bytes | str = b"", **headers: str) -> bytes:
    """Return an HTTP answer; `Retry_After="3"` becomes the header Retry-After."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content
