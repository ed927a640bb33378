"""A payment that is interrupted by a cancellation, a deployment or a crash leaves nothing unsettled (S13, S15)."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError

from cases.contract import CASE_WORKFLOW, TASK_QUEUE, workflow_id
from child import Child
from records import EntryState, Records
from settings import ROOT
from tests.complaints import complaint
from tests.e2e.driving import clean_environment
from tests.engine import ONCE, OpenCase, Workshop, eventually
from tests.partners.running import Gate, RunningSandbox

pytestmark = pytest.mark.e2e
REFUND = {"kind": "refund", "amount": "12800.00"}


@pytest.fixture
async def worker(engine: str, sandbox: RunningSandbox, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Child]:
    """Run `python worker.py` as a separate process."""
    environment = clean_environment(
        TEMPORAL_ADDRESS=engine, AFTER_SALES_PARTNERS_URL=sandbox.url, AFTER_SALES_DATABASE_URL=sqlite_url
    )
    command = [sys.executable, str(ROOT / "worker.py")]
    process = Child("the worker", command, environment, tmp_path / "worker.log", ready_line="worker ready")
    await process.launch()
    await process.until_ready()
    yield process
    await process.end(20)


async def taken_in(client: Client) -> OpenCase:
    """A case that any worker may run."""
    content = complaint()
    id_ = workflow_id(content["case_id"])
    handle = await client.start_workflow(CASE_WORKFLOW, content, id=id_, task_queue=TASK_QUEUE, **ONCE)
    return OpenCase(content["case_id"], client, handle)


async def paying(case: OpenCase, gate: Gate, *, carried_out: bool = False) -> None:
    """Let the customer agree to a refund, and wait until the call is held at the partner."""
    await case.becomes("assessing")
    await case.says("assess", severity="severe", by="Zhao")
    await case.says("propose", options=[{"key": "refund", "remedies": [REFUND]}], by="Zhao")
    await case.becomes("awaiting_consent")
    gate.hold(1, carried_out=carried_out)
    await case.says("customer-approved", by="Wang Li")
    await eventually(lambda: _is(gate.held == 1), "the call")


def entries(records: Records, case: OpenCase) -> dict[str, EntryState]:
    return {entry["key"]: entry["state"] for entry in records.entries(case.id)}


# The workflow is cancelled


class End(NamedTuple):
    """The partner's answer to the refund, and the final state of step, entry and the partner's record."""

    fault: str | None
    state: str
    entry: EntryState
    paid: dict[str, str]


PAID = {"refund": "12800.00"}
ENDS = {
    "it is paid": End(None, "done", EntryState.COMMITTED, PAID),
    "it is refused": End("refuse", "waived", EntryState.RELEASED, {}),
    "it never arrived": End("error", "done", EntryState.COMMITTED, PAID),
    "its answer is lost": End("nonsense", "done", EntryState.COMMITTED, PAID),
}


@pytest.mark.parametrize("how", ENDS)
async def test_case_that_is_cancelled_during_a_refund_settles_and_records_it(
    workshop: Workshop, sandbox: RunningSandbox, gate: Gate, how: str
) -> None:
    """S13, S15: the step has a final state, nothing stays reserved; archive, ledger and partner agree."""
    end, records = ENDS[how], workshop.parts.records
    case = await workshop.take_in(complaint())
    if end.fault:
        await sandbox.fault(end.fault, partner="refunds", count=1)
    await paying(case, gate)

    await case.handle.cancel()
    meanwhile = (await case.handle.describe()).status
    gate.open()
    with pytest.raises(WorkflowFailureError):
        await case.result()

    assert meanwhile is WorkflowExecutionStatus.RUNNING
    assert (await case.handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert entries(records, case) == {f"{case.id}/1/o2/refund": end.entry}
    assert await sandbox.money(f"SO-{case.id}") == end.paid
    archived = records.case(case.id)
    assert archived is not None
    assert archived["outcome"] == "withdrawn"
    assert [s["state"] for s in archived["record"]["steps"]] == [end.state]
    assert archived["record"]["paid"]["refund"] == end.paid.get("refund", "0.00")
    assert "cancelled" in [entry["what"] for entry in archived["record"]["timeline"]]


# The worker is stopped


@pytest.mark.long
async def test_worker_that_is_stopped_finishes_the_refund_that_it_has_begun(
    client: Client, worker: Child, sandbox: RunningSandbox, gate: Gate, records: Records
) -> None:
    """S13: SIGTERM while the partner is slow; the payment is recorded and completed before the process ends."""
    case = await taken_in(client)
    await paying(case, gate)

    assert worker.process is not None
    worker.process.terminate()
    await eventually(lambda: _is("worker stopping" in worker.log.read_text(encoding="utf-8")), "the stop")
    before = entries(records, case)
    gate.open()
    await worker.until_ended()

    key = f"{case.id}/1/o2/refund"
    assert worker.process.returncode == 0
    assert (before, entries(records, case)) == ({key: EntryState.RESERVED}, {key: EntryState.COMMITTED})
    assert "refunds-step" in await _completed(case)
    assert await _asked(sandbox, case) == ["POST steps"]

    await worker.launch()
    await worker.until_ready()
    seen = await case.becomes("following_up")
    assert seen["paid"]["refund"] == "12800.00"
    assert await _asked(sandbox, case) == ["POST steps"]
    assert await sandbox.money(f"SO-{case.id}") == PAID
    await case.says("satisfaction-reported", score=5)
    assert (await case.result())["outcome"] == "satisfied"


@pytest.mark.long
@pytest.mark.parametrize("carried_out", [True, False], ids=["booked", "not yet booked"])
async def test_refund_whose_worker_is_killed_is_looked_up_by_key_and_paid_once(  # noqa: PLR0913, PLR0917 (fixtures)
    client: Client, worker: Child, sandbox: RunningSandbox, gate: Gate, records: Records, carried_out: bool
) -> None:
    """S13: SIGKILL while the call is at the partner; the next worker asks before it sends."""
    case = await taken_in(client)
    await paying(case, gate, carried_out=carried_out)
    key = f"{case.id}/1/o2/refund"

    worker.kill()
    await worker.until_ended()
    before = entries(records, case)
    await worker.launch()
    await worker.until_ready()
    seen = await case.becomes("following_up")
    gate.open()

    assert before == {key: EntryState.RESERVED}
    assert seen["paid"]["refund"] == "12800.00"
    assert entries(records, case) == {key: EntryState.COMMITTED}
    sent = ["POST steps"] if carried_out else ["POST steps", "POST steps"]
    await eventually(lambda: _asked_so(sandbox, case, sorted(["GET steps", *sent])), "what was held")
    assert [row["key"] for row in await sandbox.rows("steps", case_id=case.id)] == [key]
    assert await sandbox.money(f"SO-{case.id}") == PAID
    await case.says("satisfaction-reported", score=5)
    assert (await case.result())["outcome"] == "satisfied"
    assert entries(records, case) == {key: EntryState.COMMITTED}


async def _asked(sandbox: RunningSandbox, case: OpenCase) -> list[str]:
    """Return the requests about the case's refund, sorted."""
    calls = await sandbox.rows("calls")
    return sorted(row["call"] for row in calls if row["key"] == f"{case.id}/1/o2/refund")


async def _asked_so(sandbox: RunningSandbox, case: OpenCase, calls: list[str]) -> bool:
    return await _asked(sandbox, case) == calls


async def _completed(case: OpenCase) -> set[str]:
    """Return the activities whose result the server has."""
    events = await case.events()
    scheduled = {
        e.event_id: e.activity_task_scheduled_event_attributes.activity_type.name
        for e in events
        if e.HasField("activity_task_scheduled_event_attributes")
    }
    return {
        scheduled[e.activity_task_completed_event_attributes.scheduled_event_id]
        for e in events
        if e.HasField("activity_task_completed_event_attributes")
    }


async def _is(value: object) -> bool:
    return bool(value)
