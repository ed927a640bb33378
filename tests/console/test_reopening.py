"""Who has more to say about a closed case reaches the follow-up that is open, or opens one (G12, S22)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

import policies
from cases.complaint import Complaint
from cases.contract import TASK_QUEUE
from cases.errors import Refusal
from cases.views.snapshot import Snapshot
from client.cases import Engine
from client.errors import CaseOver, NoSuchCase
from client.reopening import late, reopen
from client.stuck import stuck
from records import EntryState, Records
from settings import ROOT
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, step
from tests.fakes import FakePartners
from worker import Parts

PHOTO = {"kind": "photo", "uri": "https://files.example.org/1.jpg"}


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """Our records, where the command line expects them."""
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", url := f"sqlite:///{tmp_path / 'records.db'}")
    return Records(url)


@pytest.fixture
async def workshop(client: Client, records: Records) -> AsyncIterator[Workshop]:
    """A worker on the task queue that the command line uses."""
    in_force = {
        line: policy.model_copy(update={"second_complaint": "merge"})
        for line, policy in policies.load(ROOT / "policies").items()
    }
    parts = Parts(in_force, FakePartners().ports(), records)
    opened = Workshop(client, parts, task_queue=TASK_QUEUE)
    await opened.open()
    yield opened
    await opened.close()
    await opened.replay()
    records.close()


@pytest.fixture
def engine_here(client: Client) -> Engine:
    return Engine(client, "here")


def now() -> datetime:
    return datetime.now(UTC)


async def withdrawn(workshop: Workshop, **changes: Any) -> OpenCase:
    """A case that was withdrawn before an agreement."""
    case = await workshop.take_in(complaint(**changes))
    await case.becomes("assessing")
    await case.says("assess", severity="moderate", by="Zhao")
    await case.says("complaint-withdrawn")
    await case.result()
    return case


async def silent(workshop: Workshop) -> OpenCase:
    """A case whose customer never answered the offer."""
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await case.says("assess", severity="moderate", by="Zhao")
    await case.becomes("awaiting_consent")
    await case.after(days=8)
    await case.result()
    return case


def case_of(workshop: Workshop, case_id: str) -> OpenCase:
    return OpenCase(case_id, workshop.client, workshop.client.get_workflow_handle(f"case-{case_id}"))


async def test_reopening_twice_opens_one_follow_up(workshop: Workshop, engine_here: Engine) -> None:
    """G12."""
    old = await withdrawn(workshop)

    first = await reopen(engine_here, old.id, now(), description="It broke again.", by="Zhao")
    again = await reopen(engine_here, old.id, now())

    assert first == (f"{old.id}.2", "opened")
    assert again == (f"{old.id}.2", "already open, nothing started")
    seen = await case_of(workshop, first[0]).becomes("awaiting_consent")
    assert seen["links"] == [{"kind": "follows", "case": old.id}]
    assert any(e["what"] == "note" and e.get("by") == "Zhao" for e in seen["timeline"])
    raw = await engine_here.complaint(first[0])
    assert raw is not None
    assert (raw["description"], raw["follows"]) == ("It broke again.", old.id)


async def test_closed_follow_up_is_itself_reopened_under_the_next_number(
    workshop: Workshop, engine_here: Engine
) -> None:
    old = await withdrawn(workshop)
    await reopen(engine_here, old.id, now())
    second = case_of(workshop, f"{old.id}.2")
    await second.becomes("awaiting_consent")
    await second.says("complaint-withdrawn")
    await second.result()

    third, how = await reopen(engine_here, second.id, now())

    assert (third, how) == (f"{old.id}.3", "opened")
    await case_of(workshop, third).becomes("awaiting_consent")


async def test_open_case_is_not_reopened(workshop: Workshop, engine_here: Engine) -> None:
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")

    with pytest.raises(Refusal, match=f"{case.id} is open: send the message to it"):
        await reopen(engine_here, case.id, now())


async def test_unknown_case_is_not_reopened(workshop: Workshop, engine_here: Engine) -> None:
    assert workshop.task_queue == TASK_QUEUE

    with pytest.raises(NoSuchCase, match="no case HL-nobody"):
        await reopen(engine_here, "HL-nobody", now())


async def test_id_of_another_complaint_is_not_taken_for_the_follow_up(workshop: Workshop, engine_here: Engine) -> None:
    old = await withdrawn(workshop)
    other = await workshop.take_in(complaint(case_id=f"{old.id}.2"))
    await other.becomes("assessing")

    with pytest.raises(Refusal, match=f"{old.id}.2 exists already and does not follow {old.id}"):
        await reopen(engine_here, old.id, now())


async def test_case_can_be_reopened_for_30_days(workshop: Workshop, engine_here: Engine) -> None:
    """G12: counted to when the customer came back, not to when it was entered (S9)."""
    old = await withdrawn(workshop)

    with pytest.raises(Refusal, match="within 30 days: open a new complaint"):
        await reopen(engine_here, old.id, now() + timedelta(days=30, minutes=1))


async def test_case_that_the_server_has_forgotten_is_reopened_from_our_records(
    workshop: Workshop, engine_here: Engine, records: Records
) -> None:
    """G12, G9: servers often keep a closed case for less than 30 days."""
    content, closed_at = complaint(), now() - timedelta(days=20)
    case_id, about = content["case_id"], {"line": content["line"], "topic": content["topic"]}
    order_id = content["order"]["order_id"]
    records.open_case(case_id, "run", order_id=order_id, received_at=closed_at, opened_at=closed_at, **about)
    record = Snapshot.being_admitted(case_id).model_dump(mode="json", exclude={"complaint"})
    record |= {**about, "order_id": order_id, "outcome": "satisfied", "closed_at": closed_at.isoformat()}
    kept = Complaint.model_validate(content).model_dump(mode="json", exclude_none=True)
    records.archive_case(case_id, closed_at, "satisfied", record, kept)

    new, how = await reopen(engine_here, case_id, now())

    assert (new, how) == (f"{case_id}.2", "opened")
    seen = await case_of(workshop, new).becomes("assessing")
    assert any("closed as satisfied" in need["text"] for need in seen["needs"])


# Messages to a closed case


async def test_message_to_a_closed_case_is_answered_with_its_outcome_and_the_next_command(
    workshop: Workshop, engine_here: Engine
) -> None:
    """S22."""
    old = await withdrawn(workshop)

    with pytest.raises(CaseOver):
        await engine_here.send(old.id, "note", {"text": "hello"})
    with pytest.raises(Refusal) as refused:
        await late(engine_here, old.id, "note", {"text": "hello"}, now())

    assert f"{old.id} closed as withdrawn on {now().astimezone():%Y-%m-%d}: take it up again" in str(refused.value)
    assert f'"starter.py reopen {old.id}"' in str(refused.value)


async def test_message_to_a_case_with_an_open_follow_up_is_answered_with_its_id(
    workshop: Workshop, engine_here: Engine
) -> None:
    """S22."""
    old = await withdrawn(workshop)
    new, _ = await reopen(engine_here, old.id, now())
    await case_of(workshop, new).becomes("awaiting_consent")

    with pytest.raises(Refusal, match=f": send it to {new}$"):
        await late(engine_here, old.id, "customer-approved", {}, now())


async def test_evidence_for_a_closed_case_opens_the_follow_up_and_is_recorded_there(
    workshop: Workshop, engine_here: Engine
) -> None:
    """S22."""
    old = await withdrawn(workshop)

    answer = await late(engine_here, old.id, "evidence-received", {"evidence": [PHOTO]}, now())

    assert (answer["applied"], answer["case"]) == (True, f"{old.id}.2")
    case = case_of(workshop, answer["case"])
    assert (await case.becomes("awaiting_consent"))["evidence"] == [PHOTO]
    more = {"kind": "video", "uri": "https://files.example.org/2.mp4"}
    answer = await late(engine_here, old.id, "evidence-received", {"evidence": [more]}, now())
    assert answer["case"] == case.id
    assert (await case.snapshot())["evidence"] == [PHOTO, more]


async def test_approval_after_silence_opens_the_follow_up_with_a_new_offer(
    workshop: Workshop, engine_here: Engine
) -> None:
    """G5: a later approval reopens the case; S19: but does not accept the expired offer."""
    old = await silent(workshop)

    answer = await late(engine_here, old.id, "customer-approved", {"option": "replace"}, now())

    assert (answer["applied"], answer["case"]) == (False, f"{old.id}.2")
    assert "asks the customer again" in answer["why"]
    seen = await case_of(workshop, answer["case"]).becomes("awaiting_consent")
    assert [offer["state"] for offer in seen["offers"]] == ["open"]


async def test_message_to_a_merged_case_goes_to_the_open_one(workshop: Workshop, engine_here: Engine) -> None:
    """S22."""
    first = await workshop.take_in(complaint(order={"order_id": "SO-PAIR"}))
    await first.becomes("assessing")
    second = await workshop.take_in(complaint(order={"order_id": "SO-PAIR"}))
    await second.until(lambda c: c["links"])
    await first.says("complaint-withdrawn")
    await second.result()

    with pytest.raises(Refusal, match=f"was merged into {first.id} and closed with it: reopen {first.id}"):
        await reopen(engine_here, second.id, now())
    with pytest.raises(Refusal, match=f'"starter.py reopen {first.id}"'):
        await late(engine_here, second.id, "note", {"text": "hello"}, now())


@pytest.fixture
async def paid(workshop: Workshop) -> OpenCase:
    """A case that closed after a coupon was paid."""
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await case.says("assess", severity="minor", by="Zhao")
    await case.becomes("awaiting_consent")
    await case.says("customer-approved", by="Wang Li")
    await case.until(lambda c: step(c, "coupon")["state"] == "done" and step(c, "onsite_repair")["reference"])
    await case.says("step-reported", step="onsite_repair", state="done")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await case.result()
    return case


TAKEN_BACK = {"step": "coupon", "state": "failed", "detail": "account closed", "by": "refunds"}
NOT_PAID = {"step": "coupon", "action": "waive", "reason": "it came back", "by": "Zhao"}


async def test_payment_taken_back_after_closing_is_contested_until_a_person_decides(
    engine_here: Engine, paid: OpenCase, records: Records
) -> None:
    """S27: it stays in the ledger, the answer says so, it is listed, and the report alone frees no money."""
    key = f"{paid.id}/1/o1/coupon"

    answer = await late(engine_here, paid.id, "step-reported", TAKEN_BACK, now())
    again = await late(engine_here, paid.id, "step-reported", TAKEN_BACK, now())
    (entry,) = records.entries(paid.id)
    (row,) = [found for found in await stuck(engine_here) if found["case_id"] == paid.id]

    assert (answer["applied"], again["applied"]) == (True, False)
    assert f"{key} (640.00 CNY) is now contested" in answer["why"]
    assert (entry["state"], entry["reason"]) == (
        EntryState.CONTESTED,
        "reported as failed after the case had closed: account closed",
    )
    assert row["what"] == "contested"
    assert "account closed" in row["why"]
    assert f"starter.py resolve-step {paid.id} --step coupon --action waive" in row["do"]

    with pytest.raises(Refusal, match="is closed and cannot send anything"):
        await late(engine_here, paid.id, "resolve-step", NOT_PAID | {"action": "retry"}, now())
    with pytest.raises(Refusal, match="--by must name who checked"):
        await late(engine_here, paid.id, "resolve-step", NOT_PAID | {"by": None}, now())
    decided = await late(engine_here, paid.id, "resolve-step", NOT_PAID, now())
    (entry,) = records.entries(paid.id)

    assert "counts as not done, and its amount is free" in decided["why"]
    assert (entry["state"], entry["reason"]) == (EntryState.RELEASED, "Zhao: it came back")
    assert not [found for found in await stuck(engine_here) if found["case_id"] == paid.id]


async def test_contested_payment_of_a_closed_case_that_was_paid_counts_again(
    engine_here: Engine, paid: OpenCase, records: Records
) -> None:
    """S27: under the partner's number, as before."""
    (before,) = records.entries(paid.id)
    await late(engine_here, paid.id, "step-reported", TAKEN_BACK, now())

    answer = await late(engine_here, paid.id, "step-reported", {**TAKEN_BACK, "state": "done"}, now())
    again = await late(engine_here, paid.id, "step-reported", {**TAKEN_BACK, "state": "done"}, now())
    (entry,) = records.entries(paid.id)

    assert (answer["applied"], again["applied"]) == (True, False)
    assert (entry["state"], entry["reference"]) == (EntryState.COMMITTED, before["reference"])


async def test_report_on_a_closed_case_that_is_not_in_the_ledger_is_refused(
    engine_here: Engine, paid: OpenCase
) -> None:
    """S22: the ledger has no visits; the answer says how to proceed."""
    with pytest.raises(Refusal, match=f'"starter.py reopen {paid.id}"'):
        await late(engine_here, paid.id, "step-reported", TAKEN_BACK | {"step": "onsite_repair"}, now())
