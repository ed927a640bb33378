"""The warehouse: the dispatch record; replacement, reship, transfer, substitute and gift.

What makes units of an order good is reserved in the order's ledger first, so that all its cases together make good no
more than was bought (S35). It is given back only when the warehouse has finally said no, or a person has waived it.
"""

import asyncio

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.bookings import reserve, still_reserved
from activities.outcomes import REFUSED, carry_out, find, told_to_temporal
from cases.partner_calls import DispatchRecord, LookUp, Receipt, ReceiptState, Shipment
from partners import ports
from records import LedgerRefusal, Records

LEFT = frozenset({ReceiptState.DISPATCHED, ReceiptState.DONE})
"""What the warehouse has only accepted may still fail: it stays reserved."""


class Warehouse:
    """Over the warehouse port and the order ledger."""

    def __init__(self, port: ports.Warehouse, records: Records) -> None:
        self._port = port
        self._records = records

    @activity.defn(name="warehouse-record")
    async def record(self, what: LookUp) -> DispatchRecord | None:
        """How the order left the warehouse; None where it knows of none (G3)."""
        async with told_to_temporal():
            return await self._port.dispatch_record(what)

    @activity.defn(name="warehouse-step")
    async def carry_out(self, command: Shipment) -> Receipt:
        """Ship something, once."""
        if not command.makes_good or command.paid is None:
            return await carry_out(self._port, command.asked)
        await reserve(self._records, command, command.paid)
        try:
            receipt = await carry_out(self._port, command.asked)
        except ApplicationError as error:
            if error.type == REFUSED:
                raise still_reserved(error) from None
            raise
        await self._book(command.key, receipt)
        return receipt

    @activity.defn(name="warehouse-find")
    async def find(self, key: str) -> Receipt | None:
        """What became of a step."""
        receipt = await find(self._port, key)
        if receipt is not None and await asyncio.to_thread(self._records.known, key):
            await self._book(key, receipt)
        return receipt

    async def _book(self, key: str, receipt: Receipt) -> None:
        # What failed is freed by the case: it alone knows whether a report has said the opposite (S26).
        if receipt.state in LEFT:
            try:
                await asyncio.to_thread(self._records.commit, key, receipt.reference)
            except LedgerRefusal as error:
                # The goods have left: the books must not stop the case, but somebody has to look.
                activity.logger.error("ledger and warehouse disagree", extra={"key": key, "why": str(error)})
