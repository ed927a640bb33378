"""Workers are killed while cases pay, ship and wait: every outcome is the same, and nothing is done twice (S13)."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from embedded import Embedded
from records import EntryState, Records
from tests.complaints import CUSTOMER, complaint
from tests.engine import ONCE, OpenCase, eventually

pytestmark = pytest.mark.e2e
SEVERITIES = ["minor", "moderate", "severe"] * 2
FAULTS = [
    {"partner": "refunds", "kind": "commit_then_timeout", "count": 3, "seconds": 3},
    {"partner": "warehouse", "kind": "slow", "count": 2, "seconds": 2},
    {"partner": "installation", "kind": "nonsense", "count": 1},
    {"partner": "logistics", "kind": "down", "count": 2, "seconds": 1},
    {"partner": "messaging", "kind": "error", "count": 3},
]


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Embedded]:
    """Everything on this machine; customers who are asked are satisfied."""
    orders = tmp_path / "orders.yaml"
    orders.write_text('"*": {satisfaction: 5}\n', encoding="utf-8")
    async with Embedded(data=tmp_path / "data", fixtures=orders, port=0, ui_port=0, partners_port=0) as machine:
        yield machine


async def test_cases_end_as_they_should_and_nothing_is_done_twice(machine: Embedded, tmp_path: Path) -> None:
    client = await Client.connect(machine.address)
    async with httpx.AsyncClient(base_url=machine.partners, trust_env=False) as partners:
        for fault in FAULTS:
            (await partners.post("/_sandbox/faults", json=fault)).raise_for_status()
        cases = [await agreed(client, severity) for severity in SEVERITIES]

        for begun in (2, 6, 10):
            await eventually(lambda begun=begun: _has_begun(partners, begun))
            await machine.kill_worker()
            await machine.start_worker()
        results = await asyncio.gather(*(asyncio.wait_for(case.handle.result(), 90) for case in cases))
        steps = (await partners.get("/_sandbox/ledger")).json()["steps"]
        messages = (await partners.get("/_sandbox/ledger")).json()["messages"]

    assert [result["outcome"] for result in results] == ["satisfied"] * len(cases)
    assert {step["state"] for result in results for step in result["steps"]} == {"done"}
    assert Counter(step["key"] for step in steps) == Counter(expected_keys(results))
    assert len({message["key"] for message in messages}) == len(messages)
    assert_money_agrees(results, steps, Records(f"sqlite:///{tmp_path / 'data' / 'records.db'}"))
    assert_logs_are_json_without_personal_data(machine.logs / "worker-1.log")


async def agreed(client: Client, severity: str) -> OpenCase:
    """A case whose customer has said yes."""
    content = complaint()
    handle = await client.start_workflow(
        "AfterSalesCase", content, id=f"case-{content['case_id']}", task_queue="after-sales", **ONCE
    )
    case = OpenCase(content["case_id"], client, handle)
    await case.becomes("assessing")
    await case.says("assess", severity=severity)
    await case.becomes("awaiting_consent")
    await case.signals("customer-approved", by=CUSTOMER["name"])
    return case


def expected_keys(results: list[dict[str, Any]]) -> list[str]:
    """The business key of every step: `case/cycle/offer/step`."""
    return [f"{r['case_id']}/{s['cycle']}/{s['offer']}/{s['id']}" for r in results for s in r["steps"]]


def assert_money_agrees(results: list[dict[str, Any]], steps: list[dict[str, Any]], records: Records) -> None:
    """What the cases say was paid is what the partner booked and what our ledger holds, to the cent."""
    said = sum(Decimal(amount) for result in results for amount in result["paid"].values())
    booked = sum(Decimal(step["amount"]) for step in steps if step["amount"] is not None)
    entries = records.entries()
    records.close()
    assert said == booked == sum(entry["amount"] for entry in entries)
    assert said == 2 * (Decimal("640.00") + Decimal("12800.00") + Decimal("1280.00"))
    assert {entry["state"] for entry in entries} == {EntryState.COMMITTED}


def assert_logs_are_json_without_personal_data(log: Path) -> None:
    """One line of JSON for each event; what a worker prints for whoever started it stands apart."""
    text = log.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and line != "worker ready"]
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert lines
    for secret in ("name", "phone", "email"):
        assert CUSTOMER[secret] not in text


async def _has_begun(partners: httpx.AsyncClient, steps: int) -> bool:
    return len((await partners.get("/_sandbox/ledger")).json()["steps"]) >= steps
