"""Collect what is left after a run: the partners' records, our records, and every history, each one replayed."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import claim_workflow_id, workflow_id
from client.cases import Engine
from client.late_reports import apply_to_ledger
from encryption.vault import vault
from partners.sandbox.reports import NO_CASE
from partners.wire import STEP_REPORTED
from records import CaseFilter, Records
from settings import Settings
from tests.engine import replayer, runs
from tests.faults.fleet import Fleet
from tests.faults.people import Life

AT_ONCE = 8
"""How many histories are fetched at the same time."""
REPORTED_WITHIN = 60
"""Seconds to wait for outstanding partner reports after repair: a few times the longest pause."""
END_WITHIN = 120
"""Seconds to wait for a start with an invalid complaint to fail. It fails at once unless the machine is busy."""
ARCHIVED_WITHIN = 330
"""Seconds to wait for a closed case to be archived after the database is back: the longest retry interval."""
WRITTEN_WITHIN = 90
"""Seconds to wait for the row of an open case after the database is back: longer than the longest retry interval."""
SHOWN = ("status", "outcome", "urgent", "team", "owner")
"""Columns of a row that are compared with the snapshot as they are."""
FAILING = 3
"""A pending workflow task with more attempts than this is failing."""


@dataclass
class Evidence:
    """The partners' records, our records, and histories, by case id where they belong to one case."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    """Every time a partner carried out a step; `state` is what it reported last, `first` what it reported first."""
    calls: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    """Our order ledger."""
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The last snapshot; empty if the case failed."""
    closed: set[str] = field(default_factory=set)
    archived: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What lists show of each case (`shown`), what the snapshot in its row shows (`snapshot`), and `ended`."""
    histories: dict[str, list[WorkflowHistory]] = field(default_factory=dict)
    """Every run of a case, latest first."""
    applied: dict[str, int] = field(default_factory=dict)
    """How often a message was applied, by its id."""
    failing: dict[str, str] = field(default_factory=dict)
    """Cases with a failing workflow task, or whose workflow failed."""
    accepted_garbage: dict[str, str] = field(default_factory=dict)
    """Starts with an invalid complaint that were not refused, by case id, with their state."""
    unreplayable: dict[str, str] = field(default_factory=dict)


async def gather(fleet: Fleet, engine: Engine, lives: list[Life]) -> Evidence:
    """Collect the evidence once the machine is repaired."""
    recorded = await _partner_records(fleet)
    await _report_to_closed_cases(recorded["reports"], fleet.database_url)
    found = Evidence(steps=_with_last_state(recorded), calls=recorded["calls"], messages=recorded["messages"])
    room = asyncio.Semaphore(AT_ONCE)

    async def one(looked: Awaitable[None]) -> None:
        async with room:
            await looked

    await asyncio.gather(*(one(_look_at(engine, life.case_id, found)) for life in lives))
    await asyncio.gather(*(one(_was_refused(engine, life, found)) for life in lives if life.garbage))
    keys = vault(Settings(encryption_keys_file=fleet.keys))
    with closing(Records(fleet.database_url, keys)) as records:
        found.entries = records.entries()
        for life in lives:
            if row := records.case(life.case_id):
                found.archived[life.case_id] = row
        await _rows(engine, records, found)
    return found


def shown(end: dict[str, Any]) -> dict[str, Any]:
    """Return what a list has to show of a case with this snapshot."""
    owner = end["owner"] or {}
    return {
        "status": end["status"],
        "outcome": end["outcome"],
        "urgent": end["urgent"],
        "team": owner.get("team"),
        "owner": owner.get("name"),
        "broken": sorted({promise["name"] for promise in end["promises"] if promise["state"] == "broken"}),
    }


async def _rows(engine: Engine, records: Records, found: Evidence) -> None:
    """Read the rows. Open cases that differ from theirs may be moving, or writing: look at both again for a while."""
    until = asyncio.get_running_loop().time() + WRITTEN_WITHIN
    while True:
        for row in (await asyncio.to_thread(records.listed, CaseFilter(state="all"))).cases:
            kept = await asyncio.to_thread(records.snapshot_of, row.case_id)
            as_shown = {**row.model_dump(include=set(SHOWN)), "broken": sorted(row.broken)}
            inside = shown(json.loads(kept[1])) if kept else {}
            found.rows[row.case_id] = {"shown": as_shown, "ended": row.ended, "snapshot": inside}
        moving = [id_ for id_ in found.ends.keys() - found.closed if not _is_shown(id_, found)]
        if not moving or asyncio.get_running_loop().time() > until:
            return
        await asyncio.sleep(1)
        for case_id in moving:
            found.ends[case_id] = (await engine.snapshot(case_id)).as_json()


def _is_shown(case_id: str, found: Evidence) -> bool:
    row = found.rows.get(case_id)
    return row is not None and row["shown"] == shown(found.ends[case_id])


