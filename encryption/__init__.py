"""Payloads are encrypted before they leave the process, so that Temporal stores what it cannot read.

Off unless keys are set (`AFTER_SALES_ENCRYPTION_KEYS` or `…_FILE`). Plain payloads are always read, so it can be
switched on while cases run and for one program after another.
"""

from dataclasses import replace

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes

from encryption.codec import Encryption
from encryption.keys import KeyRing
from settings import Settings


def data_converter(settings: Settings) -> DataConverter:
    """The converter for clients and workers of these settings; raises `KeyFault`."""
    keys = KeyRing.of(settings)
    # Without keys nothing is encrypted; but a worker whose keys were forgotten must wait for them, and refuse nothing.
    if keys:
        return encrypted(keys)
    return replace(pydantic_data_converter, payload_codec=Encryption(None))


def encrypted(keys: KeyRing) -> DataConverter:
    """The converter that encrypts with these keys: values, and what failures say."""
    return replace(
        pydantic_data_converter,
        payload_codec=Encryption(keys),
        # A codec alone would leave messages and stack traces in plain text.
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
