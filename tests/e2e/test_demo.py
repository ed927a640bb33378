"""The demo on real parts: every story ends as expected, and every history replays."""

import io

import pytest
from rich.console import Console
from temporalio.client import Client

import demo
from cases.contract import claim_workflow_id, workflow_id
from demo.play import Stage
from demo.stories import ALONE, TOGETHER
from embedded import Embedded
from tests.engine import replayer

pytestmark = [pytest.mark.e2e, pytest.mark.long]


async def test_every_story_ends_as_expected_and_every_history_replays() -> None:
    """G1-G10; a worker was killed on the way, so some of these histories have been replayed already."""
    output = io.StringIO()
    ports = {"port": 0, "ui_port": 0, "partners_port": 0}
    async with (
        Embedded(data=None, fixtures=demo.FIXTURES, **ports) as machine,
        Stage(await Client.connect(machine.address), machine) as stage,
    ):
        as_expected = await demo.play_all(Console(file=output, width=demo.WIDTH), stage)
        ids = [*(workflow_id(case) for case in stage.cases), claim_workflow_id("DEMO-07")]
        histories = [await stage.client.get_workflow_handle(each).fetch_history() for each in ids]

    assert as_expected, output.getvalue()[-3000:]
    failed = {}
    for history in histories:
        result = await replayer().replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            failed[history.workflow_id] = str(result.replay_failure)
    assert not failed
    assert len(histories) == len(TOGETHER) + len(ALONE) + 1
