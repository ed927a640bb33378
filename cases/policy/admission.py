"""Admission of complaints. Every complaint is checked here, and all problems are reported at once (G1)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cases.complaint import Complaint, read_complaint
from cases.errors import InvalidInput, Problem
from cases.input.drafts import collect_problems
from cases.policy.policy import Policy, check_against


class CheckedComplaint(NamedTuple):
    """A complaint, the policy of its line if it exists, and the complaint's problems.

    If there are problems, the complaint is a draft that has only the valid fields (`cases.input.drafts`).
    """

    complaint: Complaint
    policy: Policy | None
    problems: list[Problem]


def check_complaint(raw: Any, now: datetime, policies: Mapping[str, Policy]) -> CheckedComplaint:
    """Return the complaint in `raw` (decoded JSON) with its problems. Raise `InvalidInput` if it is not an object."""
    complaint, problems = read_complaint(raw, now)
    policy = policies.get(getattr(complaint, "line", ""))
    problems += collect_problems([_line], complaint, policies)
    if policy:
        problems += check_against(policy, complaint)
    return CheckedComplaint(complaint, policy, problems)


def admitted(raw: Any, now: datetime, policies: Mapping[str, Policy]) -> tuple[Complaint, Policy]:
    """Return a valid complaint and the policy of its line. Raise `InvalidInput` with all problems."""
    complaint, policy, problems = check_complaint(raw, now, policies)
    if problems or policy is None:
        raise InvalidInput(problems)
    return complaint, policy


def policy_for(complaint: Complaint, policies: Mapping[str, Policy]) -> Policy:
    """Return the policy of a complaint that was admitted before. Raise `InvalidInput` if it does not fit."""
    problems = collect_problems([_line], complaint, policies)
    problems = problems or check_against(policies[complaint.line], complaint)
    if problems:
        raise InvalidInput(problems)
    return policies[complaint.line]


def _line(complaint: Complaint, policies: Mapping[str, Policy]) -> list[Problem]:
    if complaint.line in policies:
        return []
    known = ", ".join(sorted(policies))
    return [Problem(field="line", problem=f"there is no line {complaint.line}; there are {known}")]
