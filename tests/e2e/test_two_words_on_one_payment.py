"""A report and the answer to the call contradict each other about a refund, over HTTP on a real server (S26)."""

from typing import Any
from uuid import uuid4

import pytest

from records import EntryState
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, eventually, step
from tests.partners.running import Gate, RunningSandbox

pytestmark = pytest.mark.e2e
AMOUNT = "12800.00"
"""The whole order: there is room for one such refund."""
REFUND = {"kind": "refund", "amount": AMOUNT}
ANSWERS: dict[str, dict[str, Any]] = {
    "409": {"kind": "commit_then_status", "status": 409},
    "200 and failed": {"kind": "commit_then_failed"},
}


async def offered(workshop: Workshop, topic: str, order_id: str) -> OpenCase:
    """A case about the order whose customer is offered a full refund."""
    case = await workshop.take_in(complaint(topic=topic, order={"order_id": order_id}))
    await case.becomes("assessing")
    await case.says("assess", severity="severe", by="Zhao")
    await case.says("propose", options=[{"key": "pay", "remedies": [REFUND]}], by="Zhao")
    await case.becomes("awaiting_consent")
    return case


@pytest.mark.parametrize("answer", ANSWERS)
async def test_refund_reported_as_done_and_answered_otherwise_is_recorded_everywhere_and_never_released(
    workshop: Workshop, sandbox: RunningSandbox, gate: Gate, answer: str
) -> None:
    """S26: it is paid and reported, then the call is denied; another case of the order finds nothing left."""
    records, order_id = workshop.parts.records, f"SO-{uuid4().hex[:8]}"
    first, second = [await offered(workshop, topic, order_id) for topic in ("transport.damage", "goods.quality")]
    await sandbox.order(order_id, reports_by_kind={"refund": [{"state": "done", "after": 0}]})
    await sandbox.fault(partner="refunds", count=1, **ANSWERS[answer])
    gate.hold(1, carried_out=True)

    await first.signals("customer-approved", by="Wang Li")
    reported = await first.until(lambda c: step(c, "refund")["state"] == "done")
    before = [(entry["state"], entry["reference"]) for entry in records.entries(order_id=order_id)]
    gate.open()
    await eventually(lambda: _asked(sandbox, first), "the question by key")
    await first.until(lambda c: step(c, "refund")["reference"] != "refunds", "the partner's number")
    await second.signals("customer-approved", by="Wang Li")
    refused = await second.until(lambda c: step(c, "refund")["state"] == "blocked")
    seen = await first.becomes("following_up")
    (row,) = await sandbox.rows("steps", order_id=order_id)

    assert (gate.held, step(reported, "refund")["reference"], before) == (1, "refunds", [(EntryState.RESERVED, None)])
    assert step(seen, "refund")["state"] == "done"
    assert step(seen, "refund")["reference"] == row["reference"]
    assert seen["paid"]["refund"] == AMOUNT
    assert [(e["case_id"], e["state"], e["reference"]) for e in records.entries(order_id=order_id)] == [
        (first.id, EntryState.COMMITTED, row["reference"])
    ]
    assert f"{AMOUNT} is refunded or reserved already" in step(refused, "refund")["reason"]
    assert refused["paid"]["refund"] == "0.00"
    assert await sandbox.money(order_id) == {"refund": AMOUNT}


async def _asked(sandbox: RunningSandbox, case: OpenCase) -> bool:
    """Return whether the partner was asked for the outcome of the refund."""
    return any(row["call"] == "GET steps" and case.id in row["key"] for row in await sandbox.rows("calls"))
