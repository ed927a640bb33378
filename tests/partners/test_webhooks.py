"""An event is posted once, signed, and counts as accepted only after an answer of success."""

import ipaddress
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from partners.addresses import AllowedAddresses
from partners.webhooks import WebhookSender, new_secret, signed
from tests.partners.webhook_receiver import Receiver, receiving

LOOPBACK = AllowedAddresses([ipaddress.ip_network("127.0.0.0/8")], http=True)
BODY = '{"id": "evt_1", "type": "case.closed"}'


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    async with WebhookSender(LOOPBACK) as opened:
        yield opened


async def test_event_is_posted_as_json_with_its_signature(receiver: Receiver, sender: WebhookSender) -> None:
    secret = new_secret()

    attempt = await sender.send(receiver.url, BODY, signed([secret], "evt_1", datetime.now(UTC), BODY))

    [got] = receiver.received
    assert (attempt.status, attempt.error) == (200, None)
    assert got.headers["content-type"] == "application/json"
    assert got.id == "evt_1"
    assert Webhook(secret).verify(got.body, got.headers) == {"id": "evt_1", "type": "case.closed"}


async def test_each_of_two_secrets_verifies_the_event_and_no_other_one(
    receiver: Receiver, sender: WebhookSender
) -> None:
    new, old = new_secret(), new_secret()

    await sender.send(receiver.url, BODY, signed([new, old], "evt_1", datetime.now(UTC), BODY))

    [got] = receiver.received
    assert len(got.headers["webhook-signature"].split()) == 2
    for secret in (new, old):
        Webhook(secret).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(got.body + " ", got.headers)


@pytest.mark.parametrize("hours", [0, 8, -5])
def test_timestamp_is_in_utc(hours: int) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    secret = new_secret()

    headers = signed([secret], "evt_1", now.astimezone(timezone(timedelta(hours=hours))), BODY)

    assert headers["webhook-timestamp"] == str(int(now.timestamp()))
    Webhook(secret).verify(BODY, headers)


@pytest.mark.parametrize("status", [201, 204])
async def test_any_success_counts(receiver: Receiver, sender: WebhookSender, status: int) -> None:
    receiver.answer = lambda _: status

    assert (await sender.send(receiver.url, BODY, {})).error is None


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
async def test_any_other_answer_does_not(receiver: Receiver, sender: WebhookSender, status: int) -> None:
    receiver.answer = lambda _: status

    attempt = await sender.send(receiver.url, BODY, {})

    assert (attempt.status, attempt.error, attempt.is_unwanted) == (status, f"answered {status}", status == 410)


async def test_redirect_is_not_followed(receiver: Receiver, sender: WebhookSender) -> None:
    receiver.answer = lambda _: "redirect"

    attempt = await sender.send(receiver.url, BODY, {})

    assert attempt.error == "answered 302 (redirects are not followed)"
    assert len(receiver.received) == 1


async def test_receiver_that_hangs_is_given_up(receiver: Receiver) -> None:
    receiver.answer = lambda _: "hang"

    async with WebhookSender(LOOPBACK, timeout=0.2) as sender:
        attempt = await sender.send(receiver.url, BODY, {})

    assert attempt.error == "no answer within 0.2 seconds"


async def test_endless_answer_is_not_read_to_its_end(receiver: Receiver, sender: WebhookSender) -> None:
    receiver.answer = lambda _: "endless"

    attempt = await sender.send(receiver.url, BODY, {})

    assert (attempt.status, attempt.error) == (200, None)


async def test_receiver_that_is_not_there(sender: WebhookSender) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]

        attempt = await sender.send(f"http://127.0.0.1:{port}/", BODY, {})

    assert attempt.status is None
    assert (attempt.error or "").startswith("no connection: ")


async def test_http_is_refused_unless_it_is_allowed(receiver: Receiver) -> None:
    async with WebhookSender(AllowedAddresses([ipaddress.ip_network("127.0.0.0/8")])) as sender:
        attempt = await sender.send(receiver.url, BODY, {})

    assert attempt.error == "it must begin with https://"
    assert receiver.received == []


def test_secrets_are_long_and_different() -> None:
    assert len({new_secret() for _ in range(20)}) == 20
    assert all(len(Webhook(new_secret())._whsecret) == 32 for _ in range(3))  # noqa: SLF001 (it has no other use)
