"""The codec server as a process: it decrypts for known users on allowed pages, and logs who read what."""

import asyncio
import base64
import json
import logging
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import h11
import httpx
import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload

import encryption.server
from cases.errors import InvalidInput
from child import Child, StartFailed
from encryption.codec import seal
from encryption.keys import KeyRing, new_key
from encryption.server import MAX_BODY, MAX_FORM, MAX_PAYLOADS, MAX_REFUSED, create_app, digest_of, main
from serving import CannotServe, is_actionable
from settings import ROOT
from tests.e2e.driving import clean_environment
from tests.engine import eventually

pytestmark = pytest.mark.e2e
KEY, TOKEN, UI = new_key("k1"), secrets.token_urlsafe(32), "https://temporal.example.com"
KEYS = KeyRing(text=KEY)
WORDS = "Wang Fang, Lotus Street"
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(WORDS).encode())
KNOWN = {"Authorization": f"Bearer {TOKEN}", "X-Namespace": "default"}
BAD_ORIGINS = ["*", "https://*.example.com", UI + "/", UI + "/path", "temporal.example.com", "null", "ftp://x"]
ENVIRONMENT = {
    "AFTER_SALES_ENCRYPTION_KEYS": KEY,
    "AFTER_SALES_CODEC_TOKENS": json.dumps({"chen": digest_of(TOKEN), "zhao": digest_of("another token")}),
    "AFTER_SALES_CODEC_ORIGINS": json.dumps([UI, "http://127.0.0.1:8233"]),
    "AFTER_SALES_CODEC_ADDRESS": "127.0.0.1:0",
    "AFTER_SALES_LOG_FORMAT": "json",
    "PYTHONUNBUFFERED": "1",
}


def codec_server(log: Path, **environment: str) -> Child:
    command = [sys.executable, "-m", "encryption.server"]
    env = clean_environment(**{**ENVIRONMENT, **environment}, PYTHONPATH=str(ROOT))
    return Child("the codec server", command, env, log, "codec server ready at")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Child]:
    child = codec_server(tmp_path_factory.mktemp("codec") / "codec.log")
    await child.launch()
    try:
        await child.until_ready()
        yield child
    finally:
        await child.end(5)


@pytest_asyncio.fixture(loop_scope="module")
async def http(server: Child) -> AsyncIterator[httpx.AsyncClient]:
    address = server.log.read_text(encoding="utf-8").splitlines()[0].rpartition(" ")[2]
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        yield client


def sent(*payloads: Payload) -> dict[str, Any]:
    return {"payloads": [MessageToDict(payload) for payload in payloads]}


def sealed(workflow_id: str = "case-1") -> Payload:
    return seal(KEYS, PLAIN, ("default", workflow_id))


def said(server: Child) -> list[dict[str, Any]]:
    """Return the lines of its log."""
    return [json.loads(line) for line in server.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]


def texts(answer: httpx.Response) -> list[str]:
    """Return the payloads of an answer that are JSON."""
    found = answer.json()["payloads"]
    plain = base64.b64encode(b"json/plain").decode()
    return [json.loads(base64.b64decode(p["data"])) for p in found if p["metadata"]["encoding"] == plain]


@pytest.mark.asyncio(loop_scope="module")
async def test_known_user_reads_and_the_log_says_which_case(http: httpx.AsyncClient, server: Child) -> None:
    headers = {**KNOWN, "Origin": UI}
    answer = await http.post("/decode?preserveStorageRefs=true", json=sent(sealed(), PLAIN), headers=headers)

    assert answer.status_code == 200
    assert texts(answer) == [WORDS, WORDS]
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["cache-control"] == "no-store"
    line = said(server)[-1]
    logged = {name: line[name] for name in ("event", "who", "cases", "payloads", "unreadable", "namespace", "origin")}
    assert logged == {
        "event": "decoded",
        "who": "chen",
        "cases": ["case-1"],
        "payloads": 2,
        "unreadable": 0,
        "namespace": "default",
        "origin": UI,
    }


@pytest.mark.asyncio(loop_scope="module")
async def test_payload_that_cannot_be_decrypted_hides_no_other(http: httpx.AsyncClient, server: Child) -> None:
    strange = seal(KeyRing(text=new_key("k2")), PLAIN, ("default", "case-2"))
    forged = Payload(metadata={**sealed().metadata, "workflow": b"case-3"}, data=sealed().data)

    answer = await http.post("/decode", json=sent(strange, sealed("case-4"), forged), headers=KNOWN)

    assert texts(answer) == [WORDS]
    assert answer.json()["payloads"][0] == MessageToDict(strange)
    assert answer.json()["payloads"][2] == MessageToDict(forged)
    assert (said(server)[-1]["cases"], said(server)[-1]["unreadable"]) == (["case-4"], 2)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {digest_of(TOKEN)}"},
        {"Cookie": "codec_token=wrong"},
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_unknown_user_reads_nothing(http: httpx.AsyncClient, server: Child, headers: dict[str, str]) -> None:
    answer = await http.post("/decode", json=sent(sealed()), headers=headers)

    assert answer.status_code == 401
    assert answer.json()["message"].startswith("the token is unknown: ")
    assert (said(server)[-1]["event"], said(server)[-1]["status"]) == ("refused", 401)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example.com", "null", UI + ".evil.com", UI + ":444", "http://temporal.example.com", UI.upper()],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_page_that_is_not_listed_exactly_may_not_ask(http: httpx.AsyncClient, origin: str) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    before = await http.options("/decode", headers={"Origin": origin, **asked})
    answer = await http.post("/decode", json=sent(sealed()), headers={**KNOWN, "Origin": origin})

    assert before.status_code == 400
    assert answer.status_code == 403
    for each in (before, answer):
        assert "access-control-allow-origin" not in each.headers


