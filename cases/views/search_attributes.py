"""The search attributes of a case. Each is declared once, with its name, its type and its value.

They never hold personal data: Temporal does not encrypt them, and shows them to everyone who can list workflows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cases.state.case import Case
from cases.state.promise import Promise
from cases.state.summary import broken


class AttributeType(StrEnum):
    """Temporal's types of search attributes, as in `temporal operator search-attribute create`."""

    KEYWORD = "Keyword"
    KEYWORD_LIST = "KeywordList"
    INT = "Int"
    DATETIME = "Datetime"
    BOOL = "Bool"


@dataclass(frozen=True)
class SearchAttribute:
    """One search attribute. `of(case)` returns its value, or None if the case has none."""

    name: str
    type: AttributeType
    of: Callable[[Case], Any]


def next_due(case: Case) -> tuple[datetime, Promise] | None:
    """Return the next deadline and its promise; None if no clock runs, or only the report is left to send."""
    running = [] if case.closing else [(due, p) for p in case.promises if p.live and (due := p.due_at())]
    return min(running, key=lambda each: each[0], default=None)


def _next_due_at(case: Case) -> datetime | None:
    due = next_due(case)
    return due[0] if due else None


LINE = SearchAttribute("CaseLine", AttributeType.KEYWORD, lambda case: case.complaint.line)
TOPIC = SearchAttribute("CaseTopic", AttributeType.KEYWORD, lambda case: case.complaint.topic)
STATUS = SearchAttribute("CaseStatus", AttributeType.KEYWORD, lambda case: case.status.value)
TEAM = SearchAttribute("CaseTeam", AttributeType.KEYWORD, lambda case: case.team)
OUTCOME = SearchAttribute("CaseOutcome", AttributeType.KEYWORD, lambda case: case.outcome and case.outcome.value)
ORDER = SearchAttribute(
    "CaseOrder", AttributeType.KEYWORD, lambda case: case.complaint.order and case.complaint.order.order_id
)
BROKEN_PROMISES = SearchAttribute("BrokenPromises", AttributeType.KEYWORD_LIST, broken)
ESCALATION_RUNG = SearchAttribute(
    "EscalationRung", AttributeType.INT, lambda case: max((e.rung for e in case.escalations), default=0)
)
NEXT_DUE_AT = SearchAttribute("NextDueAt", AttributeType.DATETIME, _next_due_at)
URGENT = SearchAttribute("Urgent", AttributeType.BOOL, lambda case: case.urgent)

OF_CASES = (LINE, TOPIC, STATUS, TEAM, OUTCOME, ORDER, BROKEN_PROMISES, ESCALATION_RUNG, NEXT_DUE_AT, URGENT)
"""All search attributes (contract, *Search attributes*)."""
OF_CLAIMS = (LINE, TOPIC, TEAM, ORDER, URGENT)
"""The search attributes of a carrier claim, with the values that its case had when the claim was opened."""


def search_attributes(case: Case) -> dict[str, Any]:
    """Return the values for a case, by name."""
    return {attribute.name: attribute.of(case) for attribute in OF_CASES}
