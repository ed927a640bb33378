"""The start and end of a case in our database: its policy, its claimed id, its final snapshot."""

from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel
from temporalio import activity
from temporalio.exceptions import ApplicationError

from cases.complaint import Complaint
from cases.contract import CASE_ID_TAKEN, UNKNOWN_MEASURE
from cases.entitlement.follow_up import Earlier, follow_up_problems
from cases.errors import InvalidInput, Problem
from cases.input.decoding import check_size
from cases.input.drafts import collect_problems
from cases.later_call.later_call import LaterCallView
from cases.measure.measure import Measure
from cases.measure.proposed import MeasureState
from cases.money import Money
from cases.policy.admission import check_complaint, policy_for
from cases.policy.pinned import PinnedPolicy
from cases.policy.policy import Policy
from cases.state.account import Account
from cases.views.inquiry_answer import Answer
from cases.views.listing import Projected
from records import AlreadyArchived, CaseIdTaken, LedgerRefusal, RecordsUnavailable
from records import Records as Database


class Admission(BaseModel):
    """The result of checking a complaint: the part of the policy that it is pinned to (S18), or its problems."""

    policy: PinnedPolicy | None = None
    earlier: Earlier | None = None
    """The closed case that this one follows (G12)."""
    others: list[str] | None = None
    """Open cases about the same order and topic, from claiming the id; None if it was not claimed."""
    account: Account | None = None
    """What the order's other cases have taken (S35). None: no order, database unavailable, or an older worker."""
    rereads_account: bool = False
    """Whether the case reads the account again before it makes an offer (S35). False in results of older workers."""
    projects: bool = False
    """Whether the case writes its row for lists; False in results of older workers."""
    problems: list[Problem] = []


class Claim(BaseModel):
    """A case's claim to its id. `run_id` is the workflow's first run; it stays the same after a reset."""

    complaint: Complaint
    run_id: str
    opened_at: AwareDatetime


class Closing(BaseModel):
    """The end of a case: its final snapshot, its complaint, and the answer if it was an inquiry (M14)."""

    case_id: str
    closed_at: AwareDatetime
    outcome: str
    record: dict[str, Any]
    complaint: dict[str, Any] | None = None
    answer: Answer | None = None
    vouched: dict[str, str] = {}
    """Payments that count as done on a report: key → who reported it."""


class ClaimRecord(BaseModel):
    """The state of a carrier claim (B16). Amounts are in the order's currency."""

    case_id: str
    order_id: str
    carrier: str
    state: str
    currency: str = "CNY"
    claimed: Money
    filed_at: AwareDatetime | None = None
    recovered: Money = Decimal(0)
    closed_at: AwareDatetime | None = None


class MeasureRecord(BaseModel):
    """The state of an improvement measure (G13)."""

    measure_id: str
    state: MeasureState
    owner: str | None
    due_on: date | None
    adopted_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    result: str | None


