"""Lists of cases: from our database, or from the search attributes that the server keeps of each run."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from cases.contract import CASE_WORKFLOW, workflow_id
from cases.errors import AfterSalesError
from cases.text import same_name
from cases.views import search_attributes as attributes
from cases.views.search_attributes import SearchAttribute
from client.archive import records_of

if TYPE_CHECKING:
    from records import Listed

Json = dict[str, Any]


class NoDatabase(AfterSalesError):
    """Our database cannot be used; the text says why."""


class Stored(NamedTuple):
    """Cases in our database."""

    rows: list[Json]
    total: int
    """The number of all matching cases, including those beyond `rows`."""


def from_database(database_url: str, limit: int | None, *, owner: str | None = None, **wanted: Any) -> Stored:
    """Return cases from our database: open ones by their next deadline, others latest first.

    `owner` is compared as a name; `wanted` are fields of `records.CaseFilter`. If `limit` is None, return all. Raises
    `NoDatabase`.
    """
    try:
        found = _find(database_url, limit, owner, wanted)
    except AfterSalesError as error:
        raise NoDatabase(str(error)) from None
    if found is None:
        raise NoDatabase("our database does not exist yet: a worker creates it")
    return found


def _find(database_url: str, limit: int | None, owner: str | None, wanted: dict[str, Any]) -> Stored | None:
    with records_of(database_url) as records:
        if records is None:
            return None
        from records import CaseFilter  # noqa: PLC0415 (`records_of` has loaded it)

        if owner is not None:
            wanted = {**wanted, "owners": frozenset(o for o in records.owners() if same_name(o) == same_name(owner))}
        filters = CaseFilter(**wanted)
        page = records.listed(filters, limit=limit)
        total = records.count(filters) if page.after else len(page.cases)
        return Stored([_stored_row(each) for each in page.cases], total)


def _stored_row(row: "Listed") -> Json:
    due, closed = row.next_due_at, row.closed_at
    is_open = closed is None and row.ended is None
    return {
        "case_id": row.case_id,
        "line": row.line,
        "topic": row.topic,
        "status": row.status if is_open else "closed",
        "outcome": None if is_open else row.ended or row.outcome,
        "team": row.team,
        "owner": row.owner,
        "order_id": row.order_id,
        "urgent": row.urgent,
        "broken_promises": row.broken,
        "escalation_rung": row.escalation_rung,
        "next_due_at": due.isoformat() if due and is_open else None,
        "opened_at": row.opened_at.isoformat(),
        "closed_at": closed.isoformat() if closed else None,
    }


async def from_temporal(client: Client, *conditions: str, within: timedelta) -> AsyncIterator[Json]:
    """Yield a row for each case that the server still has and for which all `conditions` hold, latest first."""
    query = " AND ".join((f"WorkflowType = '{CASE_WORKFLOW}'", *conditions))
    known: set[str] = set()
    async for execution in client.list_workflows(query, rpc_timeout=within):
        # The server lists every run. A run that continued as new is not the current state of the case, and of a
        # complaint that was refused and sent again only the latest run counts.
        continued = execution.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
        if not continued and not (execution.id in known and not was_admitted(execution)):
            yield row_of(execution)
        known.add(execution.id)


def equals(attribute: SearchAttribute, value: str) -> str:
    """Return a condition for `Engine.cases`. `value` is escaped."""
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{attribute.name} = '{quoted}'"


def overdue(now: datetime) -> list[str]:
    """Return conditions for `Engine.cases`: still open, and a promise was broken or is past its deadline."""
    broken, due = attributes.BROKEN_PROMISES.name, attributes.NEXT_DUE_AT.name
    return ["ExecutionStatus = 'Running'", f"({broken} IS NOT NULL OR {due} < '{now.isoformat()}')"]


def was_admitted(execution: WorkflowExecution) -> bool:
    """Return whether a worker has accepted the complaint; it then sets the status."""
    return _value(execution, attributes.STATUS) is not None


def outcome(execution: WorkflowExecution) -> str | None:
    """Return how a case ended; None if it is open or its workflow was ended in Temporal."""
    found: str | None = _value(execution, attributes.OUTCOME)
    return found


def ending(execution: WorkflowExecution) -> str:
    """Return the outcome of a closed case, else the status of its workflow."""
    return str(outcome(execution) or (execution.status.name.lower() if execution.status else "unknown"))


def row_of(execution: WorkflowExecution) -> Json:
    """Return what lists show of a run, from its search attributes."""
    due, closed = _value(execution, attributes.NEXT_DUE_AT), execution.close_time
    running = execution.status is WorkflowExecutionStatus.RUNNING
    no_case = execution.status is WorkflowExecutionStatus.FAILED and not was_admitted(execution)
    return {
        "case_id": execution.id.removeprefix(workflow_id("")),
        "line": _value(execution, attributes.LINE),
        "topic": _value(execution, attributes.TOPIC),
        "status": _value(execution, attributes.STATUS) if running else "refused" if no_case else "closed",
        "outcome": None if running else "no case" if no_case else ending(execution),
        "team": _value(execution, attributes.TEAM),
        "order_id": _value(execution, attributes.ORDER),
        "urgent": bool(_value(execution, attributes.URGENT)),
        "broken_promises": list(execution.search_attributes.get(attributes.BROKEN_PROMISES.name, [])),
        "escalation_rung": _value(execution, attributes.ESCALATION_RUNG) or 0,
        "next_due_at": due.isoformat() if isinstance(due, datetime) else None,
        "opened_at": execution.start_time.isoformat(),
        "closed_at": closed.isoformat() if closed else None,
    }


def _value(execution: WorkflowExecution, attribute: SearchAttribute) -> Any:
    """Return the value of a search attribute, or the first of several; None if it is not set."""
    return next(iter(execution.search_attributes.get(attribute.name, [])), None)
