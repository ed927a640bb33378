"""Reviews of what cases teach; see `paths.py`."""

from cases.contract import REVIEW_WORKFLOW
from tests.engine import OpenCase
from tests.replay.scene import Scene, over


async def review_made(scene: Scene) -> None:
    """A review of the latest month is made, and one of a line that has no policy fails."""
    await over(await _review(scene, "month", None))
    await over(await _review(scene, "no-line", "fish"))


async def _review(scene: Scene, name: str, line: str | None) -> OpenCase:
    client, workflow = scene.workshop.client, f"review-PATH-{name}"
    request = {"every": "month", "line": line}
    await client.start_workflow(REVIEW_WORKFLOW, request, id=workflow, task_queue=scene.workshop.task_queue)
    scene.workshop.taken_in.add(workflow)
    return OpenCase(name, client, client.get_workflow_handle(workflow))