class Records:
    """The activities that use the policies in force and our database."""

    def __init__(self, policies: dict[str, Policy], database: Database) -> None:
        self._policies = policies
        self._database = database

    @activity.defn(name="admit")
    def admit(self, raw: Any, now: datetime, run_id: str | None) -> Admission:
        """Check the complaint and pin the current policy of its line.

        With a `run_id`, also claim the case id if the database is available. Without one, only a complaint that
        follows a closed case needs the database (G12).
        """
        try:
            check_size(raw)
            complaint, policy, problems = check_complaint(raw, now, self._policies)
        except InvalidInput as error:
            return Admission(problems=error.problems)
        earlier = self._followed(complaint, policy, problems)
        if problems or policy is None:
            return Admission(problems=InvalidInput(problems).problems)
        others = None
        # Empty if the database is unavailable: the ledger still checks every step against what is left.
        account = Account() if complaint.order else None
        if run_id is not None:
            with suppress(RecordsUnavailable):
                # The account first: once the id is claimed, the case takes the account as read (S35).
                if complaint.order:
                    account = self.account(complaint.order.order_id, complaint.case_id)
                others = self.claim(Claim(complaint=complaint, run_id=run_id, opened_at=now))
        return Admission(
            policy=policy.slice_for(complaint),
            earlier=earlier,
            others=others,
            account=account,
            rereads_account=True,
            projects=True,
        )

    def _followed(self, complaint: Complaint, policy: Policy | None, problems: list[Problem]) -> Earlier | None:
        """Return the case that a complaint or draft follows. Add to `problems` why it cannot follow that case."""
        follows = getattr(complaint, "follows", None)
        if follows is None:
            return None
        try:
            earlier = self._earlier(follows)
        except RecordsUnavailable:
            if problems:
                return None  # the complaint is refused anyway
            raise
        if policy:
            problems += collect_problems([follow_up_problems], complaint, earlier, policy)
        return earlier

    @activity.defn(name="order-account")
    def account(self, order_id: str, case_id: str) -> Account:
        """Return what the order's cases other than `case_id` have taken. Read before each offer (S35)."""
        return self._database.account(order_id, case_id)

    @activity.defn(name="policy-in-force")
    def in_force(self, complaint: Complaint) -> Admission:
        """Return the policy that the complaint would be pinned to now, for a case that is moved (S18)."""
        try:
            return Admission(policy=policy_for(complaint, self._policies).slice_for(complaint))
        except InvalidInput as error:
            return Admission(problems=error.problems)

    def _earlier(self, case_id: str) -> Earlier | None:
        """Return what the database has of a closed case; only its row if the snapshot was erased."""
        row = self._database.case(case_id)
        if row is None:
            return None
        paid = self._database.paid_out(row["order_id"]) if row["order_id"] else {}
        return Earlier.of(row | (row["record"] or {}), paid)

    @activity.defn(name="claim-case-id")
    def claim(self, claim: Claim) -> list[str]:
        """Claim the case id. It can never be used again, even after Temporal has deleted the case.

        Return the open cases about the same order and topic, oldest first (G12).
        """
        complaint = claim.complaint
        try:
            return self._database.open_case(
                complaint.case_id,
                claim.run_id,
                line=complaint.line,
                topic=complaint.topic,
                order_id=complaint.order.order_id if complaint.order else None,
                received_at=complaint.received_at,
                opened_at=claim.opened_at,
            )
        except CaseIdTaken as error:
            raise ApplicationError(str(error), type=CASE_ID_TAKEN, non_retryable=True) from None

    @activity.defn(name="archive")
    def archive(self, closing: Closing) -> None:
        """Archive the case beyond Temporal's retention (G9), and book payments that are only known from a report."""
        try:
            self._database.archive_case(
                closing.case_id, closing.closed_at, closing.outcome, closing.record, closing.complaint
            )
        except AlreadyArchived as error:
            # A reset case closes a second time. The first record is kept.
            activity.logger.warning("archived before", extra={"why": str(error)})
        if closing.answer:
            self._database.keep_answer(closing.case_id, **dict(closing.answer))
        for key, whose in closing.vouched.items():
            # If the partner answered, its answer is booked already and is kept. A payment that was taken back while
            # the case closed stays contested (S27).
            with suppress(LedgerRefusal):
                self._database.vouch(key, whose)

    @activity.defn(name="project-case")
    def project(self, row: Projected | None) -> bool:
        """Write the row that lists show of a case; returns whether there was one to write.

        A row that is older than the one in the database changes nothing.
        """
        if row is None:
            return False
        self._database.project(row)
        return True

    @activity.defn(name="keep-later-call")
    def keep_later_call(self, call: LaterCallView) -> None:
        """Keep what the customer said at the later call, or that there was no answer (G13)."""
        self._database.keep_later_call(call)

    @activity.defn(name="take-up-measure")
    def take_up_measure(self, measure_id: str) -> Measure:
        """Return the measure as our database has it, with the terms of its line. Fails if nobody has proposed it."""
        about = self._database.measure(measure_id)
        policy = self._policies.get(about.line) if about else None
        if about is None or policy is None or policy.measures is None:
            what = f"line {about.line} has no terms for measures" if about else "no review has proposed it"
            why = f"there is no measure {measure_id}: {what}"
            raise ApplicationError(why, type=UNKNOWN_MEASURE, non_retryable=True)
        return Measure(about=about, terms=policy.measures, timezone=policy.timezone)

    @activity.defn(name="record-measure")
    def record_measure(self, record: MeasureRecord) -> None:
        """Write what has become of the measure."""
        self._database.record_measure(**dict(record))

    @activity.defn(name="record-carrier-claim")
    def record_claim(self, claim: ClaimRecord) -> Decimal:
        """Record what was claimed from the carrier and what it paid. Return what the case has paid out so far."""
        # Field by field, because model_dump would turn amounts into text.
        return self._database.record_claim(**{name: getattr(claim, name) for name in ClaimRecord.model_fields})
