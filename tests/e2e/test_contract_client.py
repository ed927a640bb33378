"""A plain Temporal client that knows only the contract runs cases from start to result."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from embedded import Embedded
from settings import ROOT
from tests.complaints import complaint
from tests.engine import PATIENCE

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
Case = WorkflowHandle[Any, Any]
LATE = "SO-LATE: {trail: {state: in_transit, promised_at: -7d, events: [{at: -1d, place: Wuhan, what: departed}]}}\n"
UNSAFE = "SO-UNSAFE: {inspection: {severity: severe}}\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """One machine for all tests here: each has a separate case and order."""
    folder = tmp_path_factory.mktemp("machine")
    orders = folder / "orders.yaml"
    orders.write_text(LATE + UNSAFE, encoding="utf-8")
    async with Embedded(data=folder / "data", fixtures=orders, port=0, ui_port=0, partners_port=0) as machine:
        yield machine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(machine: Embedded) -> Client:
    return await Client.connect(machine.address)


async def _start(client: Client, case_id: str, topic: str, order_id: str, **more: Any) -> Case:
    complaint = {
        "case_id": case_id,
        "line": "building_materials",
        "topic": topic,
        "channel": "app",
        "received_at": datetime.now(UTC).isoformat(),
        "customer": {"name": "Wang Fang", "phone": "+8613800000001"},
        "order": {
            "order_id": order_id,
            "amount": "12800.00",
            "freight": "300.00",
            "promised_at": (datetime.now(UTC) - timedelta(days=7)).isoformat(),
            "items": [{"sku": "SLATE-9", "name": "Slate", "quantity": 4, "unit_price": "3125.00"}],
        },
        "description": "please look",
        "affected": [{"sku": "SLATE-9", "quantity": 1}],
    } | more
    return await client.start_workflow(
        "AfterSalesCase",
        complaint,
        id=f"case-{case_id}",
        task_queue="after-sales",
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def _until(case: Case, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while not (seen := await _seen(case)) or not condition(seen):
            await asyncio.sleep(0.05)
    return seen


async def _seen(case: Case) -> dict[str, Any]:
    """Return the snapshot, or None if the query came too soon (contract, *Names*)."""
    try:
        seen: dict[str, Any] = await case.query("case")
    except WorkflowQueryFailedError as error:
        if "ask again" not in str(error):
            raise
        return {}
    return seen


async def _until_status(case: Case, status: str) -> dict[str, Any]:
    return await _until(case, lambda seen: seen["status"] == status)


async def test_damage_is_replaced(client: Client) -> None:
    """B11: facts as signals, commands as updates, the snapshot as the result."""
    case = await _start(client, "C-1", "transport.damage", "SO-1")
    await _until_status(case, "assessing")

    answer = await case.execute_update("assess", {"severity": "moderate", "by": "li"})
    await _until_status(case, "awaiting_consent")
    await case.signal("customer-approved", {"offer": answer["offer"]["id"], "option": "replace"})
    await _until_status(case, "following_up")
    await case.signal("satisfaction-reported", {"score": 5})
    result = await case.result()

    assert result["outcome"] == "satisfied"
    assert [(s["kind"], s["state"]) for s in result["steps"]] == [("replacement", "done"), ("collection", "done")]
    assert {p["name"]: p["state"] for p in result["promises"]} == {
        "acknowledge": "kept",
        "detailed_result": "kept",
        "progress_update": "void",
    }


async def test_customer_who_waited_a_week_cancels(client: Client, machine: Embedded) -> None:
    """B15: the partner has recorded what the accepted option says, once."""
    case = await _start(client, "C-2", "transport.delay", "SO-LATE")
    seen = await _until_status(case, "awaiting_consent")
    assert [o["key"] for o in seen["offers"][0]["options"]] == ["wait", "cancel"]

    with pytest.raises(WorkflowUpdateFailedError) as unsaid:
        await case.execute_update("customer-approved", {})
    await case.execute_update("customer-approved", {"option": "cancel"})
    await _until_status(case, "following_up")
    await case.signal("satisfaction-reported", {"score": 4})
    result = await case.result()

    assert "say which of 1 wait, 2 cancel" in str(unsaid.value.cause)
    assert result["paid"] == {"refund": "12800.00", "compensation": "640.00", "coupon": "0.00"}
    assert await _booked(machine, "C-2") == {"refund": ["12800.00"], "compensation": ["640.00"]}


async def test_unsafe_installation_gets_its_crew_before_the_customer_answers(client: Client) -> None:
    """B17 (inspected first), B18, B3."""
    case = await _start(client, "C-3", "installation.defect", "SO-UNSAFE")

    seen = await _until(case, lambda s: any(p["name"] == "dispatch" and p["state"] == "kept" for p in s["promises"]))
    assert seen["finding"]["severity"] == "severe"
    await _until_status(case, "awaiting_consent")
    await case.signal("customer-approved")
    await _until_status(case, "following_up")
    await case.signal("satisfaction-reported", {"score": 3})
    result = await case.result()

    assert result["outcome"] == "neutral"
    assert result["paid"]["compensation"] == "640.00"


async def test_worker_that_is_killed_while_paying_pays_once(client: Client, machine: Embedded) -> None:
    """S13: the outcome does not change."""
    case = await _start(client, "C-4", "transport.damage", "SO-4")
    await _until_status(case, "assessing")
    await case.execute_update("assess", {"severity": "severe"})
    await _until_status(case, "awaiting_consent")
    async with httpx.AsyncClient(base_url=machine.partners, trust_env=False) as partners:
        fault = {"partner": "refunds", "kind": "commit_then_timeout", "count": 2, "seconds": 6}
        (await partners.post("/_sandbox/faults", json=fault)).raise_for_status()

    await case.signal("customer-approved")
    async with asyncio.timeout(PATIENCE):
        while len(await _booked(machine, "C-4")) < 2:
            await asyncio.sleep(0.05)
    await machine.kill_worker()
    await machine.start_worker()
    await _until_status(case, "following_up")
    await case.signal("satisfaction-reported", {"score": 5})
    result = await case.result()

    assert result["paid"] == {"refund": "12800.00", "compensation": "1280.00", "coupon": "0.00"}
    assert await _booked(machine, "C-4") == {"refund": ["12800.00"], "compensation": ["1280.00"]}


def _run(program: Path, given: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(program)]
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)


async def test_refused_complaint_is_corrected_and_sent_again(client: Client) -> None:
    """S34: a refused complaint fails with every problem by field and keeps its id free; a case uses its id up."""
    faulty = await _start(client, "C-5", "transport.damage", "SO-5", channel="pigeon", wish="revenge")
    with pytest.raises(WorkflowFailureError) as refused:
        await asyncio.wait_for(faulty.result(), 40)

    case = await _start(client, "C-5", "transport.damage", "SO-5")
    await _until_status(case, "assessing")
    await case.terminate("by mistake")
    late = await _start(client, "C-5", "transport.damage", "SO-5")
    with pytest.raises(WorkflowFailureError) as taken:
        await asyncio.wait_for(late.result(), 40)

    causes = [error.value.cause for error in (refused, taken)]
    assert [getattr(cause, "type", None) for cause in causes] == ["InvalidComplaint", "CaseIdTaken"]
    assert "channel: " in str(causes[0])
    assert "wish: " in str(causes[0])


async def _booked(machine: Embedded, case_id: str) -> dict[str, list[str]]:
    """Return what the payment partner has recorded for a case, by kind."""
    async with httpx.AsyncClient(base_url=machine.partners, trust_env=False) as partners:
        steps = (await partners.get("/_sandbox/ledger", params={"case_id": case_id})).json()["steps"]
    booked: dict[str, list[str]] = {}
    for step in steps:
        if step["amount"] is not None:
            booked.setdefault(step["kind"], []).append(step["amount"])
    return booked


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
async def test_client_in_the_readme_opens_a_case_and_exits_cleanly(
    machine: Embedded, readme: str, tmp_path: Path
) -> None:
    """A program that exits while the SDK's threads finish its last call can crash."""
    (shown,) = re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text(encoding="utf-8"), re.DOTALL)
    program = tmp_path / "open_case.py"
    program.write_text(shown.replace("127.0.0.1:7233", machine.address), encoding="utf-8")

    for _ in range(5):
        given = complaint()
        done = await asyncio.to_thread(_run, program, json.dumps(given))

        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"case-{given['case_id']} ")
