"""What a partner's answer means to Temporal: try again, or stop and let the case decide (S13).

The three names are the types of the `ApplicationError`s that workflows see.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from cases.partner_calls import Receipt, StepCommand
from cases.reasons import details_of
from partners.ports import OutcomeUnknown, PartnerRefused, StepPartner, TryAgain

REFUSED = "PartnerRefused"
TRY_AGAIN = "TryAgain"
UNKNOWN = "OutcomeUnknown"
OVER_LIMIT = "over the order's limit"
"""The one detail of a `REFUSED` with which the order's ledger, not a partner, refused a payment (S15)."""
RESERVED = "reserved"
"""Set in the detail of a partner's `REFUSED`: the case, which has all its words, says whether the amount is free."""


BEAT = 2.0
"""Seconds between two signs of life, so that a worker that crashed is noticed long before the time-out."""


async def _beat() -> None:
    while True:
        await asyncio.sleep(BEAT)
        activity.heartbeat()


@asynccontextmanager
async def as_application_errors() -> AsyncIterator[None]:
    """Translate what a port raises: only `TryAgain` is retried by the server, and after as long as it asks."""
    alive = asyncio.create_task(_beat())
    try:
        yield
    except PartnerRefused as error:
        raise ApplicationError(
            str(error), *details_of(error), type=REFUSED, non_retryable=True, category=ApplicationErrorCategory.BENIGN
        ) from None
    except OutcomeUnknown as error:
        raise ApplicationError(str(error), *details_of(error), type=UNKNOWN, non_retryable=True) from None
    except TryAgain as error:
        delay = None if error.retry_after is None else timedelta(seconds=error.retry_after)
        raise ApplicationError(str(error), *details_of(error), type=TRY_AGAIN, next_retry_delay=delay) from None
    finally:
        alive.cancel()


async def carry_out(port: StepPartner, command: StepCommand, *, sent_before: bool = False) -> Receipt:
    """Have a step done, once: a later attempt asks by key before it sends again, for the first may have arrived.

    `sent_before`: an attempt that the case has forgotten may have arrived as well.
    """
    async with as_application_errors():
        if sent_before or activity.info().attempt > 1:
            found = await _asked(port, command.key)
            if found is not None:
                return found
        return await port.carry_out(command)


async def find(port: StepPartner, key: str) -> Receipt | None:
    """What became of a step; None: the partner never heard of it."""
    async with as_application_errors():
        return await _asked(port, key)


async def _asked(port: StepPartner, key: str) -> Receipt | None:
    """What the partner knows. That it will not say is no word on the step: it is asked until it does (S25)."""
    try:
        return await port.find(key)
    except (PartnerRefused, OutcomeUnknown) as error:
        raise TryAgain(*error.args) from error


class Stopwatch:
    """The case's own time while an activity runs: when the server started this attempt, plus what has passed since.

    On an embedded server that skips time this is the skipped time, which no other clock knows. A promise is judged
    by it, so that a worker that dies before it can report does not make a delivery late (S9).
    """

    def __init__(self) -> None:
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The present instant, aware."""
        return activity.info().started_time + timedelta(seconds=time.monotonic() - self._began)
