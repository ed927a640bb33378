"""Access to our database for programs outside a worker: its address, closed cases, and the ledger of an order."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cases.views.snapshot import Snapshot
from encryption.vault import vault
from settings import DATA, LOCK, Settings, configured

if TYPE_CHECKING:
    from records import Records

Json = dict[str, Any]
RESEALED_AT_ONCE = 500
"""Rows that are read before they are written again, each in its own transaction."""


class Archived(NamedTuple):
    """A closed case in our database: its final snapshot, and the complaint that it was opened with, as JSON."""

    record: Snapshot
    complaint: Json | None


def is_database_set(settings: Settings) -> bool:
    """Return whether AFTER_SALES_DATABASE_URL is set."""
    return "database_url" in settings.model_fields_set


def is_local_server(address: str) -> bool:
    """Return whether "starter.py up" runs on this machine at that address, and its workers use the default database.

    Otherwise the default database belongs to another server, and its cases must not be shown as those of this one.
    """
    try:
        with (DATA / LOCK).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read() == address
    except OSError:
        return False
    return False


def archived(case_id: str, database_url: str) -> Archived | None:
    """Return a closed case from our database, or None."""
    with records_of(database_url) as records:
        row = records.case(case_id) if records else None
    if not row or not row["record"]:
        return None
    # A case whose customer was forgotten has a complaint without one, which opens no follow-up case.
    complaint = None if row["forgotten_at"] else row["complaint"]
    return Archived(Snapshot.model_validate(row["record"]), complaint)


def reseal(database_url: str) -> int:
    """Seal all rows of the projection that are plain or have another key than the first. Return the number of cases.

    Also seal the secrets of webhooks.

    Raises `AfterSalesError` if a key is missing; rows before that one have been sealed.
    """
    done = 0
    with records_of(database_url) as records:
        while records and (rows := records.reseal(RESEALED_AT_ONCE)):
            done += rows
        if records:
            records.purge_words()
            records.reseal_secrets()
    return done


@contextmanager
def records_of(database_url: str) -> Iterator["Records | None"]:
    """Open our database; None if its SQLite file does not exist yet, because opening would create it."""
    file = database_url.removeprefix("sqlite:///")
    if file != database_url and not Path(file).exists():
        yield None
        return
    from records import Records  # noqa: PLC0415 (the database library is slow to load and rarely needed)

    records = Records(database_url, vault(configured()))
    try:
        yield records
    finally:
        records.close()