async def _partner_records(fleet: Fleet) -> dict[str, Any]:
    """Return the partners' records once all outstanding reports have been sent."""
    until = asyncio.get_running_loop().time() + REPORTED_WITHIN
    while True:
        async with fleet.partners_admin() as partners:
            recorded: dict[str, Any] = (await partners.get("/_sandbox/ledger")).raise_for_status().json()
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        late = [report for report in recorded["reports"] if report["sent_at"] is None and report["due_at"] <= now]
        if not late or asyncio.get_running_loop().time() > until:
            return recorded
        await asyncio.sleep(0.5)


async def _report_to_closed_cases(reports: list[dict[str, Any]], database_url: str) -> None:
    """Pass reports on closed cases on, as `starter.py step-reported` does: a closed workflow takes no signals (S27)."""
    for report in sorted(reports, key=lambda report: (report["due_at"], report["id"])):
        if report["outcome"] == NO_CASE and report["signal"] == STEP_REPORTED:
            await asyncio.to_thread(
                apply_to_ledger, report["case_id"], "it has closed", STEP_REPORTED, report["payload"], database_url
            )


def _with_last_state(recorded: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps with the last reported state of each."""
    last = {}
    for report in sorted(recorded["reports"], key=lambda report: (report["due_at"], report["id"])):
        if report["step_id"] is not None and report["sent_at"] is not None:
            last[report["step_id"]] = report["payload"]["state"]
    return [{**row, "first": row["state"], "state": last.get(row["id"], row["state"])} for row in recorded["steps"]]


async def _look_at(engine: Engine, case_id: str, found: Evidence) -> None:
    handle = engine.client.get_workflow_handle(workflow_id(case_id))
    try:
        there = await handle.describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return
    task = there.raw_description.pending_workflow_task
    if task.attempt >= FAILING:
        found.failing[case_id] = f"attempt {task.attempt} of a workflow task"
    if there.status is WorkflowExecutionStatus.RUNNING:
        found.ends[case_id] = (await engine.snapshot(case_id)).as_json()
        if found.ends[case_id]["status"] == "closed":
            with suppress(TimeoutError):
                async with asyncio.timeout(ARCHIVED_WITHIN):
                    found.ends[case_id] = await handle.result()
                    found.closed.add(case_id)
    elif there.status is WorkflowExecutionStatus.COMPLETED:
        found.closed.add(case_id)
        found.ends[case_id] = await handle.result()
    else:
        found.failing[case_id] = f"its workflow ended as {there.status.name if there.status else 'unknown'}"
    found.histories[case_id] = histories = await runs(engine.client, handle.id)
    found.applied.update(await _applied(engine, histories))
    await _replay(engine, case_id, histories, found)
    if any(step["kind"] == "carrier_claim" for step in found.ends.get(case_id, {}).get("steps", [])):
        await _replay(engine, case_id, await runs(engine.client, claim_workflow_id(case_id)), found)


async def _was_refused(engine: Engine, life: Life, found: Evidence) -> None:
    for id_ in life.garbage:
        try:
            async with asyncio.timeout(END_WITHIN):
                await engine.client.get_workflow_handle(id_).result()
        except WorkflowFailureError as error:
            if getattr(error.cause, "type", None) != "InvalidComplaint":
                found.accepted_garbage[life.case_id] = f"{id_} failed with {error.cause}"
        except TimeoutError:
            found.accepted_garbage[life.case_id] = f"{id_} is still open"
        else:
            found.accepted_garbage[life.case_id] = f"{id_} was taken in"


async def _replay(engine: Engine, case_id: str, histories: list[WorkflowHistory], found: Evidence) -> None:
    for history in histories:
        result = await replayer(engine.client).replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure:
            found.unreplayable[case_id] = str(result.replay_failure)


async def _applied(engine: Engine, histories: list[WorkflowHistory]) -> Counter[str]:
    """Count how often each update was applied according to the histories, by message id."""
    converter = engine.client.data_converter
    counted: Counter[str] = Counter()
    for history in histories:
        asked: dict[int, str] = {}
        for event in history.events:
            if event.HasField("workflow_execution_update_accepted_event_attributes"):
                taken = event.workflow_execution_update_accepted_event_attributes.accepted_request.input.args.payloads
                payload = (await converter.decode(list(taken)))[0] if taken else None
                asked[event.event_id] = payload.get("message_id", "") if isinstance(payload, dict) else ""
            elif event.HasField("workflow_execution_update_completed_event_attributes"):
                done = event.workflow_execution_update_completed_event_attributes
                said = (await converter.decode(list(done.outcome.success.payloads)) or [None])[0]
                if isinstance(said, dict) and said.get("applied"):
                    counted[asked.get(done.accepted_event_id, "")] += 1
    return counted
