"""The warehouse: replacement, reship, transfer, substitute and gift.

What makes units of an order good is reserved in the order's ledger first, so that all its cases together make good no
more than was bought (S35). It is given back only when the warehouse has finally said no, or a person has waived it.
"""

import asyncio

from temporalio import activity

from activities.bookings import book, carry_out_booked
from activities.outcomes import carry_out, find
from cases.partner_calls import Receipt, ReceiptState, Shipment
from partners import ports
from records import Records

LEFT = frozenset({ReceiptState.DISPATCHED, ReceiptState.DONE})
"""What the warehouse has only accepted may still fail: it stays reserved."""


class Warehouse:
    """Over the warehouse port and the order ledger."""

    def __init__(self, port: ports.StepPartner, records: Records) -> None:
        self._port = port
        self._records = records

    @activity.defn(name="warehouse-step")
    async def carry_out(self, command: Shipment) -> Receipt:
        """Ship something, once."""
        if not command.makes_good or command.paid is None:
            return await carry_out(self._port, command.asked)
        return await carry_out_booked(self._port, self._records, command, command.paid, LEFT)

    @activity.defn(name="warehouse-find")
    async def find(self, key: str) -> Receipt | None:
        """What became of a step."""
        receipt = await find(self._port, key)
        if receipt is not None and await asyncio.to_thread(self._records.known, key):
            await book(self._records, key, receipt, LEFT, settle=True)
        return receipt
