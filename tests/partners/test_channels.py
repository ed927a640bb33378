import asyncio
import email
import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.policy import default
from typing import Any

import pytest

from cases.errors import InvalidInput
from cases.partner_calls import Contact, CustomerMessage, Delivery, StaffNotice
from cases.vocabulary import Channel, Role
from partners.channels import AppriseMessaging
from partners.ports import TryAgain
from settings import Settings

Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@dataclass
class Partner:
    """A messaging partner that records what it receives."""

    given: list[str] = field(default_factory=list)

    async def to_customer(self, message: CustomerMessage) -> Delivery:
        self.given.append(message.key)
        return Delivery(reference="P-1", channel="partner", at=datetime.now(UTC))

    async def to_staff(self, notice: StaffNotice) -> Delivery:
        self.given.append(notice.key)
        return Delivery(reference="P-1", channel="partner", at=datetime.now(UTC))


@asynccontextmanager
async def _listening(talk: Reply) -> AsyncIterator[int]:
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@dataclass
class WebHook:
    """A real HTTP endpoint on this machine, and the requests it received."""

    port: int
    posts: list[dict[str, Any]]
    paths: list[str]


@asynccontextmanager
async def _web_hook(status: int = 200) -> AsyncIterator[WebHook]:
    hook = WebHook(0, [], [])

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        )
        hook.paths.append(head.split()[1])
        hook.posts.append(json.loads(await reader.readexactly(length)))
        writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with _listening(talk) as port:
        hook.port = port
        yield hook


