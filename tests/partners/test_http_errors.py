"""How the client handles every error."""

import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.errors import InvalidInput
from cases.partner_calls import CallbackRequest, CustomerMessage, Receipt, ReceiptState
from cases.vocabulary import Channel
from partners.http import Partners, http_partners
from partners.ports import OutcomeUnknown, PartnerError, PartnerRefused, TryAgain
from partners.transport import MAX_RETRY_AFTER, MAX_SENTENCE, retry_after, sentence
from partners.wire import MAX_ANSWER_BYTES
from tests.partners.running import CONTACT, ORDER, RENDERING, RunningSandbox, command, reply, stranger, talk_to

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PROBLEM = "application/problem+json"
Call = Callable[[Partners], Awaitable[Any]]

MESSAGE = CustomerMessage(
    key="HL-1/1/report", case_id="HL-1", event="report", to=CONTACT, routes=[Channel.SMS], facts={}
)
COMMAND: Call = lambda partners: partners.steps["refunds"].carry_out(command())  # noqa: E731 (a table of calls)
FIND: Call = lambda partners: partners.steps["refunds"].find("HL-1/1/1/refund")  # noqa: E731
TRAIL: Call = lambda partners: partners.look_ups.look_up("trail", ORDER)  # noqa: E731
WORDS: Call = lambda partners: partners.messaging.to_customer(MESSAGE)  # noqa: E731
ASK: Call = lambda partners: partners.callbacks.ask(  # noqa: E731
    CallbackRequest(key="HL-1/1/callback/1", case_id="HL-1", attempt=1, to=CONTACT)
)


async def failure(answer: bytes, call: Call) -> PartnerError:
    """Return the error that `call` raises when every request is answered with `answer`."""
    async with stranger(answer) as somebody, talk_to(somebody.url) as partners:
        with pytest.raises(PartnerError) as caught:
            await call(partners)
        assert somebody.requests, "the request arrived"
        assert sum(call.startswith(b"POST") for call in somebody.requests) <= 1, "the client repeats no command"
    return caught.value


