"""`python -m encryption.server`: decrypts payloads for readers of the Temporal UI, and logs who read which case.

It decrypts and never encrypts. A request needs a known token and an allowed origin. Each request is logged in one
line, without content.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from starlette.requests import ClientDisconnect
from temporalio.api.common.v1 import Payload, Payloads

import logs
from cases.errors import AfterSalesError, InvalidInput, printable
from cases.rate_limit import after_one_more
from encryption.codec import NotAuthentic, is_sealed, sealed_for, unseal
from encryption.keys import KeyOutOfReach, KeyRing
from serving import CannotServe, is_actionable, listen
from settings import codec_configured, configured

MAX_BODY, MAX_PAYLOADS = 8 * 1024 * 1024, 1000
"""Bytes and payloads of one request: more than a page of the UI needs. Temporal's limit is 2 MiB for one payload."""
MAX_FORM = 4096
"""Bytes of the sign-in form. It is read before the sender is known."""
MAX_CONNECTIONS, BODY_WITHIN = 200, 10
"""Concurrent requests (more are answered 503), and seconds within which a request has to arrive."""
MAX_REFUSED = 100
"""Refused requests that are logged in a burst; after that one every 12 seconds."""
COOKIE, SIGNED_IN = "codec_token", 12 * 3600
"""The cookie of a signed-in browser, and its lifetime in seconds."""
SIGN_IN = """<!doctype html>
<meta charset="utf-8">
<title>Codec server</title>
<p>To read cases in the Temporal UI, sign in.
<form method="post" action="sign-in">
<label>Token <input type="password" name="token" required autofocus></label> <button>Sign in</button>
</form>
"""
UNKNOWN = 401
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_log = structlog.get_logger("codec")


class Refused(Exception):
    """The request is refused. The message states why, and what to do."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(why)


def create_app(keys: KeyRing, tokens: Mapping[str, str], origins: frozenset[str]) -> FastAPI:
    """Return the codec server's application. `tokens` are SHA-256 digests by person. Raises `CannotServe`."""
    _check(tokens, origins)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(Refused, Refusals().answer)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=sorted(origins),
        allow_methods=["POST"],
        allow_headers=["content-type", "x-namespace", "authorization", "authorization-extras"],
        allow_credentials=True,
    )

    @app.post("/decode")
    async def decode(request: Request) -> Response:
        _from(request, origins)
        who = _who(request, tokens)
        sealed = _payloads(await _body(request))
        opened = [_opened(keys, payload) for payload in sealed]
        cases = sorted({sealed_for(s) for s, o in zip(sealed, opened, strict=True) if s is not o})
        closed = sum(is_sealed(payload) for payload in opened)
        _log.info("decoded", who=who, cases=cases, payloads=len(opened), unreadable=closed, **_asked(request))
        return JSONResponse(MessageToDict(Payloads(payloads=opened)), headers={"cache-control": "no-store"})

    _sign_in_pages(app, tokens)
    return app


def _sign_in_pages(app: FastAPI, tokens: Mapping[str, str]) -> None:
    """Add the sign-in pages. They set a cookie that the UI's requests then carry; the UI has no field for a token."""

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse(SIGN_IN)

    @app.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        host = request.headers.get("host", "")
        _from(request, frozenset({f"http://{host}", f"https://{host}"}))
        form = (await _body(request, MAX_FORM)).decode(errors="replace")
        token = parse_qs(form).get("token", [""])[0].strip()
        _log.info("signed in", who=_known(token, tokens), **_asked(request))
        answer = RedirectResponse("signed-in", 303)
        # Strict: the browser sends it only with requests from pages of the same site, such as the Temporal UI.
        secure = request.scope["scheme"] == "https"
        answer.set_cookie(COOKIE, token, max_age=SIGNED_IN, httponly=True, secure=secure, samesite="strict")
        return answer

    @app.get("/signed-in")
    async def signed_in() -> HTMLResponse:
        return HTMLResponse("You are signed in. Go back to the Temporal UI.")


class Refusals:
    """Answers refused requests. Logs as many as a person can cause, and the number of those that it did not log."""

    def __init__(self) -> None:
        self._free_at: datetime | None = None
        self._not_logged = 0

    async def answer(self, request: Request, error: Exception) -> Response:
        """Return the error message. During a flood an unknown token is answered 429, because it may be guessed."""
        status = error.status if isinstance(error, Refused) else 500
        then = after_one_more(self._free_at, datetime.now(UTC), MAX_REFUSED)
        if then is not None:
            self._free_at = then
            _log.warning("refused", status=status, why=str(error), untold_before=self._not_logged, **_asked(request))
            self._not_logged = 0
        else:
            self._not_logged += 1
            if status == UNKNOWN:
                message = "too many requests were refused: wait a minute, or use a valid token"
                return JSONResponse({"message": message}, 429, {"retry-after": "60"})
        return JSONResponse({"message": str(error)}, status)


