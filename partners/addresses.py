"""Which addresses a webhook may be sent to: none of our own network, unless the settings allow it.

A name is resolved and every address is checked when the endpoint is saved, and again by the resolver and by the socket
of each connection. So a name that points elsewhere later is refused too.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Any, Self

from aiohttp import ThreadedResolver
from aiohttp.abc import ResolveResult
from yarl import URL

from cases.errors import AfterSalesError
from settings import Settings

MAX_URL = 2000
"""Characters of a URL."""
RESOLVE_WITHIN = 5.0
"""Seconds for the resolver."""
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?", re.IGNORECASE)
"""What C libraries read as an IPv4 address: 2130706433, 0x7f.1, 0177.0.0.1."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]


class ForbiddenAddress(AfterSalesError, OSError):
    """The URL or its address must not be used; the text says why. `OSError`, so that HTTP clients pass it on."""


class AllowedAddresses:
    """The addresses that may be used: public ones, and those of the `networks`."""

    def __init__(self, networks: Iterable[Network] = (), *, http: bool = False) -> None:
        self._networks = tuple(networks)
        self._schemes = ("https", "http") if http else ("https",)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the addresses that the settings allow."""
        return cls(settings.webhook_networks, http=settings.webhook_http)

    async def check(self, url: str) -> None:
        """Raise `ForbiddenAddress` if the URL is not one that we send to, or if any of its addresses is not allowed."""
        host, port = self.host_and_port(url)
        try:
            async with asyncio.timeout(RESOLVE_WITHIN):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise ForbiddenAddress(f"{host} was not resolved within {RESOLVE_WITHIN:g} seconds") from None
        except OSError as error:
            raise ForbiddenAddress(f"{host} cannot be resolved: {error.strerror or error}") from None
        for *_, address in found:
            self.check_address(str(address[0]))

    def host_and_port(self, url: str) -> tuple[str, int]:
        """Return where the URL leads. Raise `ForbiddenAddress` if it is not one that we send to."""
        try:
            parsed = URL(url)
            host, port = parsed.raw_host, parsed.port
        except ValueError:
            raise ForbiddenAddress("it is not a URL") from None
        if parsed.scheme not in self._schemes:
            raise ForbiddenAddress(f"it must begin with {' or '.join(f'{each}://' for each in self._schemes)}")
        if not host or port is None or len(url) > MAX_URL or not url.isprintable() or " " in url:
            raise ForbiddenAddress("it is not a URL of a server")
        if parsed.user is not None or parsed.password is not None or parsed.fragment:
            raise ForbiddenAddress("it must not contain a user, a password or a fragment")
        if _NUMERIC.fullmatch(host) and not _is_dotted(host):
            raise ForbiddenAddress(f"{host} is not the usual form of an address")
        return host, port

    def check_address(self, text: str) -> None:
        """Raise `ForbiddenAddress` for an address of our own network, and for any other that is not public."""
        try:
            address = _meant(ipaddress.ip_address(text.partition("%")[0]))
        except ValueError:
            raise ForbiddenAddress(f"{text} is not an address") from None
        if any(address in network for network in self._networks):
            return
        special = address.is_multicast or address.is_reserved or getattr(address, "is_site_local", False)
        if special or not address.is_global:
            raise ForbiddenAddress(f"the address {address} is not public, and AFTER_SALES_WEBHOOK_NETWORKS lacks it")

    def open_socket(self, info: AddressInfo) -> socket.socket:
        """Return a socket for a connection that is about to be made. The last check, for every address."""
        self.check_address(str(info[4][0]))
        return socket.socket(info[0], info[1], info[2])


class CheckedResolver(ThreadedResolver):
    """Resolves names for connections; a name of which any address is not allowed is refused."""

    def __init__(self, allowed: AllowedAddresses) -> None:
        super().__init__()
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses. Raises `ForbiddenAddress`."""
        found = await super().resolve(host, port, family)
        for each in found:
            self._allowed.check_address(each["host"])
        return found


def _is_dotted(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address
