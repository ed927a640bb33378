"""Events that may need a person are counted once, and each counter has an alert; a replay counts nothing again."""

import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from ruamel.yaml import YAML
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from cases.contract import RECONCILE_WORKFLOW
from cases.policy.policy import Policy
from client.reconciling import Progress
from partners.ports import OutcomeUnknown, PartnerRefused
from records import Records
from settings import ROOT
from tests.broken import broken_case
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, eventually, serving, step
from tests.fakes import FakePartners, Turn
from tests.workflows.conftest import Open, agreed
from worker import Parts, register_search_attributes
from workflows.counts import COUNTERS
from workflows.reconcile import COUNTERS as OF_RECONCILING

UNKNOWN, BLOCKED, ESCALATIONS, UNDELIVERABLE = COUNTERS


@dataclass
class Metrics:
    """Return what a worker exports to Prometheus."""

    address: str

    async def read(self) -> str:
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"http://{self.address}/metrics")).text

    async def count(self, name: str, **labels: str) -> int:
        """Return the counter of this name with these labels (among others)."""
        found = [
            int(value)
            for shown, value in re.findall(rf"^{name}\{{(.*)\}} (\d+)$", await self.read(), re.MULTILINE)
            if all(f'{label}="{wanted}"' in shown for label, wanted in labels.items())
        ]
        return sum(found)


@pytest.fixture
def metrics() -> Metrics:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Metrics(f"127.0.0.1:{probe.getsockname()[1]}")


async def exporting(address: str, metrics: Metrics) -> Client:
    """A client like that of a worker with `AFTER_SALES_METRICS_ADDRESS`."""
    runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=metrics.address)))
    return await Client.connect(address, data_converter=pydantic_data_converter, runtime=runtime)


@pytest.fixture
async def client(engine: str, metrics: Metrics) -> Client:
    return await exporting(engine, metrics)


@pytest.fixture
async def broken(client: Client) -> AsyncIterator[None]:
    """A case on which our code fails."""
    async with broken_case(client):
        yield


async def met_with_everything(open_case: Open, partners: FakePartners) -> OpenCase:
    """A case with an unreachable customer and a replacement of unknown outcome; in the end all rungs were notified."""
    partners.messaging.unreachable = PartnerRefused("no channel has an address for them")
    case = await open_case()
    await case.until(lambda c: any(e["what"] == "undeliverable" for e in c["timeline"]))
    await case.after(hours=97)
    partners.messaging.unreachable = None
    partners.warehouse.will(
        Turn(raises=OutcomeUnknown("no answer within 8 s")), Turn(raises=PartnerRefused("none left"))
    )
    await agreed(case, "moderate")
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")
    nothing, queue = Progress(done=True), (await case.handle.describe()).task_queue
    await case.client.execute_workflow(RECONCILE_WORKFLOW, nothing, id=f"reconcile-{case.id}", task_queue=queue)
    return case


async def test_events_that_may_need_a_person_are_counted_by_kind(
    open_case: Open, partners: FakePartners, metrics: Metrics
) -> None:
    await met_with_everything(open_case, partners)

    line = {"line": "building_materials"}
    assert await metrics.count(UNKNOWN, partner="warehouse", **line) == 1
    assert await metrics.count(BLOCKED, partner="warehouse", **line) == 1
    assert [await metrics.count(ESCALATIONS, rung=str(rung), **line) for rung in (3, 4)] == [2, 2]
    assert await metrics.count(UNDELIVERABLE, letter="acknowledged", **line) == 1


async def test_replay_counts_nothing_again(closed_workshop: Workshop, partners: FakePartners, metrics: Metrics) -> None:
    """Without a cache every task of a case replays everything before it."""
    await closed_workshop.open(max_cached_workflows=0)
    partners.warehouse.will(Turn(raises=PartnerRefused("none left")))
    case = await closed_workshop.take_in(complaint())
    await agreed(case, "moderate")
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")

    await case.says("note", text="hello")
    await case.says("note", text="hello again")

    assert await metrics.count(BLOCKED) == 1


async def test_case_that_continues_in_another_run_is_counted_once(
    tmp_path: Path, partners: FakePartners, records: Records, written_policies: dict[str, Policy], metrics: Metrics
) -> None:
    long = {"limit.historyCount.suggestContinueAsNew": "40", "history.workflowIdReuseMinimalInterval": '"0s"'}
    partners.warehouse.will(Turn(raises=PartnerRefused("none left")))
    async with serving(tmp_path, long) as address:
        workshop = Workshop(await exporting(address, metrics), Parts(written_policies, partners.ports(), records))
        await register_search_attributes(workshop.client)
        await workshop.open()
        case = await workshop.take_in(complaint())
        await agreed(case, "moderate")
        await case.until(lambda c: step(c, "replacement")["state"] == "blocked")

        async def continued() -> bool:
            await case.says("note", text="hello")
            first = (await case.events())[0].workflow_execution_started_event_attributes
            return bool(first.continued_execution_run_id)

        await eventually(continued, "another run")
        await case.says("note", text="hello again")
        await workshop.close()

    assert await metrics.count(BLOCKED) == 1


async def test_step_that_is_unknown_again_is_counted_again(
    open_case: Open, partners: FakePartners, metrics: Metrics
) -> None:
    lost = Turn(raises=OutcomeUnknown("no answer within 8 s"), done=False)
    partners.warehouse.will(lost, lost)
    case = await open_case()
    await agreed(case, "moderate")

    await case.until(lambda c: step(c, "replacement")["reference"])

    assert await metrics.count(UNKNOWN) == 2


@pytest.mark.usefixtures("broken")
async def test_every_metric_of_an_alert_is_exported_and_every_count_has_an_alert(
    open_case: Open, partners: FakePartners, metrics: Metrics
) -> None:
    await met_with_everything(open_case, partners)
    rules = YAML(typ="safe").load(ROOT / "docs" / "alerts.yaml")["groups"][0]["rules"]
    named = {name for rule in rules for name in re.findall(r"\b(?:after_sales|temporal)_\w+", rule["expr"])}

    async def exported() -> bool:
        return named <= set(re.findall(r"^\w+", await metrics.read(), re.MULTILINE))

    await eventually(exported, f"the export of {', '.join(sorted(named))}")
    assert set(COUNTERS) | set(OF_RECONCILING) <= named
    assert len({rule["alert"] for rule in rules}) == len(rules) == len(named)
    assert all(rule["annotations"].keys() == {"summary", "description"} for rule in rules)


@pytest.mark.usefixtures("broken")
async def test_every_label_of_an_alert_is_one_that_its_metric_has(
    open_case: Open, partners: FakePartners, metrics: Metrics
) -> None:
    await met_with_everything(open_case, partners)
    rules = YAML(typ="safe").load(ROOT / "docs" / "alerts.yaml")["groups"][0]["rules"]

    for rule in rules:
        [name] = set(re.findall(r"\b(?:after_sales|temporal)_\w+", rule["expr"]))
        shown = " ".join(rule["annotations"].values())
        wanted = set(re.findall(r"\$labels\.(\w+)", shown)) | set(re.findall(r"(\w+)=\"", rule["expr"]))

        async def has(name: str = name, wanted: set[str] = wanted) -> bool:
            lines = re.findall(rf"^{name}\{{(.*)\}}", await metrics.read(), re.MULTILINE)
            return any(wanted <= set(re.findall(r"(\w+)=\"", line)) for line in lines)

        await eventually(has, f"{name} with {wanted}")
