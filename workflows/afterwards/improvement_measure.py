"""The workflow of an improvement measure: a person adopts it, and it notifies people until it is done or dropped (G13).

The rules are in `cases.measure.measure`; this module decides when they are applied.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from cases.contract import MEASURE_QUERY, MEASURE_WORKFLOW, UNKNOWN_MEASURE, measure_workflow_id
from cases.measure.measure import MESSAGES, Measure, MeasureEvent, MeasureView, Notice, keep_refused, receive
from cases.measure.proposed import MeasureState
from cases.partner_calls import StaffNotice
from cases.vocabulary import Partner
from workflows.sdk.activity_calls import Result, at, call, durably, sentence
from workflows.sdk.handlers import decoded_unchecked, handles
from workflows.sdk.options import LETTER, RECORD
from workflows.sdk.process import Process

with workflow.unsafe.imports_passed_through():
    from activities.messaging import Messaging
    from activities.records import MeasureRecord, Records

Arguments = ParamSpec("Arguments")
CANCELLED = "its workflow was cancelled"


@workflow.defn(name=MEASURE_WORKFLOW)
@handles(signals=MESSAGES, updates=MESSAGES)
class ImprovementMeasure(Process[Measure]):
    """One improvement measure."""

    messages, whose, receive, keep_refused = MESSAGES, "a measure", receive, keep_refused

    def __init__(self) -> None:
        super().__init__()
        self._changes = self._recorded = 0
        """The number of changes of the measure, and how many of them our database has."""

    @workflow.run
    async def run(self, carried: RawValue) -> MeasureView:
        """Read the measure, notify people until it is done or dropped, and return its final state.

        `carried` is the state from an earlier run of this workflow. A measure that nobody adopts has no workflow: if
        the first message does not adopt it, the workflow ends, and can be started again.
        """
        pursuit, cancelled = asyncio.create_task(self._pursue(carried)), False
        try:
            await asyncio.shield(pursuit)
        except asyncio.CancelledError:
            cancelled = True
            await workflow.wait_condition(lambda: self._state is not None or pursuit.done())
            if self._state is not None and self._state.open:
                self.apply(Measure.end, MeasureState.DROPPED, CANCELLED, None, workflow.now())
            await pursuit
        await workflow.wait_condition(workflow.all_handlers_finished)
        if cancelled:
            raise asyncio.CancelledError
        if self._missing is not None:
            raise self._missing
        if self.state.about.state is MeasureState.ADOPTED:
            workflow.continue_as_new(self.state.model_dump(mode="json"))
        return MeasureView.of(self.state)

    @workflow.query(name=MEASURE_QUERY, description="The measure: what it is about, its owner, its due date, its end")
    def measure(self) -> MeasureView | None:
        """Return the state of the measure; None while it is being read."""
        return MeasureView.of(self._state) if self._state else None

    def page(self) -> str:
        """Return the page in the Temporal UI, in Markdown (`workflows.sdk.page`)."""
        if self._state is None:
            return str(self._missing or "")
        about = self._state.about
        return f"**{about.state}** · {about.proposal} · {about.dimension} {about.subject}\n\n{self._state.known_as}"

    # From adoption to the end

    async def _pursue(self, carried: RawValue) -> None:
        await self._take_up(carried)
        if self._missing is not None:
            return
        measure = self.state
        self.take_early()
        await workflow.wait_condition(
            lambda: measure.about.state is not MeasureState.PROPOSED or workflow.all_handlers_finished()
        )
        await self._record()
        while measure.about.state is MeasureState.ADOPTED:
            if workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished():
                return  # nothing is in progress here
            await self._notify_next()
            await self._record()
        for role in measure.notified:
            await self._deliver(measure.letter(MeasureEvent.CLOSED, role, role))

    async def _take_up(self, carried: RawValue) -> None:
        if workflow.info().continued_run_id is not None:
            self._state = Measure.model_validate(decoded_unchecked(carried))
            return
        measure_id = workflow.info().workflow_id.removeprefix(measure_workflow_id(""))
        reading = call(Records.take_up_measure, measure_id)
        try:
            self._state = await durably(reading, summary="read what was proposed", options=RECORD)
        except ActivityError as error:
            self._missing = ApplicationError(sentence(error), type=UNKNOWN_MEASURE, non_retryable=True)

    async def _notify_next(self) -> None:
        """Wait for the next notice and deliver it, or for the end of the measure."""
        if (notice := self.state.next_notice(workflow.now())) is not None:
            await self._until(notice.at, f"then notify {notice.role}: {notice.event}")
            if self.state.open:
                await self._notify(notice)

    async def _until(self, at: datetime, why: str) -> None:
        """Wait until that time, or until the measure is done or dropped. The timer shows `why`."""
        left = max(at - workflow.now(), timedelta())
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: not self.state.open, timeout=left, timeout_summary=why)

    async def _notify(self, notice: Notice) -> None:
        """Deliver a notice, until the measure is done or dropped: it is pointless afterwards."""
        measure = self.state
        self.apply(Measure.settle, notice)
        letter = measure.letter(notice.event, notice.role, str(notice.number))
        delivery = asyncio.create_task(self._deliver(letter))
        await workflow.wait_condition(lambda: delivery.done() or not measure.open)
        if not delivery.done():
            delivery.cancel()

    async def _deliver(self, letter: StaffNotice) -> None:
        try:
            notice = at(Partner.MESSAGING, call(Messaging.to_staff, letter))
            await durably(notice, summary=f"{letter.event}: {letter.role}", options=LETTER)
        except ActivityError:
            workflow.logger.warning("no channel takes a notice", extra={"measure_id": letter.case_id})

    async def _record(self) -> None:
        """Write the measure to our database, if it has changed."""
        while self._recorded != self._changes:
            about, changes = self.state.about, self._changes
            record = MeasureRecord(**{name: getattr(about, name) for name in MeasureRecord.model_fields})
            await durably(
                call(Records.record_measure, record), summary=f"record: measure {about.state}", options=RECORD
            )
            self._recorded = changes

    def apply(
        self,
        change: Callable[Concatenate[Measure, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Call `change(measure, …)`, and count the changes that our database has to know."""
        before = self.state.about
        result = super().apply(change, *arguments, **named)
        self._changes += before != self.state.about
        return result