@pytest.mark.parametrize("call", [COMMAND, FIND, TRAIL, WORDS, ASK])
async def test_request_that_was_never_sent_may_be_sent_again(call: Call) -> None:
    """S13: a refused connection is no unknown outcome; the sentence names the address and the setting."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with talk_to(url) as partners:
            with pytest.raises(TryAgain, match=f"nothing answers at {url}.*AFTER_SALES_PARTNERS_URL"):
                await call(partners)


async def test_request_to_an_unknown_host_was_never_sent() -> None:
    async with talk_to("http://partners.invalid") as partners:
        with pytest.raises(TryAgain, match="nothing answers at"):
            await COMMAND(partners)


UNCLEAR = {
    "dropped connection": b"",
    "half an answer": reply(200, '{"reference": "R-1", "state": "done"}')[:-10],
    "not HTTP": b"hello\r\n\r\n",
    "500": reply(500, "oops"),
    "502": reply(502, "<html>bad gateway</html>"),
    "408": reply(408),
    "redirect": reply(307, Location="http://127.0.0.1:1/elsewhere"),
    "see other": reply(303, Location="/done"),
    "empty": reply(200),
    "no content": b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n",
    "not JSON": reply(200, "<html>It works!</html>"),
    "not UTF-8": reply(200, b"\xff\xfe{}"),
    "other JSON": reply(200, '{"ok": true}'),
    "a list": reply(200, "[]"),
    "an unknown state": reply(200, '{"reference": "R-1", "state": "perhaps"}'),
    "deeply nested": reply(200, "[" * 100_000),
    "too long": reply(200, '{"reference": "R-1", "state": "done", "x": "' + "x" * MAX_ANSWER_BYTES + '"}'),
    "compressed unasked": reply(200, b"\x1f\x8b\x08\x00", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("answer", UNCLEAR.values(), ids=UNCLEAR.keys())
async def test_command_without_a_clear_answer_has_an_unknown_outcome(answer: bytes) -> None:
    """S13: unknown, never failed."""
    assert type(await failure(answer, COMMAND)) is OutcomeUnknown


@pytest.mark.parametrize("answer", UNCLEAR.values(), ids=UNCLEAR.keys())
async def test_requests_that_are_harmless_to_repeat_are_retried(answer: bytes) -> None:
    async with stranger(answer) as somebody, talk_to(somebody.url) as partners:
        for call in (FIND, TRAIL, WORDS, ASK):
            with pytest.raises(TryAgain):
                await call(partners)
        assert len(somebody.requests) >= 4  # aiohttp itself repeats a request after a broken connection


async def test_longest_allowed_answer_is_read() -> None:
    """The limit itself; one byte more is an invalid answer."""
    head, tail = '{"reference": "R-1", "state": "done", "x": "', '"}'
    body = head + "x" * (MAX_ANSWER_BYTES - len(head) - len(tail)) + tail

    async with stranger(reply(200, body)) as somebody, talk_to(somebody.url) as partners:
        assert await COMMAND(partners) == Receipt(reference="R-1", state=ReceiptState.DONE)


async def test_redirect_is_not_followed() -> None:
    async with stranger(reply(200, '{"reference": "R-1", "state": "done"}')) as target:
        answer = reply(307, Location=f"{target.url}/refunds/steps")

        assert type(await failure(answer, COMMAND)) is OutcomeUnknown
        assert target.requests == []


async def test_partner_that_commits_and_does_not_answer_is_asked_by_key(sandbox: RunningSandbox) -> None:
    """S13: the time-out means unknown, the look-up says done, and money moved once."""
    await sandbox.fault("commit_then_timeout", partner="refunds", seconds=30, count=1)

    async with talk_to(sandbox.url, timeout=2) as partners:
        with pytest.raises(OutcomeUnknown, match=r"refunds did not answer within 2 s"):
            await COMMAND(partners)
        found = await FIND(partners)

    assert found is not None
    assert found.state is ReceiptState.DONE
    assert await sandbox.money() == {"refund": "640.00"}


async def test_partner_that_failed_before_it_acted_does_not_know_the_key(sandbox: RunningSandbox) -> None:
    """The counterpart: only then may the command be sent again."""
    await sandbox.fault("error", partner="refunds", count=1)

    async with talk_to(sandbox.url) as partners:
        with pytest.raises(OutcomeUnknown, match="refunds answered HTTP 500"):
            await COMMAND(partners)

        assert await FIND(partners) is None
    assert await sandbox.money() == {}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("call", [COMMAND, TRAIL, WORDS])
async def test_busy_partner_is_asked_again_after_its_retry_after(status: int, call: Call) -> None:
    error = await failure(reply(status, Retry_After="7"), call)

    assert isinstance(error, TryAgain)
    assert error.retry_after == 7


async def test_busy_partner_need_not_say_when() -> None:
    error = await failure(reply(503, Retry_After="soon"), COMMAND)

    assert isinstance(error, TryAgain)
    assert error.retry_after is None


@pytest.mark.parametrize("status", [401, 403])
async def test_wrong_token_blocks_no_money(status: int) -> None:
    error = await failure(reply(status), COMMAND)

    assert isinstance(error, TryAgain)
    assert "AFTER_SALES_PARTNERS_TOKEN" in str(error)


@pytest.mark.parametrize("call", [COMMAND, FIND, TRAIL])
@pytest.mark.parametrize("body", ["<html>", '{"detail": "Not Found"}', '{"type": "about:blank", "status": 404}'])
async def test_404_of_another_server_is_a_wrong_address(call: Call, body: str) -> None:
    """S13: a gateway's 404 is not the partner's "unknown key", after which money would be sent again."""
    error = await failure(reply(404, body, Content_Type=PROBLEM), call)

    assert isinstance(error, TryAgain)
    assert "AFTER_SALES_PARTNERS_URL" in str(error)
    assert "HL-1" not in str(error), "no query in the sentence"


async def test_404_of_the_partner_means_not_known() -> None:
    body = '{"type": "urn:after-sales:not-known", "detail": "no such order"}'
    async with stranger(reply(404, body, Content_Type=PROBLEM)) as somebody, talk_to(somebody.url) as partners:
        assert await FIND(partners) is None
        assert await TRAIL(partners) is None
        with pytest.raises(PartnerRefused, match="no such order"):
            await COMMAND(partners)


@pytest.mark.parametrize("status", [400, 402, 422])
async def test_refusal_is_passed_on_in_the_partners_words(status: int) -> None:
    """S25: only a refusal with problem details says that nothing was done."""
    error = await failure(reply(status, '{"detail": "out of stock: SLATE-9 (0 left)"}', Content_Type=PROBLEM), COMMAND)

    assert isinstance(error, PartnerRefused)
    assert str(error) == "refunds says: “out of stock: SLATE-9 (0 left)”"


@pytest.mark.parametrize("partner", ["refunds", "warehouse", "logistics", "installation"])
@pytest.mark.parametrize("status", [405, 406, 408, 409, 410, 411, 412, 413, 415, 418, 423, 424, 425, 428, 451, 499])
async def test_every_other_4xx_leaves_open_whether_a_step_was_done(status: int, partner: str) -> None:
    """S25: a key in progress, a lock, a gateway time-out; for money, goods and visits alike."""
    answer = reply(status, '{"detail": "a request with this key is in progress"}', Content_Type=PROBLEM)

    error = await failure(answer, lambda partners: partners.steps[partner].carry_out(command()))

    assert type(error) is OutcomeUnknown
    assert str(error) == f"{partner} answered HTTP {status}"


async def test_key_that_was_used_for_other_content_leaves_the_outcome_open() -> None:
    """S25: after a reset of the case, for example, something was done under it."""
    answer = reply(409, '{"type": "urn:after-sales:key-reused", "detail": "used"}', Content_Type=PROBLEM)

    error = await failure(answer, COMMAND)

    assert type(error) is OutcomeUnknown
    assert "something was done under it" in str(error)


@pytest.mark.parametrize("body", ["", "<html>", '{"detail": ["x"]}', '{"detail": "\\u0000 \\n"}', "null", "{}"])
@pytest.mark.parametrize("status", [400, 402, 422])
async def test_refusal_without_details_leaves_the_outcome_open(body: str, status: int) -> None:
    """S25: without problem details it may be a gateway's."""
    assert type(await failure(reply(status, body), COMMAND)) is OutcomeUnknown


