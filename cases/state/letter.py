"""Something to be said to the customer or to staff, and the key under which it is delivered once (S6)."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from cases.vocabulary import Role


class Audience(StrEnum):
    """Who a letter goes to; letters to one audience are delivered in order."""

    CUSTOMER = "customer"
    STAFF = "staff"
    CALLBACK = "callback"


RUNG = ("promise", "rung", "due_at")
"""The facts that tell one rung of a promise from another."""


class Letter(BaseModel):
    """Something to be said; `about` names what its delivery settles (an offer, a step, an escalation, …)."""

    number: int
    audience: Audience
    event: str
    cycle: int
    facts: dict[str, Any] = {}
    role: Role | None = None
    team: str | None = None
    """Where it is not for the team that has the case."""
    about: str | None = None

    def key(self, case_id: str) -> str:
        """The business key under which it is delivered once (S6)."""
        # Not a rung's number: a task that is lost with its worker may write its letters in another order (S6).
        which = [self.facts[name] for name in RUNG] if "rung" in self.facts else [self.number]
        return "/".join(map(str, (case_id, self.cycle, self.event, *which)))
