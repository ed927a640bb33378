"""What our database keeps of open and closed cases, sealed with the keys that seal payloads.

A snapshot is sealed as a payload is, for its case and this purpose. Search terms have to be comparable, so they are
replaced by keyed hashes (HMAC-SHA-256). Equal terms have equal hashes: whoever reads the database sees how often a term
occurs and which cases share it, but not which term it is.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload

from encryption.codec import NotAuthentic, seal, unseal
from encryption.keys import Key, KeyRing
from settings import Settings

SEALED = "sealed:"
"""How a sealed text begins; a snapshot begins with a brace."""
PURPOSE = "our database: snapshot"
"""Takes the place of the namespace. No namespace of Temporal has blanks, so no payload can pass for a snapshot."""
HASH_CHARACTERS = 22
"""Of a hash in base64: 132 bits."""


def vault(settings: Settings) -> "SealingVault | None":
    """Return the vault for `records.Records`; None if no keys are configured. Raises `KeyFault`."""
    keys = KeyRing.of(settings)
    return SealingVault(keys) if keys else None


class SealingVault:
    """A `records.Vault` that seals with the first key of the ring, and opens with each of them."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    @property
    def key(self) -> str:
        """The name of the first key."""
        return self._keys.current.name

    def seal(self, text: str, case_id: str) -> str:
        """Return the sealed text, in base64."""
        sealed = seal(self._keys, Payload(data=text.encode()), (PURPOSE, case_id))
        return SEALED + base64.b64encode(sealed.SerializeToString()).decode()

    def open(self, stored: str, case_id: str) -> str:
        """Return the text. Raises `KeyOutOfReach`, or `NotAuthentic` if it was changed or is another case's."""
        if not stored.startswith(SEALED):
            return stored  # written before keys were configured
        try:
            payload = Payload.FromString(base64.b64decode(stored.removeprefix(SEALED), validate=True))
        except (binascii.Error, DecodeError):
            raise NotAuthentic("it is no sealed snapshot") from None
        return unseal(self._keys, payload, (PURPOSE, case_id)).data.decode()

    def hide(self, terms: Iterable[str]) -> list[str]:
        """Return the terms' hashes under the first key."""
        key = self._keys.current
        return [_hash(key, "term", term) for term in terms]

    def hidden(self, term: str) -> list[str]:
        """Return the term's hash under each key, and the term, which was stored before keys were configured."""
        return [*(_hash(key, "term", term) for key in self._keys.all), term]

    def mark(self, text: str) -> str:
        """Return the first key's name and a hash of the text under it."""
        key = self._keys.current
        return f"{key.name}:{_hash(key, 'text', text)}"


def _hash(key: Key, purpose: str, text: str) -> str:
    digest = hmac.digest(key.for_hashes, f"{purpose}:{text}".encode(errors="surrogatepass"), "sha256")
    return base64.urlsafe_b64encode(digest)[:HASH_CHARACTERS].decode()
