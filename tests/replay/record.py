"""Record golden histories: `python -m tests.replay.record [NAME …]`, all paths or those named.

NAME is `demo` (every story of the demo) or a path of `paths.py`. Fingerprints are written as well. Record only
new paths, or when no case can be open that the old histories represent (docs/deploying.md).
"""

import asyncio
import io
import json
import logging
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import demo
import policies
from cases.contract import claim_workflow_id, workflow_id
from demo.play import Stage
from embedded import Embedded
from records import Records
from settings import ROOT
from tests.engine import Workshop, runs, serving
from tests.fakes import FakePartners
from tests.replay import paths, scene
from tests.replay.commands import FINGERPRINTS, HISTORIES, history, replayed, write_fingerprint
from worker import Parts, register_search_attributes

PATIENT = {"history.workflowIdReuseMinimalInterval": '"0s"'}
IMPATIENT = PATIENT | {"limit.historyCount.suggestContinueAsNew": "40"}
"""A server for which a history of 40 events is long."""


def without_machine(value: object) -> object:
    """Return a history without this machine's names (identities, sticky queues) and paths (stack traces)."""
    if isinstance(value, dict) and value.get("kind") == "TASK_QUEUE_KIND_STICKY":
        value = {**value, "name": "worker"}
    if isinstance(value, dict):
        left_out = {"workerVersion", "stackTrace"}
        return {k: "worker" if k == "identity" else without_machine(v) for k, v in value.items() if k not in left_out}
    return [without_machine(each) for each in value] if isinstance(value, list) else value


async def keep(client: Client, workflow: str) -> list[str]:
    """Write the histories of a workflow: the first two runs and the last if it has many; return their names."""
    first, *more = reversed(await runs(client, workflow))
    kept = {workflow: first}
    if more:
        kept |= {f"{workflow}.second-run": more[0], f"{workflow}.last-run": more[-1]}
    for name, run in kept.items():
        text = json.dumps(without_machine(run.to_json_dict()), separators=(",", ":"))
        (HISTORIES / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return list(kept)


async def record_demo() -> list[str]:
    """Play and record every story of the demo; exit if one does not end as expected."""
    async with (
        Embedded(data=None, fixtures=demo.FIXTURES, port=0, ui_port=0, partners_port=0) as machine,
        Stage(await Client.connect(machine.address), machine) as stage,
    ):
        output = io.StringIO()
        if not await demo.play_all(Console(file=output), stage):
            sys.exit(output.getvalue())
        workflows = [*map(workflow_id, stage.cases), claim_workflow_id("DEMO-07")]
        return [name for each in workflows for name in await keep(stage.client, each)]


async def record_path(path: scene.Path) -> list[str]:
    """Play and record one path, on a separate server with separate records."""
    with tempfile.TemporaryDirectory() as folder:
        settings = IMPATIENT if path in paths.OF_SEVERAL_RUNS else PATIENT
        async with serving(Path(folder), settings) as address:
            client = await Client.connect(address, data_converter=pydantic_data_converter)
            await register_search_attributes(client)
            partners, records = FakePartners(), Records(f"sqlite:///{Path(folder) / 'records.db'}")
            reviews = Path(folder) / "reviews"
            parts = Parts(policies.load(ROOT / "policies"), partners.ports(), records, reviews)
            place = scene.Scene(Workshop(client, parts, task_queue="after-sales"), partners)
            await place.workshop.open()
            try:
                await path(place)
            finally:
                await place.workshop.close()
                records.close()
            return [name for each in sorted(place.workshop.taken_in) for name in await keep(client, each)]


async def main(names: list[str]) -> None:
    """Record what is named, or everything."""
    logging.disable()  # partners fail on purpose
    if unknown := sorted({*names} - {"demo", *paths.ALL}):
        sys.exit(f"there is no {', '.join(unknown)}: name demo, or paths of paths.py: {', '.join(paths.ALL)}")
    recorded = await record_demo() if not names or "demo" in names else []
    for name, path in paths.ALL.items():
        if not names or name in names:
            print(name, flush=True)  # noqa: T201 (progress)
            recorded += await record_path(path)
    for stale in [*HISTORIES.iterdir(), *FINGERPRINTS.iterdir()] if not names else ():
        if stale.stem not in recorded:
            stale.unlink()
    for name in recorded:
        commands, failure = await replayed(history(name))
        if failure:
            sys.exit(f"{name} does not replay on the code that made it: {failure}")
        write_fingerprint(name, commands)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
