"""What crosses HTTP between the engine and its partners, beyond the models of `cases.partner_calls`."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from cases.partner_calls import Key, Sentence, StepFinding, Wire
from cases.vocabulary import Channel, Role

MAX_ANSWER_BYTES = 256 * 1024
"""Largest answer of a partner that is read, in bytes; a larger one is nonsense."""

PROBLEM_JSON = "application/problem+json"
NOT_KNOWN = "urn:after-sales:not-known"
"""The `type` of a 404 that means "I have never heard of it". Any other 404 is a wrong address, and must not be taken
for that word: it would let money be sent again (S13)."""
KEY_REUSED = "urn:after-sales:key-reused"
"""The `type` of a 409: the key was used before, for another content."""

STEP_REPORTED = "step-reported"
SATISFACTION_REPORTED = "satisfaction-reported"


class ProblemDetails(Wire):
    """An error as RFC 9457 describes it; `detail` is a sentence for people."""

    type: str = "about:blank"
    title: str = ""
    status: int | None = None
    detail: str = ""


class ToCustomer(Wire):
    """A customer and the ways to reach them; the message's channel says which one to use."""

    name: str
    phone: str | None = None
    email: str | None = None


class ToStaff(Wire):
    """A role of a team; `owner` is the person who has the case, where somebody has it."""

    role: Role
    team: str
    owner: str | None = None


class OutgoingMessage(Wire):
    """One message, ready to be delivered. `channel` is given for customers; the partner knows its channel to staff."""

    key: Key
    case_id: str
    event: str
    audience: Literal["customer", "staff"]
    channel: Channel | None = None
    to: ToCustomer | ToStaff
    locale: str
    subject: str
    body: str


class ReportedState(StrEnum):
    """What a partner may report of a step that it accepted."""

    DISPATCHED = "dispatched"
    DONE = "done"
    FAILED = "failed"


class StepReport(Wire):
    """The payload of the signal `step-reported`; the same `message_id` twice is applied once."""

    step: str
    key: Key | None = None
    """The key of the command: what is reported of an earlier try then changes nothing."""
    state: ReportedState
    detail: Sentence = ""
    finding: StepFinding | None = None
    message_id: str
    by: str


class SatisfactionReport(Wire):
    """The payload of the signal `satisfaction-reported` (G8)."""

    score: Annotated[int, Field(ge=1, le=5)]
    comment: Sentence = ""
    message_id: str
    by: str
