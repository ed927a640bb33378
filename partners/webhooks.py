"""Sends events to webhooks as Standard Webhooks says (standardwebhooks.com): signed, no redirects, bounded answers."""

import asyncio
import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from standardwebhooks import Webhook

from partners.addresses import AllowedAddresses, CheckedResolver, ForbiddenAddress

TIMEOUT = 15.0
"""Seconds for a whole delivery."""
CONNECT_WITHIN = 5.0
"""Seconds to connect."""
MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read; the content does not matter."""
SECRET_BYTES = 32
AT_A_TIME = 8
"""Connections to one endpoint."""


@dataclass(frozen=True)
class Attempt:
    """The result of one delivery."""

    status: int | None = None
    """The HTTP status; None: no answer."""
    error: str | None = None
    """Why it failed, as a sentence; None: it was accepted."""

    @property
    def is_unwanted(self) -> bool:
        """Return whether the endpoint says that it wants no more events (410)."""
        return self.status == HTTPStatus.GONE


def new_secret() -> str:
    """Return a secret that signs the events of one endpoint."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def signed(keys: Sequence[str], event_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the headers of an event, with a signature for each of the secrets."""
    at = at.astimezone(UTC)  # the library takes any time for one in UTC
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(event_id, at, body) for key in keys),
    }


class WebhookSender:
    """Posts events. Use it as a context manager, or close it. It belongs to the event loop that first uses it."""

    def __init__(self, allowed: AllowedAddresses, timeout: float = TIMEOUT) -> None:
        self._allowed = allowed
        self._timeout = timeout
        self._session: ClientSession | None = None

    async def send(self, url: str, body: str, headers: dict[str, str]) -> Attempt:
        """Post an event once. Redirects are not followed."""
        try:
            self._allowed.host_and_port(url)
            async with (
                asyncio.timeout(self._timeout),
                self._connections.post(url, data=body.encode(), headers=headers, allow_redirects=False) as response,
            ):
                read = 0
                async for chunk in response.content.iter_any():
                    read += len(chunk)
                    if read > MAX_ANSWER:
                        response.close()
                        break
        except ForbiddenAddress as error:
            return Attempt(error=str(error))
        except TimeoutError:
            return Attempt(error=f"no answer within {self._timeout:g} seconds")
        except (ClientError, OSError, ValueError) as error:
            return Attempt(error=_why(error))
        if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            return Attempt(response.status)
        redirected = HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST
        note = " (redirects are not followed)" if redirected else ""
        return Attempt(response.status, f"answered {response.status}{note}")

    @property
    def _connections(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                headers={"Content-Type": "application/json", "User-Agent": "after-sales-webhooks/1"},
                auto_decompress=False,
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None, connect=CONNECT_WITHIN),
                connector=TCPConnector(
                    resolver=CheckedResolver(self._allowed),
                    socket_factory=self._allowed.open_socket,
                    use_dns_cache=False,
                    limit=0,
                    limit_per_host=AT_A_TIME,
                    keepalive_timeout=2.0,
                ),
            )
        return self._session

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _why(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ForbiddenAddress):
            return str(cause)
        cause = cause.__cause__
    return f"no connection: {' '.join(str(error).split())[:200] or type(error).__name__}"
