"""What can go wrong with our records; every message is a sentence for people, without a password in it.

AfterSalesError
└── RecordsError
    ├── WrongDatabaseUrl     AFTER_SALES_DATABASE_URL is not one that we can use
    ├── NewerSchema          a newer version of this program wrote the database
    ├── RecordsUnavailable   the database is out of reach or busy; the same call may succeed later
    ├── UnknownCase          a case that was never opened
    ├── CaseIdTaken          another run has used the case id
    ├── AlreadyArchived      the case is closed, with another record
    ├── SealedRecord         a snapshot is encrypted, and no keys are configured
    └── LedgerRefusal        the ledger says no, and will say no again unless somebody changes something
        ├── WrongAmount      an amount that is negative, too large, or not exact in minor units
        ├── EntryConflict    the key stands for something else already
        ├── LaterTry         the step has gone on to another key, which is reserved or paid (S25)
        ├── OverPaid         refunds would exceed what was paid for the order (S14, S15)
        ├── OverLimit        what is paid beside refunds would exceed the limit given (S15)
        ├── OverUnits        more units of an item would be made good than were bought (S35)
        ├── NotReserved      there is no entry with this key
        └── AlreadyCommitted the money has moved: it is never un-refunded (S17)
"""

from cases.errors import AfterSalesError


class RecordsError(AfterSalesError):
    """The root of what can go wrong with our records."""


class WrongDatabaseUrl(RecordsError):
    """The URL names no database that we can use."""


class NewerSchema(RecordsError):
    """The database was written by a newer version of this program; nothing was touched."""


class RecordsUnavailable(RecordsError):
    """The database did not answer; what was begun has been undone, except where the answer to a commit was lost."""


class UnknownCase(RecordsError):
    """No such case was ever opened."""


class CaseIdTaken(RecordsError):
    """A case id is used once, ever (G1)."""


class AlreadyArchived(RecordsError):
    """A closed case never changes."""


class SealedRecord(RecordsError):
    """A snapshot in the projection is encrypted, and this program has no keys."""


class LedgerRefusal(RecordsError):
    """The order's ledger refuses; no entry was written."""


class WrongAmount(LedgerRefusal):
    """Not an amount of money that can be booked."""


class EntryConflict(LedgerRefusal):
    """One key, two meanings (S13)."""


class LaterTry(LedgerRefusal):
    """A case that was reset has forgotten that the step went on to another key (S25)."""


class OverPaid(LedgerRefusal):
    """More would go back to the source than came from it (S14)."""


class OverLimit(LedgerRefusal):
    """More would be paid beside refunds than the policy allows for one order (S15)."""


class OverUnits(LedgerRefusal):
    """More units of an item would be made good than were bought (S35)."""


class NotReserved(LedgerRefusal):
    """Money moves only after its intent was written down (S13)."""


class AlreadyCommitted(LedgerRefusal):
    """Money that has moved stays moved (S17)."""
