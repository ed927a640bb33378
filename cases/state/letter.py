"""Something to be said to the customer or to staff, and the key under which it is delivered once (S6)."""

from collections.abc import Callable
from dataclasses import astuple
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, PlainSerializer
from pydantic.dataclasses import dataclass

from cases.vocabulary import Role


class Audience(StrEnum):
    """Who a letter goes to; letters to one audience are delivered in order."""

    CUSTOMER = "customer"
    STAFF = "staff"
    CALLBACK = "callback"


RUNG = ("promise", "rung", "due_at")
"""The facts that identify one rung of a promise."""


@dataclass(frozen=True)
class Acknowledgement:
    """The customer has a first answer."""


@dataclass(frozen=True)
class OfferLetter:
    """The offer with this id is put to the customer."""

    offer: str


@dataclass(frozen=True)
class PlanLetter:
    """The preliminary plan of a complex case."""


@dataclass(frozen=True)
class UpdateLetter:
    """The daily progress update."""


@dataclass(frozen=True)
class StepLetter:
    """The step with this id is a message: its delivery carries the step out."""

    step: str


@dataclass(frozen=True)
class EscalationNotice:
    """The escalation at this position in `Case.escalations`."""

    index: int


@dataclass(frozen=True)
class ReportLetter:
    """The report, whose delivery closes the case."""


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
"""By the tag under which a case is serialized: `report`, or with what it names, `offer:o1`."""
_TAGS: dict[Callable[..., Subject], str] = {subject: tag for tag, subject in _SUBJECTS.items()}


def _read(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    tag, *named = value.split(":", maxsplit=1)
    return _SUBJECTS[tag](*named) if tag in _SUBJECTS else None


def _written(subject: Subject | None) -> str | None:
    return ":".join((_TAGS[type(subject)], *map(str, astuple(subject)))) if subject else None


class Letter(BaseModel):
    """A notification that has to be delivered."""

    number: int
    audience: Audience
    event: str
    cycle: int
    facts: dict[str, Any] = {}
    role: Role | None = None
    team: str | None = None
    """Where it is not for the team that has the case."""
    about: Annotated[Subject | None, BeforeValidator(_read), PlainSerializer(_written)] = None
    """What its delivery settles, if anything."""

    def key(self, case_id: str) -> str:
        """The business key under which it is delivered once (S6)."""
        # Not a rung's number: a task that is lost with its worker may write its letters in another order (S6).
        which = [self.facts[name] for name in RUNG] if "rung" in self.facts else [self.number]
        return "/".join(map(str, (case_id, self.cycle, self.event, *which)))
