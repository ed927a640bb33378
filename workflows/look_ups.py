"""Look-ups of a case: what partners know about it (G3), and the order's account and the policy in our database."""

from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError

from cases.errors import Refusal
from cases.look_ups import ROWS
from cases.partner_calls import LookUp
from cases.policy.policy import Policy
from cases.progress.assessing import consider_due
from cases.progress.verification import account_read, looked_up, not_found
from workflows.desk import Desk
from workflows.sdk.activity_calls import at, call, named
from workflows.sdk.options import LOOK_UP, RECORD

with workflow.unsafe.imports_passed_through():
    from activities.records import Records
    from activities.verification import Answers, Verification


class LookUps:
    """Runs the look-ups of a case and applies the answers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._offering = False

    def begin(self) -> None:
        """Start the look-ups at partners that the case needs."""
        question = self._desk.case.look_up()
        if question and self._desk.case.looking_up:
            self._desk.begin(self._look_up(question))

    async def _look_up(self, question: LookUp) -> None:
        """Ask all partners at the same time. Those that fail are asked again in the background."""
        wanted = list(self._desk.case.looking_up)
        try:
            answers = await self._desk.quickly(
                call(Verification.look_up, question, wanted), summary=f"look up {', '.join(wanted)}"
            )
        except FailureError:
            answers = Answers(failed=wanted)
        if answers.account:
            self._desk.apply(account_read, answers.account)
        for what in wanted:
            answer, fresh = getattr(answers, what), answers.account is not None
            self._desk.apply(looked_up, what, answer, workflow.now(), fresh=fresh)
            if what in answers.failed:
                self._desk.begin(self._keep_looking(what, question))

    async def _keep_looking(self, what: str, question: LookUp) -> None:
        """Ask one partner again after it failed. An answer that arrives late still counts."""
        row = ROWS[what]
        again = at(row.partner, named(row.activity, row.answer | None, question))
        try:
            answer = await self._desk.durably(again, summary=f"look up {what}", options=LOOK_UP)
        except ActivityError as error:
            self._desk.apply(not_found, what, str(error.cause), workflow.now())
        else:
            self._desk.apply(looked_up, what, answer, workflow.now())

    def offer(self) -> None:
        """If an offer is due, read the order's account and compute the offer (S35). Called after every change."""
        if self._desk.case.offer_due and not self._offering:
            self._offering = True
            self._desk.begin(self._offer())

    async def _offer(self) -> None:
        await self.order_account()
        self._offering = False
        self._desk.apply(consider_due, workflow.now())

    async def order_account(self) -> None:
        """Read what the order's other cases have taken. If the database is down, the last known account counts (S35).

        Only if the case has an account: cases that older workers opened have none, and replay without this call.
        """
        case = self._desk.case
        if case.account is None or case.complaint.order is None:
            return
        order_id = case.complaint.order.order_id
        with suppress(FailureError):
            account = await self._desk.quickly(
                call(Records.account, order_id, case.id), summary="what is left of the order"
            )
            self._desk.apply(account_read, account)

    async def policy_in_force(self) -> Policy:
        """Return the worker's policy for the line. It is not part of the message, where it could be forged (S18)."""
        admission = await self._desk.durably(
            call(Records.in_force, self._desk.case.complaint), summary="look up the policy in force", options=RECORD
        )
        if admission.policy is None:
            raise Refusal("; ".join(str(p) for p in admission.problems))
        return admission.policy
