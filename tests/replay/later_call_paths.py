"""Paths of a later call (G13); see `paths.py`."""

from cases.contract import later_call_workflow_id
from tests.engine import OpenCase
from tests.replay.scene import Scene, over, passes
from tests.workflows.later_call.test_later_call import ANSWER, FORMULA, close


async def later_call(scene: Scene) -> None:
    """Two cases close. One customer is called twice, with signals that make no sense; of the other nobody asks."""
    calls = []
    for name in ("called", "not-called"):
        case = await scene.case(f"later-{name}", **{**FORMULA, "order": {**FORMULA["order"], "order_id": f"SO-{name}"}})
        await close(case)
        handle = case.client.get_workflow_handle(later_call_workflow_id(case.id))
        scene.workshop.taken_in.add(handle.id)
        calls.append(OpenCase(case.id, case.client, handle))
    scene.workshop.taken_in.remove(case.handle.id)
    called, given_up = calls
    await passes(called, days=38)
    for name in ("later-call-answered", "hurry-up"):
        await called.signals(name, nonsense=name)
    await called.says("later-call-answered", **ANSWER)
    await over(called)
    await passes(given_up, days=52)
    await over(given_up)