@asynccontextmanager
async def _mail_server() -> AsyncIterator[tuple[int, list[tuple[list[str], str]]]]:
    """A real SMTP server on this machine: its port, and each mail as (recipients, raw text)."""
    letters: list[tuple[list[str], str]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        writer.write(b"220 ready\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            if verb == "RCPT":
                recipients.append(line.split("<")[1].rstrip(">"))
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                letters.append((recipients, raw.decode()))
            writer.write(b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n")
            if verb == "QUIT":
                break
        await writer.drain()
        writer.close()

    async with _listening(talk) as port:
        yield port, letters


def _settings(customer: dict[Channel, str] | None = None, staff: dict[str, str] | None = None) -> Settings:
    return Settings(customer_notify=customer or {}, staff_notify=staff or {}, staff_locale="en")


def _message(*routes: Channel, to: Contact | None = None) -> CustomerMessage:
    return CustomerMessage(
        key="C-1/m1",
        case_id="C-1",
        event="progress",
        to=to or Contact(name="李薇", phone="13800000000", email="wei.li@example.com"),
        routes=list(routes),
        facts={"steps": [{"kind": "refund", "state": "done", "amount": "640.00"}], "currency": "CNY"},
    )


def _notice(role: Role = Role.TEAM_LEAD, team: str = "claims") -> StaffNotice:
    facts = {"promise": "solution", "due_at": "2026-11-18T09:10:00+08:00"}
    return StaffNotice(key="C-1/n1", case_id="C-1", event="promise_broken", role=role, team=team, facts=facts)


async def test_customer_gets_the_rendered_text_at_their_own_number() -> None:
    partner = Partner()
    async with _web_hook() as hook:
        urls = {Channel.SMS: f"json://127.0.0.1:{hook.port}/sms/{{phone}}?:who={{name}}"}
        delivery = await AppriseMessaging(_settings(urls), partner).to_customer(_message(Channel.SMS))

    assert (delivery.channel, delivery.reference) == ("sms", "C-1/m1")
    assert hook.paths == ["/sms/13800000000"]
    assert hook.posts[0]["title"] == "处理进度（工单 C-1）"
    assert "退款 ¥640.00" in hook.posts[0]["message"]
    assert hook.posts[0]["who"] == "李薇"
    assert partner.given == []


async def test_mail_arrives_over_real_smtp_at_the_customers_address_only() -> None:
    async with _mail_server() as (port, letters):
        url = f"mailto://127.0.0.1:{port}?from=care@example.com&to={{email}}&mode=insecure&format=text"
        await AppriseMessaging(_settings({Channel.EMAIL: url}), Partner()).to_customer(_message(Channel.EMAIL))

    (recipients, raw) = letters[0]
    letter = email.message_from_string(raw, policy=default)
    body = letter.get_body(("plain",))
    assert recipients == ["wei.li@example.com"]
    assert letter["subject"] == "处理进度（工单 C-1）"
    assert body is not None
    assert "李薇，您好！" in body.get_content()
    assert letter["x-application"] == "After-sales service"


async def test_html_mail_shows_the_text_without_any_of_it_as_markup() -> None:
    async with _mail_server() as (port, letters):
        url = f"mailto://127.0.0.1:{port}?from=care@example.com&to={{email}}&mode=insecure&format=html"
        to = Contact(name="<b>Wei</b> & **Li**", email="wei.li@example.com")
        await AppriseMessaging(_settings({Channel.EMAIL: url}), Partner()).to_customer(_message(Channel.EMAIL, to=to))

    html = email.message_from_string(letters[0][1], policy=default).get_body(("html",))
    assert html is not None
    assert "&lt;b&gt;Wei&lt;/b&gt;" in html.get_content()
    assert "<b>" not in html.get_content()


async def test_values_are_quoted_so_that_they_cannot_change_the_url() -> None:
    to = Contact(name="x&method=DELETE#/../{email}", phone="+86 138/00?x=1")
    async with _web_hook() as hook:
        urls = {Channel.SMS: f"json://127.0.0.1:{hook.port}/sms?:who={{name}}&:phone={{phone}}"}
        await AppriseMessaging(_settings(urls), Partner()).to_customer(_message(Channel.SMS, to=to))

    assert hook.paths == ["/sms"]
    assert (hook.posts[0]["who"], hook.posts[0]["phone"]) == (to.name, to.phone)


@pytest.mark.parametrize("address", ["a,victim@example.com", "a;victim@example.com", "no-address", None])
async def test_address_that_is_not_one_recipient_goes_to_the_partner_instead(address: str | None) -> None:
    partner = Partner()
    async with _mail_server() as (port, letters):
        url = f"mailto://127.0.0.1:{port}?from=care@example.com&to={{email}}&mode=insecure"
        channels = AppriseMessaging(_settings({Channel.EMAIL: url}), partner)
        await channels.to_customer(_message(Channel.EMAIL, to=Contact(name="x", phone="1", email=address)))

    assert (partner.given, letters) == (["C-1/m1"], [])


async def test_best_route_wins_even_if_only_the_partner_has_it() -> None:
    """G2: the answer uses the customer's channel."""
    partner = Partner()
    async with _web_hook() as hook:
        channels = AppriseMessaging(_settings({Channel.EMAIL: f"json://127.0.0.1:{hook.port}?:to={{email}}"}), partner)
        await channels.to_customer(_message(Channel.WECHAT, Channel.EMAIL))

    assert (partner.given, hook.posts) == (["C-1/m1"], [])


async def test_route_without_the_customers_address_is_skipped() -> None:
    partner = Partner()
    to = Contact(name="x", email="x@example.com")
    async with _web_hook() as hook:
        channels = AppriseMessaging(_settings({Channel.EMAIL: f"json://127.0.0.1:{hook.port}?:to={{email}}"}), partner)
        delivery = await channels.to_customer(_message(Channel.SMS, Channel.EMAIL, to=to))

    assert delivery.channel == "email"
    assert (partner.given, hook.posts[0]["to"]) == ([], "x@example.com")


async def test_without_urls_everything_goes_to_the_partner() -> None:
    partner = Partner()
    channels = AppriseMessaging(_settings(), partner)

    delivery = await channels.to_customer(_message(Channel.SMS))
    await channels.to_staff(_notice())

    assert delivery.channel == "partner"
    assert partner.given == ["C-1/m1", "C-1/n1"]


async def test_channel_of_a_team_comes_before_that_of_its_role_and_other_roles_go_to_the_partner() -> None:
    """G10: every escalation is a message to a named role over the configured channel."""
    partner = Partner()
    async with _web_hook() as hook:
        base = f"json://127.0.0.1:{hook.port}"
        channels = AppriseMessaging(
            _settings(staff={"team_lead": f"{base}/all", "claims/team_lead": f"{base}/claims"}), partner
        )
        await channels.to_staff(_notice(team="claims"))
        delivery = await channels.to_staff(_notice(team="logistics"))
        await channels.to_staff(_notice(role=Role.DIRECTOR))

    assert hook.paths == ["/claims", "/all"]
    assert hook.posts[0]["title"] == "Promise broken: solution · case C-1"
    assert "It was due at 18 Nov, 09:10 (UTC+8)." in hook.posts[0]["message"]
    assert delivery.channel == "json"
    assert partner.given == ["C-1/n1"]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Our log at its most detailed level: records that reach the root logger."""
    text, root = io.StringIO(), logging.getLogger()
    sink, level = logging.StreamHandler(text), root.level
    root.addHandler(sink)
    root.setLevel(logging.DEBUG)
    yield text
    root.setLevel(level)
    root.removeHandler(sink)


async def test_failed_send_is_retried_and_names_scheme_and_host_only(log: io.StringIO) -> None:
    """S7: a failing notice is retried; error and log have no address and no credentials."""
    async with _web_hook(status=503) as hook:
        url = f"json://user:s3cret@127.0.0.1:{hook.port}/token-77/{{phone}}"
        channels = AppriseMessaging(_settings({Channel.SMS: url}), Partner())
        with pytest.raises(TryAgain) as refused:
            await channels.to_customer(_message(Channel.SMS))

    assert str(refused.value) == "The notification service json://127.0.0.1 did not accept the message."
    assert len(hook.posts) == 1
    for private in ("s3cret", "token-77", "13800000000", "李薇"):
        assert private not in log.getvalue()


async def test_refused_connection_is_retried() -> None:
    async with _web_hook() as hook:
        port = hook.port
    channels = AppriseMessaging(_settings(staff={"team_lead": f"json://127.0.0.1:{port}"}), Partner())

    with pytest.raises(TryAgain, match=r"json://127\.0\.0\.1 did not"):
        await channels.to_staff(_notice())


def test_token_in_the_place_of_the_host_is_not_named() -> None:
    import apprise  # noqa: PLC0415 (only to show what the guard is against)

    from partners.channels import _host  # noqa: PLC0415

    service = apprise.Apprise.instantiate("wecombot://abcdefghijkl-KEY")
    assert service is not None
    assert service.host == "abcdefghijkl-KEY"
    assert _host(service) == ""


@pytest.mark.parametrize(
    ("customer", "staff", "sentence"),
    [
        (
            {Channel.EMAIL: "mailtoo://u:s3cret@host?to={email}"},
            {},
            (
                "AFTER_SALES_CUSTOMER_NOTIFY: "
                "email: is not a URL that apprise understands; check its scheme, host and tokens"
            ),
        ),
        (
            {Channel.SMS: "json://u:s3cret@host/{telephone}"},
            {},
            (
                "AFTER_SALES_CUSTOMER_NOTIFY: "
                "sms: has the placeholder {telephone}; {email}, {phone} and {name} can be filled in"
            ),
        ),
        (
            {},
            {"claims/team_lead": "slack://s3cret"},
            (
                "AFTER_SALES_STAFF_NOTIFY: "
                "claims/team_lead: is not a URL that apprise understands; check its scheme, host and tokens"
            ),
        ),
        (
            {},
            {"boss": "json://u:s3cret@host"},
            (
                "AFTER_SALES_STAFF_NOTIFY: "
                "boss: is not a role; use one of owner, team_lead, manager, director, or team/role"
            ),
        ),
    ],
)
def test_wrong_url_is_reported_at_start_up_by_key_without_its_secrets(
    customer: dict[Channel, str], staff: dict[str, str], sentence: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        AppriseMessaging(_settings(customer, staff), Partner())

    assert str(refused.value) == sentence
