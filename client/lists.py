"""Lists of cases, from the search attributes that the server keeps of each run."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from cases.contract import CASE_WORKFLOW, workflow_id
from cases.views import search_attributes as attributes
from cases.views.search_attributes import SearchAttribute

Json = dict[str, Any]


async def rows(client: Client, *conditions: str, within: timedelta) -> AsyncIterator[Json]:
    """Yield a row for each case that the server still has and for which all `conditions` hold, latest first."""
    query = " AND ".join((f"WorkflowType = '{CASE_WORKFLOW}'", *conditions))
    known: set[str] = set()
    async for execution in client.list_workflows(query, rpc_timeout=within):
        # The server lists every run. A run that continued as new is not the current state of the case, and of a
        # complaint that was refused and sent again only the latest run counts.
        continued = execution.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
        if not continued and not (execution.id in known and not was_admitted(execution)):
            yield _row(execution)
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


def _row(execution: WorkflowExecution) -> Json:
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
