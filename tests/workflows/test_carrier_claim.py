"""The claim against the carrier outlives its case, and what it brings is set against what was paid out (B16)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import CancelledError
from temporalio.testing import TimeSkipper

from cases.contract import claim_workflow_id
from cases.partner_calls import DispatchRecord, ReceiptState, Trail, TrailEvent, TrailState
from partners.ports import OutcomeUnknown, PartnerRefused, TryAgain
from records import Records
from tests.engine import OpenCase, Workshop, eventually, step
from tests.fakes import FakePartners, Turn
from tests.workflows.conftest import Open
from workflows.search import KEYS

YESTERDAY = timedelta(days=1)
TRAIL = Trail(
    state=TrailState.LOST,
    events=[TrailEvent(at=datetime(2026, 1, day, tzinfo=UTC), what=f"scan {day}") for day in (1, 3, 2)],
)
DISPATCHED = DispatchRecord(warehouse="WH-1", packed_by="Li Na", condition="sealed")
CONTRACT_NOTE = {"kind": "document", "uri": "s3://claims/dispatch-note.pdf"}


class Claim(NamedTuple):
    """A claim's own process, whose clock can be moved like a case's."""

    case: OpenCase
    process: OpenCase

    async def view(self) -> dict[str, Any]:
        """The answer to its query."""
        answer: dict[str, Any] = await self.process.asks("claim")
        return answer

    async def until(self, **fields: Any) -> dict[str, Any]:
        """The first view in which these fields are so."""
        seen: dict[str, Any] = {}

        async def look() -> bool:
            seen.update(await self.view())
            return all(seen[name] == value for name, value in fields.items())

        await eventually(look, f"{fields} of {self.process.handle.id}")
        return seen

    async def after(self, **time: float) -> dict[str, Any]:
        """Move its clock, let everything happen that became due, and look."""
        await TimeSkipper(self.process.client).fast_forward(self.process.handle, timedelta(**time))
        await self.process.at_rest()
        return await self.view()


Lose = Callable[..., Awaitable[Claim]]


@pytest.fixture
def lose(workshop: Workshop, open_case: Open, partners: FakePartners, client: Client) -> Lose:
    """The carrier has lost a parcel that was `promised` so long ago: the claim has begun by itself, and is replayed."""

    async def begun(promised: timedelta = YESTERDAY, dispatched: DispatchRecord | None = DISPATCHED) -> Claim:
        partners.logistics.knows, partners.warehouse.knows = TRAIL, dispatched
        promised_at = (datetime.now(UTC) - promised).isoformat()
        case = await open_case(topic="transport.loss", order={"promised_at": promised_at})
        await case.until(lambda c: step(c, "carrier_claim")["state"] == "done")
        process = OpenCase(case.id, client, client.get_workflow_handle(claim_workflow_id(case.id)))
        workshop.taken_in.add(process.handle.id)
        return Claim(case, process)

    return begun


async def end(case: OpenCase) -> dict[str, Any]:
    """The customer agrees, is paid, and is satisfied."""
    await case.becomes("awaiting_consent")
    await case.says("customer-approved")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=4)
    return await case.result()


def notices(partners: FakePartners) -> list[str]:
    """Why staff were told of a claim, in order."""
    told = partners.messaging.notices.values()
    return [notice.facts["why"] for notice in told if notice.event == "carrier_claim"]


# What it brings


async def test_claim_goes_on_when_its_case_has_closed(lose: Lose, records: Records) -> None:
    """B16: what is recovered is set against what the case really paid."""
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


async def test_staff_hear_once_that_the_carrier_does_not_answer(lose: Lose, partners: FakePartners) -> None:
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


# Its window


async def test_claim_is_filed_once_its_window_opens(lose: Lose, partners: FakePartners) -> None:
    """B16: not before three days after the promised arrival."""
    claim = await lose()
    await claim.process.at_rest()

    await claim.after(hours=47)
    assert partners.logistics.commands == []
    await claim.after(hours=2)
    await claim.until(state="filed")

    (command,) = partners.logistics.commands
    assert (command.kind, command.amount, command.carrier) == ("carrier_claim", Decimal("12800.00"), "Slow Freight")
    assert command.reply_to == claim.process.handle.id


async def test_claim_whose_window_opens_while_no_worker_runs_is_filed_by_the_next(
    lose: Lose, workshop: Workshop, partners: FakePartners
) -> None:
    """S8: late, and once."""
    claim = await lose()
    await claim.process.at_rest()

    opens = datetime.fromisoformat((await claim.view())["not_before"])
    await workshop.close()
    skipping = asyncio.create_task(claim.after(days=3))
    await eventually(lambda: _is_past(claim, opens))
    await workshop.open()
    await skipping
    await claim.until(state="filed")

    assert len(partners.logistics.commands) == 1


async def test_claim_whose_window_has_closed_says_so_at_once(
    lose: Lose, partners: FakePartners, records: Records
) -> None:
    """B16: not after 30 days; the carrier is not even asked."""
    claim = await lose(timedelta(days=31))

    result = await claim.process.result()

    assert (result["state"], result["recovered"]) == ("expired", "0.00")
    assert partners.logistics.commands == []
    assert notices(partners) == ["expired"]
    assert [(row["state"], row["filed_at"]) for row in records.claims()] == [("expired", None)]


async def test_carrier_that_refuses_is_asked_daily_until_the_window_closes(
    workshop: Workshop, lose: Lose, partners: FakePartners
) -> None:
    """The window is short here, from three days after the promised arrival to ten; a final no ends its key (S13)."""
    policy = workshop.parts.policies["building_materials"]
    short = policy.carrier_claim.model_copy(update={"not_after": "10 days"})
    workshop.parts.policies["building_materials"] = policy.model_copy(update={"carrier_claim": short})
    partners.logistics.will(*[Turn(raises=PartnerRefused("no such parcel"))] * 20)
    claim = await lose()
    await claim.process.at_rest()

    await TimeSkipper(claim.process.client).fast_forward(claim.process.handle, timedelta(days=12))

    result = await claim.process.result()
    assert (result["state"], result["detail"]) == ("expired", "no such parcel")
    keys = [command.key for command in partners.logistics.commands]
    assert keys == [f"{claim.case.id}/carrier_claim{n}" for n in ("", "/2", "/3", "/4", "/5", "/6", "/7")]
    assert notices(partners) == ["expired"]


# Its documents


async def test_claim_takes_the_documents_that_the_case_has(lose: Lose, partners: FakePartners) -> None:
    """B16: the order, the last of the trail, the dispatch record; nobody's name."""
    await (await lose(timedelta(days=4))).until(state="filed", missing=[])

    documents = {document.name: document for document in partners.logistics.commands[0].documents}
    assert list(documents) == ["order", "trail", "dispatch_record"]
    assert documents["order"].facts["amount"] == "12800.00"
    assert documents["trail"].facts["last"]["what"] == "scan 3"
    assert documents["dispatch_record"].facts == {"warehouse": "WH-1", "condition": "sealed", "items": []}


