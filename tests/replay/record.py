"""Makes the golden histories anew: `python -m tests.replay.record` plays the demonstration and keeps what it left.

Only after a change that is meant to break replay; cases in flight have to be drained first (docs/operations.md).
"""

import asyncio
import io
import json
import sys
from pathlib import Path

from rich.console import Console
from temporalio.client import Client

import demo
from cases.names import claim_workflow_id, workflow_id
from demo.play import Stage
from embedded import Embedded

HISTORIES = Path(__file__).with_name("histories")


def without_machine(value: object) -> object:
    """A history without the machine that made it: its name (identities, sticky queues), its paths (stack traces)."""
    if isinstance(value, dict) and value.get("kind") == "TASK_QUEUE_KIND_STICKY":
        value = {**value, "name": "worker"}
    if isinstance(value, dict):
        left_out = {"workerVersion", "stackTrace"}
        return {k: "worker" if k == "identity" else without_machine(v) for k, v in value.items() if k not in left_out}
    return [without_machine(each) for each in value] if isinstance(value, list) else value


async def main() -> int:
    """Play every story and write a history for each."""
    async with (
        Embedded(data=None, fixtures=demo.FIXTURES, port=0, ui_port=0, partners_port=0) as machine,
        Stage(await Client.connect(machine.address), machine) as stage,
    ):
        if not await demo.play_all(Console(file=io.StringIO()), stage):
            return 1
        for each in [*map(workflow_id, stage.cases), claim_workflow_id("DEMO-07")]:
            history = await stage.client.get_workflow_handle(each).fetch_history()
            text = json.dumps(without_machine(history.to_json_dict()), separators=(",", ":"))
            (HISTORIES / f"{each}.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
