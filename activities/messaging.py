"""Notifications to customers and staff. The text is rendered from the templates when it is sent."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from temporalio import activity

from activities.outcomes import Stopwatch, as_application_errors
from activities.shortcuts import Shortcut
from cases.partner_calls import CustomerMessage, Delivery, StaffNotice
from partners import ports
from records import Records, RecordsUnavailable
from records.links import CASE_PAGE, token_of_letter

LINK = "link"
"""The fact of a letter that its templates show: the address of the customer's page."""


class Links:
    """Links in letters to customers."""

    def __init__(self, database: Records, secret: str, page: str) -> None:
        """`page` is the address of the customer's page, to which a token is appended."""
        self._database, self._secret, self._page = database, secret, page

    def added_to(self, message: CustomerMessage) -> CustomerMessage:
        """Return the letter with its link. If our database cannot keep the link, the letter goes out without one."""
        token = token_of_letter(self._secret, message.case_id, CASE_PAGE, message.key)
        with suppress(RecordsUnavailable):
            self._database.add_link(token, message.case_id, message.key, datetime.now(UTC))
            return message.model_copy(update={"facts": {**message.facts, LINK: self._page + token}})
        return message


class Messaging:
    """The activities that use the messaging port. Without `links` letters have none."""

    def __init__(self, port: ports.Messaging, shortcut: Shortcut, links: Links | None = None) -> None:
        self._port, self._shortcut, self._links = port, shortcut, links

    @activity.defn(name="message-customer")
    async def to_customer(self, message: CustomerMessage) -> Delivery:
        """Hand one notification over. It then counts as delivered (G2)."""
        watch = Stopwatch()
        async with as_application_errors():
            if self._links is not None:
                message = await asyncio.to_thread(self._links.added_to, message)
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
