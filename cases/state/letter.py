"""Letters: notifications to customers and staff, each with a key under which it is delivered once (S6)."""

from collections.abc import Callable
from dataclasses import astuple
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, PlainSerializer
from pydantic.dataclasses import dataclass

from cases.vocabulary import Role


class Audience(StrEnum):
    """The recipient of a letter. Letters to one audience are delivered in order."""

    CUSTOMER = "customer"
    STAFF = "staff"
    CALLBACK = "callback"


RUNG = ("promise", "rung", "due_at")
"""The facts that identify one rung of a promise."""


@dataclass(frozen=True)
class Acknowledgement:
    """The first answer to the customer."""


@dataclass(frozen=True)
class OfferLetter:
    """The offer with this id."""

    offer: str


@dataclass(frozen=True)
class PlanLetter:
    """The preliminary plan of a complex case."""


@dataclass(frozen=True)
class UpdateLetter:
    """The daily progress update."""


@dataclass(frozen=True)
class StepLetter:
    """The step with this id, which is a message. Its delivery completes the step."""

    step: str


@dataclass(frozen=True)
class EscalationNotice:
    """The escalation at this position in `Case.escalations`."""

    index: int


@dataclass(frozen=True)
class ReportLetter:
    """The final report. Its delivery closes the case."""


Subject = Acknowledgement | OfferLetter | PlanLetter | UpdateLetter | StepLetter | EscalationNotice | ReportLetter
_SUBJECTS: dict[str, Callable[..., Subject]] = {
    "acknowledge": Acknowledgement,
    "offer": OfferLetter,
    "plan": PlanLetter,
    "progress": UpdateLetter,
    "step": StepLetter,
    "escalation": EscalationNotice,
    "report": ReportLetter,
}
"""The subjects by the tag that a serialized case contains: `report`, or with an id, `offer:o1`."""
_TAGS: dict[Callable[..., Subject], str] = {subject: tag for tag, subject in _SUBJECTS.items()}


def _read(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    tag, *named = value.split(":", maxsplit=1)
    return _SUBJECTS[tag](*named) if tag in _SUBJECTS else None


def _written(subject: Subject | None) -> str | None:
    return ":".join((_TAGS[type(subject)], *map(str, astuple(subject)))) if subject else None


class Letter(BaseModel):
    """A notification to be delivered."""

    number: int
    audience: Audience
    event: str
    cycle: int
    facts: dict[str, Any] = {}
    role: Role | None = None
    team: str | None = None
    """The recipient's team, if it is not the case's team."""
    about: Annotated[Subject | None, BeforeValidator(_read), PlainSerializer(_written)] = None
    """The subject, if its delivery changes the case."""

    def key(self, case_id: str) -> str:
        """Return the business key under which the letter is delivered once (S6)."""
        # Not the letter's number for a rung: a repeated workflow task may queue its letters in another order (S6).
        which = [self.facts[name] for name in RUNG] if "rung" in self.facts else [self.number]
        return "/".join(map(str, (case_id, self.cycle, self.event, *which)))
