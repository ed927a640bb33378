"""HTTP calls to partners: each returns a validated answer or raises one `PartnerError`.

The error depends on whether the partner may have done something (S13). For a step (money, goods, a visit):

    the request was certainly not sent     TryAgain
    429, 503 · 401, 403 · a wrong address  TryAgain
    400, 402, 422 with problem details     PartnerRefused: the partner says that it did nothing (S25)
    404 of type `not-known`                PartnerRefused: it does not know the order, so it did nothing
    everything else, also invalid answers  OutcomeUnknown: the step is looked up by its key

Look-ups and messages can be repeated without harm. For them 408, 409, 423 and 425 are `TryAgain`, any other 4xx is a
refusal, and everything else is `TryAgain`. `activities.outcomes` handles a refused look-up by key.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    TCPConnector,
)
from pydantic import BaseModel, ValidationError
from yarl import URL

from cases.errors import InvalidInput, Problem
from cases.reasons import Reason
from cases.text import replaced
from partners.ports import OutcomeUnknown, PartnerError, PartnerRefused, TryAgain
from partners.wire import KEY_REUSED, MAX_ANSWER_BYTES, NOT_KNOWN, ProblemDetails

MAX_RETRY_AFTER = 3600.0
"""The longest wait that a partner can ask for, in seconds. A longer `Retry-After` is cut to this."""
MAX_SENTENCE = 300
"""The longest text of a partner that is passed on, in characters."""

_NEVER_SENT = (ClientConnectorError, ConnectionTimeoutError)
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_LOCKED_OUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_NOT_DONE = (HTTPStatus.BAD_REQUEST, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.UNPROCESSABLE_ENTITY)
"""With problem details, these are the only answers to a step which prove that nothing was done (S25)."""
_MAY_PASS = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.LOCKED, HTTPStatus.TOO_EARLY)
"""Sent while the same request is being processed, or by a gateway whose own wait timed out."""

Answer = TypeVar("Answer", bound=BaseModel)


class PartnersApi:
    """The address of all partners, and the connections to it, which are opened when needed.

    Raises `InvalidInput` with the name of the invalid setting.
    """

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        try:
            self.address = URL(url)
        except ValueError:
            self.address = URL()
        if self.address.scheme not in ("http", "https") or not self.address.host:
            problem = "must look like http://127.0.0.1:8733"
            raise InvalidInput([Problem(field="AFTER_SALES_PARTNERS_URL", problem=problem)])
        if token is not None and not _fits_a_header(token):
            problem = "has characters that are not allowed in a header"
            raise InvalidInput([Problem(field="AFTER_SALES_PARTNERS_TOKEN", problem=problem)])
        # Only uncompressed answers: a small compressed one could expand to a huge one.
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self.timeout = timeout
        self._session: ClientSession | None = None

    @property
    def session(self) -> ClientSession:
        """The HTTP session. It belongs to the event loop that first uses it."""
        if self._session is None:
            self._session = ClientSession(
                headers=self._headers,
                auto_decompress=False,
                cookie_jar=DummyCookieJar(),
                # Connecting and the TLS handshake time out well before the whole call. So a call that reaches the
                # total time-out is never mistaken for a request that was not sent.
                timeout=ClientTimeout(total=None, connect=self.timeout / 4),
                # The worker's slots limit the number of concurrent calls. Idle connections are closed before a typical
                # server closes them (5 s): a call on a closing connection would end as OutcomeUnknown without need.
                connector=TCPConnector(limit=0, keepalive_timeout=2.0),
            )
        return self._session

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


@dataclass(frozen=True)
class _Reply:
    """An answer. `body` is empty if it was too long."""

    status: int
    retry_after: str | None
    body: bytes

    @property
    def problem(self) -> ProblemDetails:
        try:
            return ProblemDetails.model_validate_json(self.body)
        except ValidationError:
            return ProblemDetails()

    @property
    def has_details(self) -> bool:
        """Return whether the body has problem details: a specific type, or a text."""
        problem = self.problem
        return problem.type != ProblemDetails().type or bool(sentence(problem.detail) or sentence(problem.title))


async def _read(response: ClientResponse) -> _Reply:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            body.clear()
            break
    return _Reply(response.status, response.headers.get("Retry-After"), bytes(body))


class Connection:
    """Calls to one partner, `who`, with a time-out for the whole call, keys, errors and validation.

    A call raises `unsure` if the request may or may not have been carried out.
    """

    def __init__(self, api: PartnersApi, who: str, unsure: type[PartnerError] = OutcomeUnknown) -> None:
        self._api = api
        self._who = who
        self._unsure = unsure

    async def command(self, path: str, content: BaseModel, key: str, expected: type[Answer]) -> Answer:
        """Send `content` with its key by POST."""
        if not _fits_a_header(key):
            raise PartnerRefused(Reason.of("no_header_carries", who=self._who, key=ascii(key)))
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        url, body = self._api.address / path, content.model_dump_json().encode()
        reply = await self._send("POST", url, self._unsure, headers=headers, data=body)
        self._raise_for(url, reply, self._unsure)
        return self._checked(reply, expected, self._unsure)

    async def look_up(self, path: str, params: dict[str, str], expected: type[Answer]) -> Answer | None:
        """Read by GET. Return None if the partner itself answers that it does not know."""
        url = self._api.address / path
        reply = await self._send("GET", url.with_query(params), TryAgain)
        if reply.status == HTTPStatus.NOT_FOUND and reply.problem.type == NOT_KNOWN:
            return None
        self._raise_for(url, reply, TryAgain)
        return self._checked(reply, expected, TryAgain)

    async def _send(self, method: str, url: URL, unsure: type[PartnerError], **what: Any) -> _Reply:
        try:
            async with (
                asyncio.timeout(self._api.timeout),
                self._api.session.request(method, url, allow_redirects=False, **what) as response,
            ):
                return await _read(response)
        except _NEVER_SENT as error:
            why = sentence(str(error)) or "time-out"
            raise TryAgain(Reason.of("nothing_answers", address=str(self._api.address), words=why)) from error
        except TimeoutError as error:
            raise unsure(Reason.of("no_answer", who=self._who, seconds=f"{self._api.timeout:g}")) from error
        except (ClientError, OSError) as error:
            raise unsure(Reason.of("connection_lost", who=self._who)) from error

    def _raise_for(self, url: URL, reply: _Reply, unsure: type[PartnerError]) -> None:
        status, because = reply.status, partial(Reason.of, who=self._who, http=reply.status)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        if status in _BUSY:
            raise TryAgain(because("busy"), retry_after(reply.retry_after, datetime.now(UTC)))
        if status in _LOCKED_OUT:
            raise TryAgain(because("locked_out"))
        if status == HTTPStatus.NOT_FOUND and reply.problem.type != NOT_KNOWN:
            raise TryAgain(Reason.of("not_there", address=str(url)))
        words = sentence(reply.problem.detail)
        if _is_refusal(reply, unsure):
            raise PartnerRefused(because("partner_says", words=words) if words else because("partner_refused"))
        if status == HTTPStatus.CONFLICT and reply.problem.type == KEY_REUSED:
            raise unsure(because("key_reused"))
        raise unsure(because("answered_http"))

    def _checked(self, reply: _Reply, expected: type[Answer], unsure: type[PartnerError]) -> Answer:
        try:
            return expected.model_validate_json(reply.body)
        except ValidationError as error:
            why = Reason.of("nonsense", who=self._who, http=reply.status, wanted=expected.__name__)
            raise unsure(why) from error


def _is_refusal(reply: _Reply, unsure: type[PartnerError]) -> bool:
    """Return whether it is a final refusal, with nothing done."""
    if unsure is not OutcomeUnknown:
        refusing = HTTPStatus.BAD_REQUEST <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
        return refusing and reply.status not in _MAY_PASS
    return reply.status == HTTPStatus.NOT_FOUND or (reply.status in _NOT_DONE and reply.has_details)


def _fits_a_header(text: str) -> bool:
    return text.isascii() and text.isprintable()


def sentence(text: str) -> str:
    """Return text from outside, safe to show: one line, without control characters, of limited length."""
    line = " ".join(replaced(text, by=" ").split())
    return line if len(line) <= MAX_SENTENCE else line[: MAX_SENTENCE - 1] + "…"


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds (0 to 3600) of a `Retry-After`, a number or an HTTP date. None if it is invalid."""
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
