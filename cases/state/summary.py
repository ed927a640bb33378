"""Summaries of a case: the money paid, the promises broken, and what the case waits for."""

from decimal import Decimal
from typing import Any

from cases.policy.promise_events import EVENTS
from cases.policy.remedy_kinds import PAID_AS
from cases.state.case import Case
from cases.state.step import Step
from cases.vocabulary import KeptWhen, PromiseState, Status, StepState


def about_step(case: Case, step: Step) -> dict[str, Any]:
    """Return a notice's facts about a step: its id, amount or items, the reason for its state, and its key."""
    return {
        "step": step.id,
        "kind": step.kind,
        "partner": step.partner,
        **step.remedy.model_dump(mode="json", include={"amount", "items"}),
        "reason": step.reason,
        "key": step.key_in_question(case.id),
    }


def waits_for(case: Case, event: KeptWhen) -> str | None:
    """Return what delays the event that keeps a promise, as a key of the `situation` labels, or None."""
    if EVENTS[event].independent:
        return None
    if any(step.state is StepState.BLOCKED for step in case.steps):
        return "blocked"
    if any(step.state is StepState.UNKNOWN for step in case.steps):
        return "unknown"
    if case.status is Status.OFFERING and case.offer and case.offer.undeliverable:
        return "undelivered"
    return {
        Status.AWAITING_EVIDENCE: "evidence",
        Status.AWAITING_APPROVAL: "approval",
        Status.AWAITING_CONSENT: "consent",
    }.get(case.status)


def paid(case: Case) -> dict[str, str]:
    """Return the money that was paid, by kind of payment, without payments that are under way."""
    done = [s for s in case.steps if s.state is StepState.DONE]
    return {
        name: f"{sum((s.remedy.amount or Decimal(0) for s in done if s.kind in kinds), Decimal(0)):.2f}"
        for name, kinds in PAID_AS.items()
    }


def broken(case: Case) -> list[str]:
    """Return the names of the promises that were not kept in time, in order."""
    return list(dict.fromkeys(p.name.value for p in case.promises if p.state is PromiseState.BROKEN))
