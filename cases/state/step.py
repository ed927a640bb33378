"""A step carries out one remedy, exactly once, also after failures (G6).

Its key is a business key, `case/cycle/offer/step`, so that a crash, a reset or a continued run sends the same
one. Only a partner's final no frees a step to be tried under a new key (S13).
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
"""What stands in place of an offer's id for a step that only establishes the finding (a site check)."""

PRECAUTION = "precaution"
"""What stands in place of an offer's id for a step that is begun when the complaint arrives (F11)."""

PARTS = 3
"""Of a key, beside the case and the number of the try: cycle, offer, step."""

SETTLED = frozenset({StepState.DONE, StepState.WAIVED})


class Step(BaseModel):
    """One remedy while it is carried out."""

    id: str
    kind: RemedyKind
    remedy: Remedy
    cycle: int
    offer: str
    after: list[str] = []
    """Steps that have to be under way first."""
    state: StepState = StepState.WAITING
    reference: str | None = None
    attempts: int = 0
    number: int = 1
    """Grows when a partner has finally said no and a person wants it tried again: a new key."""
    asking: int | None = None
    """The number of an earlier key that its partner is asked for, before anything is sent under the new one (S25)."""
    reason: Why | None = None
    added_at: AwareDatetime | None = None
    since: AwareDatetime | None = None
    """Since when it has been in its present state."""
    heard_at: dict[ReceiptState, AwareDatetime] = {}
    """When its partner had first come so far with the present try: what promises are judged by (S32)."""
    uncertain: bool = False
    """The partner may have done it without our knowing; until it says, the money counts as gone (S13)."""
    contested: bool = False
    """Its partner has said both that it was done and that it was not; a person decides (S26, S27)."""
    to_clear_up: bool = False
    """It was reported as failed and then as done: its partner is to be asked by key (S26)."""
    disputed: list[int] = []
    """The numbers of earlier keys of which that was so."""
    told: bool = False
    """Its owner was notified that its result is unknown."""
    team: str | None = None
    """Who has to free it, while it is blocked."""
    over_limit: bool = False
    """The order's limit refused it: trying it again takes somebody's approval (S15, S35)."""
    approved_by: str | None = None
    """Who approved it beyond that limit."""
    makes_good: list[Affected] = []
    """The units of the order's items that it makes good (S35)."""

    @property
    def partner(self) -> Partner:
        """Who carries it out."""
        return ROWS[self.kind].partner

    @property
    def begun(self) -> bool:
        """Whether anything was asked of a partner."""
        return self.state is not StepState.WAITING or self.attempts > 0

    @property
    def settled(self) -> bool:
        """Whether it is done or waived."""
        return self.state in SETTLED

    @property
    def left(self) -> bool:
        """Whether goods have left, or, of all else, it is done."""
        return (
            self.state in (StepState.DISPATCHED, StepState.DONE) if self.kind in GOODS else self.state is StepState.DONE
        )

    @property
    def booked(self) -> bool:
        """Whether the partner has taken it on."""
        return self.reference is not None and self.state is not StepState.BLOCKED

    @property
    def under_way(self) -> bool:
        """Whether what depends on it may begin: goods have left; for all else the partner has taken it on.

        A step that was waived has not happened: what depends on it does not begin (S28).
        """
        if self.state in (StepState.DONE, StepState.DISPATCHED):
            return True
        return self.kind not in GOODS and self.state is StepState.RUNNING and self.reference is not None

    @property
    def counts(self) -> bool:
        """Whether it has, or may have, been carried out: it has begun and was not finally refused."""
        stopped = self.state in (StepState.BLOCKED, StepState.WAIVED)
        return self.begun and (self.uncertain or not stopped)

    def _failed(self, detail: str) -> Reason:
        """Why the partner's word is a failure: its own words, where it gave any."""
        if detail:
            return Reason.of("partner_says", who=self.partner, words=detail)
        return Reason.of("partner_failed", who=self.partner)

    def key(self, case_id: str, number: int | None = None) -> str:
        """The business key that every call for this step carries; that of an earlier try by its `number`."""
        key = f"{case_id}/{self.cycle}/{self.offer}/{self.id}"
        number = number or self.number
        return key if number == 1 else f"{key}/{number}"

    def key_in_question(self, case_id: str) -> str:
        """The key that its partner is asked for, else the one that it is carried out under."""
        return self.key(case_id, self.asking)

    def contradicts(self, state: ReceiptState) -> bool:
        """Whether `state` contradicts what the partner reported of the same attempt: done and failed (S26)."""
        if state is ReceiptState.FAILED:
            return self.state is StepState.DONE
        return state is ReceiptState.DONE and self.failed

    @property
    def can_be_taken_back(self) -> bool:
        """Whether its partner may still report a failure: an account is closed, goods come back (S27)."""
        elsewhere = self.partner is Partner.MESSAGING or self.kind in CLAIMS
        return self.state is StepState.DONE and not elsewhere

    @property
    def failed(self) -> bool:
        """Whether its partner has finally said no, and nobody has decided yet what happens."""
        return self.state is StepState.BLOCKED and not self.uncertain and self.reference is not None

    def waits(self, attempt: int) -> bool:
        """Whether this attempt has no result yet: a report can arrive before the answer to the call."""
        return self.attempts == attempt and self.state in (StepState.RUNNING, StepState.UNKNOWN)

    def enter(self, state: StepState, at: datetime, reason: Why | None = None) -> None:
        """Change state."""
        if state in (StepState.WAITING, StepState.BLOCKED):
            self.heard_at = {}
        self.asking = None
        self.state, self.since, self.reason, self.told = state, at, reason, False

    def reached(self, *states: ReceiptState) -> datetime | None:
        """When its partner first was at one of `states`, as far as we know; never before the step was agreed."""
        known = [self.heard_at[state] for state in states if state in self.heard_at]
        at = min(known) if known else self.since
        return max(at, self.added_at) if at and self.added_at else at

    def apply(self, receipt: Receipt, at: datetime) -> None:
        """Apply what the partner says: accepted, dispatched, done or failed. It never goes back to an earlier state."""
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


def tried(key: str, case_id: str) -> tuple[str, int]:
    """The key of the step's first try, and the number of the try that `key` stands for (`Step.key`)."""
    parts = key.removeprefix(f"{case_id}/").split("/")
    if len(parts) == PARTS + 1 and parts[PARTS].isdecimal():
        return key.rpartition("/")[0], int(parts[PARTS])
    return key, 1


def depends_on(kind: RemedyKind, others: list[Step]) -> list[str]:
    """The steps of the same option that have to be under way first.

    Goods are shipped before the old ones are collected (G6). What can fail comes before money (S17).
    """
    if kind in RETURNS:
        return [step.id for step in others if step.kind in SHIPMENTS]
    if kind in MONEY:
        return [step.id for step in others if step.kind in (SHIPMENTS | VISITS)]
    return []
