"""Offers to the customer: one or more options, each a list of remedies. Consent is to one option (G4, G5)."""

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, model_validator

from cases.complaint import Affected
from cases.errors import Refusal
from cases.money import Money
from cases.policy.remedy_kinds import MONEY, WITH_ITEMS
from cases.reasons import Why
from cases.scalars import Flag
from cases.text import NEW_INPUT
from cases.vocabulary import OfferState, Outcome, RemedyKind


class Remedy(BaseModel):
    """One thing that we do or pay.

    `items` are the goods that are moved, or for a refund the items whose price is refunded. `max_amount` is the high
    end of a range.
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
        if info.context is NEW_INPUT and self.amount == 0:
            raise ValueError(f"{self.kind} of {self.amount} pays nothing: give an amount, or leave it out")
        return self


class Option(BaseModel):
    """One set of remedies that the customer can choose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    remedies: Annotated[list[Remedy], Field(min_length=1, max_length=20)]


def needs_consent(options: list[Option]) -> bool:
    """Return whether any remedy needs the customer's consent (G5)."""
    return any(not remedy.at_once for option in options for remedy in option.remedies)


class Offer(BaseModel):
    """One or more options for the customer. Consent names the offer (S19)."""

    id: str
    state: OfferState
    made_at: AwareDatetime
    options: list[Option]
    cycle: int = 1
    rule: str | None = None
    made_by: str | None = None
    """The agent who made the offer; None if the policy grants it."""
    over_limits: list[Why] = []
    outcome: Outcome | None = None
    delivered_at: AwareDatetime | None = None
    undeliverable: Why | None = None
    """Why its letter could not be delivered, so that an agent has to inform the customer."""
    accepted: str | None = None
    """The key of the option that the customer chose, or that needed no consent."""

    @property
    def consent_required(self) -> bool:
        """Return whether the offer needs the customer's consent (G5)."""
        return needs_consent(self.options)

    def option(self, key: str | None) -> Option:
        """Return the option with this key, or with this number in the order of the offer's letter.

        Without a key, return the only option. Raise `Refusal` with the available options if there is no such option. A
        key is never a number (see `Option.key`).
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
    """Return a short text that describes an option."""
    parts = []
    for r in option.remedies:
        items = " ".join(f"{i.quantity} × {i.sku}" for i in r.items or [])
        parts.append(" ".join(str(p) for p in (r.kind, r.amount, items) if p))
    return f"{option.key} ({', '.join(parts)})"
