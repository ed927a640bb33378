"""A worker is killed while cases pay and ship: each case ends as expected, and nothing is done twice (S13)."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.api.enums.v1 import TimeoutType
from temporalio.client import Client

from cases.contract import CASE_WORKFLOW, TASK_QUEUE, workflow_id
from embedded import Embedded
from records import EntryState, Records
from tests.complaints import CUSTOMER, complaint
from tests.engine import ONCE, OpenCase, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.long]
SEVERITIES = ["minor", "moderate", "severe"] * 2
PAID = 2 * (Decimal("640.00") + Decimal("12800.00") + Decimal("1280.00"))
"""A coupon for each minor damage; a refund and a compensation for each severe one (B10, B12)."""
FAULTS: list[dict[str, Any]] = [
    # The first payments are recorded by the partner, and not yet answered, when the worker is killed.
    {"partner": "refunds", "kind": "commit_then_timeout", "count": 3, "seconds": 6},
    {"partner": "warehouse", "kind": "slow", "count": 2, "seconds": 2},
    {"partner": "installation", "kind": "nonsense", "count": 1},
    {"partner": "logistics", "kind": "down", "count": 2, "seconds": 1},
    {"partner": "messaging", "kind": "error", "count": 3},
]


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Embedded]:
    """Everything on this machine; customers answer the callback with a good score."""
    orders = tmp_path / "orders.yaml"
    orders.write_text('"*": {satisfaction: 5}\n', encoding="utf-8")
    async with Embedded(data=tmp_path / "data", fixtures=orders, port=0, ui_port=0, partners_port=0) as machine:
        yield machine


async def test_cases_end_as_expected_and_nothing_is_done_twice(machine: Embedded, tmp_path: Path) -> None:
    """S13; and the logs are JSON without personal data."""
    client = await Client.connect(machine.address)
    async with httpx.AsyncClient(base_url=machine.partners, trust_env=False) as partners:
        for fault in FAULTS:
            (await partners.post("/_sandbox/faults", json=fault)).raise_for_status()
        cases = [await _agreed(client, severity) for severity in SEVERITIES]

        await eventually(_booked(partners, paying=1), "a payment under way")
        await _crash(machine)
        await eventually(_booked(partners, steps=7), "half of the steps")
        await _crash(machine)
        results = await asyncio.gather(*(asyncio.wait_for(case.handle.result(), 90) for case in cases))
        ledger = (await partners.get("/_sandbox/ledger")).json()

    assert sum([await _cut_off(case) for case in cases]) > 0, "no kill met a call, so this run proves nothing"
    assert [result["outcome"] for result in results] == ["satisfied"] * len(cases)
    assert {step["state"] for result in results for step in result["steps"]} == {"done"}
    assert Counter(step["key"] for step in ledger["steps"]) == Counter(_keys(results))
    assert max(Counter(message["key"] for message in ledger["messages"]).values()) == 1
    _assert_money_agrees(results, ledger["steps"], f"sqlite:///{tmp_path / 'data' / 'records.db'}")
    _assert_log_is_json_without_names((machine.logs / "worker-1.log").read_text(encoding="utf-8"))


async def _crash(machine: Embedded) -> None:
    await machine.kill_worker()
    await machine.start_worker()


async def _agreed(client: Client, severity: str) -> OpenCase:
    """A case whose customer has agreed."""
    content = complaint()
    id_ = workflow_id(content["case_id"])
    handle = await client.start_workflow(CASE_WORKFLOW, content, id=id_, task_queue=TASK_QUEUE, **ONCE)
    case = OpenCase(content["case_id"], client, handle)
    await case.becomes("assessing")
    await case.says("assess", severity=severity)
    await case.becomes("awaiting_consent")
    await case.signals("customer-approved", by=CUSTOMER["name"])
    return case


def _booked(partners: httpx.AsyncClient, *, steps: int = 0, paying: int = 0) -> Callable[[], Awaitable[bool]]:
    """Wait until the partners have recorded this many steps, and this many payments among them."""

    async def look() -> bool:
        booked = (await partners.get("/_sandbox/ledger")).json()["steps"]
        return len(booked) >= steps and sum(step["amount"] is not None for step in booked) >= paying

    return look


async def _cut_off(case: OpenCase) -> int:
    """Count the calls that were started again because their worker stopped sending heartbeats."""
    begun = [event.activity_task_started_event_attributes for event in await case.events("ACTIVITY_TASK_STARTED")]
    silent = TimeoutType.TIMEOUT_TYPE_HEARTBEAT
    return sum(each.last_failure.timeout_failure_info.timeout_type == silent for each in begun)


def _keys(results: list[dict[str, Any]]) -> list[str]:
    """Return the business key of every step: `case/cycle/offer/step`."""
    return [f"{r['case_id']}/{s['cycle']}/{s['offer']}/{s['id']}" for r in results for s in r["steps"]]


def _assert_money_agrees(results: list[dict[str, Any]], steps: list[dict[str, Any]], database: str) -> None:
    """Check that cases, partner and our ledger agree on what was paid, to the cent (B15)."""
    with closing(Records(database)) as records:
        entries = records.entries()
    assert sum(Decimal(amount) for result in results for amount in result["paid"].values()) == PAID
    assert sum(Decimal(step["amount"]) for step in steps if step["amount"] is not None) == PAID
    assert sum(entry["amount"] for entry in entries) == PAID
    assert {entry["state"] for entry in entries} == {EntryState.COMMITTED}


def _assert_log_is_json_without_names(log: str) -> None:
    """One line of JSON for each event; the line for the process that started the worker is separate."""
    lines = [line for line in log.splitlines() if line and line != "worker ready"]
    assert lines
    assert all(isinstance(json.loads(line), dict) for line in lines)
    for personal in ("name", "phone", "email"):
        assert CUSTOMER[personal] not in log
