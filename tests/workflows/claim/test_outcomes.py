"""A carrier claim outlives its case; its result is compared with what was paid out (B16)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError

from cases.partner_calls import ReceiptState
from records import Records
from tests.fakes import FakePartners, Turn
from tests.workflows.claim.conftest import Lose, end, notices
from workflows.sdk.search import KEYS

# Result


async def test_claim_continues_when_its_case_has_closed(lose: Lose, records: Records) -> None:
    """B16: what is recovered is compared with what the case really paid."""
    claim = await lose()
    result = await end(claim.case)
    handle = claim.process.handle
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    assert result["links"] == [{"kind": "carrier_claim", "workflow": handle.id}]

    await handle.signal("claim-settled", {"recovered": "9000.00", "detail": "paid in part", "by": "Zhao"})
    settled = await claim.process.result()

    amounts = {name: settled[name] for name in ("state", "claimed", "recovered", "paid_out", "net")}
    paid_out = "15360.00"  # the refund, and 20 % compensation
    assert amounts == {
        "state": "paid",
        "claimed": "12800.00",
        "recovered": "9000.00",
        "paid_out": paid_out,
        "net": "-6360.00",
    }
    (row,) = [row for row in records.claims() if row["case_id"] == claim.case.id]
    assert (row["paid_out"], row["net"]) == (Decimal(paid_out), Decimal("-6360.00"))
    assert row["closed_at"] is not None


@pytest.mark.parametrize(("word", "state", "recovered"), [("done", "paid", "12800.00"), ("failed", "refused", "0.00")])
async def test_carrier_answers_with_its_report(lose: Lose, word: str, state: str, recovered: str) -> None:
    claim = await lose(timedelta(days=4))
    await claim.until(state="filed")

    await claim.process.handle.signal("step-reported", {"step": "carrier_claim", "state": word, "detail": "file 7"})

    settled = await claim.process.result()
    assert (settled["state"], settled["recovered"]) == (state, recovered)


async def test_carrier_may_answer_at_once(lose: Lose, partners: FakePartners) -> None:
    partners.logistics.will(Turn(state=ReceiptState.DONE))

    settled = await (await lose(timedelta(days=4))).process.result()

    assert (settled["state"], settled["recovered"], settled["reference"]) == ("paid", "12800.00", "R-1")


async def test_staff_are_notified_once_that_the_carrier_does_not_answer(lose: Lose, partners: FakePartners) -> None:
    claim = await lose(timedelta(days=4))
    await claim.until(state="filed")

    await claim.after(days=29)
    assert notices(partners) == []
    overdue = await claim.after(days=2)
    await claim.after(days=60)

    assert notices(partners) == ["unanswered"]
    (need,) = overdue["needs"]
    assert need["text"] == "the carrier does not answer: ask the carrier, then claim-settled"
    assert (need["what"], need["message"], need["example"]["recovered"]) == ("unanswered", "claim-settled", "12800.00")


# What operators see


async def test_operators_find_a_claim_by_its_order_and_see_its_state(lose: Lose) -> None:
    """No personal data on its page or in its search attributes."""
    claim = await lose(timedelta(days=4), dispatched=None)
    await claim.until(missing=["dispatch_record"])
    await claim.process.at_rest()
    order_id = (await claim.view())["order_id"]

    found = (await claim.process.handle.describe()).typed_search_attributes
    metadata = await claim.process.asks("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    page = str(metadata.current_details)

    shown = {name: value for name, key in KEYS.items() if (value := found.get(key)) is not None}
    assert shown == {
        "CaseLine": "building_materials",
        "CaseTopic": "transport.loss",
        "CaseTeam": "logistics",
        "CaseOrder": order_id,
        "Urgent": False,
    }
    assert page.startswith(f"**waiting** · Slow Freight · order {order_id}")
    assert "- **missing**: dispatch_record" in page
    assert "- claimed 12800.00 CNY" in page
    assert "Wang Li" not in page
    timers = [event.user_metadata.summary.data.decode() for event in await claim.process.events("TIMER_STARTED")]
    assert timers == ['"documents are missing: filed without them"']


async def test_cancelled_claim_ends_and_is_recorded(lose: Lose, records: Records) -> None:
    claim = await lose()
    await claim.process.at_rest()

    await claim.process.handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await claim.process.result()

    assert isinstance(failed.value.cause, CancelledError)
    (row,) = records.claims()
    assert (row["state"], row["closed_at"] is not None) == ("cancelled", True)
