"""Events reach a real receiver: each once or more, none lost, in order for each case, whatever fails in between."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from temporalio.client import Client

from client.webhooks import serving as module
from client.webhooks.admin import OpenDatabase, Webhooks
from client.webhooks.serving import activity_id, serve_webhooks
from partners.addresses import AllowedAddresses
from partners.webhooks import WebhookSender
from records import Disabled, Records
from records.outbox import deliveries
from tests.engine import PATIENCE, Workshop, eventually
from tests.fakes import FakePartners
from tests.partners.webhook_receiver import Received, Receiver, receiving
from tests.records.projected import projected

pytestmark = pytest.mark.usefixtures("workshop")
LOOPBACK = AllowedAddresses([ipaddress.ip_network("127.0.0.0/8")], http=True)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow one another at once, and nobody waits a second for new events."""
    monkeypatch.setattr(deliveries, "SOON", timedelta(milliseconds=20))
    monkeypatch.setattr(module, "EVERY", 0.05)


@pytest.fixture
def webhooks(records: Records) -> Webhooks:
    return Webhooks(OpenDatabase(records), LOOPBACK)


@pytest.fixture
async def workshop(closed_workshop: Workshop, client: Client, records: Records) -> AsyncIterator[Workshop]:
    """A worker that sends to loopback, and starts to do so."""
    closed_workshop.parts = replace(closed_workshop.parts, webhooks=WebhookSender(LOOPBACK, timeout=2))
    await closed_workshop.open()
    async with _serving(client, records, closed_workshop):
        yield closed_workshop
    await closed_workshop.close()
    await closed_workshop.parts.webhooks.aclose()


@asynccontextmanager
async def _serving(client: Client, records: Records, workshop: Workshop) -> AsyncIterator[None]:
    task = asyncio.create_task(serve_webhooks(client, records, workshop.task_queue))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def added(webhooks: Webhooks, receiver: Receiver, **chosen: Any) -> tuple[str, str]:
    """Add a webhook to the receiver; return its id and secret."""
    shown, secret = await webhooks.add(receiver.url, **chosen)
    return shown["id"], secret


async def write(records: Records, case_id: str, *seqs: int) -> None:
    for seq in seqs:
        await asyncio.to_thread(records.project, projected(case_id, seq=seq, status=f"change-{seq}"))


async def accepted(receiver: Receiver, records: Records, *cases: str) -> None:
    """Wait until the receiver has accepted every event of the cases."""
    wanted = {event.id for case in cases for event in records.events_of(case)}

    async def all_there() -> bool:
        return wanted <= {got.id for got in receiver.accepted}

    await eventually(all_there, "all events at the receiver")


def first_of_each(received: list[Received]) -> list[str]:
    return list(dict.fromkeys(got.id for got in received))


async def disabled(webhooks: Webhooks, endpoint_id: str) -> str:
    """Wait until the webhook is disabled; return why."""

    async def why() -> Any:
        return (await webhooks.show(endpoint_id))["disabled"]

    return str(await eventually(why, "a disabled webhook"))


async def test_each_event_arrives_signed_and_in_order(webhooks: Webhooks, records: Records, receiver: Receiver) -> None:
    _, secret = await added(webhooks, receiver)

    await write(records, "HL-1", 1, 2, 3)
    await write(records, "HL-2", 1)
    await accepted(receiver, records, "HL-1", "HL-2")

    for case in ("HL-1", "HL-2"):
        events = records.events_of(case)
        assert [i for i in first_of_each(receiver.accepted) if i in {e.id for e in events}] == [e.id for e in events]
    for got in receiver.accepted:
        assert Webhook(secret).verify(got.body, got.headers)["id"] == got.id


async def test_receiver_that_fails_redirects_and_hangs_gets_everything_once_it_is_back(
    webhooks: Webhooks, records: Records, receiver: Receiver
) -> None:
    endpoint_id, _ = await added(webhooks, receiver)
    for answer in (500, "redirect", "hang"):
        before = len(receiver.received)
        receiver.answer = lambda _, answer=answer: answer  # type: ignore[misc]
        await write(records, "HL-1", before + 1)

        async def tried(before: int = before) -> bool:
            return len(receiver.received) > before

        await eventually(tried, f"an attempt that is answered with {answer}")

    receiver.answer = lambda _: 200
    receiver.released.set()
    await accepted(receiver, records, "HL-1")

    assert first_of_each(receiver.accepted) == [event.id for event in records.events_of("HL-1")]
    errors = {each["error"] for each in await webhooks.log(endpoint_id, 100)}
    assert errors == {None}


async def test_case_whose_event_is_refused_does_not_delay_other_cases(
    webhooks: Webhooks, records: Records, receiver: Receiver
) -> None:
    await added(webhooks, receiver)
    receiver.answer = lambda got: 400 if '"HL-1"' in got.body else 200

    await write(records, "HL-1", 1)
    await write(records, "HL-2", 1, 2)
    await accepted(receiver, records, "HL-2")

    assert {got.id for got in receiver.received if '"HL-1"' in got.body} == {records.events_of("HL-1")[0].id}


