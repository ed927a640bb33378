"""Paths of an improvement measure (G13); see `paths.py`."""

from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy

from cases.contract import MEASURE_WORKFLOW, measure_workflow_id
from cases.measure.proposed import Dimension, Proposal, Proposed
from tests.engine import OpenCase
from tests.replay.scene import Scene, over, passes

DONE = {"result": "all parcels go with Hare", "by": "li.na"}


def _measure(scene: Scene, subject: str) -> OpenCase:
    about = Proposed(
        line="building_materials",
        dimension=Dimension.CARRIER,
        subject=subject,
        proposal=Proposal.CHANGE_CARRIER,
        figure="complaints",
        reason="25 % of its parcels arrive damaged",
    )
    measure_id = scene.workshop.parts.records.propose(about, datetime.now(UTC))
    handle = scene.workshop.client.get_workflow_handle(measure_workflow_id(measure_id))
    scene.workshop.taken_in.add(handle.id)
    return OpenCase(measure_id, scene.workshop.client, handle)


def _adopt(days: int = 10) -> dict[str, str]:
    due = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    return {"owner": "li.na", "due": due, "by": "chen"}


async def _says(scene: Scene, measure: OpenCase, name: str, payload: Any) -> None:
    start: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
        MEASURE_WORKFLOW,
        id=measure.handle.id,
        task_queue=scene.workshop.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await measure.client.execute_update_with_start_workflow(name, payload, start_workflow_operation=start)


async def measure_overdue(scene: Scene) -> None:
    """It is adopted, overdue for weeks over three runs, and done."""
    measure = _measure(scene, "Swift")
    await _says(scene, measure, "adopt", _adopt())
    await measure.at_rest()
    for _ in range(6):
        await passes(measure, days=10)
    await measure.says("done", **DONE)
    await over(measure)


async def measure_messages(scene: Scene) -> None:
    """Every signal, and every update; one is dropped, one nobody proposed, and one an operator cancels."""
    measure = _measure(scene, "Tortoise")
    await _says(scene, measure, "adopt", _adopt())
    for name in ("adopt", "done", "drop", "hurry-up"):
        await measure.signals(name, nonsense=name)
    await measure.says("drop", reason="it has closed", by="li.na")
    await over(measure)
    unknown = _measure(scene, "Hare")
    scene.workshop.taken_in.remove(unknown.handle.id)
    unknown.handle = measure.client.get_workflow_handle(measure_workflow_id("carrier-00000000"))
    scene.workshop.taken_in.add(unknown.handle.id)
    try:
        await _says(scene, unknown, "adopt", _adopt())
    except WorkflowUpdateFailedError:
        await over(unknown)
    cancelled = _measure(scene, "Snail")
    await _says(scene, cancelled, "adopt", _adopt())
    await cancelled.handle.cancel()
    await over(cancelled)
