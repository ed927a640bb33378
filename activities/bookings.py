"""The order's ledger around a step: reserved before anything moves, released when nothing did (S13, S15, S35)."""

import asyncio
from decimal import Decimal
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.outcomes import OVER_LIMIT, REFUSED, RESERVED, TRY_AGAIN, carry_out
from cases.complaint import pieces
from cases.money import Money
from cases.partner_calls import Booked, Payment, Receipt, ReceiptState
from cases.reasons import details_of
from partners import ports
from records import LedgerRefusal, OverLimit, OverUnits, Records, RecordsUnavailable, Units


async def carry_out_booked(
    port: ports.StepPartner, records: Records, command: Booked, paid: Money, moved: frozenset[ReceiptState]
) -> Receipt:
    """Reserve, have it done once, and book it where the partner's word is in `moved`.

    What was reserved stays so unless the case, which hears reports as well, releases it (S26).
    """
    known = await reserve(records, command, paid)
    # Once the partner has been asked, a worker that is told to stop waits for the answer: a shield alone would give
    # up at once and leave the step unattended.
    asked = asyncio.ensure_future(_ask(port, records, command, moved, sent_before=known))
    try:
        return await asyncio.shield(asked)
    except asyncio.CancelledError:
        return await asked


async def _ask(
    port: ports.StepPartner, records: Records, command: Booked, moved: frozenset[ReceiptState], *, sent_before: bool
) -> Receipt:
    try:
        receipt = await carry_out(port, command.asked, sent_before=sent_before)
    except ApplicationError as error:
        if error.type == REFUSED:
            raise _still_reserved(error) from None
        raise
    await book(records, command.key, receipt, moved)
    return receipt


async def book(
    records: Records, key: str, receipt: Receipt, moved: frozenset[ReceiptState], *, settle: bool = False
) -> None:
    """Commit what has moved; `settle`: the partner was asked by key, which settles what is contested (S26).

    What failed is released by the case: it alone knows whether a report or another answer says the opposite (S26).
    """
    if receipt.state not in moved:
        return
    try:
        await asyncio.to_thread(records.commit, key, receipt.reference, settle=settle)
    except LedgerRefusal as error:
        # It has moved: the books must not stop the case, but somebody has to look.
        activity.logger.error("ledger and partner disagree", extra={"key": key, "why": str(error)})


async def reserve(records: Records, command: Booked, paid: Money) -> bool:
    """Write down what is about to move; raises the `ApplicationError` that says why it may not.

    True: its key is known already, as after a reset of the case, so that the partner may know it as well (S25).
    """
    try:
        return await asyncio.to_thread(_reserve, records, command, paid)
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


def _reserve(records: Records, command: Booked, paid: Money) -> bool:
    units = Units(pieces(command.makes_good), pieces(command.bought), command.approved) if command.makes_good else None
    return records.reserve(
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


def _still_reserved(error: ApplicationError) -> ApplicationError:
    """A partner's refusal; the case, which hears reports as well, says whether the reservation is free (S26)."""
    # One detail only: a workflow leaves several undecoded (`workflows.sdk.hardening.LenientPayloadConverter`).
    reason = next((detail for detail in error.details if isinstance(detail, dict)), {})
    return ApplicationError(
        error.message,
        {**reason, RESERVED: True},
        type=REFUSED,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
