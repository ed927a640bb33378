"""Notifications to customers and staff. The text is rendered from the templates when it is sent."""

from temporalio import activity

from activities.outcomes import Stopwatch, as_application_errors
from activities.shortcuts import Shortcut
from cases.partner_calls import CustomerMessage, Delivery, StaffNotice
from partners import ports


class Messaging:
    """The activities that use the messaging port."""

    def __init__(self, port: ports.Messaging, shortcut: Shortcut) -> None:
        self._port = port
        self._shortcut = shortcut

    @activity.defn(name="message-customer")
    async def to_customer(self, message: CustomerMessage) -> Delivery:
        """Hand one notification over. It then counts as delivered (G2)."""
        watch = Stopwatch()
        async with as_application_errors():
            with self._shortcut.taken():
                delivery = await self._port.to_customer(message)
        return delivery.model_copy(update={"at": watch.now()})

    @activity.defn(name="notify-staff")
    async def to_staff(self, notice: StaffNotice) -> Delivery:
        """Hand one notice to staff over (G10)."""
        watch = Stopwatch()
        async with as_application_errors():
            with self._shortcut.taken():
                delivery = await self._port.to_staff(notice)
        return delivery.model_copy(update={"at": watch.now()})
