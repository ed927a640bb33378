"""Receiving messages. A message is applied completely or not at all: all checks come before the first change.

A message that cannot be applied raises `Refusal`, which states why and what would be accepted. A repeated `message_id`
is applied once (contract, *Messages*).
"""

from datetime import datetime
from typing import Any

from cases import rate_limit
from cases.complaint import CLOCK_SKEW
from cases.contract import CASE_CLOSED, CLAIM_SETTLED, COMPLAINT_LINKED
from cases.entitlement.follow_up import how_to_follow_up
from cases.errors import Refusal, printable
from cases.inbox import messages as m
from cases.inbox.checks import check_returns
from cases.inbox.commands import COMMANDS
from cases.inbox.facts import FACTS, failed_while_closing
from cases.inbox.policy_move import move
from cases.inbox.repeats import remember, repeated
from cases.patches import Holds, always
from cases.policy.policy import Policy
from cases.progress.promises import entered_late
from cases.state.case import Case
from cases.state.entries import Refused
from cases.vocabulary import Status

MAX_ALIKE = 5
"""The maximum number of lines about refused signals of one name. Further signals are only counted. All unknown names
count as one name."""

KNOWN = frozenset({*m.MESSAGES, CLAIM_SETTLED, COMPLAINT_LINKED, CASE_CLOSED})

APPLY = {**FACTS, **COMMANDS}
"""The handler for each type of message. `policy_move` handles moves to another policy."""


def receive(  # noqa: PLR0913, PLR0917 (what a message is judged by)
    case: Case,
    name: str,
    payload: Any,
    now: datetime,
    in_force: Policy | None = None,
    holds: Holds = always,
) -> dict[str, Any]:
    """Apply one message, and return the answer: the status, and for `assess` the offer or the missing facts.

    `in_force` is the policy to which `move-policy` moves the case. Without it, a move is only validated (S18).
    """
    message = m.read(name, payload, holds=holds)
    if repeated(case.seen, name, message, holds):
        return {"applied": False, "status": case.status, "why": f"message {message.message_id} was applied before"}
    if case.status is Status.CLOSED or (case.closing and name != "note"):
        if isinstance(message, m.StepReported) and failed_while_closing(case, message, now, holds):
            remember(case.seen, name, message)
            return {"applied": True, "status": case.status, "outcome": case.outcome}
        again = how_to_follow_up(case.id, case.policy.reopen_within)
        there = f"send it to {case.merged_into}" if case.merged_into else again
        raise Refusal(f"{case.id} is closed as {case.outcome}: {there}")
    if case.merged_into:
        raise Refusal(f"{case.id} was merged into {case.merged_into}: send it there")
    at = _when(case, message, now)
    m.check_digits(name, message, case.currency, holds)
    if why := rate_limit.too_much(case.paces, name, now, case):
        raise Refusal(why)
    check_returns(case, message, holds)
    if not isinstance(message, m.MovePolicy):
        due = [promise.due_at() for promise in case.promises] if at < now else []
        answer = APPLY[type(message)](case, message, m.When(at, now)) or {}
        if at < now:
            entered_late(case, due, now)
    elif in_force:
        answer = move(case, message, in_force, now)
    else:
        return {"applied": True, "status": case.status, "outcome": case.outcome}
    if answer.get("applied", True):
        rate_limit.count(case.paces, name, now)
    remember(case.seen, name, message)
    return {"applied": True, "status": case.status, "outcome": case.outcome, **answer}


def receive_signal(case: Case, name: str, payload: Any, now: datetime, holds: Holds = always) -> None:
    """Apply one signal. Raise `Refusal` for commands, which have to be updates."""
    if name in m.COMMANDS:
        raise Refusal(f"{name} is a command: send it as an update, which is answered")
    receive(case, name, payload, now, holds=holds)


def rehearse(case: Case, name: str, payload: Any, now: datetime) -> None:
    """Raise `Refusal` for an update that could not be applied. The case does not change.

    The limits of the order's account are not checked here, because it is read when the update is applied.
    """
    copy = case.model_copy(deep=True, update={"account": None} if name in m.OFFERS else None)
    receive(copy, name, payload, now)


def keep_refused(case: Case, name: str, payload: Any, refusal: Refusal, now: datetime) -> None:
    """Record a signal that could not be applied (see `refuse`)."""
    refuse(case.refused, name, payload, str(refusal), now)


def refuse(kept: list[Refused], name: str, payload: Any, why: str, now: datetime) -> bool:
    """Record a signal that could not be applied, without its content, which may be personal data.

    A repeated signal, and signals beyond `MAX_ALIKE` of one name, are counted on an existing line. Return whether there
    is a new line.
    """
    by = payload.get("by") if isinstance(payload, dict) else None
    new = Refused(
        at=now, message=printable(name)[:100], by=printable(by)[:100] if isinstance(by, str) else None, why=why[:1000]
    )
    alike = [line for line in kept if line.message == new.message or not {line.message, new.message} & KNOWN]
    same = [line for line in alike if (line.message, line.by, line.why) == (new.message, new.by, new.why)]
    if not same and len(alike) < MAX_ALIKE:
        kept.append(new)
        return True
    line = (same or alike)[-1]
    line.message, line.by, line.why = new.message, new.by, new.why
    line.count, line.last_at = line.count + 1, now
    return False


def _when(case: Case, message: m.Message, now: datetime) -> datetime:
    """Return the time by which promises are judged (S9). Raise `Refusal` if it is in the future or before receipt."""
    at = message.occurred_at
    if at is None:
        return now
    if at > now + CLOCK_SKEW:
        raise Refusal(f"occurred_at: {at.isoformat()} is in the future (it is {now.isoformat(timespec='seconds')})")
    if at < case.complaint.received_at:
        raise Refusal(f"occurred_at: {at.isoformat()} is before the complaint was received")
    return min(at, now)
