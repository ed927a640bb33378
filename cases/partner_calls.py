"""What the engine asks of partners, and what they answer: plain data that crosses the ports.

Every command carries a business key made in the workflow (S13): the same key on every call, after a crash,
a reset or a time-out. Partners' models ignore fields they do not know, so that either side can be newer.
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
    """A model on the wire: frozen, tolerant of fields that a newer partner adds."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Contact(Wire):
    """Whom to reach, and how."""

    name: str
    phone: str | None = None
    email: str | None = None
    locale: str = "zh-CN"


class Document(Wire):
    """One document of a claim: `name` is the policy's (`trail`, `photo`, …); what we know as JSON, or where it lies."""

    name: Short
    facts: dict[str, Any] = {}
    uri: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None = None


class StepCommand(Wire):
    """One step for a partner to carry out.

    `key` is `case/cycle/offer/step`. `amount` (in `currency`) for money, `items` for goods, `address` for visits.
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
    """What a claim is based on."""
    reply_to: str | None = None
    """The workflow that wants the partner's `step-reported`; the case's own where absent."""


class Booked(StepCommand):
    """A step that the order's ledger has an entry of, as our own books need it."""

    makes_good: list[Affected] = []
    """The units of the order's items that it makes good (S35)."""
    bought: list[Affected] = []
    """What this case says was bought of them."""
    approved: bool = False
    """Somebody has approved more than the policy grants: units may be made good once more (S20)."""

    @property
    def asked(self) -> StepCommand:
        """What the partner is asked: without what concerns our books, so that a key stands for the same content."""
        return StepCommand.model_validate(dict(self))


class Payment(Booked):
    """A step that moves money."""

    limit: Money | None = None
    """The most that all cases of the order may be paid of this kind: beside refunds together (S15), of freight once
    (S35); None: no such limit."""


class Shipment(Booked):
    """A step that sends goods."""

    paid: Money | None = None
    """What the customer paid for the order; None, from an older worker: no units are counted."""


class ReceiptState(StrEnum):
    """How far a partner has come with a command."""

    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    DONE = "done"
    FAILED = "failed"


class StepFinding(Wire):
    """What a visit or a search established: the part of a finding that a partner can report."""

    severity: Severity | None = None
    days_late: Annotated[int, Field(ge=0, le=36_500), NUMERIC] | None = None
    lost: Flag | None = None
    upheld: Flag | None = None
    liable: Liable | None = None
    cause: Annotated[str, StringConstraints(max_length=1_000), Clean] | None = None
    evidence: list[Evidence] = []


class Receipt(Wire):
    """A partner's word on one command: `reference` is the partner's own number for it."""

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
    """Where a parcel is: the states that are shown to customers of express (§6)."""

    COLLECTED = "collected"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    SIGNED = "signed"
    LOST = "lost"


class Trail(Wire):
    """What the carrier knows of a shipment (G3)."""

    state: TrailState
    events: list[TrailEvent] = []
    promised_at: Instant | None = None
    delivered_at: Instant | None = None
    expected_at: Instant | None = None
    """The new arrival time, where it is late."""
    cause: Sentence | None = None
    carrier: str | None = None
    route: str | None = None


class DispatchRecord(Wire):
    """What the warehouse knows of an order's dispatch (G3)."""

    warehouse: str
    dispatched_at: Instant | None = None
    packed_by: str | None = None
    condition: Sentence = ""
    items: list[Affected] = []


class InstallationRecord(Wire):
    """What the installation partner knows of an order's installation (G3)."""

    installer: str
    promised_at: Instant | None = None
    installed_at: Instant | None = None
    expected_at: Instant | None = None
    cause: Sentence | None = None
    note: Sentence = ""


class LookUp(Wire):
    """What to look up: the order, and the shipment where it has a number."""

    case_id: str
    order_id: str
    tracking_no: str | None = None


class CustomerMessage(Wire):
    """One message to a customer, as data; the text is made from the templates when it is sent.

    `event` names the template, `facts` are its values (JSON). `routes` are the channels to try, best first (G2).
    """

    key: Key
    case_id: str
    event: str
    to: Contact
    routes: list[Channel]
    facts: dict[str, Any]


class StaffNotice(Wire):
    """One message to a role of a team (G10): an escalation, a blocked step, a case that waits for a person."""

    key: Key
    case_id: str
    event: str
    role: Role
    team: str
    owner: str | None = None
    urgent: bool = False
    facts: dict[str, Any]


class CallbackRequest(Wire):
    """Please ask the customer whether they are satisfied (G8); `attempt` counts from 1."""

    key: Key
    case_id: str
    attempt: int
    to: Contact
    questions: list[str] = []


class Delivery(Wire):
    """A message was handed over: the partner's number for it, the channel it took, and when."""

    reference: str
    channel: str
    at: datetime
