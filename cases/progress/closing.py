"""The end of a case: the customer is asked whether they are satisfied, and gets a report (G8, G9)."""

from datetime import datetime
from typing import Any

from cases.policy.remedy_kinds import WORDS
from cases.progress.promises import carried_out_at
from cases.reasons import Reason
from cases.state.case import Case
from cases.state.letter import Audience, ReportLetter
from cases.state.step import CHECK, PRECAUTION, Step
from cases.state.summary import paid
from cases.vocabulary import (
    KeptWhen,
    OfferState,
    Outcome,
    Partner,
    PromiseName,
    Role,
    Status,
    StepState,
)

CARRIED_OUT = frozenset({Outcome.SATISFIED, Outcome.NEUTRAL, Outcome.UNREACHABLE})
"""Outcomes of complaints that were remedied. Their reports describe how we prevent a recurrence."""


def retire(case: Case, state: OfferState) -> None:
    """Close the offers that were not answered, as `state`."""
    for offer in case.offers:
        if offer.state in (OfferState.OPEN, OfferState.AWAITING_APPROVAL):
            offer.state = state


def call_back(case: Case, at: datetime) -> None:
    """Ask the callback service to call the customer (G8)."""
    case.callbacks += 1
    case.called_at = at
    case.note("callback", at, f"attempt {case.callbacks}")
    case.add_letter(Audience.CALLBACK, "callback", {"attempt": case.callbacks})


def settle(case: Case, at: datetime) -> None:
    """If no step is left to carry out, continue with another offer, the end, or the callback."""
    if case.status is not Status.EXECUTING or any(s.offer != CHECK for s in case.unsettled):
        return
    progress = case.promise(PromiseName.PROGRESS_UPDATE)
    if progress:
        progress.lapse(at)
    if case.accepted and not case.ending and not case.needs_offer and _nothing_carried_out(case):
        case.needs_offer = Reason.of("nothing_carried_out", offer=case.accepted.id)
    if case.needs_offer:
        case.enter(Status.ASSESSING)
        case.notify_staff(Role.OWNER, "needs_offer", reason=case.needs_offer)
        return
    if case.accepted:
        case.keep(KeptWhen.CARRIED_OUT, carried_out_at(case, at), cycle=case.cycle)
    if case.ending:
        end(case, case.ending, at)
    else:
        case.enter(Status.FOLLOWING_UP)
        case.callbacks = 0
        call_back(case, at)


def _nothing_carried_out(case: Case) -> bool:
    """Return whether every step of this cycle was waived. Then there is nothing to be satisfied with (S28)."""
    agreed = [s for s in case.steps if s.cycle == case.cycle and s.offer not in (CHECK, PRECAUTION)]
    return bool(agreed) and all(s.state is StepState.WAIVED and not s.uncertain for s in agreed)


def end(case: Case, outcome: Outcome, at: datetime) -> None:
    """Settle the outcome and report to the customer (G9). The delivery of the report closes the case."""
    case.outcome = outcome
    retire(case, OfferState.EXPIRED)
    for step in case.unsettled:
        # A partner completes what it has accepted, and its money counts as paid. A check has no purpose any more.
        idle = step.state is StepState.WAITING or (step.state is StepState.BLOCKED and not step.uncertain)
        if idle or step.offer == CHECK:
            step.enter(StepState.WAIVED, at, Reason.of("case_ended", outcome=outcome))
    for promise in case.promises:
        promise.lapse(at)
    case.note("ended", at, outcome)
    prevention = case.topic.prevention if outcome in CARRIED_OUT else None
    case.notify_customer(
        "report",
        about=ReportLetter(),
        outcome=outcome,
        # The cause of an inquiry is its answer, which the customer already has.
        finding={} if case.topic.answered_from else case.finding.known(),
        done=[_done(s) for s in case.steps if s.state is StepState.DONE and s.kind not in WORDS],
        prevention=prevention.model_dump() if prevention else None,
        paid=paid(case),
    )


def cancel(case: Case, at: datetime) -> None:
    """End the case as withdrawn because an operator cancelled the workflow. The customer gets a report."""
    case.note("cancelled", at, "the workflow was cancelled by an operator")
    end(case, Outcome.WITHDRAWN, at)


def is_over(case: Case) -> bool:
    """Return whether the case is closed and every letter has been delivered."""
    return case.status is Status.CLOSED and not case.letters


def is_outcome_open(case: Case) -> bool:
    """Return whether the result of a call to a partner is not known yet (S13)."""
    return any(s.state is StepState.UNKNOWN or (s.state is StepState.RUNNING and not s.reference) for s in case.steps)


def _done(step: Step) -> dict[str, Any]:
    """Return a step as shown in the report. Messages have no reference that a customer could use."""
    reference = None if step.partner is Partner.MESSAGING else step.reference
    what = step.remedy.model_dump(mode="json", include={"amount", "items"})
    return {"kind": step.kind, "reference": reference, **what}
