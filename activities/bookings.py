"""Entries in the order's ledger for a step: reserved before the call, released if nothing moved (S13, S15, S35)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
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
    """Reserve, have the step carried out once, and commit the entry if the receipt's state is in `moved`.

    Only the case releases a reservation, because it also receives the partner's reports (S26).
    """
    known = await reserve(records, command, paid)
    # A worker that is stopped waits for the answer of a call that it has sent. A shield alone would return at once,
    # and nothing would handle the answer.
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
    """Commit the entry if the receipt's state is in `moved`.

    `settle`: the receipt is from a look-up by key, which settles a contested entry (S26).

    A failed step is released by the case: only the case knows whether a report or another answer contradicts it (S26).
    """
    if receipt.state not in moved:
        return
    try:
        await asyncio.to_thread(records.commit, key, receipt.reference, settle=settle)
    except LedgerRefusal as error:
        # The money or goods have moved, so the case must continue. The log entry asks an operator to look.
        activity.logger.error("ledger and partner disagree", extra={"key": key, "why": str(error)})


async def reserve(records: Records, command: Booked, paid: Money) -> bool:
    """Reserve the step in the ledger. Raise an `ApplicationError` with the reason if the ledger refuses.

    Return True if the key already has an entry, for example after a reset of the case: the partner may know it (S25).
    """
    with ledger_errors():
        return await asyncio.to_thread(_reserve, records, command, paid)


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Translate what our database raises: what it refuses is final, and it is asked again if it is out of reach."""
    try:
        yield
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
    """Release the reservation for the order's other cases. A refusal is only logged: what has moved stays booked."""
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
    """Mark the entry as contested: the partner said that it was done and that it was not. It counts as taken (S27)."""
    try:
        await asyncio.to_thread(records.contest, key, why)
    except LedgerRefusal as error:
        activity.logger.warning("not contested", extra={"key": key, "why": str(error)})


def _still_reserved(error: ApplicationError) -> ApplicationError:
    """Return the partner's refusal, marked as still reserved: the case decides whether to release it (S26)."""
    # One detail only: a workflow does not decode several (`workflows.sdk.hardening.LenientPayloadConverter`).
    reason = next((detail for detail in error.details if isinstance(detail, dict)), {})
    return ApplicationError(
        error.message,
        {**reason, RESERVED: True},
        type=REFUSED,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
