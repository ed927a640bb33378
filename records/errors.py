"""Errors of our database. Every message is a sentence for people and contains no password.

AfterSalesError
└── RecordsError
    ├── WrongDatabaseUrl     AFTER_SALES_DATABASE_URL is not one that we can use
    ├── NewerSchema          a newer version of this program wrote the database
    ├── RecordsUnavailable   the database cannot be reached or is busy; the same call may succeed later
    ├── UnknownCase          a case that was never opened
    ├── CaseIdTaken          another run has used the case id
    ├── AlreadyArchived      the case is closed, with another record
    ├── SealedRecord         a snapshot is encrypted, and no keys are configured
    └── LedgerRefusal        the ledger refuses, and will refuse again unless something is changed
        ├── WrongAmount      an amount that is negative, too large, or not exact in minor units
        ├── EntryConflict    the key is already used for something else
        ├── LaterTry         the step was tried again under a later key, which is reserved or paid (S25)
        ├── OverPaid         refunds would exceed what was paid for the order (S14, S15)
        ├── OverLimit        payments besides refunds would exceed the limit (S15)
        ├── OverUnits        more units of an item would be made good than were bought (S35)
        ├── NotReserved      there is no entry with this key
        └── AlreadyCommitted the money has moved; a payment is never undone (S17)
"""

from cases.errors import AfterSalesError


class RecordsError(AfterSalesError):
    """The base class of database errors."""


class WrongDatabaseUrl(RecordsError):
    """The URL names no database that this program can use."""


class NewerSchema(RecordsError):
    """The database was written by a newer version of this program. It was not changed."""


class RecordsUnavailable(RecordsError):
    """The database did not answer. The transaction was rolled back, unless only the answer to its commit was lost."""


class UnknownCase(RecordsError):
    """The case was never opened."""


class CaseIdTaken(RecordsError):
    """Another run has used the case id. An id is used only once (G1)."""


class AlreadyArchived(RecordsError):
    """The case is closed with another record. A closed case never changes."""


class SealedRecord(RecordsError):
    """A snapshot in the projection is encrypted, and this program has no keys."""


class LedgerRefusal(RecordsError):
    """The order's ledger refuses. No entry was written."""


class WrongAmount(LedgerRefusal):
    """The amount is negative, too large, or not exact in minor units."""


class EntryConflict(LedgerRefusal):
    """The key is already used for something else (S13)."""


class LaterTry(LedgerRefusal):
    """The step was tried again under a later key; a case that was reset no longer knows that (S25)."""


class OverPaid(LedgerRefusal):
    """Refunds would exceed what was paid for the order (S14)."""


class OverLimit(LedgerRefusal):
    """Payments besides refunds would exceed what the policy allows for one order (S15)."""


class OverUnits(LedgerRefusal):
    """More units of an item would be made good than were bought (S35)."""


class NotReserved(LedgerRefusal):
    """There is no entry with this key. Money moves only after it was reserved (S13)."""


class AlreadyCommitted(LedgerRefusal):
    """The money has moved. A payment is never undone (S17)."""
