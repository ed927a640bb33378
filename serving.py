"""What the HTTP servers share: the socket on which they listen, and what of uvicorn's log is worth reading."""

import logging
import socket

import h11

from cases.errors import AfterSalesError
from settings import host_and_port


class CannotServe(AfterSalesError):
    """The server cannot start. The message states why."""


def listen(setting: str, address: str) -> socket.socket:
    """Return a socket that listens at `HOST:PORT`. Raises `CannotServe` with the name of the setting."""
    try:
        return socket.create_server(host_and_port(address))
    except OSError as error:
        raise CannotServe(f"{setting}: cannot listen on {address} ({error.strerror})") from None


def is_actionable(record: logging.LogRecord) -> bool:
    """Return False for a client that disconnected or violated HTTP while it was answered: no action is possible."""
    return not (record.exc_info and isinstance(record.exc_info[1], h11.ProtocolError))
