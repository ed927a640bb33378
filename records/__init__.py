"""Our own database: what must be true after the engine has forgotten a case.

`Records(url)` is the only door; each of its methods is one transaction and may be called again after a crash.
"""

from records.archive import CaseArchive
from records.claims import CarrierClaims
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
    UnknownCase,
    WrongAmount,
    WrongDatabaseUrl,
)
from records.tables import EntryState
from records.units import Units

__all__ = [
    "AlreadyArchived",
    "AlreadyCommitted",
    "CaseIdTaken",
    "EntryConflict",
    "EntryState",
    "LaterTry",
    "LedgerRefusal",
    "NewerSchema",
    "NotReserved",
    "OverLimit",
    "OverPaid",
    "OverUnits",
    "Records",
    "RecordsError",
    "RecordsUnavailable",
    "Units",
    "UnknownCase",
    "WrongAmount",
    "WrongDatabaseUrl",
]


class Records(CaseArchive, CarrierClaims):
    """Cases, the ledger of every order, carrier claims; calls block, so activities make them in threads."""
