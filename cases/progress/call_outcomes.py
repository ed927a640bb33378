"""Outcomes of calls to partners: how they change the step, and which call is next (S13, S25, S26)."""

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
    lacks_partner_reference,
    refused,
    unknown,
    use_partner_reference,
)
from cases.reasons import Reason, Why
from cases.state.case import Case
from cases.state.step import Step
from cases.vocabulary import StepState

CONTRADICTIONS = "contradictions are cleared up"
NUMBERS = "the partner's number is kept"
CASE_RELEASES = "the case frees what was reserved"
"""Names of patches: cases may be older than these rules (S26)."""


@dataclass(frozen=True)
class Refused:
    """A final refusal by the partner or the order's ledger: nothing was done under this key."""

    why: Why
    over_limit: bool = False
    """Whether the order's limit refused it. Up to a manager's limit it can be approved (S15)."""
    reserved: bool = False
    """Whether the ledger has a reservation for the payment, which has to be released (S26)."""
    later_try: int | None = None
    """The number of a later attempt that is in the ledger but not in the case, as after a reset (S25)."""


@dataclass(frozen=True)
class TryAgain:
    """Nothing was done: every repetition of the call failed until repeating stopped."""

    why: Why


@dataclass(frozen=True)
class Unknown:
    """A time-out or an unreadable answer: the step may have been done."""

    why: Why


@dataclass(frozen=True)
class Found:
    """The partner's answer about the key. None: the partner never received it."""

    receipt: Receipt | None


CallOutcome = Refused | TryAgain | Unknown | Found


@dataclass(frozen=True)
class Try:
    """One attempt to carry out a step."""

    step: Step
    attempt: int
    send_until: datetime
    """When sending stops, because the partner may have forgotten the key after that."""

    @classmethod
    def begin(cls, case: Case, step: Step, at: datetime) -> "Try":
        """Return the attempt that `started` has just counted."""
        return cls(step, step.attempts, at + case.policy.send_again_within)

    @property
    def awaits_result(self) -> bool:
        """Return whether no report on this attempt has arrived yet."""
        return self.step.awaits_result(self.attempt)


class Then(Enum):
    """The next call."""

    NOTHING = auto()
    SEND = auto()
    """Send the same command again, under the same key."""
    ASK = auto()
    """Ask the partner about the key. Pass the answer to `outcome`."""
    CLEAR_UP = auto()
    """Ask the partner, because report and answer contradict each other. Pass the answer to `cleared_up`."""
    START_OVER = auto()
    """Begin the step again under another number."""
    RELEASE = auto()
    """Release the earlier key in the ledger, then ask about the next one."""


def outcome(case: Case, tried: Try, result: CallOutcome, at: datetime, holds: Holds = always) -> Then:
    """Apply the outcome of a call, unless a report arrived first. Return the next call."""
    step = tried.step
    match result:
        case Found(None):
            return _never_received(case, tried, at)
        case Found(receipt) if receipt:
            return _answered(case, step, receipt, at, holds) if step.attempts == tried.attempt else Then.NOTHING
        case _ if not tried.awaits_result:
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
    if not tried.awaits_result:
        return Then.NOTHING
    if at < tried.send_until:
        return Then.SEND
    refused(case, tried.step, Reason.of("forgotten", who=tried.step.partner), at, final=False)
    return Then.NOTHING


def _answered(case: Case, step: Step, receipt: Receipt, at: datetime, holds: Holds) -> Then:
    """Apply the partner's answer. If it contradicts a report, ask the partner by key (S26)."""
    key = step.key(case.id)
    if step.contradicts(receipt.state) and holds(CONTRADICTIONS):
        # A reported failure has already moved the step to the next key.
        return _contradiction(case, step, step.number - step.failed, at)
    if lacks_partner_reference(case, step, receipt) and holds(NUMBERS):
        use_partner_reference(case, step, receipt)
    apply_receipt(case, step, receipt, at)
    if key in case.unpaid and not holds(CASE_RELEASES):
        case.unpaid.remove(key)  # the activity has released it
    return Then.NOTHING


def _after_report(case: Case, tried: Try, at: datetime, holds: Holds, *, refused: bool) -> Then:
    """Apply a failed call after a report arrived. A refusal of what was reported as done is a contradiction (S26).

    After any other failure, ask the partner for a payment's reference, because the reporter may not know it.
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
    """Resolve a contradiction of report and answer by the partner's records, or leave it to an agent (S26)."""
    step = tried.step
    if not tried.awaits_result:
        return  # it was reported while the partner was asked
    if receipt is not None and receipt.state is ReceiptState.DONE:
        apply_receipt(case, step, receipt, at)
    else:
        contest(case, step, Reason.of("contradiction", who=step.partner), at)


def reports_cleared_up(case: Case, step: Step, number: int, receipt: Receipt | None, at: datetime) -> None:
    """Resolve a contradiction of two reports if the partner's records say that the step was done or sent (S26).

    Otherwise a person decides. Nothing changes if that person has already decided.
    """
    if receipt is None or receipt.state not in (ReceiptState.DISPATCHED, ReceiptState.DONE):
        return
    if step.contested and step.state is StepState.BLOCKED and step.number == number:
        step.contested = False
        apply_receipt(case, step, receipt, at)


# Before anything is sent under a new key (S25)


def ask_earlier(case: Case, step: Step, number: int, at: datetime, *, shown: bool) -> str:
    """Return the earlier key to ask the partner about. `shown`: the case shows this key until it is answered."""
    key = step.key(case.id, number)
    unknown(case, step, Reason.of("earlier_key", who=step.partner, key=key), at)
    step.asking = number if shown else None
    return key


def earlier_found(  # noqa: PLR0913, PLR0917 (what is known of the key)
    case: Case, step: Step, attempt: int, number: int, receipt: Receipt | None, at: datetime
) -> Then:
    """Apply the partner's answer about an earlier key. If the step was done under it, that is the step's result.

    Return `SEND` if the new key can be used.
    """
    if not step.awaits_result(attempt):
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
