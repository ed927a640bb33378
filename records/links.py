"""Links for customers to the page of their case. Whoever has a link is the customer, so only its hash is stored.

A link ends in a token of 256 bits. That of a letter is computed from a secret and the letter's key, so that a letter
that is sent again has the same link.
"""

import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Column, Integer, Table, Text, select, update

from records.database import Database
from records.tables import UtcTime, metadata

customer_links = Table(
    "customer_links",
    metadata,
    Column("token_hash", Text, primary_key=True, comment="SHA-256 of the token, in hex"),
    Column("case_id", Text, nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("made_for", Text, nullable=False, comment="the key of its letter, or who asked for it"),
    Column("made_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
)

customer_tries = Table(
    "customer_tries",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("tries", Integer, nullable=False, comment="answers in a row that were wrong"),
    Column("locked_until", UtcTime),
)

CASE_PAGE = "case"
"""The purpose of a link to the page of a case, the only one so far."""
LIFETIME = timedelta(days=60)
"""How long a link works. Every letter has a new one."""
TRIES, FIRST_LOCK, LONGEST_LOCK = 5, timedelta(minutes=15), timedelta(days=7)
"""After so many wrong answers to the question for the phone number, no more are accepted for a time, which doubles
with each round. Somebody who guesses for as long as a link works has fewer than 100 tries for 10,000 numbers."""


class Link(NamedTuple):
    """What a token stands for."""

    case_id: str
    purpose: str
    expires_at: datetime
    revoked_at: datetime | None


def new_token() -> str:
    """Return a random token."""
    return secrets.token_urlsafe(32)


def token_of_letter(secret: str, case_id: str, purpose: str, key: str) -> str:
    """Return the token of the letter with this key. It cannot be computed without the secret."""
    about = json.dumps([case_id, purpose, key])
    return urlsafe_b64encode(hmac.digest(secret.encode(), about.encode(), "sha256")).rstrip(b"=").decode()


def hash_of(token: str) -> str:
    """Return what is stored of a token. A hash without salt suffices, because nobody can guess 256 bits."""
    return sha256(token.encode(errors="surrogatepass")).hexdigest()


class CustomerLinks(Database):
    """Tables `customer_links` and `customer_tries`."""

    def add_link(self, token: str, case_id: str, made_for: str, now: datetime, purpose: str = CASE_PAGE) -> None:
        """Make a token stand for the page of a case. Repeating it gives a link more time, unless it was revoked.

        `made_for` is the key of its letter, or who asked for it.
        """
        row = {"case_id": case_id, "purpose": purpose, "made_for": made_for, "made_at": now}
        new = self._insert(customer_links).values(token_hash=hash_of(token), expires_at=now + LIFETIME, **row)
        again = {"expires_at": new.excluded.expires_at}
        with self._writing() as connection:
            connection.execute(
                new.on_conflict_do_update(customer_links.primary_key, set_=again, where=_links.revoked_at.is_(None))
            )

    def link(self, token: str) -> Link | None:
        """Return what a token stands for, also if it has expired or was revoked; None if it was never made."""
        columns = (_links.case_id, _links.purpose, _links.expires_at, _links.revoked_at)
        with self._reading() as connection:
            row = connection.execute(select(*columns).where(_links.token_hash == hash_of(token))).one_or_none()
        return row and Link(*row)

    def revoke_links(self, case_id: str, now: datetime) -> int:
        """Revoke all links of a case that still work. Return how many there were. Later letters have new ones."""
        working = (_links.case_id == case_id, _links.revoked_at.is_(None), _links.expires_at > now)
        with self._writing() as connection:
            return connection.execute(update(customer_links).where(*working).values(revoked_at=now)).rowcount

    def begin_try(self, case_id: str, now: datetime) -> datetime | None:
        """Count one answer to the question for the phone number, before it is checked.

        Return None if it may be checked, or until when no answer is accepted for this case.
        """
        with self._writing() as connection:
            connection.execute(self._insert(customer_tries).values(case_id=case_id, tries=0).on_conflict_do_nothing())
            mine = customer_tries.c.case_id == case_id
            row = connection.execute(
                select(customer_tries.c.tries, customer_tries.c.locked_until).where(mine).with_for_update()
            ).one()
            locked_until: datetime | None = row.locked_until
            if locked_until is not None and locked_until > now:
                return locked_until
            tries = row.tries + 1
            locked = now + _lock(tries // TRIES) if tries % TRIES == 0 else None
            connection.execute(update(customer_tries).where(mine).values(tries=tries, locked_until=locked))
        return None

    def forget_tries(self, case_id: str) -> None:
        """Begin to count again: the answer was right."""
        mine = customer_tries.c.case_id == case_id
        with self._writing() as connection:
            connection.execute(update(customer_tries).where(mine).values(tries=0, locked_until=None))


_links = customer_links.c


def _lock(rounds: int) -> timedelta:
    doubled: int = 2 ** min(rounds - 1, 20)
    return min(doubled * FIRST_LOCK, LONGEST_LOCK)
