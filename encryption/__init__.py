"""Payload encryption: payloads are encrypted before they leave the process, so the Temporal server cannot read them.

Disabled unless keys are set (`AFTER_SALES_ENCRYPTION_KEYS` or `…_FILE`). Plain payloads can always be read, so it can
be enabled while cases run, one program at a time.
"""

from dataclasses import replace

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes

from encryption.codec import Encryption
from encryption.keys import KeyRing
from settings import Settings


def data_converter(settings: Settings) -> DataConverter:
    """Return the data converter for clients and workers with these settings. Raises `KeyFault`."""
    keys = KeyRing.of(settings)
    # Without keys nothing is encrypted. The codec is still needed: a worker that lacks its keys must wait for them
    # when it reads an encrypted payload, and not refuse the message.
    if keys:
        return encrypted(keys)
    return replace(pydantic_data_converter, payload_codec=Encryption(None))


def encrypted(keys: KeyRing) -> DataConverter:
    """Return the data converter that encrypts values and failures with these keys."""
    return replace(
        pydantic_data_converter,
        payload_codec=Encryption(keys),
        # The codec alone would leave messages and stack traces of failures in plain text.
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
