"""Callbacks by phone or questionnaire after the steps are done (G8)."""

from temporalio import activity

from activities.outcomes import Stopwatch, as_application_errors
from activities.shortcuts import Shortcut
from cases.partner_calls import CallbackRequest, Delivery
from partners import ports


class Callbacks:
    """The activity that uses the callbacks port."""

    def __init__(self, port: ports.Callbacks, shortcut: Shortcut) -> None:
        self._port = port
        self._shortcut = shortcut

    @activity.defn(name="call-back")
    async def ask(self, request: CallbackRequest) -> Delivery:
        """Ask the partner to call the customer back. The answer arrives as the signal `satisfaction-reported`."""
        watch = Stopwatch()
        async with as_application_errors():
            with self._shortcut.taken():
                delivery = await self._port.ask(request)
        return delivery.model_copy(update={"at": watch.now()})
