"""The order's ledger around a step: reserved before anything moves, released when nothing did (S13, S15, S35)."""

import asyncio
from decimal import Decimal
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.outcomes import OVER_LIMIT, REFUSED, RESERVED, TRY_AGAIN
from cases.complaint import pieces
from cases.money import Money
from cases.partner_calls import Booked, Payment
from cases.reasons import details_of
from records import LedgerRefusal, OverLimit, OverUnits, Records, RecordsUnavailable, Units


async def reserve(records: Records, command: Booked, paid: Money) -> None:
    """Write down what is about to move; raises the `ApplicationError` that says why it may not."""
    try:
        await asyncio.to_thread(_reserve, records, command, paid)
    except LedgerRefusal as error:
        details: list[Any] = [*details_of(error)]
        if not details and isinstance(error, OverLimit | OverUnits):
            details.append(OVER_LIMIT)
        raise ApplicationError(
            str(error), *details, type=REFUSED, non_retryable=True, category=ApplicationErrorCategory.BENIGN
        ) from None
    except RecordsUnavailable as error:
        raise ApplicationError(str(error), type=TRY_AGAIN) from None


async def release(records: Records, key: str, why: str) -> None:
    """What was reserved is free again for the order's other cases; a refusal is logged, for what moved stays moved."""
    try:
        await asyncio.to_thread(records.release, key, why)
    except LedgerRefusal as error:
        activity.logger.warning("not released", extra={"key": key, "why": str(error)})


def _reserve(records: Records, command: Booked, paid: Money) -> None:
    units = Units(pieces(command.makes_good), pieces(command.bought), command.approved) if command.makes_good else None
    records.reserve(
        command.key,
        order_id=command.order_id,
        case_id=command.case_id,
        kind=command.kind,
        amount=command.amount or Decimal(0),
        currency=command.currency,
        paid=paid,
        limit=command.limit if isinstance(command, Payment) else None,
        units=units,
    )


async def contest(records: Records, key: str, why: str) -> None:
    """The partner says both that it was done and that it was not: it counts as taken (S26, S27)."""
    try:
        await asyncio.to_thread(records.contest, key, why)
    except LedgerRefusal as error:
        activity.logger.warning("not contested", extra={"key": key, "why": str(error)})


def still_reserved(error: ApplicationError) -> ApplicationError:
    """A partner's refusal; the case, which hears reports as well, says whether the reservation is free (S26)."""
    # One detail only: a workflow leaves several undecoded (`workflows.doors.AsTheyCame`).
    reason = next((detail for detail in error.details if isinstance(detail, dict)), {})
    return ApplicationError(
        error.message,
        {**reason, RESERVED: True},
        type=REFUSED,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
