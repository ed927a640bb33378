"""Comparisons of our database with Temporal; see `paths.py`."""

from datetime import timedelta
from unittest.mock import patch

from sqlalchemy import delete

from cases.contract import RECONCILE_WORKFLOW
from client import reconciling
from records import RecordsUnavailable
from records.tables import case_projection, case_terms
from tests.complaints import complaint
from tests.engine import OpenCase, eventually
from tests.replay.scene import Scene, fails, over

CASES = 7
"""So many that a comparison with a page for each needs a third run."""


async def rows_compared(scene: Scene) -> None:
    """Rows that are missing are written; then our database is down."""
    for number in range(CASES):
        case = await scene.workshop.take_in(complaint(case_id=f"PATH-row-{number}"))
        await case.becomes("assessing")
        await case.at_rest()
    scene.workshop.taken_in.clear()  # of the cases no more is wanted
    records = scene.workshop.parts.records
    with records._writing() as connection:  # noqa: SLF001 (nothing of ours deletes a row)
        connection.execute(delete(case_terms))
        connection.execute(delete(case_projection))

    async def listed() -> bool:
        return len([each async for each in case.client.list_workflows("CaseStatus = 'assessing'")]) == CASES

    await eventually(listed, "the cases in Temporal's list")
    settled = timedelta(seconds=-1)
    with patch.multiple(reconciling, PAGE=1, SETTLED=settled, BATCH_SECONDS=0):
        await over(await _compared(scene, "rows"))
        fails(records, "rows_of", RecordsUnavailable("down"), times=3)
        await over(await _compared(scene, "database-down"))


async def _compared(scene: Scene, name: str) -> OpenCase:
    client, workflow = scene.workshop.client, f"reconcile-PATH-{name}"
    await client.start_workflow(RECONCILE_WORKFLOW, id=workflow, task_queue=scene.workshop.task_queue)
    scene.workshop.taken_in.add(workflow)
    return OpenCase(name, client, client.get_workflow_handle(workflow))
