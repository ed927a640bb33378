"""The life of a case from receipt to closing, on its main paths."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from cases.partner_calls import InstallationRecord, ReceiptState, StepFinding, Trail, TrailState
from cases.vocabulary import Severity
from partners.ports import PartnerRefused
from records import Records
from tests.complaints import complaint
from tests.engine import PATIENCE, OpenCase, Workshop, promise, step
from tests.fakes import FakePartners
from tests.workflows.conftest import Open, agreed, offered


async def carried_out(case: OpenCase, *steps: str) -> None:
    """Let the partners report these steps as done, one after the other."""
    for name in steps:
        await case.until(lambda c, name=name: step(c, name)["reference"])  # type: ignore[misc]
        await case.signals("step-reported", step=name, state="done", by="a partner")


@pytest.fixture
def archiving(records: Records, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The records do not archive before this is set, so that closing can be observed."""
    archive, may_end = records.archive_case, threading.Event()

    def slowly(*record: Any) -> None:
        assert may_end.wait(PATIENCE)
        archive(*record)

    monkeypatch.setattr(records, "archive_case", slowly)
    return may_end


@pytest.mark.parametrize("cached", [1000, 0])
async def test_damage_is_replaced_reported_and_archived(
    closed_workshop: Workshop, partners: FakePartners, records: Records, cached: int
) -> None:
    """B11, G1–G9; with `cached` 0 the worker forgets the case after every task and replays it."""
    await closed_workshop.open(max_cached_workflows=cached)
    case = await closed_workshop.take_in(complaint(affected=[{"sku": "SLATE-9", "quantity": 1}]))
    await agreed(case, "moderate")
    await carried_out(case, "replacement", "collection")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5, comment="quick")

    result = await case.result()

    assert (result["status"], result["outcome"]) == ("closed", "satisfied")
    assert [s["items"] for s in result["steps"]] == [[{"sku": "SLATE-9", "quantity": 1}]] * 2
    assert {p["state"] for p in result["promises"]} <= {"kept", "void"}
    assert partners.messaging.events == ["acknowledged", "offer", "report"]
    assert result["refused"] == []
    archived = records.case(case.id)
    assert archived is not None
    assert archived["outcome"] == "satisfied"
    assert archived["record"] == result


async def test_offer_that_needs_no_consent_is_carried_out_at_once(open_case: Open, partners: FakePartners) -> None:
    """B13: one or two days late."""
    late = datetime.now().astimezone() - timedelta(days=2)
    partners.logistics.knows = Trail(state=TrailState.IN_TRANSIT, promised_at=late, cause="snow on the pass")
    case = await open_case(topic="transport.delay")

    await carried_out(case, "gift")
    seen = await case.becomes("following_up")

    assert seen["offers"][0]["rule"] == "B13"
    assert seen["offers"][0]["consent_required"] is False
    assert [s["kind"] for s in seen["steps"]] == ["explanation", "gift"]
    explanation = next(m for m in partners.messaging.to_customers.values() if m.event == "explanation")
    assert explanation.facts["cause"] == "snow on the pass"


async def test_customer_chooses_between_the_options(open_case: Open, partners: FakePartners) -> None:
    """B15: over five days late."""
    late = datetime.now().astimezone() - timedelta(days=7)
    partners.logistics.knows = Trail(state=TrailState.IN_TRANSIT, promised_at=late)
    case = await open_case(topic="transport.delay")
    seen = await case.becomes("awaiting_consent")
    assert [option["key"] for option in seen["offers"][0]["options"]] == ["wait", "cancel"]

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await case.says("customer-approved")
    assert "say which of 1 wait, 2 cancel" in str(refused.value.cause)
    await case.says("customer-approved", option="cancel")
    seen = await case.becomes("following_up")

    assert seen["paid"] == {"refund": "12800.00", "compensation": "640.00", "coupon": "0.00"}


async def test_declined_offer_gives_way_to_another(open_case: Open) -> None:
    """G5, S19."""
    case = await open_case()
    await offered(case, "minor")

    await case.says("customer-declined", reason="I want a new one", wish="replace")
    seen = await case.becomes("assessing")
    assert any("another offer" in need["text"] for need in seen["needs"])
    answer = await case.says("assess", severity="moderate")
    await case.becomes("awaiting_consent")

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await case.says("customer-approved", offer="o1")
    assert "the current one" in str(refused.value.cause)
    await case.says("customer-approved", offer=answer["offer"]["id"])
    seen = await case.becomes("executing")
    assert [(o["id"], o["state"]) for o in seen["offers"]] == [("o1", "declined"), ("o2", "accepted")]