async def test_claim_waits_for_a_document_that_is_missing(lose: Lose, partners: FakePartners) -> None:
    """B16: who is missing what is visible, and whoever has it adds it."""
    claim = await lose(timedelta(days=4), dispatched=None)
    await claim.until(missing=["dispatch_record"])
    await claim.after(days=5)
    assert (partners.logistics.commands, notices(partners)) == ([], ["documents"])
    (need,) = (await claim.view())["needs"]
    assert need["text"].startswith("documents are missing (dispatch_record): evidence-received")
    assert need["message"] == "evidence-received"
    assert need["example"] == {
        "evidence": [{"kind": "document", "uri": "https://files.example.com/dispatch_record"}],
        "by": "YOU",
    }
    assert [field["name"] for field in need["fields"] if field["required"]] == ["evidence"]

    photo = {"kind": "photo", "uri": "s3://claims/pallet.jpg"}
    still = await claim.process.says("evidence-received", evidence=[photo])
    added = await claim.process.says("evidence-received", evidence=[CONTRACT_NOTE], by="Zhao")

    assert (still["missing"], added["missing"]) == (["dispatch_record"], [])
    await claim.until(state="filed")
    (command,) = partners.logistics.commands
    assert [(d.name, d.uri) for d in command.documents][2:] == [
        ("photo", photo["uri"]),
        ("dispatch_record", CONTRACT_NOTE["uri"]),
    ]


async def test_claim_is_filed_on_the_last_day_with_what_there_is(lose: Lose, partners: FakePartners) -> None:
    """B16: rather a thin claim than none."""
    claim = await lose(timedelta(days=4), dispatched=None)
    await claim.process.at_rest()

    await claim.after(days=24, hours=23)
    assert partners.logistics.commands == []
    filed = await claim.after(hours=2)

    assert (filed["state"], filed["missing"]) == ("filed", ["dispatch_record"])
    assert [d.name for d in partners.logistics.commands[0].documents] == ["order", "trail"]


async def test_document_that_comes_after_filing_is_refused(lose: Lose) -> None:
    claim = await lose(timedelta(days=4))
    await claim.until(state="filed")

    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await claim.process.says("evidence-received", evidence=[CONTRACT_NOTE])

    assert "the claim is filed: send further documents to the carrier" in str(failed.value.cause)


