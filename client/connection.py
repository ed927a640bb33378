"""Connect to Temporal. Address and credentials come from Temporal's own settings, encryption keys from ours."""

import asyncio
from datetime import timedelta

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime

from cases.errors import AfterSalesError
from encryption import data_converter
from settings import Settings, configured, host_and_port

DEFAULT_ADDRESS = "127.0.0.1:7233"
CONNECT_WITHIN = timedelta(seconds=5)
"""A person is waiting, and a running server answers in milliseconds."""


class Unreachable(AfterSalesError):
    """The server or the worker does not answer."""


async def connect(runtime: Runtime | None = None, settings: Settings | None = None) -> tuple[Client, str]:
    """Return a client and the server's address, from Temporal's environment variables and profile file.

    The encryption keys come from the `settings`. Raises `Unreachable`, or `InvalidInput` for bad settings.
    """
    converter = data_converter(settings or configured())
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise Unreachable(
            f"Temporal's settings cannot be used: {reason} (TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE)"
        ) from None
    address = config.setdefault("target_host", DEFAULT_ADDRESS)
    try:
        host_and_port(address)
    except ValueError:
        where = "TEMPORAL_ADDRESS (or the address of its profile)"
        raise Unreachable(f"{where}: {address} is not HOST:PORT, such as {DEFAULT_ADDRESS}") from None
    try:
        async with asyncio.timeout(CONNECT_WITHIN.total_seconds()):
            client = await Client.connect(
                **config, data_converter=converter, connect_timeout=CONNECT_WITHIN, runtime=runtime
            )
    except (RuntimeError, ValueError, TimeoutError) as error:
        if "get_system_info" in str(error):
            why = f"the server at {address} is not a Temporal server, or rejects our credentials"
            raise Unreachable(f"{why}: check TEMPORAL_ADDRESS and the other TEMPORAL_… variables") from None
        raise Unreachable(
            f'no server answers at {address}: start one with "starter.py up", or set TEMPORAL_ADDRESS'
        ) from None
    return client, address
