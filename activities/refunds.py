"""Money moves once: intent in the order's ledger first, then the call, then what came of it (S13, S15).

The ledger's reservation keeps all cases of an order together below what was paid, and what is paid beside refunds
within the policy's limit. It stays while the outcome is unknown, and is given back only when the case says so: the
partner has finally said no and never anything else, or a person has waived the step (S26).
"""

from temporalio import activity

from activities.bookings import book, carry_out_booked, contest, release
from activities.outcomes import find
from cases.money import Money
from cases.partner_calls import Payment, Receipt, ReceiptState
from partners import ports
from records import Records

PAID = frozenset({ReceiptState.ACCEPTED, ReceiptState.DISPATCHED, ReceiptState.DONE})
"""A payment that the partner has taken on counts as paid."""


class Refunds:
    """Over the refunds port and the order ledger."""

    def __init__(self, port: ports.StepPartner, records: Records) -> None:
        self._port = port
        self._records = records

    @activity.defn(name="refunds-step")
    async def carry_out(self, command: Payment, paid: Money) -> Receipt:
        """Pay, once; `paid` is what the customer paid for the order, which refunds never exceed (S14)."""
        return await carry_out_booked(self._port, self._records, command, paid, PAID)

    @activity.defn(name="refunds-find")
    async def find(self, key: str) -> Receipt | None:
        """What became of a payment; one that was made is booked."""
        receipt = await find(self._port, key)
        if receipt is not None:
            await book(self._records, key, receipt, PAID, settle=True)
        return receipt

    @activity.defn(name="refunds-release")
    async def release(self, key: str, why: str) -> None:
        """Nothing was paid or sent and nothing will be: it is free again for the order's other cases."""
        await release(self._records, key, why)

    @activity.defn(name="refunds-contest")
    async def contest(self, key: str, why: str) -> None:
        """The partner says both that it paid and that it did not: the amount counts as taken (S26, S27)."""
        await contest(self._records, key, why)
