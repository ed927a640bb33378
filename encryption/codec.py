"""The payload codec. A payload is sealed (encrypted and authenticated) for one workflow of one namespace.

AES-256-GCM with a random nonce of 96 bits. The metadata beside the ciphertext (key, namespace, workflow) can be read
but not changed, because it is authenticated. A payload cannot be opened in the context of another workflow.
"""

import logging
import os
from collections.abc import Sequence
from typing import Self

from cryptography.exceptions import InvalidTag
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from cases.errors import AfterSalesError
from encryption.keys import KEY_NAME, KeyOutOfReach, KeyRing

ENCODING = b"binary/encrypted"
VERSION = b"1"
NONCE_BYTES, TAG_BYTES = 12, 16
_log = logging.getLogger(__name__)

Place = tuple[str, str]
"""Namespace and workflow id."""


class NotAuthentic(AfterSalesError):
    """The payload was changed, was sealed for another workflow, or is not a sealed payload."""


class Encryption(PayloadCodec, WithSerializationContext):
    """Seals every payload with the current key. Opens sealed payloads and returns all others unchanged.

    Without keys it seals nothing, and the key of every sealed payload is missing.
    """

    def __init__(self, keys: KeyRing | None, place: Place | None = None) -> None:
        self._keys, self._place = keys, place

    def with_context(self, context: SerializationContext) -> Self:
        """Return the codec for the payloads of one workflow, including its activities and failures."""
        place = None
        if isinstance(context, WorkflowSerializationContext | ActivitySerializationContext) and context.workflow_id:
            place = context.namespace, context.workflow_id
        return type(self)(self._keys, place)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads sealed, in the same order."""
        if self._keys is None:
            return list(payloads)
        return [seal(self._keys, payload, self._place) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads opened, in the same order. Raises `KeyOutOfReach`, on which Temporal retries.

        A payload that is not authentic is returned sealed. A message with it is then refused because it is not JSON.
        An error here would block the case until an operator resets it.
        """
        return [self._opened(payload) for payload in payloads]

    def _opened(self, payload: Payload) -> Payload:
        if not is_sealed(payload):
            return payload
        try:
            _check_form(payload, self._place)
            if self._keys is None:
                raise KeyOutOfReach("this is encrypted: set AFTER_SALES_ENCRYPTION_KEYS_FILE (or …_KEYS) to read it")
            return unseal(self._keys, payload, self._place)
        except NotAuthentic as error:
            _log.warning("a payload was not decrypted: %s (received by %s)", error, self._place)
            return payload


def is_sealed(payload: Payload) -> bool:
    """Return whether the payload's metadata says that it is sealed."""
    return payload.metadata.get("encoding") == ENCODING


def seal(keys: KeyRing, payload: Payload, place: Place | None) -> Payload:
    """Return the payload sealed for a workflow. With None it is for no workflow, and opens only without a context."""
    key, nonce = keys.current, os.urandom(NONCE_BYTES)
    metadata = _metadata(key.name, place or ("", ""))
    data = nonce + key.cipher.encrypt(nonce, payload.SerializeToString(), _authenticated(metadata))
    return Payload(metadata=metadata, data=data)


def unseal(keys: KeyRing, payload: Payload, place: Place | None = None) -> Payload:
    """Return the opened payload. Raises `KeyOutOfReach` or `NotAuthentic` (also for another place than `place`)."""
    _check_form(payload, place)
    metadata = dict(payload.metadata)
    key = keys.find(_text(metadata, "key"))
    nonce, data = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
    try:
        return Payload.FromString(key.cipher.decrypt(nonce, data, _authenticated(metadata)))
    except (InvalidTag, ValueError):
        raise NotAuthentic("it has been changed since it was sealed") from None


def _check_form(payload: Payload, place: Place | None) -> None:
    """Raise `NotAuthentic` for a payload that no key can open, so that nothing waits for a key in vain."""
    metadata = dict(payload.metadata)
    if metadata.get("version") != VERSION:
        raise NotAuthentic(f"its version is not {VERSION.decode()}")
    if place is not None and _place(metadata) != place:
        raise NotAuthentic("it was sealed for another workflow")
    if not KEY_NAME.fullmatch(_text(metadata, "key")):
        raise NotAuthentic("it names no key")
    if len(payload.data) < NONCE_BYTES + TAG_BYTES:
        raise NotAuthentic("it is too short")


def sealed_for(payload: Payload) -> str:
    """Return the workflow id that a payload was sealed for."""
    return _place(dict(payload.metadata))[1]


def _metadata(key: str, place: Place) -> dict[str, bytes]:
    namespace, workflow = place
    return {
        "encoding": ENCODING,
        "version": VERSION,
        "key": key.encode(),
        "namespace": namespace.encode(),
        "workflow": workflow.encode(),
    }


def _authenticated(metadata: dict[str, bytes]) -> bytes:
    """Return the metadata to authenticate. Each value has its length, so that the encoding is unambiguous."""
    values = [metadata.get(name, b"") for name in ("encoding", "version", "key", "namespace", "workflow")]
    return b"".join(b"%d:%b" % (len(value), value) for value in values)


def _place(metadata: dict[str, bytes]) -> Place:
    return _text(metadata, "namespace"), _text(metadata, "workflow")


def _text(metadata: dict[str, bytes], name: str) -> str:
    return metadata.get(name, b"").decode(errors="replace")
