"""Which cases need a person for a technical reason, and what to do: read only, every open case is looked at.

A case whose workflow task waits for a worker is judged by what the server says of it and is not queried: a query then
would wait as well, and can spoil its history (docs/findings.md).
"""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain

from temporalio.client import (
    RPCTimeoutOrCancelledError,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import CASE_QUERY, CASE_WORKFLOW, CLAIM_WORKFLOW, TASK_QUEUE, claim_workflow_id, workflow_id
from cases.views.snapshot import Snapshot
from cases.vocabulary import Role, StepState
from client.cases import ANSWER_WITHIN, Engine, Json
from client.connection import Unreachable
from client.late_reports import contested
from settings import configured

AT_A_TIME = 10
"""How many cases are looked at side by side; more would keep workers from their work."""
TAKEN_WITHIN = timedelta(seconds=30)
"""A workflow task is taken in milliseconds, and within 5 s where its worker was killed."""
PAUSE, LOOKS = 0.2, 15
"""Seconds between two looks at a case that is busy, and how often we look before we leave it alone."""
TRIES = 10
"""A partner's call that has failed so often has been failing for a quarter of an hour; our database's, for minutes."""
PROBLEMS = "TemporalReportedProblems"
UNDELIVERABLE, SEEN_TO = "undeliverable", ("contact", "note")
"""Entries of a timeline: a letter that nothing takes, and that a person has seen to it since."""


async def stuck(engine: Engine) -> list[Json]:
    """A row for each thing that is stuck: `case_id`, `workflow_id`, `what`, `since`, `why`, `do`.

    Without a `case_id` it concerns a task queue with all its cases, or our records. Payments of closed cases that are
    contested come last (S27). Raises `Unreachable`.
    """
    opened = [workflow_id(row["case_id"]) async for row in engine.cases("ExecutionStatus = 'Running'")]
    tour = _Tour(engine)
    try:
        claims = f"WorkflowType = '{CLAIM_WORKFLOW}' AND ExecutionStatus = 'Running'"
        opened += [claim.id async for claim in engine.client.list_workflows(claims, rpc_timeout=ANSWER_WITHIN)]
        found = await asyncio.gather(*map(tour.describe, opened))
        there = [look for look in found if look and look.status is WorkflowExecutionStatus.RUNNING]
        on_queue = Counter(look.task_queue for look in there)
        served = {queue for queue in on_queue if await engine.is_served(queue)}
        rows = await asyncio.gather(*(tour.judge(look, served=look.task_queue in served) for look in there))
    except (RPCError, RPCTimeoutOrCancelledError) as error:
        raise Unreachable(f"{engine.address} has stopped answering: {error}") from None
    closed = await asyncio.to_thread(contested, configured().database_url)
    return [_no_worker(queue, on_queue[queue]) for queue in on_queue.keys() - served] + list(chain(*rows)) + closed


class _Tour:
    """One look at everything."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._client = engine, engine.client
        self._now = datetime.now(UTC)
        self._gate = asyncio.Semaphore(AT_A_TIME)
        self._silent: Counter[str] = Counter()

    async def describe(self, workflow: str) -> WorkflowExecutionDescription | None:
        """What the server says of it; None where it is no longer there."""
        async with self._gate:
            try:
                return await self._client.get_workflow_handle(workflow).describe(rpc_timeout=ANSWER_WITHIN)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise

    async def judge(self, there: WorkflowExecutionDescription, *, served: bool) -> list[Json]:
        """All that is wrong with one workflow; little can be said where no worker serves its task queue."""
        for _ in range(LOOKS):
            if not served or not _is_busy(there):
                break
            await asyncio.sleep(PAUSE)
            there = await self.describe(there.id) or there
        case = there.id.removeprefix(workflow_id("")).removeprefix(claim_workflow_id(""))
        rows = _retrying(there)
        if PROBLEMS in there.search_attributes:
            rows.append(_failing(there))
        elif served and _is_busy(there):
            rows += _untaken(there, self._now)
        elif served and there.workflow_type == CASE_WORKFLOW:
            async with self._gate:
                rows += await self._ask(there, case)
        return [{"case_id": case, "workflow_id": there.id, **row} for row in rows]

    async def _ask(self, there: WorkflowExecutionDescription, case: str) -> list[Json]:
        """What the case says of itself; the worker may have gone a moment ago, and then not all are waited for."""
        if self._silent[there.task_queue] >= AT_A_TIME:
            return []
        try:
            handle = self._client.get_workflow_handle(there.id)
            seen: Snapshot = await self._engine.ask(handle, CASE_QUERY, result_type=Snapshot)
        except (RPCError, RPCTimeoutOrCancelledError, WorkflowQueryFailedError) as error:
            self._silent[there.task_queue] += 1
            do = f"read the log of the worker, then ask again: starter.py show {case}"
            return [_row("silent", None, f"does not answer: {error}", do)]
        return _steps(case, seen) + _escalated(case, seen) + _undeliverable(case, seen)


def _is_busy(there: WorkflowExecutionDescription) -> bool:
    """Whether a task of it waits for a worker, or is with one, and is not known to fail."""
    return there.raw_description.HasField("pending_workflow_task") and PROBLEMS not in there.search_attributes


def _retrying(there: WorkflowExecutionDescription) -> list[Json]:
    """Calls of partners, or of our own database, that fail and fail."""
    do = "nothing, if that partner, or our database, is known to be down: it goes on by itself; else read in the"
    do += f" Temporal UI, on the page of {there.id}, what the call hears"
    return [
        _row("retrying", None, f"{call.activity_type.name} has been tried {call.attempt} times", do)
        for call in there.raw_description.pending_activities
        if call.attempt >= TRIES
    ]


def _failing(there: WorkflowExecutionDescription) -> Json:
    told = ", ".join(map(str, there.search_attributes[PROBLEMS]))
    why = f"our code fails on it, again and again; nothing of it is lost: {told}"
    do = f"read the error in the Temporal UI, on the page of {there.id}; deploy a mended worker, then it goes on"
    since = _scheduled(there)
    return _row("failing", since, why, do)


def _untaken(there: WorkflowExecutionDescription, now: datetime) -> list[Json]:
    since = _scheduled(there)
    if since is None or now - since < TAKEN_WITHIN:
        return []
    attempt = there.raw_description.pending_workflow_task.attempt
    why = f"its workflow task is not being done, though a worker is there (attempt {attempt})"
    do = "read the log of the worker: it is overloaded, hangs, or dies at this case"
    return [_row("untaken", since, why, do)]


def _scheduled(there: WorkflowExecutionDescription) -> datetime | None:
    """Since when its present workflow task waits to be done."""
    task = there.raw_description.pending_workflow_task
    known = there.raw_description.HasField("pending_workflow_task")
    return task.original_scheduled_time.ToDatetime(tzinfo=UTC) if known else None


def _steps(case: str, seen: Snapshot) -> list[Json]:
    rows = []
    for step in seen.steps:
        # A worker of an earlier build writes no key.
        which, key = f"step {step.id} ({step.partner})", step.key or step.id
        if step.state == StepState.UNKNOWN:
            why = f"{which}: nobody knows whether it was done: {step.reason}"
            do = f"nothing, if the partner answers soon: it is being asked; else look in its books for {key}, then"
            do += f" starter.py step-reported {case} --step {step.id} --state done, or --state failed"
            rows.append(_row("step_unknown", step.since, why, do))
        elif step.state == StepState.BLOCKED:
            do = f"starter.py resolve-step {case} --step {step.id} --action retry, replace or waive"
            rows.append(_row("step_blocked", step.since, f"{which}: {step.reason}", do))
    return rows


def _escalated(case: str, seen: Snapshot) -> list[Json]:
    """Promises of which the last one up was told (G10), and nobody has said that they have it."""
    owed = {p.name for p in seen.promises if p.cycle == seen.cycle and not p.kept_at}
    return [
        _row(
            "unacknowledged",
            e.sent_at or e.due_at,
            f"{e.promise} is broken, and nobody above the {e.role} is left to be told",
            f"see to it; meanwhile starter.py acknowledge-escalation {case} --promise {e.promise} --by YOU",
        )
        for e in seen.escalations
        if e.role == Role.DIRECTOR and not e.acknowledged_by
        if e.cycle == seen.cycle and e.promise in owed
    ]


def _undeliverable(case: str, seen: Snapshot) -> list[Json]:
    """Letters that no channel takes, since a person last wrote that they reached somebody."""
    rows: list[Json] = []
    for entry in seen.timeline:
        if entry.what in SEEN_TO:
            rows.clear()
        elif entry.what == UNDELIVERABLE:
            do = f"tell them in another way, then starter.py contact-made {case} (customers) or note {case} (staff)"
            rows.append(_row(UNDELIVERABLE, entry.at, f"no channel takes {entry.text}", do))
    return rows


def _no_worker(queue: str, cases: int) -> Json:
    why = f"no worker serves task queue {queue}; open on it: {cases}, all of them wait and were not looked at closer"
    do = "start one: python worker.py; then look again"
    if queue != TASK_QUEUE:
        why += f"; cases belong on {TASK_QUEUE}"
        do = (
            f"""temporal workflow list --query "TaskQueue = '{queue}'"; terminate them and start them on {TASK_QUEUE}"""
        )
    return {"case_id": None, "workflow_id": None, **_row("no_worker", None, why, do)}


def _row(what: str, since: datetime | None, why: str, do: str) -> Json:
    return {"what": what, "since": since.isoformat() if since else None, "why": why, "do": do}
