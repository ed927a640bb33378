"""A case becomes urgent, and stays so: warned of earlier, first in every queue, promised what urgent cases are.

Of a promise that the policy also makes to urgent cases the stricter terms count, from when its clock began; what is
past by them is broken at once, as where a case is moved to another policy (S18). No promise begins in the past.
"""

from datetime import datetime

from cases.calendar import Length
from cases.policy.policy import PromiseRule
from cases.state.case import Case
from cases.state.escalation import next_rung
from cases.state.promise import Promise


def raise_urgency(case: Case, why: str, now: datetime, by: str | None = None) -> bool:
    """Make the case urgent; False: it was already. No policy takes it back (G10)."""
    was, case.urgent_by_word = case.urgent, True
    if was:
        return False
    due = [next_rung(promise, case.policy.escalation, urgent=False) for promise in case.promises]
    case.urgent = True
    for promise, rung in zip(case.promises, due, strict=True):
        if not promise.live:
            continue
        if rung is None or rung[1] > now:
            promise.moved_at = now  # what is due only because it is urgent now is not late (S8)
        if rule := _urgent_rule(case, promise):
            _take_stricter(case, promise, rule, now)
    case.note("urgent", now, why, by)
    return True


def deadline(promise: Promise, now: datetime) -> datetime:
    """When it is due; of one that stands still, when it would be if it went on now."""
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
