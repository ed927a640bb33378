"""Letters to one audience are delivered in order, and for as long as the case matters (S7).

Customers, staff and callbacks each have their own queue, so that one channel that is down holds up no other.
"""

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import FailureError

from cases.entitlement.step_commands import contact_of
from cases.partner_calls import CallbackRequest, CustomerMessage, Delivery
from cases.progress.delivery import delivered, undeliverable
from cases.state.letter import Audience, Letter
from cases.views.contact_channels import contact_channels
from workflows.desk import Desk
from workflows.sdk.activity_calls import Call, call, kind_of, reason_of
from workflows.sdk.options import LETTER

with workflow.unsafe.imports_passed_through():
    from activities.callbacks import Callbacks
    from activities.messaging import Messaging
    from activities.outcomes import REFUSED


class Letters:
    """Delivers what the case has to say."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._open: set[Audience] = set()

    def deliver(self) -> None:
        """Begin to deliver every queue that is not empty and not being delivered; called after every change."""
        for audience in Audience:
            if audience not in self._open and self._next(audience):
                self._open.add(audience)
                self._desk.begin(self._empty(audience))

    def _next(self, audience: Audience) -> Letter | None:
        return next((letter for letter in self._desk.case.letters if letter.audience is audience), None)

    async def _empty(self, audience: Audience) -> None:
        while (letter := self._next(audience)) is not None:
            try:
                at = await self._send(letter)
            except FailureError as error:
                self._desk.apply(undeliverable, letter, reason_of(error), workflow.now())
            else:
                self._desk.apply(delivered, letter, at)
        self._open.discard(audience)

    async def _send(self, letter: Letter) -> datetime:
        """Hand it over and say when that was; raises `FailureError` when no channel will ever take it."""
        handing_over = self._call(letter)
        asked = workflow.now()
        try:
            await self._desk.quickly(handing_over, summary=letter.event)
            return workflow.now()
        except FailureError as error:
            if kind_of(error) == REFUSED:
                raise
        delivery = await self._desk.durably(handing_over, summary=letter.event, options=LETTER)
        # Judged by when it was handed over, not by when a worker learned of it (S9).
        return min(max(delivery.at, asked), workflow.now())

    def _call(self, letter: Letter) -> Call[Delivery]:
        case = self._desk.case
        to = contact_of(case)
        key = letter.key(case.id)
        if letter.audience is Audience.STAFF:
            return call(Messaging.to_staff, case.notice(letter))
        if letter.audience is Audience.CALLBACK:
            request = CallbackRequest(key=key, case_id=case.id, attempt=letter.facts["attempt"], to=to)
            return call(Callbacks.ask, request)
        ways = contact_channels(case.complaint.channel)
        message = CustomerMessage(key=key, case_id=case.id, event=letter.event, to=to, routes=ways, facts=letter.facts)
        return call(Messaging.to_customer, message)
