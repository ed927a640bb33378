"""Urgency: an urgent case is escalated earlier, comes first in every queue, and has the promises of urgent cases.

If the policy has other terms for a promise to urgent cases, the stricter terms apply from when its clock began. If the
time is already up by these terms, the promise is broken at once, as in a move to another policy (S18). No promise
begins in the past.
"""

from datetime import datetime

from cases.calendar import Length
from cases.policy.policy import PromiseRule
from cases.state.case import Case
from cases.state.escalation import next_rung
from cases.state.promise import Promise


def raise_urgency(case: Case, why: str, now: datetime, by: str | None = None) -> bool:
    """Make the case urgent, and return False if it already was. No policy makes it normal again (G10)."""
    was, case.urgent_by_word = case.urgent, True
    if was:
        return False
    due = [next_rung(promise, case.policy.escalation, urgent=False) for promise in case.promises]
    case.urgent = True
    for promise, rung in zip(case.promises, due, strict=True):
        if not promise.live:
            continue
        if rung is None or rung[1] > now:
            promise.moved_at = now  # a rung that is due only because of the urgency is not late (S8)
        if rule := _urgent_rule(case, promise):
            _take_stricter(case, promise, rule, now)
    case.note("urgent", now, why, by)
    return True


def deadline(promise: Promise, now: datetime) -> datetime:
    """Return when a promise is due or, if it is paused, when it would be due if it resumed now."""
    left = promise.budget.amount - promise.consumed(now)
    return promise.due_at() or promise.calendar.add(now, Length(left, promise.budget.measure))


def _urgent_rule(case: Case, promise: Promise) -> PromiseRule | None:
    made = (rule for rule in case.policy.promised(urgent=True) if rule.urgent and rule.name == promise.name)
    return next(made, None)


def _take_stricter(case: Case, promise: Promise, rule: PromiseRule, now: datetime) -> None:
    moved = promise.model_copy(deep=True)
    moved.take_terms(rule, case.policy.working_days, case.awaited, now)
    if promise.running and deadline(moved, now) < deadline(promise, now):
        promise.take_terms(rule, case.policy.working_days, case.awaited, now)
