"""Find cases that cannot continue without help, and say what to do. Only reads; checks every open case.

A case with a pending workflow task is judged by what the server reports and is not queried: the query would wait too,
and could corrupt the history (docs/findings.md).
"""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import CASE_QUERY, CASE_WORKFLOW, CLAIM_WORKFLOW, TASK_QUEUE, claim_workflow_id, workflow_id
from cases.views.search_attributes import STATUS
from cases.views.snapshot import Snapshot
from cases.vocabulary import Role, StepState
from client.cases import ANSWER_WITHIN, Engine
from client.connection import Unreachable
from client.errors import worker_for
from client.late_reports import contested
from client.lists import Json
from settings import configured

AT_A_TIME = 10
"""How many cases are checked at the same time; more would keep workers busy."""
TAKEN_WITHIN = timedelta(seconds=30)
"""A workflow task is normally taken in milliseconds, and within 5 s if its worker was killed."""
CALLED_WITHIN = timedelta(minutes=5)
"""A call is normally made at once. If its partner is slow or has a rate limit, it waits for its turn."""
PAUSE, LOOKS = 0.2, 15
"""Seconds between two checks of a busy case, and the number of checks."""
TRIES = 10
"""A partner call with so many attempts has been failing for a quarter of an hour, a database call for minutes."""
PROBLEMS = "TemporalReportedProblems"
UNDELIVERABLE, HANDLED = "undeliverable", ("contact", "note")
"""Timeline entries: a notification that no channel accepts, and what shows that a person has handled it."""


async def stuck(engine: Engine) -> list[Json]:
    """Return a row for each thing that is stuck: `case_id`, `workflow_id`, `what`, `since`, `why`, `do`.

    A row without a `case_id` is about a task queue with all its cases, or about our database. Contested payments of
    closed cases come last (S27). Raises `Unreachable`.
    """
    opened = [workflow_id(row["case_id"]) async for row in engine.cases("ExecutionStatus = 'Running'")]
    check = _Check(engine)
    try:
        claims = f"WorkflowType = '{CLAIM_WORKFLOW}' AND ExecutionStatus = 'Running'"
        opened += [claim.id async for claim in engine.client.list_workflows(claims, rpc_timeout=ANSWER_WITHIN)]
        found = await asyncio.gather(*map(check.describe, opened))
        there = [look for look in found if look and look.status is WorkflowExecutionStatus.RUNNING]
        on_queue = Counter(look.task_queue for look in there)
        served = {queue for queue in on_queue if await engine.is_served(queue)}
        rows = await asyncio.gather(*(check.judge(look, served=look.task_queue in served) for look in there))
    except (RPCError, RPCTimeoutOrCancelledError) as error:
        raise Unreachable(f"{engine.address} has stopped answering: {error}") from None
    closed = await asyncio.to_thread(contested, configured().database_url)
    return [_no_worker(queue, on_queue[queue]) for queue in on_queue.keys() - served] + list(chain(*rows)) + closed


class _Check:
    """One check of all open workflows."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._client = engine, engine.client
        self._now = datetime.now(UTC)
        self._gate = asyncio.Semaphore(AT_A_TIME)
        self._unanswered: Counter[str] = Counter()

    async def describe(self, workflow: str) -> WorkflowExecutionDescription | None:
        """Return the server's description of a workflow; None if it no longer exists."""
        async with self._gate:
            try:
                return await self._client.get_workflow_handle(workflow).describe(rpc_timeout=ANSWER_WITHIN)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise

    async def judge(self, there: WorkflowExecutionDescription, *, served: bool) -> list[Json]:
        """Return all rows for one workflow. If no worker serves its task queue, it is not queried."""
        for _ in range(LOOKS):
            if not served or not _is_busy(there):
                break
            await asyncio.sleep(PAUSE)
            there = await self.describe(there.id) or there
        case = there.id.removeprefix(workflow_id("")).removeprefix(claim_workflow_id(""))
        rows = _retrying(there) + _uncalled(there, self._now)
        if PROBLEMS in there.search_attributes:
            rows.append(_failing(there))
        elif served and _is_busy(there):
            rows += _untaken(there, self._now)
        elif served and there.workflow_type == CASE_WORKFLOW:
            async with self._gate:
                rows += await self._ask(there, case)
        return [{"case_id": case, "workflow_id": there.id, **row} for row in rows]

    async def _ask(self, there: WorkflowExecutionDescription, case: str) -> list[Json]:
        """Query the case and return its rows. Stops querying a task queue after several cases did not answer."""
        if self._unanswered[there.task_queue] >= AT_A_TIME:
            return []
        try:
            handle = self._client.get_workflow_handle(there.id)
            seen = Snapshot.model_validate(await self._engine.ask(handle, CASE_QUERY))
        except (RPCError, RPCTimeoutOrCancelledError, WorkflowQueryFailedError) as error:
            self._unanswered[there.task_queue] += 1
            do = f"read the worker's log, then try again: starter.py show {case}"
            return [_row("silent", None, f"does not answer: {error}", do)]
        return _steps(case, seen) + _escalated(case, seen) + _undeliverable(case, seen)


def _is_busy(there: WorkflowExecutionDescription) -> bool:
    """Return whether a workflow task is pending or running, and not reported as failing."""
    return there.raw_description.HasField("pending_workflow_task") and PROBLEMS not in there.search_attributes