async def test_refusal_with_only_a_title_names_partner_and_status() -> None:
    error = await failure(reply(422, '{"title": "Unprocessable"}', Content_Type=PROBLEM), COMMAND)

    assert isinstance(error, PartnerRefused)
    assert str(error) == "refunds refused with HTTP 422"


@pytest.mark.parametrize("status", [408, 409, 423, 425])
@pytest.mark.parametrize("call", [TRAIL, WORDS, ASK])
async def test_temporary_error_of_a_harmless_request_is_retried(status: int, call: Call) -> None:
    """S25: a message whose key is in progress is not undeliverable."""
    assert type(await failure(reply(status, '{"detail": "in progress"}'), call)) is TryAgain


def test_text_of_a_partner_is_one_bounded_line_without_control_characters() -> None:
    assert sentence("no\x1b[31m crew\r\nat \u202eall\x00") == "no [31m crew at all"
    assert sentence("x" * MAX_SENTENCE) == "x" * MAX_SENTENCE
    assert sentence("x" * (MAX_SENTENCE + 1)) == "x" * (MAX_SENTENCE - 1) + "…"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("86400", MAX_RETRY_AFTER),
        ("9" * 5_000, MAX_RETRY_AFTER),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        (format_datetime(NOW + timedelta(days=1), usegmt=True), MAX_RETRY_AFTER),
        ("Sun, 22 Nov 2026 09:00:30 -0000", 30.0),
        ("Sun, 22 Nov 99999999999999999999 09:00:30 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_the_hour(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_value_raises(value: str) -> None:
    found = retry_after(value, NOW)

    assert found is None or 0 <= found <= MAX_RETRY_AFTER


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8733", "ftp://partners", "http://", "http://127.0.0.1:99999", "file:///etc/hosts"]
)
def test_invalid_address_is_named_by_its_setting(url: str) -> None:
    with pytest.raises(InvalidInput, match="AFTER_SALES_PARTNERS_URL: must look like"):
        http_partners(url, None, RENDERING)


@pytest.mark.parametrize("token", ["to\nken", "“token”"])
def test_token_that_no_header_can_carry_is_named_by_its_setting(token: str) -> None:
    with pytest.raises(InvalidInput, match="AFTER_SALES_PARTNERS_TOKEN") as caught:
        http_partners("http://127.0.0.1:1", token, RENDERING)
    assert token not in str(caught.value)


async def test_key_that_no_header_can_carry_is_refused_before_anything_is_sent() -> None:
    async with stranger(reply(200)) as somebody, talk_to(somebody.url) as partners:
        with pytest.raises(PartnerRefused, match="no request was sent to refunds"):
            await partners.steps["refunds"].carry_out(command(key="HL-1/1/1/退款"))
        assert somebody.requests == []
