"""Payloads are encrypted before they leave the process, so that Temporal stores what it cannot read.

Off unless keys are set (`AFTER_SALES_ENCRYPTION_KEYS` or `…_FILE`). Plain payloads are always read, so it can be
switched on while cases run and for one program after another.
"""

from copy import copy
from typing import Self

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, SerializationContext

from encryption.codec import Encryption
from encryption.keys import KeyRing
from settings import Settings


class _Sealing(DataConverter):
    """The SDK takes a converter with context for every payload; its own way builds a pydantic converter each time."""

    def with_context(self, context: SerializationContext) -> Self:
        """A converter that seals for one workflow."""
        clone, codec = copy(self), self.payload_codec
        if isinstance(codec, Encryption):
            # The class is frozen, and its constructor is what is to be spared.
            object.__setattr__(clone, "payload_codec", codec.with_context(context))
        return clone


def data_converter(settings: Settings) -> DataConverter:
    """The converter for clients and workers of these settings; raises `KeyFault`."""
    keys = KeyRing.of(settings)
    # Without keys nothing is encrypted; but a worker whose keys were forgotten must wait for them, and refuse nothing.
    if keys:
        return encrypted(keys)
    return _Sealing(payload_converter_class=PydanticPayloadConverter, payload_codec=Encryption(None))


def encrypted(keys: KeyRing) -> DataConverter:
    """The converter that encrypts with these keys: values, and what failures say."""
    return _Sealing(
        payload_converter_class=PydanticPayloadConverter,
        payload_codec=Encryption(keys),
        # A codec alone would leave messages and stack traces in plain text.
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
