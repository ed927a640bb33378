"""Requests to partners and their answers: plain data that crosses the ports.

Every command has a business key, which the workflow makes (S13). The key is the same on every call, also after a crash,
a reset or a time-out. Unknown fields are ignored, so that either side can run a newer version.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cases.calendar import Instant
from cases.complaint import Affected, Evidence
from cases.money import Money
from cases.scalars import NUMERIC, Flag
from cases.text import Clean, Short
from cases.vocabulary import Channel, Liable, RemedyKind, Role, Severity

Key = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Sentence = Annotated[str, StringConstraints(max_length=2_000), Clean]


class Wire(BaseModel):
    """A base for wire models: frozen, and tolerant of fields that a newer partner adds."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Contact(Wire):
    """A person to contact, with phone number and email address."""

    name: str
    phone: str | None = None
    email: str | None = None
    locale: str = "zh-CN"


class Document(Wire):
    """One document of a claim. `name` is the policy's name for it (`trail`, `photo`, …).

    `facts` is our own record as JSON. `uri` is the location of a document that is stored elsewhere.
    """

    name: Short
    facts: dict[str, Any] = {}
    uri: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None = None


class StepCommand(Wire):
    """One step for a partner to carry out.

    `key` is `case/cycle/offer/step`. Payments have `amount` (in `currency`), shipments `items`, and visits `address`.
    """

    key: Key
    case_id: str
    step: str
    kind: RemedyKind
    order_id: str
    currency: str = "CNY"
    amount: Money | None = None
    items: list[Affected] = []
    contact: Contact
    address: str | None = None
    tracking_no: str | None = None
    carrier: str | None = None
    note: Sentence = ""
    documents: list[Document] = []
    """The evidence for a claim."""
    reply_to: str | None = None
    """The id of the workflow that receives the partner's `step-reported`; without it, the case's workflow."""


class Booked(StepCommand):
    """A step with an entry in the order's ledger. The added fields are for the ledger only."""

    makes_good: list[Affected] = []
    """The units of the order's items that it makes good (S35)."""
    bought: list[Affected] = []
    """The quantities of these items that were bought, as stated in this case."""
    approved: bool = False
    """Whether a person has approved more than the policy grants, so that units may be made good once more (S20)."""

    @property
    def asked(self) -> StepCommand:
        """The request without the ledger's fields, so that calls with the same key have the same content."""
        return StepCommand.model_validate(dict(self))


class Payment(Booked):
    """A step that moves money."""

    limit: Money | None = None
    """The maximum for payments of this kind over all cases of the order: payments beside refunds together (S15), or
    freight refunds (S35). None means no limit."""


class Shipment(Booked):
    """A step that sends goods."""

    paid: Money | None = None
    """The amount that the customer paid for the order. None, from an older worker: units are not counted."""


class ReceiptState(StrEnum):
    """A partner's progress with a command."""

    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    DONE = "done"
    FAILED = "failed"


class StepFinding(Wire):
    """The result of a visit or a search: the fields of a finding that a partner can report."""

    severity: Severity | None = None
    days_late: Annotated[int, Field(ge=0, le=36_500), NUMERIC] | None = None
    lost: Flag | None = None
    upheld: Flag | None = None
    liable: Liable | None = None
    cause: Annotated[str, StringConstraints(max_length=1_000), Clean] | None = None
    evidence: list[Evidence] = []


class Receipt(Wire):
    """A partner's report on one command. `reference` is the partner's own number for it."""

    reference: Short
    state: ReceiptState
    detail: Sentence = ""
    finding: StepFinding | None = None


class TrailEvent(Wire):
    """One scan of a parcel."""

    at: Instant
    place: str = ""
    what: str


class TrailState(StrEnum):
    """The state of a parcel, as shown to express customers (§6)."""

    COLLECTED = "collected"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    SIGNED = "signed"
    LOST = "lost"


class Trail(Wire):
    """A carrier's record of a shipment: its tracking events and dates (G3)."""

    state: TrailState
    events: list[TrailEvent] = []
    promised_at: Instant | None = None
    delivered_at: Instant | None = None
    expected_at: Instant | None = None
    """The new arrival time, if the parcel is late."""
    cause: Sentence | None = None
    carrier: str | None = None
    route: str | None = None


class DispatchRecord(Wire):
    """The warehouse's record of an order's dispatch (G3)."""

    warehouse: str
    dispatched_at: Instant | None = None
    packed_by: str | None = None
    condition: Sentence = ""
    items: list[Affected] = []


class InstallationRecord(Wire):
    """The installation partner's record of an order's installation (G3)."""

    installer: str
    promised_at: Instant | None = None
    installed_at: Instant | None = None
    expected_at: Instant | None = None
    cause: Sentence | None = None
    note: Sentence = ""


class LookUp(Wire):
    """The subject of a look-up: the order, and the shipment if it has a tracking number."""

    case_id: str
    order_id: str
    tracking_no: str | None = None


class CustomerMessage(Wire):
    """One message to a customer, as data. The text is rendered from a template when it is sent.

    `event` is the template's name, and `facts` are its values (JSON). `routes` are the channels to try, in order (G2).
    """

    key: Key
    case_id: str
    event: str
    to: Contact
    routes: list[Channel]
    facts: dict[str, Any]


class StaffNotice(Wire):
    """One message to a role in a team (G10), such as an escalation, a blocked step or a decision to make."""

    key: Key
    case_id: str
    event: str
    role: Role
    team: str
    owner: str | None = None
    urgent: bool = False
    facts: dict[str, Any]


class CallbackRequest(Wire):
    """A request to ask the customer whether they are satisfied (G8). `attempt` counts from 1."""

    key: Key
    case_id: str
    attempt: int
    to: Contact
    questions: list[str] = []


class Delivery(Wire):
    """The receipt for a delivered message: the partner's number for it, the channel, and the time."""

    reference: str
    channel: str
    at: datetime
