"""Follow-ups: a new case that follows a closed one, when that is possible, and what it takes over (G12, S10).

The finding and evidence of the closed case still count. Its offers and consents do not (S19).
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel

from cases.calendar import length
from cases.complaint import Complaint, Evidence
from cases.errors import Problem
from cases.look_ups import LookUpName
from cases.money import Money
from cases.policy.policy import Policy
from cases.policy.remedy_kinds import WORDS
from cases.state.finding import EARLIER, Fact, Finding, PartialFinding
from cases.state.step import CHECK
from cases.vocabulary import Outcome, RemedyKind

ASKED_AGAIN = frozenset(LookUpName)
"""Sources that the new case asks again, so that their earlier answers are not taken over."""

KNOWN = ("case_id", "line", "topic", "order_id", "outcome", "closed_at", "ended")
"""The fields that our database has for each case, with or without its snapshot."""

NOT_SETTLED = frozenset({Outcome.NO_RESPONSE, Outcome.WITHDRAWN})
"""Outcomes after which the same offer can be made again without an agent, if nothing was carried out."""


class Earlier(BaseModel):
    """The case that a complaint follows, as far as it is known."""

    case_id: str
    line: str
    topic: str
    order_id: str | None = None
    outcome: str | None = None
    closed_at: AwareDatetime | None = None
    ended: str | None = None
    """How its workflow was ended in Temporal before the case closed; None if it was not, or if that is not known."""
    finding: Finding = Finding()
    """The facts from people and visits. Partners are asked again."""
    evidence: list[Evidence] = []
    settled: bool = True
    """Whether something was decided or done, so that an agent has to assess the new case before an offer."""
    urgent: bool = False
    """Whether it was urgent when it closed. A follow-up about the same topic is then urgent too."""
    paid: dict[RemedyKind, Money] = {}
    """The payments for the order, over all its cases."""

    @classmethod
    def of(cls, record: dict[str, Any], paid: Mapping[str, Decimal] | None = None) -> "Earlier":
        """Return the earlier case from a snapshot or part of one, with at least `case_id`, `line` and `topic`."""
        known = {name: record.get(name) for name in KNOWN}
        settled = record.get("outcome") not in NOT_SETTLED or "steps" not in record or any(map(_done, record["steps"]))
        found = {"finding": _established(record.get("finding", {})), "evidence": record.get("evidence", [])}
        return cls.model_validate(
            {**known, **found, "settled": settled, "paid": paid or {}, "urgent": bool(record.get("urgent"))}
        )


def _done(step: dict[str, Any]) -> bool:
    return step["attempts"] > 0 and step["kind"] not in WORDS and step["offer"] != CHECK


def _established(finding: dict[str, Any]) -> Finding:
    """Return the final finding, without facts from look-ups. Each field has the last fact that states its value."""
    facts = []
    for field in PartialFinding.model_fields:
        said = [f for f in finding.get("facts", []) if f["field"] == field and f["value"] == finding.get(field)]
        if said and said[-1]["source"] not in ASKED_AGAIN:
            facts.append(Fact.model_validate({**said[-1], "source": EARLIER}))
    return Finding.model_validate({fact.field: fact.value for fact in facts} | {"facts": facts})


def follow_up_problems(complaint: Complaint, earlier: Earlier | None, policy: Policy) -> list[Problem]:
    """Return why a complaint cannot follow the case that it names, as of when it was received (S9)."""
    old = complaint.follows
    if earlier is None:
        return [_problem(f"there is no case {old} to take up again: correct it, or leave it out")]
    if earlier.ended is not None and earlier.closed_at is None:
        why = f"the workflow of {old} was ended in Temporal ({earlier.ended}), so it never closed"
        return [_problem(f"{why}: open a new complaint, without follows")]
    if earlier.closed_at is None:
        return [_problem(f"{old} is open: send the message to it")]
    order = complaint.order.order_id if complaint.order else None
    if (earlier.line, earlier.order_id) != (complaint.line, order):
        was = f"order {earlier.order_id} of {earlier.line}" if earlier.order_id else f"no order, in {earlier.line}"
        return [_problem(f"{old} was about {was}: open a new complaint, without follows")]
    if complaint.received_at > policy.working_days.add(earlier.closed_at, length(policy.reopen_within)):
        closed = f"{earlier.closed_at.astimezone(complaint.received_at.tzinfo):%Y-%m-%d}"
        too_late = f"{old} closed on {closed}, and can be taken up again within {policy.reopen_within}"
        return [_problem(f"{too_late}: open a new complaint, without follows")]
    return []


def _problem(text: str) -> Problem:
    return Problem(field="follows", problem=text)


def how_to_follow_up(case_id: str, reopen_within: str) -> str:
    """Return a sentence that explains how to follow up a closed case (S22)."""
    return f'take it up again within {reopen_within}: "starter.py reopen {case_id}", or a complaint that follows it'


def follow_up(old: Complaint, now: datetime, **changes: Any) -> dict[str, Any]:
    """Return a complaint that follows a closed case, as JSON. Evidence is left out: it comes with the old case."""
    kept = old.model_dump(mode="json", exclude_none=True, exclude={"answered_at", "evidence"})
    new = {"case_id": follow_up_id(old), "follows": old.case_id, "received_at": now.isoformat()}
    return {**kept, **new, **{name: value for name, value in changes.items() if value}}


def follow_up_id(old: Complaint) -> str:
    """Return the id of a follow-up: `HL-1.2` after `HL-1`, and `HL-1.3` after its follow-up `HL-1.2`."""
    stem, _, number = old.case_id.rpartition(".")
    if old.follows and number.isdecimal() and old.follows in (stem, f"{stem}.{int(number) - 1}"):
        return f"{stem}.{int(number) + 1}"
    return f"{old.case_id}.2"
