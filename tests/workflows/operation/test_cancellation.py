"""An operator cancels a case in the Temporal UI: no step stays unsettled, and the case ends properly."""

import asyncio

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError

from cases.partner_calls import ReceiptState
from partners.ports import OutcomeUnknown
from records import EntryState, Records
from tests.engine import OpenCase, eventually, step
from tests.fakes import FakePartners, Turn
from tests.workflows.conftest import Open, agreed


async def cancelled(case: OpenCase) -> None:
    """Wait for the end of a cancelled case."""
    with pytest.raises(WorkflowFailureError) as raised:
        await case.result()
    assert isinstance(raised.value.cause, CancelledError)
    assert (await case.handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_payment_that_is_under_way_is_waited_for(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    answer = asyncio.Event()
    partners.refunds.will(Turn(until=answer), Turn(until=answer))
    case = await open_case()
    await agreed(case)
    await eventually(lambda: _asked(partners, 2))

    await case.handle.cancel()
    await eventually(lambda: _was_requested(case))
    assert (await case.handle.describe()).status is WorkflowExecutionStatus.RUNNING
    answer.set()
    await cancelled(case)

    seen = await case.snapshot()
    assert [s["state"] for s in seen["steps"]] == ["done", "done"]
    assert {e["state"] for e in records.entries(case.id)} == {EntryState.COMMITTED}
    assert seen["status"] == "closed"
    assert len(partners.refunds.receipts) == 2
    assert partners.messaging.events[-1] == "report"


async def test_payment_that_was_refused_once_and_is_tried_again_is_waited_for_as_well(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S13: the partner's number for its refusal is not the number of this payment."""
    answer = asyncio.Event()
    partners.refunds.will(Turn(state=ReceiptState.FAILED), Turn(until=answer))
    case = await open_case()
    await agreed(case, "minor")
    await case.until(lambda c: step(c, "coupon")["state"] == "blocked")
    await case.says("resolve-step", step="coupon", action="retry", reason="new account", by="Zhao")
    await eventually(lambda: _asked(partners, 2))

    await case.handle.cancel()
    await eventually(lambda: _was_requested(case))
    meanwhile = (await case.handle.describe()).status
    answer.set()
    await cancelled(case)

    assert meanwhile is WorkflowExecutionStatus.RUNNING
    assert step(await case.snapshot(), "coupon")["state"] == "done"
    assert [e["state"] for e in records.entries(case.id)] == [EntryState.RELEASED, EntryState.COMMITTED]


async def test_payment_of_unknown_outcome_is_cleared_up_first(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S13: whether it was paid must be known before the case may end."""
    word = asyncio.Event()
    partners.refunds.will(*[Turn(raises=OutcomeUnknown("no answer within 8 s"), done=True)] * 2)
    partners.refunds.when_asked(Turn(until=word), Turn(until=word))
    case = await open_case()
    await agreed(case)
    await case.until(lambda c: [s["state"] for s in c["steps"]] == ["unknown", "unknown"])

    await case.handle.cancel()
    await eventually(lambda: _was_requested(case))
    assert (await case.handle.describe()).status is WorkflowExecutionStatus.RUNNING
    word.set()
    await cancelled(case)

    assert [s["state"] for s in (await case.snapshot())["steps"]] == ["done", "done"]
    assert {e["state"] for e in records.entries(case.id)} == {EntryState.COMMITTED}


async def test_case_that_waits_ends_as_withdrawn_and_is_archived(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    case = await open_case()
    await case.becomes("assessing")

    await case.handle.cancel()
    await cancelled(case)

    archived = records.case(case.id)
    assert archived is not None
    assert archived["outcome"] == "withdrawn"
    assert "cancelled" in [entry["what"] for entry in archived["record"]["timeline"]]
    assert partners.messaging.events[-1] == "report"


async def test_reservation_of_a_payment_that_will_not_be_made_is_released(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S15: the order's other cases may use it."""
    lost = Turn(raises=OutcomeUnknown("connection reset"), done=False)
    never = asyncio.Event()
    partners.refunds.will(lost, lost)
    partners.refunds.when_asked(Turn(until=never), Turn(until=never))
    case = await open_case()
    await agreed(case)
    await case.until(lambda c: [s["state"] for s in c["steps"]] == ["unknown", "unknown"])
    assert {e["state"] for e in records.entries(case.id)} == {EntryState.RESERVED}

    await case.handle.cancel()
    never.set()
    await cancelled(case)

    paid = {s["id"]: s["state"] for s in (await case.snapshot())["steps"]}
    for entry in records.entries(case.id):
        expected = EntryState.COMMITTED if paid[entry["kind"]] == "done" else EntryState.RELEASED
        assert entry["state"] is expected
    assert step(await case.snapshot(), "refund")["state"] in {"done", "waived"}


async def _asked(partners: FakePartners, times: int) -> bool:
    return len(partners.refunds.commands) == times


async def _was_requested(case: OpenCase) -> bool:
    """Return whether the cancellation has reached the case."""
    events = await case.events()
    at = next(
        (i for i, e in enumerate(events) if e.HasField("workflow_execution_cancel_requested_event_attributes")), None
    )
    return at is not None and any(e.HasField("workflow_task_completed_event_attributes") for e in events[at:])
