"""Each port over real HTTP: what is sent, and what comes back."""

import json
from datetime import UTC, datetime

import pytest

from cases.partner_calls import (
    CallbackRequest,
    Contact,
    CustomerMessage,
    DispatchRecord,
    InstallationRecord,
    ReceiptState,
    StaffNotice,
    Trail,
    TrailState,
)
from cases.vocabulary import Channel, Role
from partners.http import Partners
from partners.ports import PartnerRefused
from tests.partners.running import CONTACT, ORDER, RunningSandbox, command, reply, stranger, talk_to

DELIVERY = '{"reference": "8841", "channel": "sms", "at": "2026-11-22T09:00:02+08:00"}'


def message(to: Contact, *routes: Channel) -> CustomerMessage:
    return CustomerMessage(
        key="HL-1/1/acknowledge", case_id="HL-1", event="acknowledge", to=to, routes=list(routes), facts={"x": 1}
    )


@pytest.mark.parametrize(
    ("partner", "kind"),
    [("refunds", "refund"), ("warehouse", "gift"), ("logistics", "search"), ("installation", "inspection")],
)
async def test_each_partner_carries_out_its_steps_and_finds_them_by_key(
    partners: Partners, sandbox: RunningSandbox, partner: str, kind: str
) -> None:
    await sandbox.order(reports="never")
    port = partners.steps[partner]

    assert await port.find(command(kind).key) is None
    receipt = await port.carry_out(command(kind))

    assert receipt.state is (ReceiptState.DONE if kind == "refund" else ReceiptState.ACCEPTED)
    assert await port.find(command(kind).key) == receipt
    assert [(row["partner"], row["kind"]) for row in await sandbox.rows("steps")] == [(partner, kind)]