async def test_offer_over_the_limits_waits_for_a_second_person(open_case: Open, partners: FakePartners) -> None:
    """G4, S20."""
    case = await open_case()
    await offered(case, "minor")
    options = [{"key": "refund", "remedies": [{"kind": "refund", "amount": "5000.00"}]}]
    await case.says("propose", options=options, by="Zhao")
    assert (await case.snapshot())["status"] == "awaiting_approval"

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await case.says("approve", by="zhao")
    assert "another person" in str(refused.value.cause)
    await case.says("approve", by="Manager Li")
    await case.becomes("awaiting_consent")
    await case.says("customer-approved")
    seen = await case.becomes("following_up")

    assert seen["paid"]["refund"] == "5000.00"
    assert [str(c.amount) for c in partners.refunds.commands] == ["5000.00"]


async def test_dissatisfied_customer_gets_another_cycle_with_new_promises(
    open_case: Open, partners: FakePartners
) -> None:
    """G8, S10: past cycles never change."""
    case = await open_case()
    await agreed(case, "minor")
    await carried_out(case, "onsite_repair")
    before = await case.becomes("following_up")
    await case.says("satisfaction-reported", score=1, comment="still cracked")

    seen = await case.becomes("assessing")
    assert seen["cycle"] == 2
    assert promise(seen, "detailed_result", cycle=1) == promise(before, "detailed_result", cycle=1)
    assert promise(seen, "detailed_result", cycle=2)["state"] == "open"
    await case.says("assess", severity="severe")
    await case.becomes("awaiting_consent")
    await case.says("customer-approved")
    seen = await case.becomes("following_up")

    assert f"{case.id}/2/o2/refund" in partners.refunds.receipts
    assert "dissatisfied" in [n.event for n in partners.messaging.notices.values()]
    assert len(partners.callbacks.asked) == 2


async def test_withdrawn_before_a_step_has_begun_ends_the_case(open_case: Open, partners: FakePartners) -> None:
    """G12."""
    case = await open_case()
    await offered(case, "severe")

    await case.signals("complaint-withdrawn", reason="found a spare")
    result = await case.result()

    assert result["outcome"] == "withdrawn"
    assert partners.refunds.commands == []
    assert result["offers"][0]["state"] == "expired"


async def test_withdrawn_after_a_step_has_begun_is_refused(open_case: Open) -> None:
    """G12."""
    case = await open_case()
    await agreed(case, "moderate")
    await case.until(lambda c: step(c, "replacement")["reference"])

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await case.says("complaint-withdrawn")

    assert "replacement has begun" in str(refused.value.cause)


async def test_silence_leads_to_reminders_a_notice_and_closing(open_case: Open, partners: FakePartners) -> None:
    """G5: after 24 h, 48 h, 72 h and seven days."""
    case = await open_case()
    await offered(case, "moderate")

    await case.after(hours=23, minutes=50)
    assert "reminder" not in partners.messaging.events
    await case.after(hours=49)
    assert partners.messaging.events.count("reminder") == 2
    assert "silence" in [n.event for n in partners.messaging.notices.values()]
    await case.after(days=5)

    result = await case.result()
    assert result["outcome"] == "no_response"
    assert result["offers"][0]["state"] == "expired"
    assert partners.warehouse.commands == []


async def test_daily_update_is_sent_in_time_for_as_long_as_steps_are_open(
    open_case: Open, partners: FakePartners
) -> None:
    """B5, G7: and ask the partner for the state of the step, in case a report was lost."""
    case = await open_case()
    await agreed(case, "minor")
    await case.until(lambda c: step(c, "onsite_repair")["reference"])

    seen = await case.after(days=3)

    kept = [p for p in seen["promises"] if p["name"] == "progress_update"]
    assert [p["state"] for p in kept] == ["kept"] * (len(kept) - 1) + ["open"]
    assert partners.messaging.events.count("progress") == len(kept) - 1 >= 3
    key = f"{case.id}/1/o1/onsite_repair"
    assert partners.installation.asked.count(key) >= 3
    partners.installation.receipts[key] = partners.installation.receipts[key].model_copy(
        update={"state": ReceiptState.DONE}
    )
    await case.after(days=1)
    await case.becomes("following_up")


