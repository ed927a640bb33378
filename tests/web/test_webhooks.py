"""Webhooks over HTTP: everything that `starter.py webhook` does, and only where a webhook may lead."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from records import Records
from settings import Settings
from tests.partners.webhook_receiver import Receiver, receiving
from tests.records.projected import projected
from tests.web.conftest import NewKey


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Webhooks may lead to loopback."""
    monkeypatch.setenv("AFTER_SALES_WEBHOOK_NETWORKS", '["127.0.0.0/8"]')
    monkeypatch.setenv("AFTER_SALES_WEBHOOK_HTTP", "true")
    return Settings(database_url=settings.database_url)


@pytest.fixture
def headers(key: NewKey) -> dict[str, str]:
    return key("webhooks")


async def added(http: httpx.AsyncClient, receiver: Receiver, headers: dict[str, str], **more: Any) -> dict[str, Any]:
    answer = await http.post("/v1/webhooks", json={"url": receiver.url, **more}, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/webhooks/{found['id']}"
    return found


async def test_webhook_is_added_read_tested_and_removed(
    http: httpx.AsyncClient, receiver: Receiver, headers: dict[str, str]
) -> None:
    webhook = await added(http, receiver, headers, types=["case.closed"], lines=["fresh_food"])
    secret, path = webhook.pop("secret"), f"/v1/webhooks/{webhook['id']}"

    assert (await http.get("/v1/webhooks", headers=headers)).json() == {"webhooks": [webhook]}
    assert (await http.get(path, headers=headers)).json() == webhook
    assert (await http.post(f"{path}/ping", headers=headers)).json() == {"status": 200, "error": None}
    assert Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)["type"] == "webhook.ping"
    [logged] = (await http.get(f"{path}/deliveries", headers=headers)).json()["deliveries"]
    assert (logged["type"], logged["state"], logged["status"]) == ("webhook.ping", "delivered", 200)

    assert (await http.delete(path, headers=headers)).status_code == 204
    gone = await http.get(path, headers=headers)
    assert (gone.status_code, gone.json()["detail"]) == (404, f"there is no webhook {webhook['id']}")


async def test_webhook_is_disabled_enabled_and_gets_another_secret(
    http: httpx.AsyncClient, receiver: Receiver, headers: dict[str, str]
) -> None:
    webhook = await added(http, receiver, headers)
    path = f"/v1/webhooks/{webhook['id']}"

    assert (await http.post(f"{path}/disable", headers=headers)).json()["disabled"] == "by hand"
    enabled = await http.post(f"{path}/enable", json={"from_now": True}, headers=headers)
    assert enabled.json()["disabled"] is None
    new = (await http.post(f"{path}/rotate", json={}, headers=headers)).json()["secret"]
    await http.post(f"{path}/ping", headers=headers)
    for secret in (webhook["secret"], new):
        Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)


async def test_events_are_sent_again(
    http: httpx.AsyncClient, receiver: Receiver, headers: dict[str, str], records: Records
) -> None:
    webhook = await added(http, receiver, headers)
    records.project(projected())
    while records.number_events():
        pass
    [endpoint] = records.endpoints()
    records.queue_events(endpoint, endpoint.created_at)
    path = f"/v1/webhooks/{webhook['id']}/replay"

    by_id = await http.post(path, json={"events": [records.events_of("HL-1")[0].id]}, headers=headers)
    by_time = await http.post(path, json={"since": "2026-01-01T00:00:00Z"}, headers=headers)
    neither = await http.post(path, json={}, headers=headers)

    assert (by_id.json(), by_time.json()) == ({"events": 1}, {"events": len(records.events_of("HL-1"))})
    assert (neither.status_code, neither.json()["errors"][0]["field"]) == (422, "since")


@pytest.mark.parametrize(
    ("faulty", "fields"),
    [
        ({"url": "https://10.0.0.1/"}, ["url"]),
        ({"url": "https://2130706433/"}, ["url"]),
        ({"url": "gopher://127.0.0.1/", "lines": ["furniture"]}, ["lines", "url"]),
        ({"url": "https://127.0.0.1/", "types": ["case.eaten"]}, ["types.0"]),
        ({"lines": "fresh_food", "secret": "mine"}, ["url", "lines", "secret"]),
    ],
)
async def test_webhook_that_cannot_be_added(
    http: httpx.AsyncClient, headers: dict[str, str], faulty: dict[str, Any], fields: list[str]
) -> None:
    answer = await http.post("/v1/webhooks", json=faulty, headers=headers)

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == fields


async def test_key_that_is_bound_to_lines_has_webhooks_of_its_lines_only(
    http: httpx.AsyncClient, receiver: Receiver, headers: dict[str, str], key: NewKey
) -> None:
    await added(http, receiver, headers)
    await added(http, receiver, headers, lines=["express", "fresh_food"])
    bound = key("webhooks", "line:fresh_food", client="some")
    mine = await added(http, receiver, bound)

    assert mine["lines"] == ["fresh_food"]
    assert [each["id"] for each in (await http.get("/v1/webhooks", headers=bound)).json()["webhooks"]] == [mine["id"]]
    assert len((await http.get("/v1/webhooks", headers=headers)).json()["webhooks"]) == 3
