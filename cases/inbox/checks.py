"""Checks of messages: an impossible finding, an unknown step, a return without anything in exchange."""

from cases.entitlement.granting import check_finding
from cases.errors import Refusal
from cases.inbox.messages import NO_RETURN, Message, ResolveStep
from cases.patches import Holds
from cases.policy.remedy_kinds import MAKE_GOOD
from cases.state.case import Case
from cases.state.finding import PartialFinding
from cases.state.step import Step
from cases.vocabulary import RemedyKind, StepState


def check_possible_finding(case: Case, new: PartialFinding) -> None:
    """Raise `Refusal` for a finding that the complaint or its policy rules out."""
    if problems := check_finding(case.policy, case.complaint, new):
        raise Refusal("; ".join(str(problem) for problem in problems))


def step_of(case: Case, step_id: str) -> Step:
    """Return the step with this id. Raise `Refusal` if the case has none."""
    step = case.step(step_id)
    if step is None:
        there = ", ".join(s.id for s in case.steps) or "none yet"
        raise Refusal(f"{case.id} has no step {step_id}; it has {there}")
    return step


def check_returns(case: Case, message: Message, holds: Holds) -> None:
    """Raise `Refusal` if a step is waived while the goods are collected: the customer would get nothing (S28).

    With `dependents: carry_out` the collection continues on purpose. A collection without items is a sample.
    """
    if not isinstance(message, ResolveStep) or (message.action, message.dependents) != ("waive", "waive"):
        return
    step = case.step(message.step)
    if step is None or step.kind not in MAKE_GOOD:
        return
    offer = [s for s in case.steps if (s.cycle, s.offer) == (step.cycle, step.offer) and s is not step]
    under_way = [s for s in offer if s.kind is RemedyKind.COLLECTION and s.remedy.items and s.counts]
    if any(s.kind in MAKE_GOOD and s.state is not StepState.WAIVED for s in offer) or not under_way:
        return
    if holds(NO_RETURN):
        raise Refusal(
            f"{under_way[0].id} is {under_way[0].state}, and without {step.id} the customer gets nothing for it; "
            f"cancel it with {under_way[0].partner} and send step-reported with failed, replace {step.id} by another "
            "offer, or waive it with dependents: carry_out"
        )
