"""The workflow of a later call: it asks an agent to call the customer, and keeps the answer (G13).

Its case starts it when it closes. The rules are in `cases.later_call.later_call`.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from cases.contract import LATER_CALL_QUERY, LATER_CALL_WORKFLOW
from cases.later_call.later_call import MESSAGES, LaterCall, LaterCallTerms, LaterCallView, keep_refused, receive
from cases.partner_calls import StaffNotice
from cases.vocabulary import Partner
from workflows.sdk.activity_calls import at, call, durably
from workflows.sdk.handlers import handles
from workflows.sdk.options import LETTER, RECORD
from workflows.sdk.process import Process

with workflow.unsafe.imports_passed_through():
    from activities.messaging import Messaging
    from activities.records import Records


@workflow.defn(name=LATER_CALL_WORKFLOW)
@handles(signals=MESSAGES, updates=MESSAGES)
class LaterCallToCustomer(Process[LaterCall]):
    """One later call."""

    messages, whose, receive, keep_refused = MESSAGES, "a later call", receive, keep_refused

    @workflow.init
    def __init__(self, terms: LaterCallTerms) -> None:
        super().__init__()
        self._state = LaterCall(terms=terms)

    @workflow.run
    async def run(self, terms: LaterCallTerms) -> LaterCallView:
        """Ask an agent to call when it is due, and again until there is an answer. Return what our database keeps."""
        call_ = self.state
        while call_.open:
            await self._until(call_.next_at, f"then ask an agent to call, for case {terms.case_id}")
            if call_.open and (notice := self.apply(LaterCall.ask, workflow.now())):
                await self._deliver(notice)
        record = LaterCallView.of(call_)
        await durably(call(Records.keep_later_call, record), summary="keep the answer", options=RECORD)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return record

    @workflow.query(name=LATER_CALL_QUERY, description="The later call: when it is due, and what the customer said")
    def later_call(self) -> LaterCallView:
        """Return the state of the call."""
        return LaterCallView.of(self.state)

    def page(self) -> str:
        """Return the page in the Temporal UI, in Markdown. It has no personal data."""
        terms = self.state.terms
        return f"**{terms.line}** · case {terms.case_id} · team {terms.team}\n\n{self.state.known_as}"

    async def _until(self, at: datetime, why: str) -> None:
        """Wait until that time, or until there is an answer. The timer shows `why`."""
        left = max(at - workflow.now(), timedelta())
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: not self.state.open, timeout=left, timeout_summary=why)

    async def _deliver(self, notice: StaffNotice) -> None:
        """Deliver a notice, until there is an answer: it is pointless afterwards."""
        letter = at(Partner.MESSAGING, call(Messaging.to_staff, notice))
        delivery = asyncio.create_task(durably(letter, summary="ask an agent to call", options=LETTER))
        await workflow.wait_condition(lambda: delivery.done() or not self.state.open)
        if not delivery.done():
            delivery.cancel()
            return
        with suppress(ActivityError):  # no channel takes it: the next attempt may be taken
            await delivery
