"""Our own database: facts that must outlive Temporal's retention of a case.

`Records(url)` is the only entry point. Each of its methods is one transaction and can be repeated after a crash.
"""

from records.afterwards.forgetting import CaseOf, Forgetting
from records.afterwards.measures import Measures
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
from records.links import CustomerLinks, Link
from records.outbox.deliveries import Deliveries, Delivery, DeliveryState, Due, TooManyEvents
from records.outbox.endpoints import Disabled, Endpoint, UnknownEndpoint
from records.outbox.events import StoredEvent
from records.projection import CaseFilter, Listed, Page, Position
from records.reconciliation import Known
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
    "CaseOf",
    "Delivery",
    "DeliveryState",
    "Disabled",
    "Due",
    "Endpoint",
    "EntryConflict",
    "EntryState",
    "Known",
    "LaterTry",
    "LedgerRefusal",
    "Link",
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
    "TooManyEvents",
    "Units",
    "UnknownCase",
    "UnknownEndpoint",
    "Vault",
    "WrongAmount",
    "WrongDatabaseUrl",
]


class Records(Forgetting, ReviewFacts, CarrierClaims, ApiClients, Desk, Deliveries, Measures, CustomerLinks):
    """Cases, projection, facts, events and webhooks, ledgers, claims, API clients, desk, measures, customers' links.

    Methods block: call them in threads.
    """
