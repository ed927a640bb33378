"""Money moves once: intent in the order's ledger first, then the call, then what came of it (S13, S15).

The ledger's reservation keeps all cases of an order together below what was paid, and what is paid beside refunds
within the policy's limit. It stays while the outcome is unknown, and is given back only when the partner has finally
said no, or a person has waived the step.
"""

import asyncio

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.bookings import release, reserve
from activities.outcomes import REFUSED, carry_out, find
from cases.commands import Payment, Receipt, ReceiptState
from cases.money import Money
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

    async def _pay(self, command: Payment) -> Receipt:
        try:
            receipt = await carry_out(self._port, command.asked)
        except ApplicationError as error:
            if error.type == REFUSED:
                await release(self._records, command.key, str(error))
            raise
        await self._book(command.key, receipt)
        return receipt

    async def _book(self, key: str, receipt: Receipt) -> None:
        if receipt.state is ReceiptState.FAILED:
            await release(self._records, key, receipt.detail or "the partner could not do it")
            return
        try:
            await asyncio.to_thread(self._records.commit, key, receipt.reference)
        except LedgerRefusal as error:
            # The money has moved: the books must not stop the case, but somebody has to look.
            activity.logger.error("ledger and partner disagree", extra={"key": key, "why": str(error)})
