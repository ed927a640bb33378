"""No webhook leads into our own network, whatever its URL looks like and whatever its name resolves to, and when."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ThreadedResolver

from partners.addresses import AllowedAddresses, ForbiddenAddress
from partners.webhooks import WebhookSender
from tests.partners.webhook_receiver import Receiver, receiving

PUBLIC = "93.184.215.14"
Names = dict[str, list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """What names resolve to; everything else is resolved by the system."""
    known: Names = {}
    loop_type = type(asyncio.new_event_loop())
    system = loop_type.getaddrinfo

    async def resolve(self: Any, host: str, port: int, **how: Any) -> Any:
        if host not in known:
            return await system(self, host, port, **how)
        found = []
        for address in known[host]:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            end = (address, port, 0, 0) if ":" in address else (address, port)
            found.append((family, socket.SOCK_STREAM, 6, "", end))
        return found

    monkeypatch.setattr(loop_type, "getaddrinfo", resolve)
    return known


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


OWN = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",  # noqa: S104 (an address to refuse)
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001::1",
    "2001:db8::1",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", OWN)
async def test_address_of_our_own_network_is_refused_as_it_is_and_behind_a_name(address: str, names: Names) -> None:
    names["events.example.com"] = [address]
    literal = f"[{address}]" if ":" in address else address

    for url in (f"https://{literal}/", f"https://{literal}:8443/", "https://events.example.com/"):
        with pytest.raises(ForbiddenAddress):
            await AllowedAddresses().check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://017700000001/",
        "https://134744072/",
        "https://[::ffff:7f00:1]/",
        "https://[fe80::1%25eth0]/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://127.0.0.1.:443/",
        "https://１２７.０.０.１/",
        "https://①②⑦.⓪.⓪.①/",
    ],
)
async def test_other_way_to_write_such_an_address_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        await AllowedAddresses().check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/",
        "ftp://93.184.215.14/",
        "file:///etc/passwd",
        "gopher://93.184.215.14/",
        "//93.184.215.14/",
        "https://",
        "https:///path",
        "https://user:secret@93.184.215.14/",
        "https://user@93.184.215.14/",
        "https://93.184.215.14/#part",
        "https://93.184.215.14/a b",
        "https://93.184.215.14/\r\nHost: inside",
        "https://93.184.215.14:99999/",
        "https://93.184.215.14/" + "a" * 2000,
        "not a url",
        "",
    ],
)
async def test_what_is_no_url_of_a_server_over_tls_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        await AllowedAddresses().check(url)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
async def test_public_address_is_allowed(address: str, names: Names) -> None:
    names["events.example.com"] = [address]

    await AllowedAddresses().check("https://events.example.com/hook?a=1")
    await AllowedAddresses().check(f"https://[{address}]/" if ":" in address else f"https://{address}/")


@pytest.mark.parametrize("found", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"]])
async def test_name_with_a_public_and_a_private_address_is_refused(found: list[str], names: Names) -> None:
    names["events.example.com"] = found

    with pytest.raises(ForbiddenAddress, match="is not public"):
        await AllowedAddresses().check("https://events.example.com/")


async def test_name_that_does_not_resolve_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", unknown)

    with pytest.raises(ForbiddenAddress, match="cannot be resolved"):
        await AllowedAddresses().check("https://events.example.invalid/")


async def test_network_that_the_settings_name_is_allowed_and_no_other() -> None:
    allowed = AllowedAddresses([ipaddress.ip_network("10.20.0.0/16")], http=True)

    await allowed.check("https://10.20.3.4/")
    await allowed.check("http://10.20.3.4/")
    await allowed.check("https://[::ffff:10.20.3.4]/")
    for url in ("https://10.21.0.1/", "https://127.0.0.1/"):
        with pytest.raises(ForbiddenAddress):
            await allowed.check(url)


async def test_name_that_leads_elsewhere_after_it_was_saved_is_not_sent_to(receiver: Receiver, names: Names) -> None:
    """Rebinding: public when it is checked, our own network when it is used."""
    port = receiver.url.split(":")[2].partition("/")[0]
    allowed, url = AllowedAddresses(http=True), f"http://events.example.com:{port}/"
    names["events.example.com"] = [PUBLIC]
    await allowed.check(url)

    names["events.example.com"] = ["127.0.0.1"]
    async with WebhookSender(allowed) as sender:
        attempt = await sender.send(url, "{}", {})

    assert attempt.error is not None
    assert "127.0.0.1 is not public" in attempt.error
    assert receiver.received == []


async def test_address_is_checked_when_the_connection_is_made(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last line: no resolver is asked about a literal, and one that lies is not believed."""
    port = receiver.url.split(":")[2].partition("/")[0]
    monkeypatch.setattr("partners.addresses.CheckedResolver.resolve", ThreadedResolver.resolve)

    async with WebhookSender(AllowedAddresses(http=True)) as sender:
        attempts = [
            await sender.send(f"http://{host}:{port}/", "{}", {})
            for host in ("127.0.0.1", "[::ffff:127.0.0.1]", "localhost")
        ]

    assert [attempt.error is not None and "is not public" in attempt.error for attempt in attempts] == [True] * 3
    assert receiver.received == []
