"""A second complaint about the same order and topic, as the case that handles it as well keeps it (G12)."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from cases.calendar import Duration, Instant
from cases.complaint import Affected, CaseId, Evidence
from cases.partner_calls import Contact
from cases.state.finding import PartialFinding
from cases.text import Long
from cases.vocabulary import Channel, KeptWhen, PromiseName, Wish

Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]
SOURCE = "second complaint"
"""The source of what the finding owes to another complaint."""


class Stretch(BaseModel):
    """A stretch in which a promise's clock ran; it arrives from another case and is read like any stranger's."""

    ran_from: Instant
    ran_until: Instant | None = None
    why_stopped: Word | None = None


class Promised(BaseModel):
    """A promise that is owed to the second complaint: its terms, and when its clock ran."""

    name: PromiseName
    rule: Word
    kept_by: KeptWhen
    within: Duration
    pausable: bool = False
    segments: Annotated[list[Stretch], Field(min_length=1, max_length=200)]
    pauses: Annotated[set[Word], Field(max_length=20)] = set()


class SecondComplaint(BaseModel):
    """What the second complaint says, and what people have found out about it meanwhile."""

    received_at: Instant
    channel: Channel
    customer: Contact
    description: Long = ""
    wish: Wish | None = None
    affected: Annotated[list[Affected], Field(min_length=1, max_length=500)] | None = None
    urgent: bool = False
    found: dict[str, Any] = {}
    """What an agent had established in its own case before it was merged, by field."""

    @property
    def established(self) -> dict[str, Any]:
        """`found` as far as it is what a finding can hold."""
        return {name: value for name, value in self.found.items() if name in PartialFinding.model_fields}


class ComplaintLinked(BaseModel):
    """A later complaint about the same came as `case`; `merges`: handle it as well, with all that it claims.

    Fields may be added and none taken away: cases of several builds exchange it, and an earlier build sends no more
    than `evidence`.
    """

    case: CaseId
    merges: bool
    evidence: list[Evidence] = Field(default=[], max_length=1_000)
    complaint: SecondComplaint | None = None
    promises: list[Promised] = Field(default=[], max_length=50)
    """What is owed to it still."""
    withdrawn: Long | None = None
    """Why its customer takes it back, where they do so after it was merged."""


class TakenOver(SecondComplaint):
    """The same, with what follows from it for the case that handles both."""

    case: CaseId
    news: list[str] = []
    """What of it is new to what had been found, in a few words each."""
    adds: list[Affected] = []
    """The items that come on top of what the case was about."""
    withdrawn: str | None = None
    """Why its customer has taken it back since."""
