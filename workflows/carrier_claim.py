"""The workflow of a claim against a carrier: filed once, within its window, and tracked until it is decided (B16).

It outlives its case. The rules are in `cases.claim.claim`; this module decides when they are applied.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError

from cases.claim.claim import ANSWER_WITHIN, FACTS, Claim, ClaimState, keep_refused, receive
from cases.claim.terms import ClaimTerms
from cases.claim.view import ClaimView, claim_page
from cases.contract import CLAIM_WORKFLOW
from cases.errors import Refusal
from cases.partner_calls import Receipt
from cases.patches import always
from cases.policy.remedy_kinds import ROWS
from cases.progress.call_outcomes import Refused
from cases.reasons import Reason
from cases.vocabulary import Partner, RemedyKind
from workflows.sdk import step_calls
from workflows.sdk.activity_calls import Result, at, call, durably, kind_of, outcome_of, sentence
from workflows.sdk.handlers import decoded, handles, rejection
from workflows.sdk.options import FIND, LETTER, RECORD, STEP
from workflows.sdk.search import KEYS

with workflow.unsafe.imports_passed_through():
    from activities.messaging import Messaging
    from activities.outcomes import REFUSED, UNKNOWN
    from activities.records import ClaimRecord, Records

Arguments = ParamSpec("Arguments")
CARRIER = ROWS[RemedyKind.CARRIER_CLAIM].partner
A_DAY = timedelta(days=1)
"""The pause between attempts to file, if the carrier does not accept the claim. Its window is counted in days."""


@workflow.defn(name=CLAIM_WORKFLOW)
@handles(signals=FACTS, updates=FACTS)
class CarrierClaim:
    """One claim against one carrier."""

    @workflow.init
    def __init__(self, terms: ClaimTerms) -> None:
        self._claim = Claim(terms=terms, documents=terms.command.documents)
        self._notices: list[asyncio.Task[None]] = []
        self._logged: ClaimState | None = None

    @workflow.run
    async def run(self, terms: ClaimTerms) -> ClaimView:
        """Wait for the window and the documents, file, and wait for the carrier's answer. Return the final state."""
        workflow.upsert_search_attributes([KEYS[name].value_set(value) for name, value in terms.attributes.items()])
        pursuit, cancelled = asyncio.create_task(self._pursue()), False
        try:
            await asyncio.shield(pursuit)
        except asyncio.CancelledError:
            cancelled = True
            # Finish a filing that is in progress; if the carrier decides meanwhile, its decision counts.
            await workflow.wait_condition(lambda: self._claim.state is not ClaimState.FILING)
            if self._claim.open:
                self._apply(Claim.end, ClaimState.CANCELLED, workflow.now())
            await pursuit
        await workflow.wait_condition(workflow.all_handlers_finished)
        if cancelled:
            raise asyncio.CancelledError
        return ClaimView.of(self._claim)

    @workflow.query(description="The claim: its window, its documents, and what was claimed, recovered and paid out")
    def claim(self) -> ClaimView:
        """Return the state of the claim."""
        return ClaimView.of(self._claim)

    def page(self) -> str:
        """Return the page in the Temporal UI, in Markdown (`workflows.sdk.page`)."""
        return claim_page(self._claim)

    # From opening to the end

    async def _pursue(self) -> None:
        claim = self._claim
        self._log()
        if workflow.now() > claim.terms.not_after:
            self._apply(Claim.end, ClaimState.EXPIRED, workflow.now())
        if claim.open:
            await self._record()
            await self._until(claim.terms.not_before, "the carrier takes no claim before this")
            await self._collect()
            await self._file()
            await self._wait_for_answer()
        if claim.state is ClaimState.EXPIRED:
            self._notify("expired")
        await self._record()
        await asyncio.gather(*self._notices)

    async def _collect(self) -> None:
        """Notify staff of missing documents, and wait for them until the last day of the window."""
        claim = self._claim
        if claim.open and claim.missing and workflow.now() < claim.last_call:
            self._notify("documents")
        await self._until(claim.last_call, "documents are missing: filed without them", lambda: not claim.missing)

    async def _file(self) -> None:
        """Try to file once a day, until the carrier has accepted it, may have accepted it, or the window has closed."""
        claim = self._claim
        while claim.open and not await self._sent():
            next_try = min(workflow.now() + A_DAY, claim.terms.not_after)
            await self._until(next_try, "the carrier did not take the claim: try again")
            if claim.open and workflow.now() >= claim.terms.not_after:
                self._apply(Claim.end, ClaimState.EXPIRED, workflow.now())

    async def _sent(self) -> bool:
        """Return False if the carrier certainly has not accepted it. Only "unknown key" allows another call."""
        claim = self._claim
        if claim.number > 1 and workflow.patched("earlier keys are asked") and await self._taken_before():
            return True
        command, send_until = claim.command(), workflow.now() + claim.terms.send_again_within
        while claim.open:
            self._apply(Claim.file)
            try:
                what = f"claim {claim.terms.claimed} {command.currency}"
                filing = step_calls.carry_out(CARRIER, command, None)
                receipt: Receipt | None = await durably(filing, summary=what, options=STEP)
            except ActivityError as error:
                match outcome_of(error):
                    case Refused(later_try=int(number)):  # the claim was reset, and that attempt was sent (S25)
                        self._apply(Claim.use_key, number)
                        return await self._sent()
                if kind_of(error) != UNKNOWN:
                    self._apply(Claim.not_accepted, sentence(error), final=kind_of(error) == REFUSED)
                    return False
                receipt = await self._found(command.key, sentence(error))
            if receipt is not None:
                self._apply(Claim.accepted, receipt, workflow.now())
                break
            if claim.open and workflow.now() >= send_until:
                self._notify("unknown")
                break
        return True

    async def _taken_before(self) -> bool:
        """Ask, before a new key is used, whether the carrier accepted the claim under the previous key (S25)."""
        claim = self._claim
        self._apply(Claim.use_key, claim.number - 1)  # until the carrier answers, reports are about that key
        key = claim.command().key
        receipt = await self._found(key, str(Reason.of("earlier_key", who=claim.terms.carrier, key=key)))
        if receipt is not None:
            self._apply(Claim.accepted, receipt, workflow.now())
        elif claim.open:
            self._apply(Claim.use_key, claim.number + 1)
            return False
        return True

    async def _found(self, key: str, why: str) -> Receipt | None:
        """Ask the carrier for the claim by its key, until it answers or the claim has ended (S13)."""
        claim = self._claim
        self._apply(Claim.unknown, why)
        find = step_calls.find(CARRIER, key)
        asked = asyncio.create_task(durably(find, summary="was the claim filed?", options=FIND))
        await workflow.wait_condition(lambda: asked.done() or not claim.open)
        if not asked.done():
            asked.cancel()
            return None
        return await asked

    async def _wait_for_answer(self) -> None:
        claim = self._claim
        if claim.open:
            await self._record()
        await self._until(workflow.now() + ANSWER_WITHIN, "the carrier has not answered: notify staff")
        if claim.open:
            self._apply(Claim.unanswered)
            self._notify("unanswered")
        await workflow.wait_condition(lambda: not claim.open)

    async def _until(self, at: datetime, why: str, or_when: Callable[[], bool] = lambda: False) -> None:
        """Wait until that time, or until `or_when` holds or the claim has ended. The timer shows `why`."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: not self._claim.open or or_when(), timeout=at - workflow.now(), timeout_summary=why
            )

    # Changes, and who is notified of them

    def _apply(
        self,
        change: Callable[Concatenate[Claim, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Call `change(claim, …)`, log a new state, and return the result.

        Only this method changes the claim, as only `Desk.apply` changes a case.
        """
        try:
            return change(self._claim, *arguments, **named)
        finally:
            self._log()

    def _log(self) -> None:
        """Log each new state, without text from outside."""
        claim = self._claim
        if claim.state is not self._logged:
            workflow.logger.info(f"carrier claim {claim.state}", extra={"case_id": claim.terms.command.case_id})
            self._logged = claim.state

    def _notify(self, why: str) -> None:
        """Notify staff in the background, so that an undeliverable notice does not delay the claim."""
        self._notices.append(asyncio.create_task(self._deliver(why)))

    async def _deliver(self, why: str) -> None:
        try:
            notice = at(Partner.MESSAGING, call(Messaging.to_staff, self._claim.notice(why)))
            await durably(notice, summary=f"notify staff: {why}", options=LETTER)
        except ActivityError:
            workflow.logger.warning("no channel takes a notice", extra={"case_id": self._claim.terms.command.case_id})

    async def _record(self) -> None:
        claim = self._claim
        record = ClaimRecord(
            case_id=claim.terms.command.case_id,
            order_id=claim.terms.command.order_id,
            carrier=claim.terms.carrier,
            state=claim.state,
            currency=claim.terms.command.currency,
            claimed=claim.terms.claimed,
            filed_at=claim.filed_at,
            recovered=claim.recovered,
            closed_at=claim.closed_at,
        )
        recording = call(Records.record_claim, record)
        paid_out = await durably(recording, summary=f"record: claim {claim.state}", options=RECORD)
        self._apply(Claim.set_paid_out, paid_out)

    # Messages

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, payloads: Sequence[RawValue]) -> None:
        """Record a signal with an unknown name under `refused`."""
        self.signalled(name, payloads[0] if payloads else None)

    def signalled(self, name: str, payload: Any) -> None:
        """Apply a signal, or record it under `refused` with the reason. No signal is dropped."""
        message: Any = None
        try:
            message = decoded(payload, workflow.patched)
            self._apply(receive, name, message, workflow.now(), workflow.patched)
        except Refusal as refusal:
            if self._apply(keep_refused, name, message, refusal, workflow.now()):
                workflow.logger.warning("signal refused", extra={"case_id": self._claim.terms.command.case_id})

    def check(self, name: str, payload: Any) -> None:
        """Validate an update by applying it to a copy; a rejected update adds no event to the history."""
        try:
            receive(self._claim.model_copy(deep=True), name, decoded(payload, always), workflow.now())
        except Refusal as refusal:
            raise rejection(refusal) from None

    async def updated(self, name: str, payload: Any) -> dict[str, Any]:
        """Apply an update and return its answer. Raises `ApplicationError` with the reason if it is rejected."""
        try:
            return self._apply(receive, name, decoded(payload, workflow.patched), workflow.now(), workflow.patched)
        except Refusal as refusal:
            raise rejection(refusal) from None
