"""The data that lists of cases show, sort and filter by. Our database has it in columns, with the snapshot."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel

from cases.state.case import Case
from cases.views.search_attributes import next_due
from cases.views.snapshot import Snapshot
from cases.vocabulary import PromiseState, StepState


class Listing(BaseModel):
    """One case in a list. It holds no personal data of customers."""

    case_id: str
    line: str
    topic: str
    order_id: str | None
    channel: str
    status: str
    outcome: str | None
    urgent: bool
    team: str | None
    owner: str | None
    received_at: AwareDatetime
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    next_due_at: AwareDatetime | None
    """The next deadline; None if no clock runs, or only the report is left to send."""
    next_due: str | None
    """The promise that has this deadline."""
    broken: list[str]
    """Promises that were not kept in time."""
    escalation_rung: int
    """The highest rung that was notified so far; 0 if none was."""
    needs: list[str]
    """The kinds of things that a person has to do (`NeedKind`)."""
    unknown_money: bool
    """Whether the result of a step is unknown."""
    paid: Decimal
    """The total of all payments, in `currency`."""
    currency: str | None

    @classmethod
    def of(cls, case: Case, snapshot: Snapshot) -> Self:
        """Return the row of a case whose snapshot was just taken."""
        order, due = case.complaint.order, next_due(case)
        return cls(
            **_shown(snapshot),
            case_id=case.id,
            line=case.complaint.line,
            topic=case.complaint.topic,
            order_id=order.order_id if order else None,
            channel=case.complaint.channel,
            received_at=case.complaint.received_at,
            opened_at=case.opened_at,
            next_due_at=due[0] if due else None,
            next_due=due[1].name if due else None,
            needs=list(dict.fromkeys(need.what for need in snapshot.needs if not isinstance(need, str))),
            currency=order.currency if order else None,
        )

    def at_the_end(self, last: Snapshot) -> Self:
        """Return the row of this case after it has closed. An earlier build may have written the final snapshot."""
        return self.model_copy(update={**_shown(last), "next_due_at": None, "next_due": None, "needs": []})


def _shown(snapshot: Snapshot) -> dict[str, Any]:
    """Return the fields that change until a case has closed, from a snapshot of any build."""
    return {
        "status": snapshot.status,
        "outcome": snapshot.outcome,
        "urgent": snapshot.urgent,
        "team": snapshot.owner.team,
        "owner": snapshot.owner.name,
        "closed_at": snapshot.closed_at,
        "broken": list(dict.fromkeys(p.name for p in snapshot.promises if p.state == PromiseState.BROKEN)),
        "escalation_rung": max((e.rung for e in snapshot.escalations), default=0),
        "unknown_money": any(step.state == StepState.UNKNOWN for step in snapshot.steps),
        "paid": sum(map(Decimal, dict(snapshot.paid).values()), Decimal(0)),
    }


def listed_state(case: Case) -> tuple[Any, ...]:
    """Return what has to reach the row at once: if it has changed, the case writes its row for that alone.

    Everything else reaches the row with the next write. Recorded histories depend on the result, so a change of this
    function needs `workflow.patched`.
    """
    return (
        case.status,
        case.outcome,
        case.urgent,
        case.team,
        case.owner,
        len(case.escalations),
        len(case.unjudged),
        bool(case.needs_offer),
        [offer.state for offer in case.offers],
        [step.state if step.state in WORTH_A_ROW else None for step in case.steps],
        [(promise.state, bool(promise.pauses)) for promise in case.promises],
    )


WORTH_A_ROW = frozenset({StepState.DONE, StepState.WAIVED, StepState.UNKNOWN, StepState.BLOCKED})
"""Step states that the row has to show at once. The others can reach it with a later write."""


class Projected(BaseModel):
    """The state of a case at one time, for our database. A case writes it after changes."""

    seq: int
    """A number that grows with every change, also after resets: microseconds since 1970 by the case's clock."""
    listing: Listing
    snapshot: str
    """The snapshot as JSON; personal data."""

    @property
    def at(self) -> datetime:
        """When the case was as the row shows it, by its clock."""
        return datetime.fromtimestamp(self.seq / 1_000_000, UTC)
