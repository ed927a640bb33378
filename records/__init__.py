"""Our own database: facts that must outlive Temporal's retention of a case.

`Records(url)` is the only entry point. Each of its methods is one transaction and can be repeated after a crash.
"""

from records.api import ApiClients, Begun, StoredKey
from records.claims import CarrierClaims
from records.desk import Act, Desk, StoredSession
from records.errors import (
    AlreadyArchived,
    AlreadyCommitted,
    CaseIdTaken,
    EntryConflict,
    LaterTry,
    LedgerRefusal,
    NewerSchema,
    NotReserved,
    OverLimit,
    OverPaid,
    OverUnits,
    RecordsError,
    RecordsUnavailable,
    SealedRecord,
    UnknownCase,
    WrongAmount,
    WrongDatabaseUrl,
)
from records.facts.queries import Scope
from records.facts.reading import ReviewFacts
from records.outbox.events import StoredEvent
from records.projection import CaseFilter, Listed, Page, Position
from records.reconciliation import Known, Reconciliation
from records.tables import EntryState
from records.units import Units
from records.vault import Vault

__all__ = [
    "Act",
    "AlreadyArchived",
    "AlreadyCommitted",
    "Begun",
    "CaseFilter",
    "CaseIdTaken",
    "EntryConflict",
    "EntryState",
    "Known",
    "LaterTry",
    "LedgerRefusal",
    "Listed",
    "NewerSchema",
    "NotReserved",
    "OverLimit",
    "OverPaid",
    "OverUnits",
    "Page",
    "Position",
    "Records",
    "RecordsError",
    "RecordsUnavailable",
    "Scope",
    "SealedRecord",
    "StoredEvent",
    "StoredKey",
    "StoredSession",
    "Units",
    "UnknownCase",
    "Vault",
    "WrongAmount",
    "WrongDatabaseUrl",
]


class Records(Reconciliation, ReviewFacts, CarrierClaims, ApiClients, Desk):
    """Cases, their projection and facts, the ledgers of orders, carrier claims, the clients of the HTTP API, the desk.

    Methods block: call them in threads.
    """
