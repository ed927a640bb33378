"""A deployment over open cases: each ends on its build. The commands of docs/deploying.md are executed."""

import asyncio
import json
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import worker
from cases.contract import claim_workflow_id
from cases.policy.policy import Policy
from records import Records
from settings import ROOT, Settings
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, eventually, serving, step
from tests.fakes import FakePartners
from tests.workflows.conftest import agreed, offered
from tests.workflows.operation.next_build import NextCase
from worker import Parts, Workers, build_workers, register_search_attributes

pytestmark = [pytest.mark.e2e, pytest.mark.long]

DOCUMENT = " ".join((ROOT / "docs" / "deploying.md").read_text(encoding="utf-8").replace("\\\n", " ").split())
SET_CURRENT = "temporal worker deployment set-current-version --deployment-name after-sales --build-id NEW --yes"
DESCRIBE = "temporal worker deployment describe-version --deployment-name after-sales --build-id OLD --output json"
MOVE = (
    "temporal workflow update-options --workflow-id case-CASE --versioning-override-behavior one_time "
    "--versioning-override-deployment-name after-sales --versioning-override-build-id NEW"
)
OPEN_ON_OLD = "TemporalWorkerDeploymentVersion = 'after-sales:OLD' AND ExecutionStatus = 'Running'"
MOVE_ALL = MOVE.replace("--workflow-id case-CASE", f'--query "{OPEN_ON_OLD}" --yes')


class Site:
    """Workers of several builds on one server."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self._workers: dict[str | None, Workers] = {}

    async def start(self, build_id: str | None) -> None:
        """A worker of this build; None: without a build."""
        shop = self.workshop
        started = build_workers(
            shop.client, shop.parts, task_queues=[shop.task_queue], partners_of=shop.task_queue, build_id=build_id
        )
        await started.__aenter__()
        self._workers[build_id] = started

    async def stop(self, build_id: str | None) -> None:
        """End that worker."""
        await self._workers.pop(build_id).__aexit__(None, None, None)

    async def stop_all(self) -> None:
        """End them all."""
        for build_id in list(self._workers):
            await self.stop(build_id)

    async def release(self, build_id: str) -> None:
        """Start a worker of this build and make it current, which takes until the server has registered it."""
        await self.start(build_id)
        await eventually(lambda: self.types(SET_CURRENT, NEW=build_id), f"build {build_id} being current")

    async def types(self, documented: str, **names: str) -> str:
        """Run a documented command with names filled in; return its answer, empty if it was refused."""
        assert documented in DOCUMENT
        program, *words = shlex.split(documented)
        for placeholder, name in names.items():
            words = [word.replace(placeholder, name) for word in words]
        program = str(Path(sys.executable).with_name(program))
        words += ["--address", self.workshop.client.service_client.config.target_host]
        ran = await asyncio.create_subprocess_exec(program, *words, stdout=-1, stderr=-1)
        answer, _ = await ran.communicate()
        return answer.decode() if ran.returncode == 0 else ""

    async def is_drained(self, build_id: str) -> bool:
        """Return whether no case is open on this build."""
        answer = json.loads(await self.types(DESCRIBE, OLD=build_id))
        return bool(answer["drainageInfo"]["drainageStatus"] == "drained")


@pytest.fixture
async def site(
    tmp_path: Path, partners: FakePartners, records: Records, written_policies: dict[str, Policy]
) -> AsyncIterator[Site]:
    """A server that checks every second whether a build is drained, and for which 60 events are a long history."""
    settings = {
        "matching.wv.VersionDrainageStatusVisibilityGracePeriod": '"1s"',
        "matching.wv.VersionDrainageStatusRefreshInterval": '"1s"',
        "limit.historyCount.suggestContinueAsNew": "60",
        "history.workflowIdReuseMinimalInterval": '"0s"',
    }
    async with serving(tmp_path, settings) as address:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        await register_search_attributes(client)
        opened = Site(Workshop(client, Parts(dict(written_policies), partners.ports(), records)))
        yield opened
        await opened.stop_all()


async def builds(case: OpenCase) -> list[str]:
    """Return the builds that worked on the case, over all its runs, in order; empty for workers without a build."""
    found: list[str] = []
    run_id = (await case.handle.describe()).run_id
    while run_id:
        events = (await case.client.get_workflow_handle(case.handle.id, run_id=run_id).fetch_history()).events
        tasks = [e.workflow_task_completed_event_attributes for e in events]
        found = [t.deployment_version.build_id for t in tasks if t.scheduled_event_id] + found
        run_id = events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return list(dict.fromkeys(found))


async def end(case: OpenCase) -> dict[str, Any]:
    """Let the customer agree, get paid, and be satisfied."""
    await case.says("customer-approved")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    return await case.result()


async def test_case_ends_on_its_build_while_new_ones_begin_on_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next build could not even replay the old case; the old one may stop once its last case has closed."""
    await site.release("one")
    old = await site.workshop.take_in(complaint())
    await offered(old, "severe")

    monkeypatch.setattr(worker, "AfterSalesCase", NextCase)
    await site.release("two")
    new = await site.workshop.take_in(complaint())
    await offered(new, "severe")
    assert not await site.is_drained("one")

    assert (await end(old))["outcome"] == "satisfied"
    assert await builds(old) == ["one"]
    await eventually(lambda: site.is_drained("one"), "build one being drained")
    await site.stop("one")
    assert (await end(new))["outcome"] == "satisfied"
    assert await builds(new) == ["two"]