# Filed once, whatever fails in between: S13


@pytest.mark.parametrize("done", [True, False])
async def test_claim_whose_filing_got_lost_is_asked_for(lose: Lose, partners: FakePartners, done: bool) -> None:
    partners.logistics.will(Turn(raises=OutcomeUnknown("no answer"), done=done))

    await (await lose(timedelta(days=4))).until(state="filed")

    assert len(partners.logistics.receipts) == 1
    assert len(partners.logistics.commands) == (1 if done else 2)
    assert len({command.key for command in partners.logistics.commands}) == 1


async def test_claim_whose_worker_dies_after_the_carrier_took_it_is_not_filed_again(
    lose: Lose, partners: FakePartners
) -> None:
    """The server repeats the attempt, and that asks before it sends."""
    partners.logistics.will(Turn(raises=TryAgain("the worker died", retry_after=0.01), done=True))

    await (await lose(timedelta(days=4))).until(state="filed")

    assert (len(partners.logistics.commands), len(partners.logistics.asked)) == (1, 1)


async def test_nothing_is_filed_again_once_the_carrier_may_have_forgotten_the_key(
    lose: Lose, partners: FakePartners
) -> None:
    """A person finds out, and enters what the carrier paid."""
    partners.logistics.will(Turn(raises=OutcomeUnknown("no answer")))
    partners.logistics.when_asked(Turn(raises=TryAgain("down", retry_after=24 * 3600)))
    claim = await lose(timedelta(days=4))
    await claim.until(state="unknown")

    await claim.after(hours=25)
    await eventually(lambda: _told(partners, "unknown"))
    await claim.process.says("claim-settled", recovered="100.00")

    assert (await claim.process.result())["recovered"] == "100.00"
    assert len(partners.logistics.commands) == 1


async def test_claim_is_not_filed_under_a_new_key_before_the_old_one_has_been_asked_for(
    lose: Lose, partners: FakePartners
) -> None:
    """S25: a refusal was a lie, and the next try finds the claim instead of filing another."""
    partners.logistics.will(Turn(raises=PartnerRefused("not today"), done=True))
    partners.logistics.when_asked(Turn(raises=PartnerRefused("nor now")))
    claim = await lose(timedelta(days=4))
    await claim.process.at_rest()

    filed = await claim.after(hours=25)

    key = f"{claim.case.id}/carrier_claim"
    assert (filed["state"], filed["reference"]) == ("filed", "R-1")
    assert partners.logistics.asked == [key, key], "asked until it answers"
    assert [command.key for command in partners.logistics.commands] == [key]
    await claim.process.says("step-reported", step="carrier_claim", state="done", key=key)
    assert (await claim.process.result())["state"] == "paid"


async def test_claim_whose_old_key_nobody_knows_of_stays_unknown(lose: Lose, partners: FakePartners) -> None:
    """S25: nothing is filed while the carrier does not answer; its report on the old key counts."""
    partners.logistics.will(Turn(raises=PartnerRefused("not today")))
    partners.logistics.when_asked(Turn(raises=TryAgain("down", retry_after=24 * 3600)))
    claim = await lose(timedelta(days=4))
    await claim.process.at_rest()

    unknown = await claim.after(hours=25)
    assert (unknown["state"], len(partners.logistics.commands)) == ("unknown", 1)
    key = f"{claim.case.id}/carrier_claim"
    assert key in unknown["detail"]
    await claim.process.says("step-reported", step="carrier_claim", state="done", key=key)

    assert (await claim.process.result())["state"] == "paid"


async def test_claim_that_is_settled_while_the_carrier_is_out_of_reach_ends(lose: Lose, partners: FakePartners) -> None:
    partners.logistics.will(Turn(raises=OutcomeUnknown("no answer")))
    partners.logistics.when_asked(Turn(raises=TryAgain("down", retry_after=24 * 3600)))
    claim = await lose(timedelta(days=4))
    await claim.until(state="unknown")

    await claim.process.handle.signal("claim-settled", {"recovered": "0.00"})

    assert (await claim.process.result())["state"] == "refused"


# Messages that cannot be applied


