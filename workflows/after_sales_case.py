"""The workflow of one complaint, from receipt to closing (G1–G10).

The rules are in `cases`. This module decides when they are applied: after each change of the case it starts what has
become possible (steps, letters, timers). Handlers record and return; `run` waits for the end.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

from cases.contract import CASE_QUERY, CASE_WORKFLOW, MOVE_POLICY, PREVIEW_QUERY, PROJECTION_QUERY
from cases.errors import Refusal
from cases.inbox.messages import FACTS, MESSAGES, OFFERS, read
from cases.inbox.receiving import keep_refused, receive, receive_signal, rehearse
from cases.inbox.same_matter import BETWEEN_CASES, is_for_older_case
from cases.inbox.same_matter import read as read_signal
from cases.progress.closing import is_over
from cases.views.listing import Projected
from cases.views.snapshot import Snapshot
from workflows.clocks import Clocks
from workflows.closing import Closing
from workflows.desk import Desk
from workflows.display import Display
from workflows.intake import CONTINUED, Intake
from workflows.letters import Letters
from workflows.linking import Linking
from workflows.look_ups import LookUps
from workflows.projection import Projection
from workflows.remedies import Remedies
from workflows.sdk.handlers import decoded, handles, rejection


@workflow.defn(name=CASE_WORKFLOW)
@handles(signals=FACTS, updates=MESSAGES)
class AfterSalesCase:
    """One complaint's durable process."""

    def __init__(self) -> None:
        self._desk = Desk()
        self._clocks = Clocks(self._desk)
        self._letters = Letters(self._desk)
        self._remedies = Remedies(self._desk)
        self._linking = Linking(self._desk)
        self._intake = Intake(self._desk, self._letters, self._linking)
        self._look_ups = LookUps(self._desk)
        self._display = Display(self._desk)
        self._projection = Projection(self._desk)
        self._closing = Closing(self._desk, self._remedies, self._linking)
        self._attended = 0
        """The revision (`Desk.revision`) that `_attend` has handled. A case starts with revision 1."""
        self._early: list[tuple[str, Any]] = []
        """Signals that arrived before the complaint was admitted."""

    @workflow.run
    async def run(self, complaint: RawValue) -> Snapshot:
        """Admit the complaint, handle it until it closes, and archive its record. Return the final snapshot."""
        continues = await self._intake.admit(complaint)
        if continues:
            self._display.skip_shown()
        self._take_early()
        self._look_ups.begin()
        self._desk.watch(self._attend())
        cancelled = False
        try:
            await self._until_closed()
        except asyncio.CancelledError:
            cancelled = True
            await self._closing.wind_up()
        await self._linking.close_merged()
        await self._remedies.wait_for_payments()
        await self._remedies.release_unpaid()
        record = await self._closing.archive()
        await self._closing.arrange_later_call()
        await self._projection.wait_until_written()
        # Repeated here: `_attend` and this coroutine may resume in either order.
        self._display.refresh()
        if cancelled:
            raise asyncio.CancelledError
        return record

    def page(self) -> str:
        """Return the page in the Temporal UI, in Markdown (`workflows.sdk.page`)."""
        return self._display.page()

    @workflow.query(name=CASE_QUERY, description="The case: what was found, promised, offered, done and paid")
    def snapshot(self) -> Snapshot:
        """Return the snapshot (docs/contract.md)."""
        return self._display.snapshot()

    @workflow.query(name=PREVIEW_QUERY, description="What moving the case to another policy would change (S18)")
    def preview(self, asked: RawValue) -> dict[str, Any] | None:
        """Return what a move would change, computed by the code that would make the change; None: nothing."""
        return self._display.preview(asked)

    @workflow.query(name=PROJECTION_QUERY, description="For our own database: the row that lists show of the case")
    def row(self) -> Projected | None:
        """Return the row of the case; None while its complaint is being admitted."""
        return self._projection.projected() if self._desk.admitted else None

    # From opening to closing

    async def _attend(self) -> None:
        """After each change, start what has become possible, and show the change to operators."""
        while True:
            seen = self._desk.revision
            self._clocks.fire_due()
            self._look_ups.offer()
            self._remedies.begin()
            self._letters.deliver()
            # The row first: a task that the server has repeated logs its lines again, so they come last.
            if self._desk.at_rest(seen) and not self._projection.writes_now():
                self._clocks.start_timer()
                self._display.refresh()
            self._attended = seen
            await workflow.wait_condition(lambda: self._desk.revision != seen)  # noqa: B023 (awaited at once)

    async def _until_closed(self) -> None:
        """Wait until the case has closed. Continue as new if the history grows too long before that."""
        case = self._desk.case
        await self._desk.until(self._run_is_over)
        while not is_over(case) and workflow.patched("a run ends with nothing in progress"):
            # `_attend` may still start something, whose result the next run would not get.
            await self._desk.until(lambda: is_over(case) or self._attended == self._desk.revision)
            if self._run_is_over():
                break
            await self._desk.until(self._run_is_over)
        if not is_over(case):
            self._display.log()  # the next run does not log what happened in this one
            workflow.continue_as_new({CONTINUED: case.model_dump(mode="json")})

    def _run_is_over(self) -> bool:
        return is_over(self._desk.case) or self._history_is_long()

    def _history_is_long(self) -> bool:
        """Return whether the history has grown long, and a new run would lose nothing that is in progress."""
        case = self._desk.case
        quiet = not self._desk.busy and not case.letters and not case.ready() and not case.closing
        return quiet and workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished()

    # Messages

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, payloads: Sequence[RawValue]) -> None:
        """Record a signal with an unknown name under `refused`."""
        self.signalled(name, payloads[0] if payloads else None)

    def signalled(self, name: str, payload: Any) -> None:
        """Apply a signal, or record it under `refused` with the reason. No signal is dropped."""
        if self._desk.admitted:
            self._take(name, payload)
        else:
            self._early.append((name, payload))

    def _take_early(self) -> None:
        for name, message in self._early:
            self._take(name, message)
        self._early.clear()

    def _take(self, name: str, payload: Any) -> None:
        now = workflow.now()
        message: Any = None
        try:
            message = decoded(payload, workflow.patched)
            if name in BETWEEN_CASES:
                self._linking.receive(read_signal(name, message))
            elif is_for_older_case(self._desk.case, name):
                self._linking.pass_on(name, message)
            else:
                self._desk.apply(receive_signal, name, message, now, workflow.patched)
        except Refusal as refusal:
            self._desk.apply(keep_refused, name, message, refusal, now)

    def check(self, name: str, payload: Any) -> None:
        """Validate an update by applying it to a copy; a rejected update adds no event to the history."""
        try:
            message = decoded(payload)
            if self._desk.admitted:
                rehearse(self._desk.case, name, message, workflow.now())
            else:
                read(name, message)
        except Refusal as refusal:
            raise rejection(refusal) from None

    async def updated(self, name: str, payload: Any) -> dict[str, Any]:
        """Apply an update and return its answer. Raises `ApplicationError` with the reason if it is rejected."""
        await workflow.wait_condition(lambda: self._desk.admitted)
        try:
            in_force = await self._look_ups.policy_in_force() if name == MOVE_POLICY else None
            if name in OFFERS:
                await self._look_ups.order_account()
            message = decoded(payload, workflow.patched)
            answer = self._desk.apply(receive, name, message, workflow.now(), in_force, workflow.patched)
        except Refusal as refusal:
            raise rejection(refusal) from None
        case = self._desk.case
        if case.offer_due:
            # The message has made an offer due: wait for it, so that the answer contains the result.
            await workflow.wait_condition(lambda: case.offer_due is None)
            answer |= {"status": case.status, "outcome": case.outcome}
        return answer
