"""Translate errors of partners for Temporal: retry, or fail and let the case decide (S13).

`REFUSED`, `TRY_AGAIN` and `UNKNOWN` are the types of the `ApplicationError`s that workflows receive.
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
"""Detail of a `REFUSED` that came from the order's ledger and not from a partner (S15)."""
RESERVED = "reserved"
"""Key in the detail of a partner's `REFUSED`: the amount is still reserved, and the case decides on its release."""


HEARTBEAT_EVERY = 2.0
"""Seconds between two heartbeats. A crashed worker is detected long before the activity's time-out."""


async def _heartbeat() -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_EVERY)
        activity.heartbeat()


@asynccontextmanager
async def as_application_errors() -> AsyncIterator[None]:
    """Translate a port's error. The server retries only `TryAgain`, after the delay that the partner asked for."""
    heartbeat = asyncio.create_task(_heartbeat())
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
        heartbeat.cancel()


async def carry_out(port: StepPartner, command: StepCommand, *, sent_before: bool = False) -> Receipt:
    """Have a step carried out once. A retry looks the key up before it sends: the first attempt may have arrived.

    `sent_before`: the key may have been sent in an attempt that the case no longer remembers (after a reset).
    """
    async with as_application_errors():
        if sent_before or activity.info().attempt > 1:
            found = await _find(port, command.key)
            if found is not None:
                return found
        return await port.carry_out(command)


async def find(port: StepPartner, key: str) -> Receipt | None:
    """Return the current receipt of a step, or None if the partner does not know the key."""
    async with as_application_errors():
        return await _find(port, key)


async def _find(port: StepPartner, key: str) -> Receipt | None:
    """Look a step up. A refusal to answer says nothing about the step, so it is retried like an outage (S25)."""
    try:
        return await port.find(key)
    except (PartnerRefused, OutcomeUnknown) as error:
        raise TryAgain(*error.args) from error


class Stopwatch:
    """The case's time while an activity runs: the server's start time of this attempt, plus the time elapsed since.

    On an embedded server that skips time, only the server knows this time. Promises are judged by it, so a delivery
    is not late because the worker crashed before it could report (S9).
    """

    def __init__(self) -> None:
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Return the current time, with its offset."""
        return activity.info().started_time + timedelta(seconds=time.monotonic() - self._began)
