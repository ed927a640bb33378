"""Carriers: the trail; collection, carrier claim and search."""

from temporalio import activity

from activities.outcomes import as_application_errors, carry_out, find
from cases.partner_calls import LookUp, Receipt, StepCommand, Trail
from partners import ports


class Logistics:
    """Over the logistics port."""

    def __init__(self, port: ports.Logistics) -> None:
        self._port = port

    @activity.defn(name="logistics-trail")
    async def trail(self, what: LookUp) -> Trail | None:
        """The shipment's trail; None where there is none (G3)."""
        async with as_application_errors():
            return await self._port.trail(what)

    @activity.defn(name="logistics-step")
    async def carry_out(self, command: StepCommand) -> Receipt:
        """Collect, claim or search, once."""
        return await carry_out(self._port, command)

    @activity.defn(name="logistics-find")
    async def find(self, key: str) -> Receipt | None:
        """What became of a step."""
        return await find(self._port, key)
