"""The configured keys: the first encrypts, all decrypt. A key file is read again when it changes.

AfterSalesError
├── InvalidInput
│   └── KeyFault     the setting is not a valid list of keys; the message never quotes it
└── KeyOutOfReach    the key of a payload is not configured (yet); retried until it is
"""

import base64
import binascii
import hashlib
import hmac
import logging
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cases.errors import AfterSalesError, InvalidInput, Problem
from settings import Settings

KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
KEY_NAME = re.compile(_ID.pattern + r"\.[0-9a-f]{8}")
"""The name of a key in payloads: its id, and a fingerprint of the key."""
_HOW = "write each key as id:key, as python -m encryption new-key prints it"
_VARIABLE, _FILE_VARIABLE = "AFTER_SALES_ENCRYPTION_KEYS", "AFTER_SALES_ENCRYPTION_KEYS_FILE"
_log = logging.getLogger(__name__)


class KeyFault(InvalidInput):
    """The configured keys are invalid. The message states where and why, and quotes no key."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__([Problem(field=where, problem=problem)])


class KeyOutOfReach(AfterSalesError):
    """No configured key opens the payload. An ordinary error, so that Temporal retries until the key is there."""


@dataclass(frozen=True)
class Key:
    """One AES-256 key.

    Payloads name it by its id and a fingerprint. A wrong key under the right id therefore counts as a missing key,
    which is retried, and not as a forged payload, which is refused.
    """

    name: str
    cipher: AESGCM = field(repr=False)
    for_hashes: bytes = field(repr=False)
    """A key derived from it, for keyed hashes."""

    @classmethod
    def of(cls, key_id: str, secret: bytes) -> Self:
        """Return the key. `secret` has `KEY_BYTES` bytes."""
        name = f"{key_id}.{hashlib.sha256(b'after-sales key' + secret).hexdigest()[:8]}"
        return cls(name, AESGCM(secret), hmac.digest(secret, b"after-sales hashes", "sha256"))


class KeyRing:
    """Keys by name, from text or from a file. If a changed file is invalid, the previous keys stay in use."""

    def __init__(self, *, text: str | None = None, file: Path | None = None) -> None:
        """Read the keys. Raises `KeyFault`."""
        self._file = file
        self._seen: tuple[int, ...] | None = None
        if file is None:
            self._keys = _read(text or "", _VARIABLE)
        else:
            try:
                self._seen, self._keys = _look(file), _read_file(file)
            except OSError as error:
                raise KeyFault(_FILE_VARIABLE, f"{file} cannot be read ({error.strerror})") from None

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """Return the keys of the settings, or None if no encryption is configured. Raises `KeyFault`."""
        text, file = settings.encryption_keys, settings.encryption_keys_file
        if text is not None and file is not None:
            raise KeyFault(_VARIABLE, f"{_FILE_VARIABLE} is also set: remove one of them")
        if text is None and file is None:
            return None
        return cls(text=text.get_secret_value() if text else None, file=file)

    @property
    def current(self) -> Key:
        """Return the key that encrypts."""
        self._refresh()
        return next(iter(self._keys.values()))

    @property
    def all(self) -> list[Key]:
        """Every key, the one that encrypts first."""
        self._refresh()
        return list(self._keys.values())

    def find(self, name: str) -> Key:
        """Return the key with this name. Raises `KeyOutOfReach`."""
        self._refresh()
        if name not in self._keys:
            raise KeyOutOfReach(f"no key {name} here: put it back into {_VARIABLE if not self._file else self._file}")
        return self._keys[name]

    def _refresh(self) -> None:
        """Read the file again if it has changed. An invalid file is only logged, once: an error would lose results."""
        if self._file is None:
            return
        try:
            seen = _look(self._file)
            if seen != self._seen:
                self._keys, self._seen = _read_file(self._file), seen
                _log.info("encryption keys read again, %s encrypts", next(iter(self._keys)))
        except (OSError, KeyFault) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            seen = ()
            if seen != self._seen:
                _log.warning("the previous encryption keys stay in use: %s: %s", self._file, why)
            self._seen = seen


def new_key(key_id: str) -> str:
    """Return a new key as it is written in the settings, `id:base64`. Raises `KeyFault` for an invalid id."""
    if not _ID.fullmatch(key_id):
        raise KeyFault("id", "must be 1 to 40 characters of A-Z a-z 0-9 _ -")
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _look(file: Path) -> tuple[int, ...]:
    found = os.stat(file)  # noqa: PTH116 (called for every payload, and twice as fast as Path.stat)
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read_file(file: Path) -> dict[str, Key]:
    try:
        return _read(file.read_text(encoding="ascii"), str(file))
    except UnicodeDecodeError:
        raise KeyFault(_FILE_VARIABLE, f"{file} is not a text file: {_HOW}") from None


def _read(text: str, where: str) -> dict[str, Key]:
    """Return the keys by name, in the order in which they are written."""
    entries = re.split(r"[\s,]+", text.strip(" \t\r\n,"))
    keys: dict[str, Key] = {}
    ids: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        key_id, colon, secret = entry.partition(":")
        if not colon or not _ID.fullmatch(key_id):
            what = f"key {number} has no id (A-Z a-z 0-9 _ -) before a colon" if any(entries) else "no key"
            raise KeyFault(where, f"{what}: {_HOW}")
        if key_id in ids:
            raise KeyFault(where, f"two keys have the id {key_id}: give each a different id")
        ids.add(key_id)
        key = Key.of(key_id, _secret(secret, where, key_id))
        keys[key.name] = key
    return keys


def _secret(written: str, where: str, key_id: str) -> bytes:
    try:
        secret = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        raise KeyFault(where, f"key {key_id} is not base64: {_HOW}") from None
    if len(secret) != KEY_BYTES:
        raise KeyFault(where, f"key {key_id} has {len(secret)} bytes, AES-256 needs {KEY_BYTES}: {_HOW}")
    return secret
