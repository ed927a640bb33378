"""The customer's answer to the callback: it ends the case, or begins another cycle with new promises (G8, S10)."""

from datetime import datetime

from cases.progress.assessing import consider_soon
from cases.progress.closing import end
from cases.progress.promises import promise_again
from cases.reasons import Reason
from cases.state.case import Case
from cases.state.entries import Satisfaction
from cases.state.finding import PartialFinding
from cases.vocabulary import OfferState, Outcome, Role, Severity, Status


def satisfaction_reported(case: Case, score: int, comment: str, at: datetime, by: str | None) -> None:
    """Apply the answer to the callback: end the case or begin another cycle (G8, S10)."""
    case.satisfaction.append(Satisfaction(at=at, cycle=case.cycle, score=score, comment=comment))
    case.note("satisfaction", at, f"score {score}", by)
    rules = case.policy.callback
    if score >= rules.satisfied_from:
        end(case, Outcome.SATISFIED, at)
    elif score > rules.dissatisfied_to:
        end(case, Outcome.NEUTRAL, at)
    else:
        _begin_next_cycle(case, score, at)


def _begin_next_cycle(case: Case, score: int, at: datetime) -> None:
    """Begin a new cycle with new promises. Past cycles never change (S10)."""
    done = case.accepted
    times = sum(s.score <= case.policy.callback.dissatisfied_to for s in case.satisfaction)
    roles = case.policy.callback.dissatisfied_tells
    case.notify_staff(roles[min(times, len(roles)) - 1], "dissatisfied", score=score, times=times)
    case.cycle += 1
    promise_again(case, at)
    case.enter(Status.ASSESSING)
    rule = next((r for r in case.policy.remedies if done and r.rule == done.rule and r.repeat_at_most), None)
    if rule is None:
        case.needs_offer = Reason.of("dissatisfied", score=score)
        case.notify_staff(Role.OWNER, "needs_offer", reason=case.needs_offer)
        return
    if sum(o.rule == rule.rule and o.state is OfferState.ACCEPTED for o in case.offers) >= (rule.repeat_at_most or 0):
        worse = PartialFinding(severity=rule.then or Severity.SEVERE)
        case.add_to_finding(worse, "repeated without success", at, binding=True)
    consider_soon(case, at)
