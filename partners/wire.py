"""Models of the HTTP interface to partners, in addition to those of `cases.partner_calls`."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from cases.partner_calls import Key, Sentence, StepFinding, Wire
from cases.vocabulary import Channel, Role

MAX_ANSWER_BYTES = 256 * 1024
"""The largest answer of a partner that is read, in bytes. A larger one is invalid."""

PROBLEM_JSON = "application/problem+json"
NOT_KNOWN = "urn:after-sales:not-known"
"""The `type` of a 404 that means "unknown here". Any other 404 means a wrong address. Mistaking one for the other would
send money again (S13)."""
KEY_REUSED = "urn:after-sales:key-reused"
"""The `type` of a 409 that means: the key was used before, with different content."""

STEP_REPORTED = "step-reported"
SATISFACTION_REPORTED = "satisfaction-reported"


class ProblemDetails(Wire):
    """An error according to RFC 9457. `detail` is a sentence for people."""

    type: str = "about:blank"
    title: str = ""
    status: int | None = None
    detail: str = ""


class ToCustomer(Wire):
    """A customer and their addresses. The message's channel decides which one to use."""

    name: str
    phone: str | None = None
    email: str | None = None


class ToStaff(Wire):
    """A role of a team. `owner` is the person who is responsible for the case, if there is one."""

    role: Role
    team: str
    owner: str | None = None


class OutgoingMessage(Wire):
    """One message, ready to be delivered. `channel` is set for customers; for staff the partner chooses its channel."""

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
    """The states that a partner can report for a step that it accepted."""

    DISPATCHED = "dispatched"
    DONE = "done"
    FAILED = "failed"


class StepReport(Wire):
    """The payload of the signal `step-reported`. The same `message_id` is applied only once."""

    step: str
    key: Key | None = None
    """The key of the step. A late report on an earlier try then changes nothing."""
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
