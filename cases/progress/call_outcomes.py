"""What the outcome of a call to a partner means for its step, and what is called next (S13, S25, S26)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from cases.partner_calls import Receipt, ReceiptState
from cases.patches import Holds, always
from cases.policy.remedy_kinds import MONEY
from cases.progress.carrying_out import (
    apply_receipt,
    contest,
    in_ledger,
    numbered,
    refused,
    unknown,
    unnumbered,
)
from cases.reasons import Reason, Why
from cases.state.case import Case
from cases.state.step import Step
from cases.vocabulary import StepState

CONTRADICTIONS = "contradictions are cleared up"
NUMBERS = "the partner's number is kept"
CASE_RELEASES = "the case frees what was reserved"
"""Rules that cases may be older than (S26)."""


@dataclass(frozen=True)
class Refused:
    """A final no, of the partner or of the order's ledger: nothing was done under this key."""

    why: Why
    over_limit: bool = False
    """The order's limit refused it; up to a manager's limit it can be approved (S15)."""
    reserved: bool = False
    """The ledger has reserved the payment, which is free again now (S26)."""
    later_try: int | None = None
    """The try of the step that the ledger knows of, and the case has forgotten, as after a reset (S25)."""


@dataclass(frozen=True)
class TryAgain:
    """Nothing was done, and no repetition got through for as long as calls are repeated."""

    why: Why


@dataclass(frozen=True)
class Unknown:
    """A time-out or an answer that cannot be read: it may have been done."""

    why: Why


@dataclass(frozen=True)
class Found:
    """What the partner says about the key; None: it never received it."""

    receipt: Receipt | None


CallOutcome = Refused | TryAgain | Unknown | Found


@dataclass(frozen=True)
class Try:
    """One attempt to carry out a step."""

    step: Step
    attempt: int
    send_until: datetime
    """Afterwards the partner may have forgotten the key: nothing is sent again."""

    @classmethod
    def begin(cls, case: Case, step: Step, at: datetime) -> "Try":
        """The attempt that `started` has counted."""
        return cls(step, step.attempts, at + case.policy.send_again_within)

    @property
    def waits(self) -> bool:
        """Whether no report has said yet how this attempt went."""
        return self.step.waits(self.attempt)


class Then(Enum):
    """What is to be called next."""

    NOTHING = auto()
    SEND = auto()
    """The same command again, under the same key."""
    ASK = auto()
    """The partner, what it knows of the key: `outcome` takes its answer."""
    CLEAR_UP = auto()
    """The partner, because report and answer contradict each other: `cleared_up` takes its answer."""
    START_OVER = auto()
    """The step under another number."""
    RELEASE = auto()
    """The ledger, to release the earlier key; then the next one is asked about."""


def outcome(case: Case, tried: Try, result: CallOutcome, at: datetime, holds: Holds = always) -> Then:
    """Apply the outcome of a call; a report may have overtaken it. Return what is to be called next."""
    step = tried.step
    match result:
        case Found(None):
            return _never_received(case, tried, at)
        case Found(receipt) if receipt:
            return _answered(case, step, receipt, at, holds) if step.attempts == tried.attempt else Then.NOTHING
        case _ if not tried.waits:
            return _after_report(case, tried, at, holds, refused=isinstance(result, Refused))
        case Refused(later_try=int(number)):
            step.number = number
            return Then.START_OVER
        case Refused():
            refused(case, step, result.why, at, over_limit=result.over_limit, reserved=result.reserved)
        case TryAgain():
            refused(case, step, result.why, at, final=False)
        case Unknown():
            unknown(case, step, result.why, at)
            return Then.ASK
    return Then.NOTHING


def _never_received(case: Case, tried: Try, at: datetime) -> Then:
    if not tried.waits:
        return Then.NOTHING
    if at < tried.send_until:
        return Then.SEND
    refused(case, tried.step, Reason.of("forgotten", who=tried.step.partner), at, final=False)
    return Then.NOTHING


