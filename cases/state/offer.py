"""An offer: one or more options, each a list of remedies, put to the customer; consent is to one of them (G4, G5)."""

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, model_validator

from cases.complaint import Affected
from cases.errors import Refusal
from cases.money import Money
from cases.policy.remedy_kinds import MONEY, WITH_ITEMS
from cases.reasons import Why
from cases.scalars import Flag
from cases.text import AT_THE_DOOR
from cases.vocabulary import OfferState, Outcome, RemedyKind


class Remedy(BaseModel):
    """One thing that we do or pay. `max_amount`: the high end, where a range allows more.

    `items`: the goods that it moves; of a refund, those whose price goes back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RemedyKind
    amount: Money | None = None
    items: Annotated[list[Affected], Field(max_length=500)] | None = None
    max_amount: Money | None = None
    at_once: Flag = False

    @model_validator(mode="after")
    def _fields_fit_kind(self, info: ValidationInfo) -> Self:
        if (self.kind in MONEY) != (self.amount is not None):
            raise ValueError(f"{self.kind} {'needs an amount' if self.kind in MONEY else 'has no amount'}")
        if self.items and self.kind not in WITH_ITEMS:
            raise ValueError(f"{self.kind} moves no items")
        if info.context is AT_THE_DOOR and self.amount == 0:
            raise ValueError(f"{self.kind} of {self.amount} pays nothing: give an amount, or leave it out")
        return self


class Option(BaseModel):
    """What the customer can say yes to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    remedies: Annotated[list[Remedy], Field(min_length=1, max_length=20)]


def needs_consent(options: list[Option]) -> bool:
    """Whether anything waits for the customer's yes (G5)."""
    return any(not remedy.at_once for option in options for remedy in option.remedies)


class Offer(BaseModel):
    """One or more options, put to the customer; consent names it (S19)."""

    id: str
    state: OfferState
    made_at: AwareDatetime
    options: list[Option]
    cycle: int = 1
    rule: str | None = None
    made_by: str | None = None
    """The agent whose own offer it is; None for one that the policy grants."""
    over_limits: list[Why] = []
    outcome: Outcome | None = None
    delivered_at: AwareDatetime | None = None
    undeliverable: Why | None = None
    """Why its letter could not be delivered: an agent has to inform the customer."""
    accepted: str | None = None
    """The key of the option that the customer chose, or that needed no consent."""

    @property
    def consent_required(self) -> bool:
        """Whether anything in it waits for the customer's yes (G5)."""
        return needs_consent(self.options)

    def option(self, key: str | None) -> Option:
        """The option with this key or this number, as the customer was given them; without, the only one.

        Raises `Refusal` naming those that there are. No key is a number (`Option.key`).
        """
        keys = ", ".join(f"{number} {option.key}" for number, option in enumerate(self.options, start=1))
        if key is not None and key.isdecimal() and 0 < int(key) <= len(self.options):
            return self.options[int(key) - 1]
        if key is None:
            if len(self.options) == 1:
                return self.options[0]
            raise Refusal(f"offer {self.id} has more than one option: say which of {keys}")
        for option in self.options:
            if option.key == key:
                return option
        raise Refusal(f"offer {self.id} has no option {key}: it has {keys}")


def describe(option: Option) -> str:
    """An option in a few words."""
    parts = []
    for r in option.remedies:
        items = " ".join(f"{i.quantity} × {i.sku}" for i in r.items or [])
        parts.append(" ".join(str(p) for p in (r.kind, r.amount, items) if p))
    return f"{option.key} ({', '.join(parts)})"
