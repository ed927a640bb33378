"""The one way out to a partner: every call ends as an answer that was checked, or as one `PartnerError`.

What decides between the errors is whether something may have been done (S13):

    the request surely never left          TryAgain
    429, 503 · 401, 403 · a wrong address  TryAgain
    any other 4xx                          PartnerRefused
    everything else, nonsense included     OutcomeUnknown for a step, TryAgain for a look-up or a message
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from cases.errors import InvalidInput, Problem
from partners.ports import OutcomeUnknown, PartnerError, PartnerRefused, TryAgain
from partners.wire import MAX_ANSWER_BYTES, NOT_KNOWN, ProblemDetails

MAX_RETRY_AFTER = 3600.0
"""Longest wait that a partner may ask for, in seconds: beyond it we look again for ourselves."""
MAX_SENTENCE = 300
"""Longest sentence of a partner that is passed on, in characters."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_LAST_PORT = 65_535
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_LOCKED_OUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

Answer = TypeVar("Answer", bound=BaseModel)


def open_client(url: str, token: str | None, timeout: float) -> httpx.AsyncClient:
    """The connections behind every partner; raises `InvalidInput` naming the setting that is wrong."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in ("http", "https") or not address.host or (address.port or 0) > _LAST_PORT:
        raise InvalidInput([Problem(field="AFTER_SALES_PARTNERS_URL", problem="must look like http://127.0.0.1:8733")])
    if token is not None and not _fits_a_header(token):
        raise InvalidInput([Problem(field="AFTER_SALES_PARTNERS_TOKEN", problem="has characters no header can carry")])
    # Answers are asked for uncompressed: a small one cannot unfold into a large one.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return httpx.AsyncClient(
        base_url=address,
        headers=headers,
        # Connecting and the TLS handshake end well before the whole call does, so that running into the
        # total deadline is never mistaken for a request that was not sent.
        timeout=httpx.Timeout(timeout, connect=timeout / 4),
        # How many calls run at once is for the worker's slots to say. Idle connections go before the usual
        # server (5 s) closes them: a command on a closing connection would end as OutcomeUnknown for nothing.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=2.0),
        follow_redirects=False,
        trust_env=False,
    )


@dataclass(frozen=True)
class _Reply:
    """What came back; `body` is empty where it was too long to be read."""

    status: int
    retry_after: str | None
    body: bytes

    @property
    def problem(self) -> ProblemDetails:
        try:
            return ProblemDetails.model_validate_json(self.body)
        except ValidationError:
            return ProblemDetails()


class Connection:
    """The connection to one partner, `who`: deadline (`timeout`, seconds, for the whole call), key, errors, validation.

    `unsure` is what a command raises that may or may not have been done.
    """

    def __init__(
        self, client: httpx.AsyncClient, who: str, timeout: float, unsure: type[PartnerError] = OutcomeUnknown
    ) -> None:
        self._client = client
        self._who = who
        self._timeout = timeout
        self._unsure = unsure

    async def command(self, path: str, content: BaseModel, key: str, expected: type[Answer]) -> Answer:
        """POST `content` under its key."""
        if not _fits_a_header(key):
            raise PartnerRefused(f"{self._who} was not asked: no header can carry the key {key!a}")
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        body = content.model_dump_json().encode()
        request = self._client.build_request("POST", path, headers=headers, content=body)
        reply = await self._send(request, self._unsure)
        self._raise_for(request, reply, self._unsure)
        return self._checked(reply, expected, self._unsure)

    async def look_up(self, path: str, params: dict[str, str], expected: type[Answer]) -> Answer | None:
        """GET; None where the partner itself says that it does not know."""
        request = self._client.build_request("GET", path, params=params)
        reply = await self._send(request, TryAgain)
        if reply.status == HTTPStatus.NOT_FOUND and reply.problem.type == NOT_KNOWN:
            return None
        self._raise_for(request, reply, TryAgain)
        return self._checked(reply, expected, TryAgain)

    async def _send(self, request: httpx.Request, unsure: type[PartnerError]) -> _Reply:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(request)
        except _NEVER_SENT as error:
            raise TryAgain(
                f"nothing answers at {self._client.base_url} ({sentence(str(error)) or 'time-out'}): "
                "start the partners or set AFTER_SALES_PARTNERS_URL"
            ) from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise unsure(f"{self._who} did not answer within {self._timeout:g} s") from error
        except (httpx.HTTPError, OSError) as error:
            raise unsure(f"{self._who} dropped the connection before its answer was complete") from error

    async def _exchange(self, request: httpx.Request) -> _Reply:
        response = await self._client.send(request, stream=True)
        body = bytearray()
        try:
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    body.clear()
                    break
        finally:
            await response.aclose()
        return _Reply(response.status_code, response.headers.get("Retry-After"), bytes(body))

    def _raise_for(self, request: httpx.Request, reply: _Reply, unsure: type[PartnerError]) -> None:
        who, status = self._who, reply.status
        if httpx.codes.is_success(status):
            return
        if status in _BUSY:
            raise TryAgain(f"{who} is busy (HTTP {status})", retry_after(reply.retry_after, datetime.now(UTC)))
        if status in _LOCKED_OUT:
            raise TryAgain(f"{who} does not let us in (HTTP {status}): check AFTER_SALES_PARTNERS_TOKEN")
        if status == HTTPStatus.NOT_FOUND and reply.problem.type != NOT_KNOWN:
            where = request.url.copy_with(query=None)
            raise TryAgain(f"there is no partner at {where} (HTTP 404): check AFTER_SALES_PARTNERS_URL")
        # A 408 comes from whoever gave up on waiting, which may be a gateway after the partner took the command.
        if httpx.codes.is_client_error(status) and status != HTTPStatus.REQUEST_TIMEOUT:
            raise PartnerRefused(sentence(reply.problem.detail) or f"{who} refused with HTTP {status}")
        raise unsure(f"{who} answered HTTP {status}")

    def _checked(self, reply: _Reply, expected: type[Answer], unsure: type[PartnerError]) -> Answer:
        try:
            return expected.model_validate_json(reply.body)
        except ValidationError as error:
            raise unsure(
                f"{self._who} answered nonsense: its HTTP {reply.status} holds no {expected.__name__}"
            ) from error


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


def sentence(text: str) -> str:
    """A stranger's sentence, safe to show: one line, without control characters, bounded."""
    words = "".join(char if char.isprintable() else " " for char in text).split()
    line = " ".join(words)
    return line if len(line) <= MAX_SENTENCE else line[: MAX_SENTENCE - 1] + "…"


def retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds that a `Retry-After` asks for (number or HTTP date), 0 to 3600; None where it is nonsense."""
    text = (value or "").strip()
    try:
        if text.isascii() and text.isdigit():
            seconds = float(text)
        else:
            at = parsedate_to_datetime(text)
            seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