@pytest.mark.asyncio(loop_scope="module")
async def test_page_of_the_ui_may_ask_with_its_headers(http: httpx.AsyncClient) -> None:
    wanted = "authorization,authorization-extras,content-type,x-namespace"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}
    answer = await http.options("/decode", headers={"Origin": UI, **asked})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "*" not in answer.headers.values()


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_can_have_anything_encrypted(http: httpx.AsyncClient) -> None:
    assert (await http.post("/encode", json=sent(PLAIN), headers=KNOWN)).status_code == 404
    assert (await http.get("/decode", headers=KNOWN)).status_code == 405
    assert (await http.get("/docs")).status_code == 404
    assert (await http.get("/openapi.json")).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_browser_that_has_signed_in_reads_without_a_header(http: httpx.AsyncClient, server: Child) -> None:
    assert 'type="password"' in (await http.get("/")).text
    answer = await http.post("/sign-in", data={"token": TOKEN})

    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert said(server)[-1]["event"] == "signed in"
    read = await http.post("/decode", json=sent(sealed()), headers={"Origin": UI})
    assert texts(read) == [WORDS]
    assert said(server)[-1]["who"] == "chen"


@pytest.mark.asyncio(loop_scope="module")
async def test_sign_in_accepts_a_known_token_from_its_own_page_only(http: httpx.AsyncClient) -> None:
    wrong = await http.post("/sign-in", data={"token": "wrong"})
    foreign = await http.post("/sign-in", data={"token": TOKEN}, headers={"Origin": UI})
    own = await http.post("/sign-in", data={"token": TOKEN}, headers={"Origin": str(http.base_url).rstrip("/")})

    assert (wrong.status_code, foreign.status_code, own.status_code) == (401, 403, 303)
    assert "set-cookie" not in wrong.headers
    assert "set-cookie" not in foreign.headers


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no JSON", 400),
        (b"\xff", 400),
        (b"[]", 400),
        (b'"payloads"', 400),
        (b'{"payloads": 1}', 400),
        (b'{"payloads": [{"data": 1}]}', 400),
        (b"[" * 100_000, 400),
        (b'{"payloads": []}', 200),
        (b'{"later": 1, "payloads": [{"data": "", "later": 1}]}', 200),
        (json.dumps({"payloads": [{}] * MAX_PAYLOADS}).encode(), 200),
        (json.dumps({"payloads": [{}] * (MAX_PAYLOADS + 1)}).encode(), 413),
        (b" " * (MAX_BODY + 1), 413),
    ],
    ids=range(13),
)
@pytest.mark.asyncio(loop_scope="module")
async def test_invalid_request_is_refused_in_a_sentence(http: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await http.post("/decode", content=body, headers=KNOWN)

    assert answer.status_code == status
    if status != 200:
        assert len(answer.json()["message"]) > 20


@pytest.mark.asyncio(loop_scope="module")
async def test_log_holds_no_content_no_token_and_no_traceback(http: httpx.AsyncClient, server: Child) -> None:
    await http.post("/decode", json=sent(sealed()), headers=KNOWN)
    await http.post("/decode", content=WORDS.encode(), headers=KNOWN)
    await http.post("/sign-in", data={"token": TOKEN})
    log = server.log.read_text(encoding="utf-8")

    assert "decoded" in log
    for hidden in ("Lotus", "Wang", TOKEN, digest_of(TOKEN), KEY.partition(":")[2], "Traceback"):
        assert hidden not in log


@pytest.mark.asyncio(loop_scope="module")
async def test_sign_in_with_more_than_a_token_is_refused(http: httpx.AsyncClient) -> None:
    """The sender is not authenticated yet."""
    answer = await http.post("/sign-in", data={"token": TOKEN, "x": "x" * MAX_FORM})

    assert (answer.status_code, "set-cookie" in answer.headers) == (413, False)


@pytest.mark.asyncio(loop_scope="module")
async def test_request_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption.server, "BODY_WITHIN", 0)
    app = create_app(KEYS, {"chen": digest_of(TOKEN)}, frozenset())

    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://codec") as client:
        answer = await client.post("/decode", content=endless(), headers=KNOWN)

    assert (answer.status_code, "did not arrive within 0 seconds" in answer.json()["message"]) == (408, True)


