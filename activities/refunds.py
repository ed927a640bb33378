"""Money moves once: intent in the order's ledger first, then the call, then what came of it (S13, S15).

The ledger's reservation keeps all cases of an order together below what was paid, and what is paid beside refunds
within the policy's limit. It stays while the outcome is unknown, and is given back only when the case says so: the
partner has finally said no and never anything else, or a person has waived the step (S26).
"""

import asyncio

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.bookings import contest, release, reserve, still_reserved
from activities.outcomes import REFUSED, carry_out, find
from cases.money import Money
from cases.partner_calls import Payment, Receipt, ReceiptState
from partners import ports
from records import LedgerRefusal, Records


class Refunds:
    """Over the refunds port and the order ledger."""

    def __init__(self, port: ports.Refunds, records: Records) -> None:
        self._port = port
        self._records = records

    @activity.defn(name="refunds-step")
    async def carry_out(self, command: Payment, paid: Money) -> Receipt:
        """Pay, once; `paid` is what the customer paid for the order, which refunds never exceed (S14)."""
        await reserve(self._records, command, paid)
        # Once the partner has been asked, a worker that is told to stop waits for the answer: a shield alone would
        # give up at once and leave the payment unattended.
        payment = asyncio.ensure_future(self._pay(command))
        try:
            return await asyncio.shield(payment)
        except asyncio.CancelledError:
            return await payment

    @activity.defn(name="refunds-find")
    async def find(self, key: str) -> Receipt | None:
        """What became of a payment; one that was made is booked."""
        receipt = await find(self._port, key)
        if receipt is not None:
            await self._book(key, receipt)
        return receipt

    @activity.defn(name="refunds-release")
    async def release(self, key: str, why: str) -> None:
        """Nothing was paid or sent and nothing will be: it is free again for the order's other cases."""
        await release(self._records, key, why)

    @activity.defn(name="refunds-contest")
    async def contest(self, key: str, why: str) -> None:
        """The partner says both that it paid and that it did not: the amount counts as taken (S26, S27)."""
        await contest(self._records, key, why)

    async def _pay(self, command: Payment) -> Receipt:
        try:
            receipt = await carry_out(self._port, command.asked)
        except ApplicationError as error:
            if error.type == REFUSED:
                raise still_reserved(error) from None
            raise
        await self._book(command.key, receipt)
        return receipt

    async def _book(self, key: str, receipt: Receipt) -> None:
        # A payment that failed is freed by the case (`refunds-release`): it alone knows whether a report or another
        # answer has said the opposite (S26).
        if receipt.state is ReceiptState.FAILED:
            return
        try:
            await asyncio.to_thread(self._records.commit, key, receipt.reference)
        except LedgerRefusal as error:
            # The money has moved: the books must not stop the case, but somebody has to look.
            activity.logger.error("ledger and partner disagree", extra={"key": key, "why": str(error)})
