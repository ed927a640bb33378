"""Cases about the same order and topic find one another by signals, and none waits for another's answer (G12, S22)."""

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
    """Joins the case to others, receives their signals, and passes on what is meant for them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._joining: str | None = None
        """The case to which our signal is under way; its answer may come before the signal is confirmed."""
        self._answers: list[CaseClosed] = []
        self._under_way = 0

    @property
    def at_rest(self) -> bool:
        """Whether no signal to another case is under way."""
        return self._under_way == 0

    async def join(self, earlier: list[str]) -> None:
        """Let the first of the `earlier` cases that is alive handle this complaint, where nothing has begun here."""
        case = self._desk.case
        for first in earlier:
            if case.closing:
                return
            self._joining = first
            merges = linking.can_merge(case)
            sent = linking.link_message(case, merges=merges)
            alive = await self._signal(first, COMPLAINT_LINKED, sent)
            while alive and merges and linking.can_merge(case) and sent != linking.link_message(case, merges=True):
                # Somebody has added something meanwhile: it is taken over as well.
                if not workflow.patched("linked-again"):
                    break
                sent = linking.link_message(case, merges=True)
                alive = await self._signal(first, COMPLAINT_LINKED, sent)
            if alive and merges and not linking.can_merge(case):
                # An agent was faster: it is handled here after all.
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
        """Apply a signal of another case; raises `Refusal`."""
        now = workflow.now()
        if isinstance(message, CaseClosed):
            if message.case == self._joining:
                self._answers.append(message)
            else:
                self._desk.apply(linking.close_with, message, now)
        elif not self._desk.apply(linking.link, message, now):
            self._desk.begin(self._turn_away(message.case))

    async def _turn_away(self, later: str) -> None:
        """It came too late for this case: it goes on by itself."""
        await self._signal(later, CASE_CLOSED, CaseClosed(case=self._desk.case.id))

    def pass_on(self, name: str, payload: Any) -> None:
        """A fact for the case that this one was merged into; raises `Refusal` where it must not go there."""
        if self._desk.apply(linking.pass_on, name, payload, workflow.now(), workflow.patched):
            self._desk.begin(self._pass_on(name, payload))

    async def _pass_on(self, name: str, payload: Any) -> None:
        """Hand it over; where the other case is gone, this one goes on alone and takes it itself (S22)."""
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
        """Signal the cases that this one has handled as well that it has closed; one that is gone needs no signal."""
        case = self._desk.case
        for later in linking.merged(case):
            await self._signal(later, CASE_CLOSED, CaseClosed(case=case.id, outcome=case.outcome))

    async def _signal(self, case_id: str, name: str, payload: Any) -> bool:
        """Send a signal; returns whether the other case has it. False: it does not exist, or is over."""
        content = payload.model_dump(mode="json") if isinstance(payload, BaseModel) else payload
        self._under_way += 1
        try:
            await workflow.get_external_workflow_handle(workflow_id(case_id)).signal(name, content)
        except FailureError:
            return False
        finally:
            self._under_way -= 1
        return True
