"""Delivery of notifications: in order for each audience, and retried for as long as the case needs it (S7).

Customers, staff and callbacks have separate queues, so that a channel that is down does not delay the others.
"""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import FailureError

from cases.entitlement.step_commands import contact_of
from cases.partner_calls import CallbackRequest, CustomerMessage, Delivery
from cases.progress.delivery import delivered, undeliverable
from cases.state.letter import Audience, Letter
from cases.views.contact_channels import contact_channels
from cases.vocabulary import CALLBACKS, Partner
from workflows.desk import Desk
from workflows.sdk.activity_calls import Call, at, call, kind_of, reason_of
from workflows.sdk.options import LETTER

with workflow.unsafe.imports_passed_through():
    from activities.callbacks import Callbacks
    from activities.messaging import Messaging
    from activities.outcomes import REFUSED


class Letters:
    """Delivers the letters that the case has queued."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._delivering: set[Audience] = set()

    def deliver(self) -> None:
        """Start to deliver each queue that is not empty and not being delivered. Called after every change."""
        for audience in Audience:
            if audience not in self._delivering and self._next(audience):
                self._delivering.add(audience)
                self._desk.begin(self._deliver_all(audience))

    def _next(self, audience: Audience) -> Letter | None:
        return next((letter for letter in self._desk.case.letters if letter.audience is audience), None)

    async def _deliver_all(self, audience: Audience) -> None:
        while (letter := self._next(audience)) is not None:
            try:
                at = await self._send(letter)
            except FailureError as error:
                self._desk.apply(undeliverable, letter, reason_of(error), workflow.now())
            else:
                self._desk.apply(delivered, letter, at)
        self._delivering.discard(audience)

    async def _send(self, letter: Letter) -> datetime:
        """Deliver a letter. Return when it was delivered. Raises `FailureError` if no channel accepts it."""
        delivering = self._call(letter)
        asked = workflow.now()
        try:
            await self._desk.quickly(delivering, summary=letter.event)
            return workflow.now()
        except FailureError as error:
            if kind_of(error) == REFUSED:
                raise
        delivery = await self._desk.durably(delivering, summary=letter.event, options=LETTER)
        # Promises are judged by the time of delivery, not by when the worker received the result (S9).
        return min(max(delivery.at, asked), workflow.now())

    def _call(self, letter: Letter) -> Call[Delivery]:
        case = self._desk.case
        to = contact_of(case)
        key = letter.key(case.id)
        if letter.audience is Audience.STAFF:
            return at(Partner.MESSAGING, call(Messaging.to_staff, case.notice(letter)))
        if letter.audience is Audience.CALLBACK:
            request = CallbackRequest(key=key, case_id=case.id, attempt=letter.facts["attempt"], to=to)
            return at(CALLBACKS, call(Callbacks.ask, request))
        routes = contact_channels(case.complaint.channel)
        message = CustomerMessage(
            key=key, case_id=case.id, event=letter.event, to=to, routes=routes, facts=letter.facts
        )
        return at(Partner.MESSAGING, call(Messaging.to_customer, message))