def _answered(case: Case, step: Step, receipt: Receipt, at: datetime, holds: Holds) -> Then:
    """Apply the partner's answer; if a report has said the opposite, the partner is asked by key (S26)."""
    key = step.key(case.id)
    if step.contradicts(receipt.state) and holds(CONTRADICTIONS):
        # A failure that was reported has freed the next key already.
        return _contradiction(case, step, step.number - step.failed, at)
    if unnumbered(case, step, receipt) and holds(NUMBERS):
        numbered(case, step, receipt)
    apply_receipt(case, step, receipt, at)
    if key in case.unpaid and not holds(CASE_RELEASES):
        case.unpaid.remove(key)  # the activity has done so
    return Then.NOTHING


def _after_report(case: Case, tried: Try, at: datetime, holds: Holds, *, refused: bool) -> Then:
    """Apply a failure that a report has overtaken: to refuse what the report says was done is a contradiction (S26).

    After any other failure the number of a payment is asked for: the reporter need not know it.
    """
    step = tried.step
    if step.attempts != tried.attempt or step.state is not StepState.DONE:
        return Then.NOTHING
    if refused:
        contradicts = step.contradicts(ReceiptState.FAILED) and holds(CONTRADICTIONS)
        return _contradiction(case, step, step.number, at) if contradicts else Then.NOTHING
    return Then.ASK if step.kind in MONEY and holds(NUMBERS) else Then.NOTHING


def _contradiction(case: Case, step: Step, number: int, at: datetime) -> Then:
    step.number = number
    unknown(case, step, Reason.of("contradiction", who=step.partner), at)
    return Then.CLEAR_UP


def cleared_up(case: Case, tried: Try, receipt: Receipt | None, at: datetime) -> None:
    """Settle a contradiction of report and answer: the partner's records decide, else an agent (S26)."""
    step = tried.step
    if not tried.waits:
        return  # it was reported while the partner was asked
    if receipt is not None and receipt.state is ReceiptState.DONE:
        apply_receipt(case, step, receipt, at)
    else:
        contest(case, step, Reason.of("contradiction", who=step.partner), at)


def reports_cleared_up(case: Case, step: Step, number: int, receipt: Receipt | None, at: datetime) -> None:
    """Settle a contradiction of two reports if the partner's records say that it was done or sent (S26).

    Otherwise it stays with a person, and so it does if that person has decided meanwhile.
    """
    if receipt is None or receipt.state not in (ReceiptState.DISPATCHED, ReceiptState.DONE):
        return
    if step.contested and step.state is StepState.BLOCKED and step.number == number:
        step.contested = False
        apply_receipt(case, step, receipt, at)


# Before anything is sent under a new key (S25)


def ask_earlier(case: Case, step: Step, number: int, at: datetime, *, shown: bool) -> str:
    """Return the earlier key that the partner is to be asked about; `shown`: the case shows it meanwhile."""
    key = step.key(case.id, number)
    unknown(case, step, Reason.of("earlier_key", who=step.partner, key=key), at)
    step.asking = number if shown else None
    return key


def earlier_found(  # noqa: PLR0913, PLR0917 (what is known of the key)
    case: Case, step: Step, attempt: int, number: int, receipt: Receipt | None, at: datetime
) -> Then:
    """Apply what the partner says about an earlier key; what was done under it is the outcome of the step.

    Return `SEND` if it does not keep the new key from being used.
    """
    if not step.waits(attempt):
        return Then.NOTHING  # it was reported while the partner was asked
    if receipt is not None and receipt.state is not ReceiptState.FAILED:
        step.number = number
        apply_receipt(case, step, receipt, at)
        return Then.NOTHING
    if number not in step.disputed:
        return Then.SEND
    if receipt is None:
        step.number = number
        contest(case, step, Reason.of("contradiction", who=step.partner), at)
        return Then.NOTHING
    step.disputed.remove(number)
    return Then.RELEASE if in_ledger(case, step) else Then.SEND
