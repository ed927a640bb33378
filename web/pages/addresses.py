"""Addresses within this server, for redirects: never those of another site."""

from urllib.parse import urlsplit


def local(address: str | None, otherwise: str = "/") -> str:
    r"""Return the address if it is a path on this server, else `otherwise`.

    Browsers read `\` as `/` and skip control characters, so `/\evil.example` and `/\t/evil.example` are other sites.
    """
    if not address or not address.startswith("/") or address.startswith("//") or "\\" in address:
        return otherwise
    if not address.isprintable() or not address.isascii():
        return otherwise
    parts = urlsplit(address)
    return address if not parts.scheme and not parts.netloc else otherwise
