"""Signals between cases about the same order and topic. No case waits for another's answer (G12, S22)."""

from typing import Any

from pydantic import BaseModel
from temporalio import workflow
from temporalio.exceptions import FailureError

from cases.contract import CASE_CLOSED, COMPLAINT_LINKED, workflow_id
from cases.errors import Refusal
from cases.inbox import same_matter as linking
from cases.inbox.receiving import keep_refused, receive_signal
from cases.inbox.same_matter import CaseClosed
from cases.state.second_complaint import ComplaintLinked
from workflows.desk import Desk


class Linking:
    """Links the case to earlier cases, receives their signals, and passes on messages that are meant for them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._joining: str | None = None
        """The case that we are signalling. Its answer may arrive before the server confirms our signal."""
        self._answers: list[CaseClosed] = []
        self._signals_pending = 0

    @property
    def at_rest(self) -> bool:
        """Whether no signal to another case is pending."""
        return self._signals_pending == 0

    async def join(self, earlier: list[str]) -> None:
        """Link this case to the first `earlier` case that is open. Merge it into that case if it has not begun."""
        case = self._desk.case
        for first in earlier:
            if case.closing:
                return
            self._joining = first
            merges = linking.can_merge(case)
            sent = linking.link_message(case, merges=merges)
            alive = await self._signal(first, COMPLAINT_LINKED, sent)
            while alive and merges and linking.can_merge(case) and sent != linking.link_message(case, merges=True):
                # A message has changed this case meanwhile: send the new content too.
                if not workflow.patched("linked-again"):
                    break
                sent = linking.link_message(case, merges=True)
                alive = await self._signal(first, COMPLAINT_LINKED, sent)
            if alive and merges and not linking.can_merge(case):
                # An agent has begun to handle this case meanwhile: it is not merged.
                merges = False
                alive = await self._signal(first, COMPLAINT_LINKED, linking.link_message(case, merges=False))
            self._joining = None
            if not case.closing:
                self._joined(first, merges=merges, alive=alive)
            if alive:
                return

    def _joined(self, first: str, *, merges: bool, alive: bool) -> None:
        now = workflow.now()
        if merges and alive:
            self._desk.apply(linking.merge, first, now)
            for answer in self._answers:
                self._desk.apply(linking.close_with, answer, now)
        else:
            self._desk.apply(linking.relate, first, now, running=alive)
        self._answers.clear()

    def receive(self, message: ComplaintLinked | CaseClosed) -> None:
        """Apply a signal from another case. Raises `Refusal`."""
        now = workflow.now()
        if isinstance(message, CaseClosed):
            if message.case == self._joining:
                self._answers.append(message)
            else:
                self._desk.apply(linking.close_with, message, now)
        elif not self._desk.apply(linking.link, message, now):
            self._desk.begin(self._decline(message.case))

    async def _decline(self, later: str) -> None:
        """Signal a later case that this one is closing and cannot handle it, so that it continues alone."""
        await self._signal(later, CASE_CLOSED, CaseClosed(case=self._desk.case.id))

    def pass_on(self, name: str, payload: Any) -> None:
        """Pass a fact on to the case that this one was merged into. Raises `Refusal` if it must not be."""
        if self._desk.apply(linking.pass_on, name, payload, workflow.now(), workflow.patched):
            self._desk.begin(self._pass_on(name, payload))

    async def _pass_on(self, name: str, payload: Any) -> None:
        """Signal the other case. If it no longer exists, this case continues alone and applies the fact (S22)."""
        case = self._desk.case
        first = case.merged_into
        if first is None:
            return
        withdrawal = linking.withdrawal_message(case, name, payload)
        if await self._signal(first, COMPLAINT_LINKED if withdrawal else name, withdrawal or payload):
            self._desk.apply(linking.passed_on, name, payload)
            return
        self._desk.apply(linking.continue_alone, workflow.now(), "cannot be reached any more")
        try:
            self._desk.apply(receive_signal, name, payload, workflow.now(), workflow.patched)
        except Refusal as refusal:
            self._desk.apply(keep_refused, name, payload, refusal, workflow.now())

    async def close_merged(self) -> None:
        """Signal the cases that were merged into this one that it has closed. Cases that are gone are skipped."""
        case = self._desk.case
        for later in linking.merged(case):
            await self._signal(later, CASE_CLOSED, CaseClosed(case=case.id, outcome=case.outcome))

    async def _signal(self, case_id: str, name: str, payload: Any) -> bool:
        """Send a signal. Return whether the other case received it: not if it does not exist, or is closed."""
        content = payload.model_dump(mode="json") if isinstance(payload, BaseModel) else payload
        self._signals_pending += 1
        try:
            await workflow.get_external_workflow_handle(workflow_id(case_id)).signal(name, content)
        except FailureError:
            return False
        finally:
            self._signals_pending -= 1
        return True
