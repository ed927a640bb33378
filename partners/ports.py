"""The ports to partners. The engine knows these protocols and nothing about HTTP.

A call raises one of three errors. The difference between them prevents that money is sent twice (S13):

    PartnerError
    ├── PartnerRefused     a final refusal (out of stock, card closed); nothing was done
    ├── TryAgain           nothing was done; retry, after `retry_after` seconds if given
    └── OutcomeUnknown     it may have been done; look the key up before anything is sent again
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
    """The base class of partner errors. Its argument is a `Reason`, or a sentence for people."""


class PartnerRefused(PartnerError):
    """The partner refuses, and would refuse again. Nothing was done."""


class TryAgain(PartnerError):
    """Nothing was done. The same call may succeed later."""

    def __init__(self, why: Why, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        """Seconds to wait, if the partner asked for it."""


class OutcomeUnknown(PartnerError):
    """The call may or may not have taken effect."""


class StepPartner(Protocol):
    """A partner that carries out steps. It carries out each key only once."""

    async def carry_out(self, command: StepCommand) -> Receipt:
        """Carry out the step. Raises any `PartnerError`."""

    async def find(self, key: str) -> Receipt | None:
        """Return the receipt of the step with this key, or None if the key is unknown. Raises `TryAgain`."""


class LookUps(Protocol):
    """Look-ups of an order at partners."""

    async def look_up(self, name: str, what: LookUp) -> Wire | None:
        """Return the answer to the look-up `name` (`cases.look_ups`), or None if the partner knows nothing.

        Raises `TryAgain` or `PartnerRefused`.
        """


class Messaging(Protocol):
    """Messages to customers and notices to staff. A message that was handed over counts as delivered (G2)."""

    async def to_customer(self, message: CustomerMessage) -> Delivery:
        """Send it on the first of its routes that is usable."""

    async def to_staff(self, notice: StaffNotice) -> Delivery:
        """Send it to the role's channel."""


class Callbacks(Protocol):
    """Callbacks by phone or questionnaire after the steps are done (G8)."""

    async def ask(self, request: CallbackRequest) -> Delivery:
        """Have the customer asked. The answer arrives as the signal `satisfaction-reported`."""
