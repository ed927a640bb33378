"""A second complaint about the same order and topic, as recorded in the case that handles both (G12)."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from cases.calendar import Duration, Instant
from cases.complaint import Affected, CaseId, Evidence
from cases.partner_calls import Contact
from cases.state.finding import PartialFinding
from cases.text import Long
from cases.vocabulary import Channel, KeptWhen, PromiseName, Wish

Label = Annotated[str, StringConstraints(min_length=1, max_length=100)]
SOURCE = "second complaint"
"""The source of facts that come from another complaint."""


class Stretch(BaseModel):
    """A period in which a promise's clock ran. It comes from another case and is validated like any other input."""

    ran_from: Instant
    ran_until: Instant | None = None
    why_stopped: Label | None = None


class Promised(BaseModel):
    """A promise from the second complaint: its terms, and when its clock ran."""

    name: PromiseName
    rule: Label
    kept_by: KeptWhen
    within: Duration
    pausable: bool = False
    segments: Annotated[list[Stretch], Field(min_length=1, max_length=200)]
    pauses: Annotated[set[Label], Field(max_length=20)] = set()


class SecondComplaint(BaseModel):
    """The second complaint, and what agents have established about it."""

    received_at: Instant
    channel: Channel
    customer: Contact
    description: Long = ""
    wish: Wish | None = None
    affected: Annotated[list[Affected], Field(min_length=1, max_length=500)] | None = None
    urgent: bool = False
    found: dict[str, Any] = {}
    """Facts that an agent established in its own case before it was merged, by field."""

    @property
    def established(self) -> dict[str, Any]:
        """The entries of `found` that are fields of a finding."""
        return {name: value for name, value in self.found.items() if name in PartialFinding.model_fields}


class ComplaintLinked(BaseModel):
    """The signal that a later complaint about the same matter arrived as `case`.

    `merges` asks the receiver to handle it too, with everything that it claims. Add fields, but never remove one: cases
    of different builds exchange this signal, and an earlier build sends only `evidence`.
    """

    case: CaseId
    merges: bool
    evidence: list[Evidence] = Field(default=[], max_length=1_000)
    complaint: SecondComplaint | None = None
    promises: list[Promised] = Field(default=[], max_length=50)
    """Its promises that are still owed."""
    withdrawn: Long | None = None
    """Why its customer withdraws it, if that happens after it was merged."""


class TakenOver(SecondComplaint):
    """A second complaint with its consequences for the case that handles both."""

    case: CaseId
    news: list[str] = []
    """What it adds to the finding, as short texts."""
    adds: list[Affected] = []
    """The items that it adds to the case."""
    withdrawn: str | None = None
    """Why its customer has withdrawn it; None if they have not."""