async def test_worker_that_is_stopped_while_it_sends_loses_nothing(
    workshop: Workshop, webhooks: Webhooks, records: Records, receiver: Receiver
) -> None:
    """The receiver has the event, the worker has no answer yet, and another worker goes on."""
    await added(webhooks, receiver)
    receiver.answer = lambda _: "hang"
    await write(records, "HL-1", 1)
    await asyncio.wait_for(receiver.came.wait(), PATIENCE)
    closing = asyncio.create_task(workshop.close())

    receiver.answer = lambda _: 200
    receiver.released.set()
    await closing
    await workshop.open()
    await write(records, "HL-1", 2)
    await accepted(receiver, records, "HL-1")

    assert first_of_each(receiver.accepted) == [event.id for event in records.events_of("HL-1")]


async def test_activity_that_was_terminated_is_started_again(
    webhooks: Webhooks, records: Records, receiver: Receiver, client: Client
) -> None:
    endpoint_id, _ = await added(webhooks, receiver)
    receiver.answer = lambda _: "hang"
    await write(records, "HL-1", 1)
    await asyncio.wait_for(receiver.came.wait(), PATIENCE)

    await client.get_activity_handle(activity_id(endpoint_id)).terminate(reason="to test it")
    receiver.answer = lambda _: 200
    receiver.released.set()

    await accepted(receiver, records, "HL-1")


async def test_both_secrets_sign_after_a_rotation(webhooks: Webhooks, records: Records, receiver: Receiver) -> None:
    endpoint_id, old = await added(webhooks, receiver)
    new = await webhooks.rotate(endpoint_id)

    await write(records, "HL-1", 1)
    await accepted(receiver, records, "HL-1")

    for secret in (old, new):
        Webhook(secret).verify(receiver.accepted[0].body, receiver.accepted[0].headers)


async def test_dead_endpoint_is_disabled_with_a_notice_and_gets_everything_when_it_is_enabled(
    webhooks: Webhooks,
    records: Records,
    receiver: Receiver,
    partners: FakePartners,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliveries, "GIVES_UP", timedelta(milliseconds=100))
    endpoint_id, _ = await added(webhooks, receiver)
    receiver.answer = lambda _: 503

    async def notified() -> bool:
        return bool(partners.messaging.notices)

    await write(records, "HL-1", 1)

    assert await disabled(webhooks, endpoint_id) == Disabled.FAILING
    await eventually(notified, "a notice")
    [notice] = partners.messaging.notices.values()
    assert notice.event == "webhook_disabled"
    assert notice.facts["endpoint"] == endpoint_id
    assert receiver.url.startswith(notice.facts["address"])
    assert "/events" not in notice.facts["address"]

    receiver.answer = lambda _: 200
    await write(records, "HL-1", 2)
    await webhooks.enable(endpoint_id)
    await accepted(receiver, records, "HL-1")
    assert first_of_each(receiver.accepted) == [event.id for event in records.events_of("HL-1")]


async def test_receiver_that_wants_no_more_events_gets_none(
    webhooks: Webhooks, records: Records, receiver: Receiver
) -> None:
    endpoint_id, _ = await added(webhooks, receiver)
    receiver.answer = lambda _: 410

    await write(records, "HL-1", 1)

    assert await disabled(webhooks, endpoint_id) == Disabled.GONE
    assert len(receiver.received) == 1


async def test_disabled_endpoint_gets_nothing_but_a_test(
    webhooks: Webhooks, records: Records, receiver: Receiver
) -> None:
    silent, _ = await added(webhooks, receiver, types=["case.opened"])
    await webhooks.disable(silent)
    enabled, _ = await added(webhooks, receiver, types=["case.assigned"])

    await write(records, "HL-1", 1)
    opened, assigned = records.events_of("HL-1")[:2]

    async def sent() -> bool:
        return assigned.id in {got.id for got in receiver.accepted}

    await eventually(sent, "the event of the other webhook")
    assert opened.id not in {got.id for got in receiver.received}
    assert (await webhooks.ping(silent)).error is None
    assert '"webhook.ping"' in receiver.received[-1].body
    assert [each["type"] for each in await webhooks.log(silent, 10)] == ["webhook.ping"]
    assert [each["type"] for each in await webhooks.log(enabled, 10)] == ["case.assigned"]


async def test_events_are_sent_again_on_request_with_their_ids(
    webhooks: Webhooks, records: Records, receiver: Receiver
) -> None:
    endpoint_id, _ = await added(webhooks, receiver)
    await write(records, "HL-1", 1)
    await accepted(receiver, records, "HL-1")
    events = records.events_of("HL-1")

    async def settled() -> bool:
        return bool((await webhooks.show(endpoint_id))["waiting"] == 0)

    await eventually(settled, "an empty queue")
    receiver.accepted.clear()
    count = await webhooks.replay(endpoint_id, since=datetime.now(UTC) - timedelta(hours=1))
    await accepted(receiver, records, "HL-1")

    assert count == len(events)
    assert first_of_each(receiver.accepted) == [event.id for event in events]