async def test_customer_who_does_not_answer_is_called_three_times(open_case: Open, partners: FakePartners) -> None:
    """G8: attempts 24 h apart, then `unreachable`."""
    case = await open_case()
    await agreed(case, "severe")
    await case.becomes("following_up")

    await case.after(hours=49)
    assert [request.attempt for request in partners.callbacks.asked.values()] == [1, 2, 3]
    await case.after(hours=24)

    assert (await case.result())["outcome"] == "unreachable"


async def test_inspection_comes_first_if_the_severity_is_unknown(open_case: Open, partners: FakePartners) -> None:
    """B17, B18: the finding is the technician's; the crew goes at once, the money waits for the customer's consent."""
    partners.installation.knows = InstallationRecord(installer="Crew 7")
    case = await open_case(topic="installation.defect")
    await case.until(lambda c: step(c, "inspection")["reference"])

    found = StepFinding(severity=Severity.SEVERE, cause="loose anchors").model_dump(mode="json", exclude_none=True)
    await case.signals("step-reported", step="inspection", state="done", finding=found)
    seen = await case.until(lambda c: step(c, "reinstallation")["reference"])
    assert partners.refunds.commands == []
    assert promise(seen, "dispatch")["state"] == "open"
    await case.signals("step-reported", step="reinstallation", state="dispatched")
    seen = await case.becomes("awaiting_consent")
    assert promise(seen, "dispatch")["state"] == "kept"
    await case.says("customer-approved")
    seen = await case.until(lambda c: step(c, "compensation")["state"] == "done")

    assert seen["paid"]["compensation"] == "640.00"
    assert [c.kind for c in partners.installation.commands] == ["inspection", "reinstallation"]


async def test_customer_who_cannot_be_reached_is_a_matter_for_a_person(open_case: Open, partners: FakePartners) -> None:
    """S7: a failing letter neither ends nor delays a promise."""
    partners.messaging.unreachable = PartnerRefused("no channel has an address for them")
    case = await open_case()

    seen = await case.until(lambda c: any(e["what"] == "undeliverable" for e in c["timeline"]))
    assert promise(seen, "acknowledge")["state"] == "open"
    await case.says("contact-made", note="met at the depot")

    assert promise(await case.snapshot(), "acknowledge")["state"] == "kept"


async def test_message_that_comes_while_the_record_is_archived_is_in_the_record(
    open_case: Open, records: Records, archiving: threading.Event
) -> None:
    """S22: both the record and the result have it."""
    case = await open_case()
    await case.becomes("assessing")
    await case.says("complaint-withdrawn")
    await case.becomes("closed")

    await case.signals("customer-approved", by="too late")
    await case.until(lambda c: c["refused"])
    archiving.set()
    result = await case.result()

    archived = records.case(case.id)
    assert archived is not None
    assert [r["by"] for r in result["refused"]] == ["too late"]
    assert archived["record"] == result


async def test_payment_that_is_taken_back_while_the_record_is_archived_is_contested(
    open_case: Open, records: Records, archiving: threading.Event
) -> None:
    """S27: the ledger, the record and the result have it."""
    case = await open_case()
    await agreed(case, "minor")
    await case.until(lambda c: step(c, "coupon")["state"] == "done" and step(c, "onsite_repair")["reference"])
    await case.says("step-reported", step="onsite_repair", state="done")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await case.becomes("closed")

    await case.signals("step-reported", step="coupon", state="failed", detail="account closed", by="refunds")
    await case.until(lambda c: c["timeline"][-1]["what"] == "step taken back")
    archiving.set()
    result = await case.result()

    archived = records.case(case.id)
    assert archived is not None
    assert archived["record"] == result
    assert [entry["state"] for entry in records.entries(case.id)] == ["contested"]


async def test_answer_to_an_inquiry_is_kept_for_the_next_who_asks(open_case: Open, records: Records) -> None:
    """M14."""
    tin = {"order_id": "SO-TIN", "items": [{"sku": "MILK-1", "name": "Milk", "quantity": 1, "unit_price": "200.00"}]}
    case = await open_case(line="infant_formula", topic="inquiry", order=tin, description="From which age?")
    await case.becomes("assessing")

    await case.says("assess", cause="From six months on.", by="Zhao")
    await case.result()

    (kept,) = records.answers("infant_formula", "MILK-1")
    assert (kept["question"], kept["answer"]) == ("From which age?", "From six months on.")