def _retrying(there: WorkflowExecutionDescription) -> list[Json]:
    """Return a row for each call to a partner or to our database that keeps failing."""
    do = "nothing, if the partner or our database is known to be down: it continues when they are back; otherwise read"
    do += f" the error of the pending activity in the Temporal UI, on the page of {there.id}"
    return [
        _row("retrying", None, f"{call.activity_type.name} has been tried {call.attempt} times", do)
        for call in there.raw_description.pending_activities
        if call.attempt >= TRIES
    ]


def _uncalled(there: WorkflowExecutionDescription, now: datetime) -> list[Json]:
    """Return a row for each call that no worker has begun to make."""
    calls = [
        (call.activity_type.name, call.scheduled_time.ToDatetime(tzinfo=UTC))
        for call in there.raw_description.pending_activities
        if call.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and call.attempt == 1
    ]
    do = "start a worker that calls partners: python worker.py; nothing, if the partner is slow or has a rate limit"
    return [
        _row("uncalled", since, f"{name} waits for a worker, or for its turn", do)
        for name, since in calls
        if now - since > CALLED_WITHIN
    ]


def _failing(there: WorkflowExecutionDescription) -> Json:
    problems = ", ".join(map(str, there.search_attributes[PROBLEMS]))
    why = f"our code keeps failing on this case; nothing is lost: {problems}"
    do = f"read the error in the Temporal UI, on the page of {there.id}; "
    if "NonDeterministic" in problems:
        reset = f"temporal workflow reset --workflow-id {there.id} --event-id EVENT --reason TEXT"
        do += f"start a worker of the previous build, or, if the code has not changed: {reset} (docs/operations.md)"
    else:
        do += "deploy a fixed worker, and the case continues"
    return _row("failing", _scheduled(there), why, do)


def _untaken(there: WorkflowExecutionDescription, now: datetime) -> list[Json]:
    since = _scheduled(there)
    if since is None or now - since < TAKEN_WITHIN:
        return []
    attempt = there.raw_description.pending_workflow_task.attempt
    why = f"a worker is running, but does not take the workflow task (attempt {attempt})"
    do = "read the worker's log: it may be overloaded, hanging, or crashing on this case"
    return [_row("untaken", since, why, do)]


def _scheduled(there: WorkflowExecutionDescription) -> datetime | None:
    """Return since when the current workflow task has been pending."""
    task = there.raw_description.pending_workflow_task
    known = there.raw_description.HasField("pending_workflow_task")
    return task.original_scheduled_time.ToDatetime(tzinfo=UTC) if known else None


def _steps(case: str, seen: Snapshot) -> list[Json]:
    rows = []
    for step in seen.steps:
        # Snapshots of earlier builds have no key.
        which, key = f"step {step.id} ({step.partner})", step.key or step.id
        if step.state == StepState.UNKNOWN:
            why = f"{which}: it is not known whether it was done: {step.reason}"
            do = f"nothing, if the partner answers soon; otherwise look up {key} in the partner's records, then"
            do += f" starter.py step-reported {case} --step {step.id} --state done, or --state failed"
            rows.append(_row("step_unknown", step.since, why, do))
        elif step.state == StepState.BLOCKED:
            do = f"starter.py resolve-step {case} --step {step.id} --action retry, replace or waive"
            rows.append(_row("step_blocked", step.since, f"{which}: {step.reason}", do))
    return rows


def _escalated(case: str, seen: Snapshot) -> list[Json]:
    """Return a row for each broken promise that reached the director (G10) and was not acknowledged."""
    owed = {p.name for p in seen.promises if p.cycle == seen.cycle and not p.kept_at}
    return [
        _row(
            "unacknowledged",
            e.sent_at or e.due_at,
            f"{e.promise} is broken, the {e.role} was notified, and nobody has acknowledged it",
            f"act on it, then starter.py acknowledge-escalation {case} --promise {e.promise} --by YOU",
        )
        for e in seen.escalations
        if e.role == Role.DIRECTOR and not e.acknowledged_by
        if e.cycle == seen.cycle and e.promise in owed
    ]


def _undeliverable(case: str, seen: Snapshot) -> list[Json]:
    """Return a row for each notification that no channel accepts, unless a person has handled it since."""
    rows: list[Json] = []
    for entry in seen.timeline:
        if entry.what in HANDLED:
            rows.clear()
        elif entry.what == UNDELIVERABLE:
            do = f"inform them in another way, then starter.py contact-made {case} (customers) or note {case} (staff)"
            rows.append(_row(UNDELIVERABLE, entry.at, f"no channel accepts {entry.text}", do))
    return rows


def _no_worker(queue: str, cases: int) -> Json:
    why = f"no worker serves task queue {queue}; {cases} open on it are waiting and were not checked further"
    if start := worker_for(queue):
        do = f"start one: {start}; then run this again"
    else:
        new = f"WorkflowType = '{CASE_WORKFLOW}' AND TaskQueue = '{queue}' AND {STATUS.name} IS NULL"
        do = "start the worker again that served it; workflows that no worker has accepted are no cases yet, so "
        do += f'terminate them and start them on {TASK_QUEUE}: temporal workflow list --query "{new}"'
    return {"case_id": None, "workflow_id": None, **_row("no_worker", None, why, do)}


def _row(what: str, since: datetime | None, why: str, do: str) -> Json:
    return {"what": what, "since": since.isoformat() if since else None, "why": why, "do": do}
