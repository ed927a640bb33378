"""The one door: whatever way a complaint comes, it is judged here, and every problem is named at once (G1)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cases.complaint import Complaint, drafted_complaint
from cases.errors import InvalidInput, Problem
from cases.input.drafts import gathered
from cases.policy.policy import Policy, check_against


class Judged(NamedTuple):
    """A complaint, the policy of its line where there is one, and its problems.

    Where there are problems, the complaint is a draft that has its sound fields only (`cases.input.drafts`).
    """

    complaint: Complaint
    policy: Policy | None
    problems: list[Problem]


def judged(raw: Any, now: datetime, policies: Mapping[str, Policy]) -> Judged:
    """What is to be said of the complaint in `raw` (decoded JSON); raises `InvalidInput` where it is no object."""
    complaint, problems = drafted_complaint(raw, now)
    policy = policies.get(getattr(complaint, "line", ""))
    problems += gathered([_line], complaint, policies)
    if policy:
        problems += check_against(policy, complaint)
    return Judged(complaint, policy, problems)


def admitted(raw: Any, now: datetime, policies: Mapping[str, Policy]) -> tuple[Complaint, Policy]:
    """A complaint without fault, and the policy of its line; raises `InvalidInput` with every problem by its field."""
    complaint, policy, problems = judged(raw, now, policies)
    if problems or policy is None:
        raise InvalidInput(problems)
    return complaint, policy


def policy_for(complaint: Complaint, policies: Mapping[str, Policy]) -> Policy:
    """The policy of the line of a complaint that was admitted before; raises `InvalidInput` where it does not fit."""
    problems = gathered([_line], complaint, policies)
    problems = problems or check_against(policies[complaint.line], complaint)
    if problems:
        raise InvalidInput(problems)
    return policies[complaint.line]


def _line(complaint: Complaint, policies: Mapping[str, Policy]) -> list[Problem]:
    if complaint.line in policies:
        return []
    known = ", ".join(sorted(policies))
    return [Problem(field="line", problem=f"there is no line {complaint.line}; there are {known}")]
