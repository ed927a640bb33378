"""How the projection keeps personal data: plain by default, or sealed by a vault that the program hands in."""

import hashlib
from collections.abc import Iterable
from typing import Protocol

from records.errors import SealedRecord


class Vault(Protocol):
    """Seals snapshots and hides search terms."""

    @property
    def key(self) -> str | None:
        """The name of the key that seals now; None: nothing is sealed."""

    def seal(self, text: str, case_id: str) -> str:
        """Return the text as it is stored; it can be opened for this case only."""

    def open(self, stored: str, case_id: str) -> str:
        """Return the text that was stored, sealed or plain. Raises `AfterSalesError` if it cannot be opened."""

    def hide(self, terms: Iterable[str]) -> list[str]:
        """Return search terms as they are stored from now on."""

    def hidden(self, term: str) -> list[str]:
        """Return every form in which the term may have been stored, under any key."""

    def mark(self, text: str) -> str:
        """Return a digest of the text under the key that seals now: `KEY:DIGEST`, or `DIGEST` without a key."""


class Plain:
    """Stores everything as it is."""

    key = None

    def seal(self, text: str, case_id: str) -> str:
        """Return the text."""
        del case_id
        return text

    def open(self, stored: str, case_id: str) -> str:
        """Return the text. Raises `SealedRecord` if keys are needed."""
        if not stored.startswith("{"):
            raise SealedRecord(
                f"the snapshot of case {case_id} is encrypted: "
                "set AFTER_SALES_ENCRYPTION_KEYS_FILE (or …_KEYS) to read it"
            )
        return stored

    def hide(self, terms: Iterable[str]) -> list[str]:
        """Return the terms."""
        return list(terms)

    def hidden(self, term: str) -> list[str]:
        """Return the term."""
        return [term]

    def mark(self, text: str) -> str:
        """Return a hash of the text."""
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


PLAIN = Plain()