def _asked(request: Request) -> dict[str, str | None]:
    """Return what the request states about itself, for the log."""
    headers = {"namespace": "x-namespace", "origin": "origin"}
    return {
        **{name: printable(request.headers.get(header, "")) or None for name, header in headers.items()},
        "path": printable(request.scope["path"]),
        "address": request.client.host if request.client else None,
    }


def _check(tokens: Mapping[str, str], origins: frozenset[str]) -> None:
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise CannotServe(
                f"AFTER_SALES_CODEC_ORIGINS: {origin} is not an origin: write scheme://host or …:port, without a path"
            )
    if not tokens:
        raise CannotServe("AFTER_SALES_CODEC_TOKENS is empty: make a token with python -m encryption new-token")
    for who, digest in tokens.items():
        if not _DIGEST.fullmatch(digest):
            raise CannotServe(f"AFTER_SALES_CODEC_TOKENS: {who} needs a SHA-256 in lower-case hexadecimal digits")


def _from(request: Request, origins: frozenset[str]) -> None:
    """Refuse requests from pages of other origins. Browsers send the origin; other programs need not."""
    origin = request.headers.get("origin")
    if origin is not None and origin not in origins:
        raise Refused(403, "this origin is not allowed: add it to AFTER_SALES_CODEC_ORIGINS")


def _who(request: Request, tokens: Mapping[str, str]) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        token = request.cookies.get(COOKIE, "")
    return _known(token.strip(), tokens)


def _known(token: str, tokens: Mapping[str, str]) -> str:
    """Return the person whose token it is. The comparison takes the same time for every token."""
    digest = digest_of(token)
    found = [who for who, known in tokens.items() if hmac.compare_digest(digest, known)]
    if not found:
        raise Refused(UNKNOWN, "the token is unknown: sign in on the codec server's page, or send it as a Bearer token")
    return found[0]


def digest_of(token: str) -> str:
    """Return the digest of a token for the settings. Tokens are long and random, so a plain SHA-256 is safe."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


async def _body(request: Request, limit: int = MAX_BODY) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise Refused(413, f"the request is larger than {limit} bytes: ask for fewer payloads at a time")
    except ClientDisconnect:
        raise Refused(400, "the client closed the connection before the request was complete") from None
    except TimeoutError:
        raise Refused(408, f"the request did not arrive within {BODY_WITHIN} seconds: send it again") from None
    return bytes(body)


def _payloads(body: bytes) -> list[Payload]:
    try:
        content = json.loads(body)
        if not isinstance(content, dict):
            raise TypeError  # noqa: TRY301 (protobuf would accept a list as an empty message)
        payloads = list(ParseDict(content, Payloads(), ignore_unknown_fields=True).payloads)
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError):
        raise Refused(400, 'send {"payloads": […]}, as the Temporal UI does') from None
    if len(payloads) > MAX_PAYLOADS:
        raise Refused(413, f"the request has more than {MAX_PAYLOADS} payloads: ask for fewer at a time")
    return payloads


def _opened(keys: KeyRing, payload: Payload) -> Payload:
    """Return the payload opened, or unchanged if it is plain or cannot be opened, so that the others are shown."""
    if not is_sealed(payload):
        return payload
    try:
        return unseal(keys, payload)
    except (KeyOutOfReach, NotAuthentic):
        return payload


def main() -> None:
    """Serve until interrupted. Raises `AfterSalesError` if it cannot start."""
    settings, codec = configured(), codec_configured()
    keys = KeyRing.of(settings)
    if keys is None:
        raise CannotServe("no keys: set AFTER_SALES_ENCRYPTION_KEYS_FILE (or …_KEYS) as for the worker")
    app = create_app(keys, codec.tokens, codec.origins)
    listening = listen("AFTER_SALES_CODEC_ADDRESS", codec.address)
    host, port = listening.getsockname()[:2]
    logs.set_up(settings)
    logging.getLogger("uvicorn.error").addFilter(is_actionable)
    print(f"codec server ready at http://{host}:{port}", flush=True)  # noqa: T201 (starters wait for this line)
    quiet: dict[str, Any] = {"log_config": None, "log_level": "warning", "access_log": False}
    uvicorn.Server(uvicorn.Config(app, limit_concurrency=MAX_CONNECTIONS, **quiet)).run(sockets=[listening])


if __name__ == "__main__":
    try:
        main()
    except InvalidInput as error:
        logs.exit_with(error, code=2)
    except AfterSalesError as error:
        logs.exit_with(error, code=1)
    except KeyboardInterrupt:
        pass
