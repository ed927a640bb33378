"""Steps: each carries out one remedy exactly once, also after failures (G6).

A step has a business key, `case/cycle/offer/step`, so that a crash, a reset or a continued run sends the same key
again. A new key is used only after the partner has finally refused (S13).
"""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel

from cases.complaint import Affected
from cases.partner_calls import Receipt, ReceiptState
from cases.policy.remedy_kinds import CLAIMS, GOODS, MONEY, RETURNS, ROWS, SHIPMENTS, VISITS
from cases.reasons import Reason, Why
from cases.state.offer import Remedy
from cases.vocabulary import Partner, RemedyKind, StepState

CHECK = "check"
"""Used instead of an offer's id for a step that only establishes the finding, such as a site check."""

PRECAUTION = "precaution"
"""Used instead of an offer's id for a step that begins when the complaint arrives (F11)."""

PARTS = 3
"""The parts of a key between the case id and the attempt number: cycle, offer, step."""

SETTLED = frozenset({StepState.DONE, StepState.WAIVED})


class Step(BaseModel):
    """The execution of one remedy."""

    id: str
    kind: RemedyKind
    remedy: Remedy
    cycle: int
    offer: str
    after: list[str] = []
    """Ids of the steps that have to be under way first."""
    state: StepState = StepState.WAITING
    reference: str | None = None
    attempts: int = 0
    number: int = 1
    """The number in the key. It increases after a final refusal, so that the next attempt has a new key."""
    asking: int | None = None
    """The number of an earlier key that the partner is asked about before the new key is used (S25)."""
    reason: Why | None = None
    added_at: AwareDatetime | None = None
    since: AwareDatetime | None = None
    """When the step entered its current state."""
    heard_at: dict[ReceiptState, AwareDatetime] = {}
    """When the partner first reached each state in the current attempt. Promises are judged by this (S32)."""
    uncertain: bool = False
    """Whether the partner may have done it without a report. Until the partner answers, the money counts (S13)."""
    contested: bool = False
    """Whether the partner has reported both that it was done and that it was not. A person decides (S26, S27)."""
    to_clear_up: bool = False
    """Whether the partner has to be asked by key, because it reported the step as failed and then as done (S26)."""
    disputed: list[int] = []
    """The numbers of earlier keys that were contested."""
    told: bool = False
    """Whether the owner was notified that the result is unknown."""
    team: str | None = None
    """The team that has to resolve the step while it is blocked."""
    over_limit: bool = False
    """Whether the order's limit refused it, so that another attempt needs an approval (S15, S35)."""
    approved_by: str | None = None
    """The person who approved it beyond that limit."""
    makes_good: list[Affected] = []
    """The units of the order's items that it makes good (S35)."""

    @property
    def partner(self) -> Partner:
        """The partner that carries the step out."""
        return ROWS[self.kind].partner

    @property
    def begun(self) -> bool:
        """Return whether the step has begun: the partner may have received a request."""
        return self.state is not StepState.WAITING or self.attempts > 0

    @property
    def settled(self) -> bool:
        """Return whether the step is done or waived."""
        return self.state in SETTLED

    @property
    def sent_or_done(self) -> bool:
        """Return whether the goods were dispatched or, for a step without goods, whether it is done."""
        return (
            self.state in (StepState.DISPATCHED, StepState.DONE) if self.kind in GOODS else self.state is StepState.DONE
        )

    @property
    def booked(self) -> bool:
        """Return whether the partner has accepted the step."""
        return self.reference is not None and self.state is not StepState.BLOCKED

    @property
    def under_way(self) -> bool:
        """Return whether dependent steps may begin: the goods were dispatched, or the partner accepted another step.

        Steps that depend on a waived step do not begin, because it was not carried out (S28).
        """
        if self.state in (StepState.DONE, StepState.DISPATCHED):
            return True
        return self.kind not in GOODS and self.state is StepState.RUNNING and self.reference is not None

    @property
    def counts(self) -> bool:
        """Return whether the step was or may have been carried out: it has begun and was not finally refused."""
        stopped = self.state in (StepState.BLOCKED, StepState.WAIVED)
        return self.begun and (self.uncertain or not stopped)

    def _failed(self, detail: str) -> Reason:
        """Return the reason for a failure that the partner reported, with the partner's words if there are any."""
        if detail:
            return Reason.of("partner_says", who=self.partner, words=detail)
        return Reason.of("partner_failed", who=self.partner)

    def key(self, case_id: str, number: int | None = None) -> str:
        """Return the business key for all calls of this step, or that of an earlier attempt by its `number`."""
        key = f"{case_id}/{self.cycle}/{self.offer}/{self.id}"
        number = number or self.number
        return key if number == 1 else f"{key}/{number}"

    def key_in_question(self, case_id: str) -> str:
        """Return the earlier key that the partner is being asked about, else the current key."""
        return self.key(case_id, self.asking)

    def contradicts(self, state: ReceiptState) -> bool:
        """Return whether `state` contradicts the partner's report on the same attempt: done and failed (S26)."""
        if state is ReceiptState.FAILED:
            return self.state is StepState.DONE
        return state is ReceiptState.DONE and self.failed

    @property
    def can_be_taken_back(self) -> bool:
        """Return whether the partner may still report a failure, such as a closed account or returned goods (S27)."""
        elsewhere = self.partner is Partner.MESSAGING or self.kind in CLAIMS
        return self.state is StepState.DONE and not elsewhere

    @property
    def failed(self) -> bool:
        """Return whether the partner has finally refused and no person has resolved the step yet."""
        return self.state is StepState.BLOCKED and not self.uncertain and self.reference is not None

    def awaits_result(self, attempt: int) -> bool:
        """Return whether this attempt has no result yet. A report can arrive before the answer to the call."""
        return self.attempts == attempt and self.state in (StepState.RUNNING, StepState.UNKNOWN)

    def enter(self, state: StepState, at: datetime, reason: Why | None = None) -> None:
        """Change the state."""
        if state in (StepState.WAITING, StepState.BLOCKED):
            self.heard_at = {}
        self.asking = None
        self.state, self.since, self.reason, self.told = state, at, reason, False

    def reached(self, *states: ReceiptState) -> datetime | None:
        """Return when the partner first reached one of `states`, if known; never before the step was added."""
        known = [self.heard_at[state] for state in states if state in self.heard_at]
        at = min(known) if known else self.since
        return max(at, self.added_at) if at and self.added_at else at

    def apply(self, receipt: Receipt, at: datetime) -> None:
        """Apply a partner's receipt: accepted, dispatched, done or failed. The state never goes back."""
        blocked = self.state is StepState.BLOCKED and not self.uncertain
        if (
            self.settled
            or self.contested
            or (blocked and receipt.state in (ReceiptState.ACCEPTED, ReceiptState.FAILED))
        ):
            return
        self.reference = receipt.reference
        self.uncertain = False
        self.heard_at[receipt.state] = min(at, self.heard_at.get(receipt.state, at))
        match receipt.state:
            case ReceiptState.ACCEPTED:
                if self.state is not StepState.DISPATCHED:
                    self.enter(StepState.RUNNING, at)
            case ReceiptState.DISPATCHED:
                self.enter(StepState.DISPATCHED, at)
            case ReceiptState.DONE:
                self.enter(StepState.DONE, at)
            case ReceiptState.FAILED:
                self.number += 1
                self.enter(StepState.BLOCKED, at, self._failed(receipt.detail))


def split_key(key: str, case_id: str) -> tuple[str, int]:
    """Return the key of a step's first attempt, and the attempt number that `key` contains (see `Step.key`)."""
    parts = key.removeprefix(f"{case_id}/").split("/")
    if len(parts) == PARTS + 1 and parts[PARTS].isdecimal():
        return key.rpartition("/")[0], int(parts[PARTS])
    return key, 1


def depends_on(kind: RemedyKind, others: list[Step]) -> list[str]:
    """Return the ids of the steps of the same option that have to be under way first.

    Goods are shipped before the old ones are collected (G6). Steps that can fail come before payments (S17).
    """
    if kind in RETURNS:
        return [step.id for step in others if step.kind in SHIPMENTS]
    if kind in MONEY:
        return [step.id for step in others if step.kind in (SHIPMENTS | VISITS)]
    return []