async def test_every_command_carries_its_key_and_the_token() -> None:
    async with stranger(reply(200, '{"reference": "R-1", "state": "done"}')) as somebody:
        async with talk_to(somebody.url, token="s3cret") as partners:  # noqa: S106 (a test value)
            await partners.steps["refunds"].carry_out(command())

        head, _, body = somebody.requests[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /refunds/steps HTTP/1.1")
    assert "Idempotency-Key: HL-1/1/1/refund" in head
    assert "Authorization: Bearer s3cret" in head
    assert json.loads(body)["amount"] == "640.00"


async def test_without_a_token_none_is_sent() -> None:
    async with stranger(reply(200, DELIVERY)) as somebody:
        async with talk_to(somebody.url) as partners:
            await partners.messaging.to_customer(message(CONTACT, Channel.SMS))

        assert b"authorization" not in somebody.requests[0].lower()


async def test_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async with stranger(reply(200, DELIVERY)) as somebody, talk_to(somebody.url) as partners:
        await partners.messaging.to_customer(message(CONTACT, Channel.SMS))

        assert len(somebody.requests) == 1


async def test_look_ups_return_what_the_order_has(partners: Partners, sandbox: RunningSandbox) -> None:
    """G3."""
    await sandbox.order(
        trail={"state": "in_transit", "events": [{"at": "-3d", "what": "left the hub"}]},
        dispatch={"warehouse": "WH-7"},
        installation={"installer": "Crew 7", "promised_at": "-1d"},
    )

    trail = await partners.look_ups.look_up("trail", ORDER)
    dispatch = await partners.look_ups.look_up("dispatch", ORDER)
    installation = await partners.look_ups.look_up("installation", ORDER)

    assert isinstance(trail, Trail)
    assert trail.state is TrailState.IN_TRANSIT
    assert (datetime.now(UTC) - trail.events[0].at).days == 3
    assert isinstance(dispatch, DispatchRecord)
    assert dispatch.warehouse == "WH-7"
    assert isinstance(installation, InstallationRecord)
    assert installation.installer == "Crew 7"


async def test_unknown_order_is_none(partners: Partners, sandbox: RunningSandbox) -> None:
    await sandbox.order(dispatch=None)

    assert await partners.look_ups.look_up("trail", ORDER) is None
    assert await partners.look_ups.look_up("dispatch", ORDER) is None
    assert await partners.look_ups.look_up("installation", ORDER) is None


BOTH = Contact(name="Wang Li", phone="+86 130", email="li@example.org")
ONLY_MAIL = Contact(name="Wang Li", email="li@example.org")
ONLY_PHONE = Contact(name="Wang Li", phone="+86 130")


@pytest.mark.parametrize(
    ("to", "routes", "taken"),
    [
        (BOTH, [Channel.SMS, Channel.EMAIL], "sms"),
        (BOTH, [Channel.EMAIL, Channel.SMS], "email"),
        (BOTH, [Channel.WECHAT, Channel.SMS], "sms"),
        (ONLY_MAIL, [Channel.SMS, Channel.EMAIL], "email"),
        (ONLY_PHONE, [Channel.EMAIL, Channel.SMS], "sms"),
    ],
)
async def test_customer_is_reached_on_the_first_usable_route(
    partners: Partners, sandbox: RunningSandbox, to: Contact, routes: list[Channel], taken: str
) -> None:
    """G2: a route that is configured, and for which the customer has an address."""
    delivery = await partners.messaging.to_customer(message(to, *routes))

    assert delivery.channel == taken
    sent = (await sandbox.rows("messages"))[0]["content"]
    assert (sent["channel"], sent["audience"]) == (taken, "customer")
    assert (sent["subject"], sent["body"]) == ("about acknowledge", "hello Wang Li")


@pytest.mark.parametrize(
    ("to", "routes"), [(BOTH, [Channel.WECHAT]), (ONLY_PHONE, [Channel.EMAIL]), (ONLY_MAIL, [Channel.SMS]), (BOTH, [])]
)
async def test_customer_without_a_route_is_refused_in_a_sentence(
    partners: Partners, sandbox: RunningSandbox, to: Contact, routes: list[Channel]
) -> None:
    with pytest.raises(PartnerRefused, match="the customer cannot be reached"):
        await partners.messaging.to_customer(message(to, *routes))

    assert await sandbox.rows("calls") == []


async def test_notice_goes_to_the_role_in_the_staffs_language(partners: Partners, sandbox: RunningSandbox) -> None:
    """G10."""
    notice = StaffNotice(
        key="HL-1/1/ack/80", case_id="HL-1", event="escalation", role=Role.TEAM_LEAD, team="hotline", facts={}
    )

    delivery = await partners.messaging.to_staff(notice)

    sent = (await sandbox.rows("messages"))[0]["content"]
    assert delivery.channel == "staff"
    assert sent["to"] == {"role": "team_lead", "team": "hotline", "owner": None}
    assert (sent["subject"], sent["locale"]) == ("escalation in en", "en")


async def test_message_with_the_same_key_is_delivered_once_even_with_other_text(
    partners: Partners, sandbox: RunningSandbox
) -> None:
    """S6: the key decides; a template may have changed between two attempts."""
    first = await partners.messaging.to_customer(message(BOTH, Channel.SMS))
    again = await partners.messaging.to_customer(
        message(BOTH.model_copy(update={"name": "Wang Li Hua"}), Channel.EMAIL)
    )

    assert again == first
    assert len(await sandbox.rows("messages")) == 1
    assert len(await sandbox.rows("calls")) == 2


async def test_callback_is_requested_once(partners: Partners, sandbox: RunningSandbox) -> None:
    """G8."""
    request = CallbackRequest(key="HL-1/1/callback/1", case_id="HL-1", attempt=1, to=CONTACT)

    first = await partners.callbacks.ask(request)

    assert await partners.callbacks.ask(request) == first
    assert len(await sandbox.rows("callbacks")) == 1
    assert sandbox.reports.empty(), "nobody answers for the customer"
