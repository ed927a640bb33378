"""For any bytes the codec server answers or hangs up: no traceback, no secret, and the next request is served."""

import json
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from child import Child
from tests.encryption.test_codec_server import KEY, KNOWN, TOKEN, UI, WORDS, http, sealed, sent, server, texts  # noqa: F401 (two are fixtures)
from tests.engine import PATIENCE
from tests.garbage import NASTY, VALUES, examples, spoilt, written

DECODE = sent(sealed())
RAW = st.binary(max_size=40).map(lambda value: re.sub(rb"[\r\n]", b"", value))
HEADERS = {
    "Authorization": [
        f"Bearer {TOKEN}".encode(),
        b"Bearer",
        b"Bearer \xff\x00",
        b"Basic eA==",
        b"bearer " + b"x" * 9_000,
    ],
    "Cookie": [
        f"codec_token={TOKEN}".encode(),
        b"codec_token=\xff",
        b"=;=;codec_token",
        b"codec_token=" + b"y" * 9_000,
    ],
    "Host": [b"127.0.0.1", b"[", b"[::1", b"\xff", b"a b", b"x:99999", b""],
    "Origin": [UI.encode(), b"null", b"\xff", b"http://[", b""],
    "X-Namespace": [b"default", b"\xff\x1b[2J", b"n" * 5_000],
    "X-Forwarded-Proto": [b"https", b"\xff"],
    "Content-Type": [b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary="],
    "Content-Encoding": [b"gzip"],
    "Content-Length": [b"0", b"-1", b"99999999999999999999", b"1e3", b"20"],
    "Transfer-Encoding": [b"chunked", b"gzip, chunked", b"\xff"],
    "Expect": [b"100-continue"],
    "Upgrade": [b"websocket", b"h2c"],
    "Access-Control-Request-Method": [b"POST", b"\xff"],
}
PATHS = [
    b"/decode",
    b"/sign-in",
    b"/",
    b"/signed-in",
    b"/encode",
    b"/%ff%00",
    b"/../etc",
    b"*",
    b"//",
    b"http://[/",
    b"/decode?\xff",
]
LINES = st.sampled_from(sorted(HEADERS)).flatmap(
    lambda name: st.tuples(st.just(name.encode()), st.sampled_from(HEADERS[name]) | RAW)
)
BODIES = (
    written(spoilt(DECODE))
    | written(VALUES)
    | st.binary(max_size=200)
    | st.sampled_from([b"token=" + TOKEN.encode(), b"token=%ff&token", b"&" * 5_000, b"t" * 5_000])
    | st.sampled_from(NASTY).map(
        lambda text: json.dumps({"payloads": [{"metadata": {text: text}, "data": text}]}).encode()
    )
)
KNOWN_LINE = (b"Authorization", f"Bearer {TOKEN}".encode())
SERVED = range(100, 500)
OVERLOADED_OR_NOT_DONE = (501, 503, 505)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A mostly valid request, every other time from a known user."""
    method = draw(st.sampled_from([b"POST", b"POST", b"POST", b"GET", b"OPTIONS", b"HEAD", b"PUT", b"\xff", b"PRI"]))
    path, body = draw(st.sampled_from(PATHS) | RAW.map(lambda path: b"/" + path)), draw(BODIES)
    lines = draw(st.lists(LINES, max_size=4, unique_by=lambda line: line[0]))
    given = {name for name, _ in lines}
    if b"Authorization" not in given and draw(st.booleans()):
        lines.append(KNOWN_LINE)
    if b"Content-Length" not in given and b"Transfer-Encoding" not in given:
        lines.append((b"Content-Length", str(len(body)).encode()))
    if b"Host" not in given and draw(st.booleans()):
        lines.append((b"Host", b"127.0.0.1"))
    head = b"%b %b HTTP/1.1\r\n" % (method, path) + b"".join(b"%b: %b\r\n" % line for line in lines)
    return head + b"Connection: close\r\n\r\n" + body


def answered(address: tuple[str, int], request: bytes) -> bytes:
    """Return everything that is sent until the server hangs up."""
    answer = bytearray()
    with socket.create_connection(address, timeout=PATIENCE) as connection, suppress(ConnectionError, BrokenPipeError):
        connection.sendall(request)
        with suppress(OSError):  # it has hung up already
            connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65_536):
            answer += chunk
    return bytes(answer)


Ask = Callable[[bytes], None]


@pytest.fixture
def is_answered(server: Child) -> Ask:  # noqa: F811
    """Returns a function that sends a request and checks answer and log, so that examples show no environment."""
    host, _, port = server.log.read_text(encoding="utf-8").splitlines()[0].rpartition("//")[2].partition(":")
    return lambda request: ask(server.log, (host, int(port)), request)


def ask(path: Path, address: tuple[str, int], request: bytes) -> None:
    before = path.stat().st_size

    answer = answered(address, request)

    status = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert status or not answer
    assert not status or int(status[1]) in (*SERVED, *OVERLOADED_OR_NOT_DONE)
    with path.open("rb") as log:
        log.seek(before)
        said = log.read().decode()
    lines = [json.loads(line) for line in said.splitlines()]  # which would also split within a stranger's name
    assert [line["exception"].splitlines()[-3:] for line in lines if "exception" in line] == []
    assert "Traceback" not in said
    assert [secret for secret in (TOKEN, KEY.partition(":")[2], WORDS) if secret in said] == []
    assert b"Traceback" not in answer


@examples(60)
@given(request_=requests() | st.binary(max_size=300))
@pytest.mark.asyncio(loop_scope="module")
async def test_every_request_is_answered_or_hung_up_on(is_answered: Ask, request_: bytes) -> None:
    is_answered(request_)
