"""`starter.py webhook`: from the first event to the last attempt, in the words that people read and in JSON."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from standardwebhooks import Webhook

from records import Records
from starter import main
from tests.partners.webhook_receiver import Receiver, receiving
from tests.records.projected import projected

pytestmark = pytest.mark.usefixtures("records")
Call = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture
def records(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    """Our database, as the settings name it."""
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("AFTER_SALES_WEBHOOK_NETWORKS", '["127.0.0.0/8"]')
    monkeypatch.setenv("AFTER_SALES_WEBHOOK_HTTP", "true")
    with closing(Records(sqlite_url)) as opened:
        yield opened


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a verb of `starter.py webhook`; returns the exit code and what it printed."""

    async def run(*arguments: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, ["webhook", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


async def added(call: Call, receiver: Receiver, *options: str) -> dict[str, Any]:
    code, out, _ = await call("add", receiver.url, *options, "--json")
    assert code == 0
    answer: dict[str, Any] = json.loads(out)
    return answer


async def test_webhook_is_added_listed_shown_and_removed(call: Call, receiver: Receiver) -> None:
    assert (await call("list"))[1] == "no webhooks\n"
    code, out, _ = await call("add", receiver.url, "--type", "case.closed", "--line", "fresh_food")
    webhook_id = out.split()[0]

    assert code == 0
    assert out.splitlines()[1].startswith("secret: whsec_")
    assert (await call("list"))[1] == f"{webhook_id}  enabled  {receiver.url}\n"
    shown = (await call("show", webhook_id))[1]
    assert "types    case.closed\nlines    fresh_food\nwaiting  0 events\n" in shown
    assert "whsec_" not in shown + (await call("show", webhook_id, "--json"))[1]

    assert await call("remove", webhook_id) == (0, f"{webhook_id} removed\n", "")
    assert await call("show", webhook_id) == (1, "", f"there is no webhook {webhook_id}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["https://10.0.0.1/"], 2, "url: the address 10.0.0.1 is not public"),
        (["ftp://127.0.0.1/"], 2, "url: it must begin with https:// or http://"),
        (["http://127.0.0.1/", "--type", "case.eaten"], 2, "types: case.eaten is no type of event"),
        (["http://127.0.0.1/", "--line", "furniture"], 2, "'furniture' is not one of"),
    ],
)
async def test_webhook_that_cannot_be_added(call: Call, arguments: list[str], code: int, says: str) -> None:
    exit_code, _, err = await call("add", *arguments)

    assert exit_code == code
    assert says in err
    assert (await call("list"))[1] == "no webhooks\n"


async def test_test_event_says_whether_it_was_accepted(call: Call, receiver: Receiver) -> None:
    webhook = await added(call, receiver)

    assert await call("ping", webhook["id"]) == (0, "accepted (200)\n", "")
    body = Webhook(webhook["secret"]).verify(receiver.received[0].body, receiver.received[0].headers)
    assert (body["type"], body["data"]) == ("webhook.ping", {"webhook": webhook["id"]})

    receiver.answer = lambda _: 404
    assert await call("ping", webhook["id"]) == (1, "answered 404\n", "")
    assert json.loads((await call("ping", webhook["id"], "--json"))[1]) == {"status": 404, "error": "answered 404"}
    log = (await call("log", webhook["id"], "--state", "failed"))[1].splitlines()
    assert len(log) == 2
    for line in log:
        assert line.split()[1:4] == ["failed", "1", "webhook.ping"]
        assert line.endswith("  answered 404")


async def test_both_secrets_sign_after_a_rotation(call: Call, receiver: Receiver) -> None:
    webhook = await added(call, receiver)
    new = (await call("rotate", webhook["id"]))[1].split()[1]
    await call("ping", webhook["id"])
    last = json.loads((await call("rotate", webhook["id"], "--hours", "0", "--json"))[1])["secret"]
    await call("ping", webhook["id"])

    first, second = receiver.received
    for secret in (webhook["secret"], new):
        Webhook(secret).verify(first.body, first.headers)
    assert len(second.headers["webhook-signature"].split()) == 1
    Webhook(last).verify(second.body, second.headers)


async def test_webhook_is_disabled_and_enabled(call: Call, receiver: Receiver) -> None:
    webhook_id = (await added(call, receiver))["id"]

    assert await call("disable", webhook_id) == (0, f"{webhook_id} disabled\n", "")
    assert f"{webhook_id}  disabled (by hand)" in (await call("list"))[1]
    assert await call("enable", webhook_id, "--from-now") == (0, f"{webhook_id} enabled\n", "")
    assert f"{webhook_id}  enabled" in (await call("list"))[1]


async def test_events_are_sent_again_by_id_and_by_time(call: Call, receiver: Receiver, records: Records) -> None:
    webhook_id = (await added(call, receiver))["id"]
    records.project(projected())
    await call("enable", webhook_id)
    [endpoint] = records.endpoints()
    while records.number_events():
        pass
    records.queue_events(endpoint, records.events_of("HL-1")[0].occurred_at)
    event = records.events_of("HL-1")[0].id

    assert await call("replay", webhook_id, event) == (0, "1 event will be sent again\n", "")
    code, out, _ = await call("replay", webhook_id, "--since", "2026-01-01", "--json")
    assert (code, json.loads(out)["events"]) == (0, len(records.events_of("HL-1")))
    assert await call("replay", webhook_id) == (2, "", "since: give the ids of events, or a time\n")


async def test_database_that_does_not_exist_yet(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")

    assert await call("list") == (1, "", "our database does not exist yet: a worker creates it\n")
