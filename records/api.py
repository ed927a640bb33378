"""What the HTTP API needs across requests: the keys of its clients, and answers kept for requests that are repeated."""

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, delete, select, update

from records.projection import CaseProjection
from records.tables import FreeText, Names, UtcTime, metadata

SLOTS = (1, 2)
"""A client has two live keys at most, so that a new one can be in use before the old one is revoked."""
KEPT_FOR = timedelta(hours=24)
"""How long the answer to a request is kept."""
CARRIED_OUT_WITHIN = timedelta(seconds=60)
"""A request that has no answer after this time was interrupted: the same request may be carried out again."""
DELETED_AT_ONCE = 100
"""Expired answers that a new request deletes."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("client", FreeText, nullable=False),
    Column("slot", Integer, nullable=False, comment="1 or 2: a client has two live keys at most"),
    Column("digest", Text, nullable=False, comment="SHA-256 of the secret, which is stored nowhere"),
    Column("scopes", Names, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
    CheckConstraint("slot IN (1, 2)", name="api_keys_slot_known"),
)
_LIVE = api_keys.c.revoked_at.is_(None)
Index("live_api_keys", api_keys.c.client, api_keys.c.slot, unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)

api_requests = Table(
    "api_requests",
    metadata,
    Column("client", FreeText, primary_key=True),
    Column("idempotency_key", FreeText, primary_key=True),
    Column("fingerprint", Text, nullable=False, comment="a hash of the request"),
    Column("begun_at", UtcTime, nullable=False),
    Column("interrupted", Integer, nullable=False, comment="1: its outcome is unknown, it may be repeated at once"),
    Column("answer", Text, comment="JSON, or sealed; personal data. Null: in progress"),
    Column("expires_at", UtcTime, nullable=False, index=True),
)


class StoredKey(NamedTuple):
    """A key of the API. Its secret is not stored."""

    key_id: str
    client: str
    digest: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class Begun(Enum):
    """Whether a request may be carried out."""

    NEW = "new"
    IN_PROGRESS = "in progress"
    OTHER_REQUEST = "other request"
    """The idempotency key belongs to a different request."""


class ApiClients(CaseProjection):
    """Tables `api_keys` and `api_requests`."""

    def add_api_key(self, key: StoredKey) -> bool:
        """Store a new key; return False if its client has two live keys already."""
        row = {**key._asdict(), "slot": None}
        with self._writing() as connection:
            for slot in SLOTS:
                new = self._insert(api_keys).values({**row, "slot": slot}).on_conflict_do_nothing()
                if connection.scalar(new.returning(api_keys.c.key_id)) is not None:
                    return True
        return False

    def api_key(self, key_id: str) -> StoredKey | None:
        """Return a key, also a revoked one."""
        query = select(*_OF_KEY).where(api_keys.c.key_id == key_id)
        with self._reading() as connection:
            row = connection.execute(query).one_or_none()
        return StoredKey(*row) if row else None

    def all_api_keys(self) -> list[StoredKey]:
        """Return all keys, by client, the latest first."""
        query = select(*_OF_KEY).order_by(api_keys.c.client, api_keys.c.created_at.desc(), api_keys.c.key_id)
        with self._reading() as connection:
            return [StoredKey(*row) for row in connection.execute(query)]

    def revoke_api_key(self, key_id: str, now: datetime) -> bool:
        """Revoke a key for good; return False if there is no live key with this id."""
        revoked = update(api_keys).where(api_keys.c.key_id == key_id, _LIVE).values(revoked_at=now)
        with self._writing() as connection:
            return connection.execute(revoked).rowcount == 1

    def api_key_used(self, key_id: str, now: datetime) -> None:
        """Note when a key was last used."""
        with self._deriving() as connection:
            connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(last_used_at=now))

    def begin_request(self, client: str, idempotency_key: str, fingerprint: str, now: datetime) -> Begun | str:
        """Begin a request, or return the answer that it had before. Deletes some of the answers that have expired."""
        its = (api_requests.c.client == client, api_requests.c.idempotency_key == idempotency_key)
        begun = {"begun_at": now, "interrupted": 0, "expires_at": now + KEPT_FOR}
        row = {"client": client, "idempotency_key": idempotency_key, "fingerprint": fingerprint, **begun}
        expired = select(api_requests.c.client, api_requests.c.idempotency_key).where(api_requests.c.expires_at <= now)
        with self._writing() as connection:
            for old in connection.execute(expired.limit(DELETED_AT_ONCE)).all():
                same = (api_requests.c.client == old.client, api_requests.c.idempotency_key == old.idempotency_key)
                connection.execute(delete(api_requests).where(*same))
            new = self._insert(api_requests).values(row).on_conflict_do_nothing().returning(api_requests.c.client)
            if connection.scalar(new) is not None:
                return Begun.NEW
            known = connection.execute(select(api_requests).where(*its).with_for_update()).one()
            if known.fingerprint != fingerprint:
                return Begun.OTHER_REQUEST
            if known.answer is not None:
                return self._vault.open(known.answer, _sealed_for(client, idempotency_key))
            if not known.interrupted and now - known.begun_at < CARRIED_OUT_WITHIN:
                return Begun.IN_PROGRESS
            connection.execute(update(api_requests).where(*its).values(begun))
            return Begun.NEW

    def keep_answer_to(self, client: str, idempotency_key: str, answer: str) -> None:
        """Keep the answer to a request that was carried out. `answer` is a JSON object."""
        sealed = self._vault.seal(answer, _sealed_for(client, idempotency_key))
        self._settle(client, idempotency_key, {"answer": sealed})

    def interrupt_request(self, client: str, idempotency_key: str) -> None:
        """Note that it is unknown whether a request was carried out; the same request may be repeated at once."""
        self._settle(client, idempotency_key, {"interrupted": 1})

    def forget_request(self, client: str, idempotency_key: str) -> None:
        """Forget a request that was refused: the idempotency key may be used again, also for another request."""
        self._settle(client, idempotency_key, None)

    def _settle(self, client: str, idempotency_key: str, values: dict[str, object] | None) -> None:
        its = (api_requests.c.client == client, api_requests.c.idempotency_key == idempotency_key)
        change = delete(api_requests) if values is None else update(api_requests).values(values)
        with self._writing() as connection:
            connection.execute(change.where(*its))


_OF_KEY = [api_keys.c[name] for name in StoredKey._fields]


def _sealed_for(client: str, idempotency_key: str) -> str:
    return f"answer to {client}: {idempotency_key}"
