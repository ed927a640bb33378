"""What we ask of partners, as ports: the engine knows these protocols and nothing of HTTP.

What can go wrong is one of three, and the difference between them decides whether money can be sent twice (S13):

    PartnerError
    ├── PartnerRefused     a final no (out of stock, card closed); nothing was done
    ├── TryAgain           nothing was done; ask again, after `retry_after` seconds if given
    └── OutcomeUnknown     it may have been done: ask by key before anything is sent again
"""

from typing import Protocol

from cases.partner_calls import (
    CallbackRequest,
    CustomerMessage,
    Delivery,
    LookUp,
    Receipt,
    StaffNotice,
    StepCommand,
    Wire,
)
from cases.reasons import Why


class PartnerError(Exception):
    """The root of what can go wrong at a partner; raised with a `Reason`, or a sentence for people."""


class PartnerRefused(PartnerError):
    """The partner says no and will say no again."""


class TryAgain(PartnerError):
    """Nothing was done; the same call may succeed later."""

    def __init__(self, why: Why, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        """Seconds the partner asked us to wait, if it did."""


class OutcomeUnknown(PartnerError):
    """The call may or may not have taken effect."""


class StepPartner(Protocol):
    """A partner that carries out steps: the same key twice is carried out once."""

    async def carry_out(self, command: StepCommand) -> Receipt:
        """Do it; raises any `PartnerError`."""

    async def find(self, key: str) -> Receipt | None:
        """What became of the command with this key; None: never heard of it. Raises `TryAgain`."""


class LookUps(Protocol):
    """What partners know of an order."""

    async def look_up(self, name: str, what: LookUp) -> Wire | None:
        """The answer to the look-up `name` (`cases.look_ups`); None: the partner knows of nothing.

        Raises `TryAgain` or `PartnerRefused`.
        """


class Messaging(Protocol):
    """Customer messages and staff notices; a message that was handed over counts as delivered (G2)."""

    async def to_customer(self, message: CustomerMessage) -> Delivery:
        """Send it on the first of its routes that can be used."""

    async def to_staff(self, notice: StaffNotice) -> Delivery:
        """Send it to the role's channel."""


class Callbacks(Protocol):
    """Calls and questionnaires after the steps are done (G8)."""

    async def ask(self, request: CallbackRequest) -> Delivery:
        """Have the customer asked; the answer comes as `satisfaction-reported`."""
