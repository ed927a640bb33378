"""Logistics: collections, deliveries, searches, and the claim against the carrier.

Our database keeps the key under which a claim was last sent. A claim that was reset has forgotten it, and would file
again under an earlier key (S25).
"""

import asyncio

from temporalio import activity

from activities.bookings import ledger_errors
from activities.outcomes import carry_out, find
from cases.claim.terms import claim_number
from cases.partner_calls import Receipt, StepCommand
from cases.policy.remedy_kinds import CLAIMS
from partners import ports
from records import Records


class Logistics:
    """Over the logistics port and our own database."""

    def __init__(self, port: ports.StepPartner, records: Records) -> None:
        self._port = port
        self._records = records

    @activity.defn(name="logistics-step")
    async def carry_out(self, command: StepCommand) -> Receipt:
        """Have a step done, or a claim filed, once."""
        sent_before = command.kind in CLAIMS and await self._sent_before(command)
        return await carry_out(self._port, command, sent_before=sent_before)

    @activity.defn(name="logistics-find")
    async def find(self, key: str) -> Receipt | None:
        """Return the receipt of a step or claim; None if the partner never received it."""
        return await find(self._port, key)

    async def _sent_before(self, claim: StepCommand) -> bool:
        """Return whether this claim may have been sent under its key before. Raises if a later key has been used."""
        with ledger_errors():
            return await asyncio.to_thread(
                self._records.send_claim, claim.case_id, claim.key, claim_number(claim.case_id, claim.key)
            )
