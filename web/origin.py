"""Whether a form comes from a page of this server."""

from collections.abc import Mapping


def is_own(headers: Mapping[str, str]) -> bool:
    """Return whether a page of this server sent the form. Browsers state it; another site cannot change it.

    Only hosts are compared, because behind a proxy the scheme is not known.
    """
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = headers.get("origin", "")  # of browsers from before 2023
    return bool(origin) and origin.partition("://")[2] == headers.get("host")