@pytest.mark.parametrize(("error", "logged"), [(h11.LocalProtocolError("x"), False), (ValueError("x"), True)])
def test_client_that_breaks_http_during_the_answer_leaves_no_traceback(error: Exception, *, logged: bool) -> None:
    """Seen once in some thousand requests; uvicorn logs it as an error of ours."""
    record = logging.makeLogRecord({"exc_info": (type(error), error, None)})

    assert is_actionable(record) is logged
    assert is_actionable(logging.makeLogRecord({}))


@pytest.mark.asyncio(loop_scope="module")
async def test_request_that_breaks_off_is_logged_as_a_refusal_not_as_an_error(
    http: httpx.AsyncClient, server: Child
) -> None:
    head = f"POST /decode HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 20\r\n\r\n{{"
    with socket.create_connection((http.base_url.host, http.base_url.port or 0)) as connection:
        connection.sendall(head.encode())
    await eventually(lambda: log_mentions(server, "closed the connection"), "the refusal in the log")

    assert "Traceback" not in server.log.read_text(encoding="utf-8")


async def log_mentions(server: Child, words: str) -> bool:
    return words in server.log.read_text(encoding="utf-8")


@pytest.mark.asyncio(loop_scope="module")
async def test_guessing_tokens_does_not_fill_the_log_or_lock_out_known_users(tmp_path: Path) -> None:
    """A token has 256 random bits: only the cost of a guess for us has to be bounded."""
    child = codec_server(tmp_path / "codec.log")
    await child.launch()
    try:
        await child.until_ready()
        address = child.log.read_text(encoding="utf-8").splitlines()[0].rpartition(" ")[2]
        async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
            guesses = [{"Authorization": f"Bearer {number}"} for number in range(3 * MAX_REFUSED)]
            statuses = [(await client.post("/decode", headers=guess)).status_code for guess in guesses]
            last = await client.post("/sign-in", data={"token": "wrong"})
            read = await client.post("/decode", json=sent(sealed()), headers=KNOWN)
    finally:
        await child.end(5)

    refusals = [line for line in said(child) if line["event"] == "refused"]
    assert set(statuses[:MAX_REFUSED]) == {401}
    assert statuses.count(429) >= len(guesses) - len(refusals)
    assert (last.status_code, last.headers["retry-after"]) == (429, "60")
    assert MAX_REFUSED <= len(refusals) < MAX_REFUSED + 50
    assert texts(read) == [WORDS]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tokens": {}}, "AFTER_SALES_CODEC_TOKENS is empty"),
        ({"tokens": {"chen": TOKEN}}, "AFTER_SALES_CODEC_TOKENS: chen needs a SHA-256"),
        *(({"origins": frozenset({bad})}, f"AFTER_SALES_CODEC_ORIGINS: {bad} is not an origin") for bad in BAD_ORIGINS),
    ],
)
def test_settings_that_admit_nobody_or_everybody_are_refused(changed: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"tokens": {"chen": digest_of(TOKEN)}, "origins": frozenset({UI})}
    assert create_app(KEYS, **good)

    with pytest.raises(CannotServe) as refused:
        create_app(KEYS, **good | changed)

    assert str(refused.value).startswith(message)
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("address", ["8734", ":8734", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x"])
def test_address_that_is_not_host_and_port_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """An address without a host would be every interface of the machine."""
    for name, value in {**ENVIRONMENT, "AFTER_SALES_CODEC_ADDRESS": address}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(InvalidInput, match=r"^AFTER_SALES_CODEC_ADDRESS: must be HOST:PORT, such as 127\.0\.0\.1:8734"):
        main()


def test_address_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for name, value in {**ENVIRONMENT, "AFTER_SALES_CODEC_ADDRESS": address}.items():
            monkeypatch.setenv(name, value)

        with pytest.raises(CannotServe, match=f"AFTER_SALES_CODEC_ADDRESS: cannot listen on {address}"):
            main()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"AFTER_SALES_ENCRYPTION_KEYS": "k1:short"}, "AFTER_SALES_ENCRYPTION_KEYS: key k1 "),
        ({"AFTER_SALES_ENCRYPTION_KEYS_FILE": "keys"}, "AFTER_SALES_ENCRYPTION_KEYS: AFTER_SALES_ENCRYPTION_KEYS_FILE"),
        (
            {"AFTER_SALES_CODEC_TOKENS": "chen"},
            "AFTER_SALES_CODEC_TOKENS: is not JSON (Expecting value at line 1, c",
        ),
        ({"AFTER_SALES_CODEC_TOKENS": "[]"}, "AFTER_SALES_CODEC_TOKENS: input should be a valid dict"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_faulty_settings_are_reported_in_a_sentence(
    tmp_path: Path, environment: dict[str, str], message: str
) -> None:
    child = codec_server(tmp_path / "codec.log", **environment)
    await child.launch()

    try:
        with pytest.raises(StartFailed, match="has ended with exit code 2"):
            await child.until_ready()
    finally:
        await child.end(5)
    log = child.log.read_text(encoding="utf-8")
    assert log.startswith(message)
    assert log.count("\n") == 1


def test_without_keys_there_is_nothing_to_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFTER_SALES_ENCRYPTION_KEYS", raising=False)

    with pytest.raises(CannotServe, match="no keys: set AFTER_SALES_ENCRYPTION_KEYS_FILE"):
        main()
