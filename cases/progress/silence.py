"""Silence is silence: it counts from the last word between us, and so do the reminders (G5, G8, G11).

A word is an offer that was delivered, evidence or a further complaint that came, and an agent's `contact-made`, each at
the time at which it happened.
"""

from datetime import datetime

from cases.calendar import length
from cases.state.case import Case


def silence_plan(case: Case) -> list[tuple[datetime, str]]:
    """What happens, and when, while the customer does not answer an offer."""
    offer, rules, add = case.offer, case.policy.silence, case.policy.working_days.add
    if offer is None or offer.delivered_at is None:
        return []
    since = _since(case, offer.delivered_at)
    plan = [(add(since, length(after)), "remind") for after in rules.reminders]
    plan.append((add(since, length(rules.tell_after)), f"tell {rules.tell}"))
    plan.append((closes_at(case, since), "close"))
    return sorted(plan, key=lambda step: step[0])


def closes_at(case: Case, since: datetime) -> datetime:
    """When an offer lapses where nobody says a word after `since`."""
    return case.policy.working_days.add(since, length(case.policy.silence.close_after))


def next_callback(case: Case, called_at: datetime) -> datetime:
    """When the customer is asked again, or given up as unreachable, where nobody says a word before."""
    return case.policy.working_days.add(_since(case, called_at), length(case.policy.callback.every))


def documents_since(case: Case, asked_at: datetime) -> datetime:
    """Since when a claim waits for its documents in silence."""
    return _since(case, asked_at)


def heard_from(case: Case, at: datetime, now: datetime) -> None:
    """A word was said at `at`: what is done in silence counts from then, and begins anew.

    What was done after that word, which was entered later, is not done twice.
    """
    if case.last_word_at and at <= case.last_word_at:
        return
    case.last_word_at = at
    past = sum(when <= now and what != "close" for when, what in silence_plan(case))
    case.silence_steps = min(case.silence_steps, past)
    asked = sum(entry.what == "callback" and entry.at > at for entry in case.timeline)
    case.callbacks = min(case.callbacks, asked)
    if case.asked_at and case.policy.evidence.close_after:
        again = case.policy.working_days.add(_since(case, case.asked_at), length(case.policy.evidence.remind_after))
        case.reminded = case.reminded and again <= now


def _since(case: Case, at: datetime) -> datetime:
    """The last word, where it came after `at`."""
    return max(at, case.last_word_at or at)
