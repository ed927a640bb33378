"""The warehouse: the dispatch record; replacement, reship, transfer, substitute and gift."""

from temporalio import activity

from activities.outcomes import carry_out, find, told_to_temporal
from cases.commands import DispatchRecord, LookUp, Receipt, StepCommand
from partners import ports


class Warehouse:
    """Over the warehouse port."""

    def __init__(self, port: ports.Warehouse) -> None:
        self._port = port

    @activity.defn(name="warehouse-record")
    async def record(self, what: LookUp) -> DispatchRecord | None:
        """How the order left the warehouse; None where it knows of none (G3)."""
        async with told_to_temporal():
            return await self._port.dispatch_record(what)

    @activity.defn(name="warehouse-step")
    async def carry_out(self, command: StepCommand) -> Receipt:
        """Ship something, once."""
        return await carry_out(self._port, command)

    @activity.defn(name="warehouse-find")
    async def find(self, key: str) -> Receipt | None:
        """What became of a step."""
        return await find(self._port, key)
