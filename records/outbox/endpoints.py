"""The endpoints of webhooks, with the secrets that sign what is sent to them."""

import base64
import json
import secrets as random_bytes
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select, update

from records.errors import RecordsError
from records.outbox.tables import webhook_deliveries, webhook_endpoints
from records.projection import CaseProjection

_rows = webhook_endpoints.c


class UnknownEndpoint(RecordsError):
    """There is no webhook with this id."""


class Disabled(StrEnum):
    """Why an endpoint is disabled."""

    FAILING = "failing"
    """It has accepted nothing for three days."""
    GONE = "gone"
    """It answered that it wants no more events (410)."""
    BY_HAND = "by hand"


class Endpoint(NamedTuple):
    """A webhook."""

    endpoint_id: str
    url: str
    types: list[str]
    """Empty: all."""
    lines: list[str]
    """Empty: all."""
    disabled: str | None
    """Why it is disabled (`Disabled`); None: it is enabled."""
    disabled_at: datetime | None
    cursor: int
    """The seq of the last event that was queued or left out."""
    failures: int
    """Failures since the last success."""
    failing_since: datetime | None
    paused_until: datetime | None
    created_at: datetime


_COLUMNS = [_rows[name] for name in Endpoint._fields]


class Endpoints(CaseProjection):
    """Table `webhook_endpoints`."""

    def add_endpoint(self, url: str, secret: str, types: Collection[str] = (), lines: Collection[str] = ()) -> Endpoint:
        """Add a webhook. It gets the events that are written from now on."""
        while self.number_events():
            pass
        endpoint_id = f"whk_{base64.b32encode(random_bytes.token_bytes(10)).decode().lower()}"
        values = {
            "endpoint_id": endpoint_id,
            "url": url,
            "types": sorted(types),
            "lines": sorted(lines),
            "secrets": self._sealed(endpoint_id, [(secret, None)]),
            "cursor": self.latest_seq(),
            "failures": 0,
            "created_at": datetime.now(UTC),
        }
        with self._writing() as connection:
            connection.execute(insert(webhook_endpoints), values)
        return self.endpoint(endpoint_id)

    def endpoints(self) -> list[Endpoint]:
        """Return all webhooks, oldest first."""
        query = select(*_COLUMNS).order_by(_rows.created_at, _rows.endpoint_id)
        with self._reading() as connection:
            return [Endpoint(*row) for row in connection.execute(query)]

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """Return a webhook. Raises `UnknownEndpoint`."""
        with self._reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(_rows.endpoint_id == endpoint_id)).one_or_none()
        if row is None:
            raise unknown(endpoint_id)
        return Endpoint(*row)

    def secrets_of(self, endpoint_id: str, now: datetime) -> list[str]:
        """Return what signs at that time, the newest first: two secrets while one replaces the other."""
        return [secret for secret, until in self._secrets(endpoint_id) if until is None or until > now]

    def rotate_secret(self, endpoint_id: str, secret: str, until: datetime) -> None:
        """Sign with another secret, and until that time also with the one before."""
        kept = [(old, until) for old, ends in self._secrets(endpoint_id) if ends is None]
        self._change(endpoint_id, secrets=self._sealed(endpoint_id, [(secret, None), *kept]))

    def reseal_secrets(self) -> None:
        """Seal the secrets of all webhooks with the first key."""
        for endpoint in self.endpoints():
            kept = self._secrets(endpoint.endpoint_id)
            self._change(endpoint.endpoint_id, secrets=self._sealed(endpoint.endpoint_id, kept))

    def disable_endpoint(self, endpoint_id: str, why: Disabled) -> None:
        """Send nothing more to a webhook. What waits for it is kept. Raises `UnknownEndpoint`."""
        self._change(endpoint_id, disabled=why, disabled_at=datetime.now(UTC))

    def remove_endpoint(self, endpoint_id: str) -> None:
        """Delete a webhook with its log. Raises `UnknownEndpoint`."""
        with self._writing() as connection:
            connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.endpoint_id == endpoint_id))
            gone = connection.execute(delete(webhook_endpoints).where(_rows.endpoint_id == endpoint_id))
            if not gone.rowcount:
                raise unknown(endpoint_id)

    def _change(self, endpoint_id: str, **values: Any) -> None:
        with self._writing() as connection:
            changed = update(webhook_endpoints).where(_rows.endpoint_id == endpoint_id).values(**values)
            if not connection.execute(changed).rowcount:
                raise unknown(endpoint_id)

    def _secrets(self, endpoint_id: str) -> list[tuple[str, datetime | None]]:
        with self._reading() as connection:
            stored = connection.scalar(select(_rows.secrets).where(_rows.endpoint_id == endpoint_id))
        if stored is None:
            raise unknown(endpoint_id)
        kept = json.loads(self._vault.open(stored, _sealed_for(endpoint_id)))["secrets"]
        return [(secret, until and datetime.fromisoformat(until)) for secret, until in kept]

    def _sealed(self, endpoint_id: str, kept: Iterable[tuple[str, datetime | None]]) -> str:
        values = [(secret, until and until.isoformat()) for secret, until in kept]
        return self._vault.seal(json.dumps({"secrets": values}), _sealed_for(endpoint_id))


def unknown(endpoint_id: str) -> UnknownEndpoint:
    """Return the error for an id that no webhook has."""
    return UnknownEndpoint(f"there is no webhook {endpoint_id}")


def _sealed_for(endpoint_id: str) -> str:
    """Return what the secrets are sealed for. No case id has a blank, so no snapshot can take their place."""
    return f"webhook {endpoint_id}"
