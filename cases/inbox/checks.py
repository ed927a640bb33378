"""What facts and commands both refuse: a finding that cannot be, a step that is not there."""

from cases.entitlement.granting import check_finding
from cases.errors import Refusal
from cases.state.case import Case
from cases.state.finding import PartialFinding
from cases.state.step import Step


def possible_finding(case: Case, new: PartialFinding) -> None:
    """Raises `Refusal` for a finding that the complaint or its policy rules out."""
    if problems := check_finding(case.policy, case.complaint, new):
        raise Refusal("; ".join(str(problem) for problem in problems))


def step_of(case: Case, step_id: str) -> Step:
    """The step with this id; raises `Refusal` where the case has none."""
    step = case.step(step_id)
    if step is None:
        there = ", ".join(s.id for s in case.steps) or "none yet"
        raise Refusal(f"{case.id} has no step {step_id}; it has {there}")
    return step
