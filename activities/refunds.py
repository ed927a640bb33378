"""Money moves once: reserve the amount in the order's ledger, call the partner, book the outcome (S13, S15).

The reservation keeps the refunds of all cases of an order within what was paid, and other payments within the policy's
limit. It stays while the outcome is unknown. Only the case releases it: after a final refusal that nothing contradicts,
or if a person has waived the step (S26).
"""

from temporalio import activity

from activities.bookings import book, carry_out_booked, contest, release
from activities.outcomes import find
from cases.money import Money
from cases.partner_calls import Payment, Receipt, ReceiptState
from partners import ports
from records import Records

PAID = frozenset({ReceiptState.ACCEPTED, ReceiptState.DISPATCHED, ReceiptState.DONE})
"""A payment that the partner has accepted counts as paid."""


class Refunds:
    """The activities that use the refunds port and the order's ledger."""

    def __init__(self, port: ports.StepPartner, records: Records) -> None:
        self._port = port
        self._records = records

    @activity.defn(name="refunds-step")
    async def carry_out(self, command: Payment, paid: Money) -> Receipt:
        """Pay once. `paid` is what the customer paid for the order; refunds never exceed it (S14)."""
        return await carry_out_booked(self._port, self._records, command, paid, PAID)

    @activity.defn(name="refunds-find")
    async def find(self, key: str) -> Receipt | None:
        """Return the receipt of a payment, and book it if it was made."""
        receipt = await find(self._port, key)
        if receipt is not None:
            await book(self._records, key, receipt, PAID, settle=True)
        return receipt

    @activity.defn(name="refunds-release")
    async def release(self, key: str, why: str) -> None:
        """Release a reservation for the order's other cases: nothing was paid or sent, and nothing will be."""
        await release(self._records, key, why)

    @activity.defn(name="refunds-contest")
    async def contest(self, key: str, why: str) -> None:
        """Mark a payment as contested: the partner said that it paid and that it did not. It counts as taken (S27)."""
        await contest(self._records, key, why)
