"""Silence of the customer. It counts from the latest contact (G5, G8, G11).

A contact is a delivered offer, evidence or a further complaint that arrived, or an agent's `contact-made`, each as of
when it happened.
"""

from datetime import datetime

from cases.calendar import length
from cases.state.case import Case
from cases.state.offer import Offer
from cases.vocabulary import OfferState


def silence_plan(case: Case) -> list[tuple[datetime, str]]:
    """Return what happens, and when, while the customer does not answer an offer."""
    offer, rules, add = case.offer, case.policy.silence, case.policy.working_days.add
    if offer is None or offer.delivered_at is None:
        return []
    since = _since(case, offer.delivered_at)
    plan = [(add(since, length(after)), "remind") for after in rules.reminders]
    plan.append((add(since, length(rules.tell_after)), f"notify {rules.tell}"))
    plan.append((closes_at(case, since), "close"))
    return sorted(plan, key=lambda step: step[0])


def closes_at(case: Case, since: datetime) -> datetime:
    """Return when an offer expires if there is no contact after `since`."""
    return case.policy.working_days.add(since, length(case.policy.silence.close_after))


def reply_by(case: Case, offer: Offer) -> datetime | None:
    """Return when an offer that waits for consent expires if there is no contact before; None for any other offer."""
    if offer.state is not OfferState.OPEN or not offer.consent_required:
        return None
    return closes_at(case, _since(case, offer.delivered_at or offer.made_at))


def next_callback(case: Case, called_at: datetime) -> datetime:
    """Return when the customer is called again, or the case closes as unreachable, if there is no contact before."""
    return case.policy.working_days.add(_since(case, called_at), length(case.policy.callback.every))


def documents_since(case: Case, asked_at: datetime) -> datetime:
    """Return since when a claim has been waiting for documents without any contact."""
    return _since(case, asked_at)


def record_contact(case: Case, at: datetime, now: datetime) -> None:
    """Record contact at `at`. Reminders and callbacks start again from then.

    Reminders that were sent after `at`, before the contact was recorded, are not repeated.
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
    """Return the latest contact, or `at` if that is later."""
    return max(at, case.last_word_at or at)
