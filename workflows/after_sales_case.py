"""The life of one complaint, from receipt to closing (G1–G10).

What is true and what follows is in `cases`; here is when it happens: a change is made, and everything that it
makes possible (steps, letters, timers) is begun. Handlers record and return; `run` waits for the end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from cases.complaint import Complaint
from cases.contract import CASE_QUERY, CASE_WORKFLOW, INVALID_COMPLAINT, MOVE_POLICY, PREVIEW_QUERY, workflow_id
from cases.errors import Problem, Refusal
from cases.inbox.messages import FACTS, MESSAGES, read
from cases.inbox.policy_move import previewed
from cases.inbox.receiving import receive, receive_signal, refuse
from cases.inbox.same_matter import BETWEEN_CASES
from cases.inbox.same_matter import read as read_signal
from cases.partner_calls import DispatchRecord, InstallationRecord, LookUp, Trail
from cases.policy.policy import Policy
from cases.progress.assessing import consider
from cases.progress.closing import end
from cases.progress.opening import open_case
from cases.progress.verification import looked_up
from cases.state.case import Case
from cases.views.answers import answer_of
from cases.views.snapshot import BEING_ADMITTED, attributes, details, snapshot
from cases.vocabulary import Outcome, Status, StepState
from workflows.clocks import Clocks
from workflows.counts import Counts
from workflows.desk import Desk
from workflows.errands import call
from workflows.handlers import Unreadable, decoded, decoded_unchecked, handles, rejection
from workflows.letters import Letters
from workflows.linking import Linking
from workflows.options import LOOK_UP, RECORD
from workflows.remedies import Remedies
from workflows.search import KEYS

with workflow.unsafe.imports_passed_through():
    from activities.installation import Installation
    from activities.logistics import Logistics
    from activities.records import Admission, Claim, Closing, Records
    from activities.verification import Answers, Verification
    from activities.warehouse import Warehouse

LOOK_UPS: dict[str, Callable[[Any, LookUp], Awaitable[Trail | DispatchRecord | InstallationRecord | None]]] = {
    "trail": Logistics.trail,
    "dispatch": Warehouse.record,
    "installation": Installation.record,
}
OFFERS = frozenset({"assess", "propose", "approve"})
"""Messages that may put an offer to the customer: the order's account is read before them (S35)."""
CONTINUED = "continued_case"
"""The key under which a case that continues as new carries itself; no complaint has it."""


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
        self._early: list[tuple[str, Any]] = []
        self._shown: dict[str, Any] = {}
        self._logged = 0
        self._counts = Counts()

    @workflow.run
    async def run(self, complaint: RawValue) -> dict[str, Any]:
        """Admit the complaint, handle it to its end, keep its record; answers with the final snapshot."""
        await self._admit(complaint)
        self._desk.watch(self._attend())
        cancelled = False
        try:
            await self._desk.until(lambda: self._over() or self._history_is_long())
            if not self._over():
                workflow.continue_as_new({CONTINUED: self._desk.case.model_dump(mode="json")})
        except asyncio.CancelledError:
            cancelled = True
            await self._wind_up()
        await self._linking.tell_closed()
        await self._remedies.release_unpaid()
        record = await self._archive()
        await workflow.wait_condition(
            lambda: self._linking.at_rest and self._remedies.at_rest and workflow.all_handlers_finished()
        )
        while record != snapshot(self._desk.case):
            record = await self._archive()  # what came too late is kept as well (S22)
            await workflow.wait_condition(lambda: self._remedies.at_rest)
        # Here as well, because nobody says which of the two goes on first.
        self._tell()
        if cancelled:
            raise asyncio.CancelledError
        return record

    @workflow.query(name=CASE_QUERY, description="The case: what was found, promised, offered, done and paid")
    def snapshot(self) -> dict[str, Any]:
        """The snapshot (contract)."""
        if self._desk.admitted:
            return snapshot(self._desk.case)
        return {**BEING_ADMITTED, "case_id": workflow.info().workflow_id.removeprefix(workflow_id(""))}

    @workflow.query(name=PREVIEW_QUERY, description="What moving the case to another policy would change (S18)")
    def preview(self, asked: RawValue) -> dict[str, Any] | None:
        """What a move would change, by the very code that would do it; null: nothing."""
        try:
            return previewed(self._desk.case, decoded(asked)) if self._desk.admitted else None
        except Refusal as refusal:
            raise rejection(refusal) from None

    # Admission: G1

    async def _admit(self, payload: RawValue) -> None:
        continues = workflow.info().continued_run_id is not None
        try:
            # What continues was written by us, and outgrows what a complaint may be.
            raw = decoded_unchecked(payload) if continues else decoded(payload, workflow.patched)
        except Unreadable as fault:
            raise _invalid(fault.problems) from None
        if continues and isinstance(raw, dict) and CONTINUED in raw:
            self._desk.open(Case.model_validate(raw[CONTINUED]))
            self._logged = len(self._desk.case.timeline)
            self._counts.skip(self._desk.case)
        else:
            await self._open(raw)
        for name, message in self._early:
            self._take(name, message)
        self._early.clear()
        if self._desk.case.looking_up:
            self._desk.begin(self._look_up())

    async def _open(self, raw: Any) -> None:
        # Not `workflow.now()`: while a local activity is under way it may be another on replay.
        now = workflow.info().workflow_start_time
        admission = await self._admission(raw, now)
        if admission.policy is None:
            raise _invalid(admission.problems)
        complaint = Complaint.model_validate(raw)
        if workflow.info().workflow_id != workflow_id(complaint.case_id):
            belongs = f"belongs to workflow {workflow_id(complaint.case_id)}: start it under that id"
            raise _invalid([Problem(field="case_id", problem=belongs)])
        case = open_case(complaint, admission.policy, now, admission.earlier)
        case.account = admission.account
        self._desk.open(case)
        self._letters.deliver()  # the acknowledgement goes first
        self._desk.begin(self._claim_id(case, admission.others))
        if not case.looking_up:
            consider(case, now)

    async def _admission(self, raw: Any, now: datetime) -> Admission:
        """Checked and pinned; where our records can be asked at once, the case id is claimed in the same breath."""
        what = "check the complaint, pin the policy"
        ours = isinstance(raw, dict) and workflow.info().workflow_id == workflow_id(str(raw.get("case_id")))
        run_id = workflow.info().first_execution_run_id if ours else None
        try:
            return await self._desk.quickly(call(Records.admit, raw, now, run_id), summary=what)
        except FailureError as error:
            if isinstance(error, ApplicationError) and error.non_retryable:
                raise
            # Whether it may follow an earlier case our records have to say: they come back.
            return await self._desk.durably(call(Records.admit, raw, now, None), summary=what, options=RECORD)

    async def _claim_id(self, case: Case, others: list[str] | None) -> None:
        """Our own records keep the id from being used again, and know earlier complaints; down, they delay nothing."""
        if others is None:
            run_id = workflow.info().first_execution_run_id
            claim = Claim(complaint=case.complaint, run_id=run_id, opened_at=case.opened_at)
            others = await self._desk.durably(call(Records.claim, claim), summary="claim the case id", options=RECORD)
        await self._linking.join(others)

    # Verification: G3

    async def _look_up(self) -> None:
        """Ask the partners side by side; one that cannot be asked now holds nobody up."""
        case = self._desk.case
        wanted, question = list(case.looking_up), case.look_up()
        if question is None:
            return  # without an order there is nothing to look up
        try:
            answers = await self._desk.quickly(
                call(Verification.look_up, question, wanted), summary=f"look up {', '.join(wanted)}"
            )
        except FailureError:
            answers = Answers(failed=wanted)
        case.account = answers.account or case.account
        for what in wanted:
            looked_up(case, what, getattr(answers, what), workflow.now())
            if what in answers.failed:
                self._desk.begin(self._keep_looking(what, question))
        self._desk.changed()

    async def _keep_looking(self, what: str, question: LookUp) -> None:
        """A partner that could not be asked at first; what it says later still counts."""
        case = self._desk.case
        try:
            answer = await self._desk.durably(
                call(LOOK_UPS[what], question), summary=f"look up {what}", options=LOOK_UP
            )
        except ActivityError as error:
            case.note("not found", workflow.now(), f"{what}: {error.cause}")
        else:
            looked_up(case, what, answer, workflow.now())
        self._desk.changed()

    # The life of the case

    async def _attend(self) -> None:
        """After each change, begin what it makes possible, and let operators see it."""
        while True:
            seen = self._desk.revision
            self._clocks.ring()
            self._remedies.begin()
            self._letters.deliver()
            if self._desk.at_rest(seen):
                self._clocks.wind()
                self._tell()
            await workflow.wait_condition(lambda: self._desk.revision != seen)  # noqa: B023 (waited for at once)

    def _tell(self) -> None:
        """What operators, logs and metrics are told of the case, once a workflow task."""
        self._show()
        self._log()
        self._counts.count(self._desk.case)

    def _show(self) -> None:
        case = self._desk.case
        workflow.set_current_details(details(case))
        now_shown = attributes(case)
        updates = [
            key.value_unset() if value is None else key.value_set(value)
            for name, key in KEYS.items()
            if (value := now_shown[name]) != self._shown.get(name)
        ]
        if updates:
            workflow.upsert_search_attributes(updates)
            self._shown = now_shown

    def _log(self) -> None:
        """One line for each new entry of the timeline; its `text` and `by` may hold personal data and stay out."""
        case = self._desk.case
        told = {"case_id": case.id, "line": case.complaint.line, "topic": case.complaint.topic, "status": case.status}
        for entry in case.timeline[self._logged :]:
            workflow.logger.info(entry.what, extra=told)
        self._logged = len(case.timeline)

    def _over(self) -> bool:
        """Closed, and everybody who was to be told has been told."""
        return self._desk.case.status is Status.CLOSED and not self._desk.case.letters

    def _history_is_long(self) -> bool:
        """The history has grown long, and nothing is under way that a new run would not take up again."""
        case = self._desk.case
        quiet = not self._desk.busy and not case.letters and not case.ready() and not case.closing
        return quiet and workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished()

    async def _wind_up(self) -> None:
        """Somebody cancelled the workflow: no step is left in between, and the case ends in an orderly way."""
        case = self._desk.case
        await workflow.wait_condition(lambda: not self._in_between() or case.closing)
        if not case.closing:
            case.note("cancelled", workflow.now(), "the workflow was cancelled by an operator")
            end(case, Outcome.WITHDRAWN, workflow.now())
            self._desk.changed()
        await self._desk.until(self._over)

    def _in_between(self) -> bool:
        steps = self._desk.case.steps
        return any(s.state is StepState.UNKNOWN or (s.state is StepState.RUNNING and not s.reference) for s in steps)

    async def _archive(self) -> dict[str, Any]:
        """Keep the case's record (G9); answers with it."""
        case, record = self._desk.case, snapshot(self._desk.case)
        closing = Closing(
            case_id=case.id,
            closed_at=case.closed_at or workflow.now(),
            outcome=case.outcome or Outcome.WITHDRAWN,
            record=record,
            complaint=case.complaint.model_dump(mode="json", exclude_none=True),
            answer=answer_of(case),
            vouched=case.vouched,
        )
        # Never the quick way: a task that is lost with its worker may end otherwise, and the record would not.
        await self._desk.durably(call(Records.archive, closing), summary="archive the record", options=RECORD)
        return record

    # Messages

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, payloads: Sequence[RawValue]) -> None:
        """A signal that no case understands is kept under `refused` as well."""
        self.signalled(name, payloads[0] if payloads else None)

    def signalled(self, name: str, payload: Any) -> None:
        """A signal: applied, or kept under `refused` with the sentence that says why; never dropped."""
        if self._desk.admitted:
            self._take(name, payload)
        else:
            self._early.append((name, payload))

    def _take(self, name: str, payload: Any) -> None:
        now = workflow.now()
        message: Any = None
        try:
            message = decoded(payload, workflow.patched)
            if name in BETWEEN_CASES:
                self._linking.hear(read_signal(name, message))
            elif self._desk.case.merged_into and not self._desk.case.closing and name in FACTS:
                self._linking.pass_on(name, message)
            else:
                receive_signal(self._desk.case, name, message, now, workflow.patched)
        except Refusal as refusal:
            refuse(self._desk.case.refused, name, message, str(refusal), now)
        self._desk.changed()

    def check(self, name: str, payload: Any) -> None:
        """The update's validator: rehearse it on a copy, so that nothing is written when it is refused."""
        try:
            message = decoded(payload)
            if self._desk.admitted:
                # What the order's ledger has room for is judged by an account that is read when it is applied.
                rehearsed = self._desk.case.model_copy(deep=True, update={"account": None} if name in OFFERS else None)
                receive(rehearsed, name, message, workflow.now())
            else:
                read(name, message)
        except Refusal as refusal:
            raise rejection(refusal) from None

    async def updated(self, name: str, payload: Any) -> dict[str, Any]:
        """An update: applied and answered, or rejected with a sentence."""
        await workflow.wait_condition(lambda: self._desk.admitted)
        try:
            in_force = await self._in_force() if name == MOVE_POLICY else None
            if name in OFFERS:
                await self._read_account()
            answer = self._receive(name, payload, in_force)
        except Refusal as refusal:
            raise rejection(refusal) from None
        self._desk.changed()
        return answer

    def _receive(self, name: str, payload: Any, in_force: Policy | None) -> dict[str, Any]:
        message = decoded(payload, workflow.patched)
        return receive(self._desk.case, name, message, workflow.now(), in_force, workflow.patched)

    async def _read_account(self) -> None:
        """What the order's other cases have taken by now; where nobody can say, what was known last counts (S35).

        Only for a case that knows an account: what older workers began goes on as it was recorded.
        """
        case = self._desk.case
        if case.account is None or case.complaint.order is None:
            return
        order_id = case.complaint.order.order_id
        with suppress(FailureError):
            case.account = await self._desk.quickly(
                call(Records.account, order_id, case.id), summary="what is left of the order"
            )

    async def _in_force(self) -> Policy:
        """The policy that a worker has for the line, on record: whoever sends a message could forge one (S18)."""
        admission = await self._desk.durably(
            call(Records.in_force, self._desk.case.complaint), summary="look up the policy in force", options=RECORD
        )
        if admission.policy is None:
            raise Refusal("; ".join(str(p) for p in admission.problems))
        return admission.policy


def _invalid(problems: list[Problem]) -> ApplicationError:
    """What a complaint that came past the door fails with: the same list that the door gives."""
    listed = "; ".join(str(p) for p in problems)
    return ApplicationError(
        f"the complaint was refused: {listed}",
        [p.model_dump() for p in problems],
        type=INVALID_COMPLAINT,
        non_retryable=True,
    )
