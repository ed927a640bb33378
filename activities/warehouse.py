"""The warehouse: replacement, reship, transfer, substitute and gift.

Units of an order that a step makes good are reserved in the order's ledger first, so that all its cases together make
good no more than was bought (S35). They are released only after the warehouse's final refusal, or if a person has
waived the step.
"""

import asyncio

from temporalio import activity

from activities.bookings import book, carry_out_booked
from activities.outcomes import carry_out, find
from cases.partner_calls import Receipt, ReceiptState, Shipment
from partners import ports
from records import Records

SHIPPED = frozenset({ReceiptState.DISPATCHED, ReceiptState.DONE})
"""A shipment that the warehouse has only accepted may still fail, so it stays reserved."""


class Warehouse:
    """The activities that use the warehouse port and the order's ledger."""

    def __init__(self, port: ports.StepPartner, records: Records) -> None:
        self._port = port
        self._records = records

    @activity.defn(name="warehouse-step")
    async def carry_out(self, command: Shipment) -> Receipt:
        """Ship once per key."""
        if not command.makes_good or command.paid is None:
            return await carry_out(self._port, command.asked)
        return await carry_out_booked(self._port, self._records, command, command.paid, SHIPPED)

    @activity.defn(name="warehouse-find")
    async def find(self, key: str) -> Receipt | None:
        """Return the receipt of a shipment, and book it if it has left."""
        receipt = await find(self._port, key)
        if receipt is not None and await asyncio.to_thread(self._records.known, key):
            await book(self._records, key, receipt, SHIPPED, settle=True)
        return receipt