async def test_word_that_comes_too_late_is_refused_visibly(lose: Lose, workshop: Workshop) -> None:
    """The first word counts; twice more, and neither is dropped."""
    claim = await lose(timedelta(days=4))
    await claim.until(state="filed")
    handle = claim.process.handle
    await workshop.close()
    await handle.signal("claim-settled", {"recovered": "9000.00"})
    for message_id in ("a", "b"):
        await handle.signal("step-reported", {"step": "carrier_claim", "state": "failed", "message_id": message_id})

    await workshop.open()
    result = await claim.process.result()

    assert (result["state"], result["recovered"]) == ("paid", "9000.00")
    why = "the claim has ended as paid: 9000.00 recovered, nothing changes it"
    assert [(r["message"], r["why"], r["count"]) for r in result["refused"]] == [("step-reported", why, 2)]


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ({"step": "carrier_claim", "state": "done"}, "the claim has not been filed"),
        ({"step": "refund", "state": "done"}, "step: refund is not this claim's"),
        ({"step": "carrier_claim", "state": "done", "occurred_at": "2099-01-01T00:00:00Z"}, "is in the future"),
        ({"step": "carrier_claim", "state": "accepted"}, "step-reported: state:"),
    ],
    ids=["not filed", "another step", "future", "no state"],
)
async def test_report_that_cannot_be_applied_is_refused(lose: Lose, payload: dict[str, Any], why: str) -> None:
    claim = await lose()

    await claim.process.handle.signal("step-reported", {**payload, "by": "Swift"})

    seen = await claim.until(state="waiting")
    await eventually(lambda: _refused(claim))
    (refused,) = (await claim.view())["refused"]
    assert why in refused["why"]
    assert (refused["message"], refused["by"], seen["recovered"]) == ("step-reported", "Swift", None)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("claim-settled", []),
        ("claim-settled", [{"recovered": "a lot, says Wang Li"}]),
        ("claim-settled", ["Wang Li"]),
        ("claim-settled", [b"\x00\xff"]),
        ("hurry-up", [{"to": "Wang Li"}, "Wang Li"]),
        ("customer-approved", [{"by": "Wang"}, "Wang Li"]),
        ("customer-approved", []),
    ],
    ids=["none", "wrong", "no object", "binary", "no such signal", "for a case", "for a case, none"],
)
async def test_message_that_makes_no_sense_leaves_the_claim_alone(
    lose: Lose, caplog: pytest.LogCaptureFixture, name: str, arguments: list[Any]
) -> None:
    """It is kept under `refused` and logged, both without its content."""
    caplog.set_level(logging.INFO)
    claim = await lose()

    await claim.process.handle.signal(name, args=arguments)
    await claim.process.handle.signal("claim-settled", {"recovered": "1.00"})

    result = await claim.process.result()
    assert result["recovered"] == "1.00"
    assert [r["message"] for r in result["refused"]] == [name]
    assert "Wang Li" not in str(result["refused"])
    assert "signal refused" in caplog.text
    assert "Wang Li" not in caplog.text


async def test_second_payload_of_a_message_is_left_alone(lose: Lose) -> None:
    claim = await lose()

    await claim.process.handle.signal("claim-settled", args=[{"recovered": "2.00"}, "?"])

    assert (await claim.process.result())["recovered"] == "2.00"


async def test_flood_of_messages_is_taken_at_its_pace_and_its_refusals_are_one_line(
    lose: Lose, caplog: pytest.LogCaptureFixture
) -> None:
    """Contract, *Messages*: what a carrier's system says in the middle of it is heard."""
    claim = await lose(timedelta(days=4), dispatched=None)
    evidence = [{"evidence": [{"kind": "photo", "uri": f"s3://{number}"}], "by": "dms"} for number in range(50)]

    await asyncio.gather(*(claim.process.signals("evidence-received", **one) for one in evidence))
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await claim.process.says("evidence-received", **evidence[0])
    await claim.process.says("claim-settled", recovered="1.00")

    result = await claim.process.result()
    taken = [d for d in result["documents"] if d.get("uri", "").startswith("s3://")]
    [line] = result["refused"]
    assert len(taken) + line["count"] == len(evidence)
    assert "comes too often" in str(refused.value.cause)
    assert caplog.text.count("signal refused") == 1


async def test_message_id_is_applied_once(lose: Lose) -> None:
    """Contract, *Messages*; the same word twice is no reason to refuse it."""
    claim = await lose(timedelta(days=4), dispatched=None)
    message = {"evidence": [{"kind": "photo", "uri": "s3://1"}], "message_id": "m-1"}

    first = await claim.process.says("evidence-received", **message)
    again = await claim.process.says("evidence-received", **message)

    assert (first["applied"], again["applied"]) == (True, False)
    assert (await claim.view())["refused"] == []


# What operators see


async def test_operators_find_a_claim_by_its_order_and_see_where_it_stands(lose: Lose) -> None:
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


async def _told(partners: FakePartners, why: str) -> bool:
    return why in notices(partners)


async def _refused(claim: Claim) -> bool:
    return bool((await claim.view())["refused"])


async def _is_past(claim: Claim, instant: datetime) -> bool:
    return await claim.process.now() > instant
