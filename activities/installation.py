"""Installers: the installation record; visits."""

from temporalio import activity

from activities.outcomes import as_application_errors, carry_out, find
from cases.partner_calls import InstallationRecord, LookUp, Receipt, StepCommand
from partners import ports


class Installation:
    """Over the installation port."""

    def __init__(self, port: ports.Installation) -> None:
        self._port = port

    @activity.defn(name="installation-record")
    async def record(self, what: LookUp) -> InstallationRecord | None:
        """How the installation went; None where there was none (G3)."""
        async with as_application_errors():
            return await self._port.record(what)

    @activity.defn(name="installation-step")
    async def carry_out(self, command: StepCommand) -> Receipt:
        """Send somebody to the customer, once."""
        return await carry_out(self._port, command)

    @activity.defn(name="installation-find")
    async def find(self, key: str) -> Receipt | None:
        """What became of a step."""
        return await find(self._port, key)