async def test_case_that_continues_as_new_stays_on_its_build(site: Site) -> None:
    await site.release("one")
    case = await site.workshop.take_in(complaint())
    await agreed(case, "minor")
    await case.until(lambda c: step(c, "onsite_repair")["reference"])
    await site.release("two")

    await case.after(days=10)

    assert await case.runs() > 1
    assert await builds(case) == ["one"]


async def test_carrier_claim_is_begun_on_the_build_of_its_case(site: Site) -> None:
    """B16: it runs for weeks, and its build has to be kept until it has ended, or it has to be moved."""
    await site.release("one")
    case = await site.workshop.take_in(complaint(topic="transport.loss"))
    await case.becomes("assessing")
    await site.release("two")

    await case.says("assess", lost=True, by="Zhao")
    await case.until(lambda c: step(c, "carrier_claim")["state"] == "done")

    client = site.workshop.client
    claim = OpenCase(case.id, client, client.get_workflow_handle(claim_workflow_id(case.id)))
    await eventually(lambda: builds(claim))
    await eventually(lambda: builds(claim), "the claim's first task")
    assert await builds(claim) == ["one"]
    await eventually(lambda: _finds(client, "one", claim.handle.id), "the claim among what is open on its build")


async def _finds(client: Client, build_id: str, workflow_id: str) -> bool:
    """Return whether the documented query for open workflows of a build finds this one."""
    assert f'temporal workflow list --query "{OPEN_ON_OLD}"' in DOCUMENT
    open_there = client.list_workflows(OPEN_ON_OLD.replace("OLD", build_id))
    return workflow_id in [execution.id async for execution in open_there]


async def test_case_without_a_build_moves_to_the_first_current_one_and_stays_there(site: Site) -> None:
    """How an installation starts to use builds."""
    await site.start(None)
    case = await site.workshop.take_in(complaint())
    await offered(case, "severe")

    await site.release("one")
    await site.stop(None)
    await case.says("customer-approved")
    await case.becomes("following_up")
    await site.release("two")
    await case.says("satisfaction-reported", score=5)
    await case.result()

    assert await builds(case) == ["", "one"]


@pytest.mark.parametrize("documented", [MOVE, MOVE_ALL], ids=["one", "all"])
async def test_case_that_lives_too_long_is_moved_to_a_build_that_can_replay_it(site: Site, documented: str) -> None:
    """After that it is pinned there, and the old build may stop."""
    await site.release("one")
    case = await site.workshop.take_in(complaint())
    await offered(case, "severe")
    await site.release("two")

    assert await site.types(documented, CASE=case.id, OLD="one", NEW="two")
    await eventually(lambda: case.events("WORKFLOW_EXECUTION_OPTIONS_UPDATED"), "the move")
    await case.says("note", text="moved")
    await site.stop("one")
    assert (await end(case))["outcome"] == "satisfied"

    assert await builds(case) == ["one", "two"]
    await eventually(lambda: site.is_drained("one"), "build one being drained")


def test_build_has_a_name_only_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a build nothing has to be made current: one machine needs no procedure."""
    monkeypatch.delenv("AFTER_SALES_BUILD_ID", raising=False)
    assert Settings(_env_file=None).build_id is None
    monkeypatch.setenv("AFTER_SALES_BUILD_ID", "2026-12-01")
    assert Settings(_env_file=None).build_id == "2026-12-01"
