"""A claim is filed once, in its window, with its documents (B16, S13, S25)."""

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import TimeSkipper

from partners.ports import OutcomeUnknown, PartnerRefused, TryAgain
from records import Records
from tests.engine import Workshop, eventually
from tests.fakes import FakePartners, Turn
from tests.workflows.claim.conftest import CONTRACT_NOTE, Claim, Lose, notices

# Window


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
    """The window is short here, from three to ten days after the promised arrival; a refusal ends its key (S13)."""
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


# Documents


async def test_claim_takes_the_documents_that_the_case_has(lose: Lose, partners: FakePartners) -> None:
    """B16: the order, the end of the tracking history, the dispatch record; no names."""
    await (await lose(timedelta(days=4))).until(state="filed", missing=[])

    documents = {document.name: document for document in partners.logistics.commands[0].documents}
    assert list(documents) == ["order", "trail", "dispatch_record"]
    assert documents["order"].facts["amount"] == "12800.00"
    assert documents["trail"].facts["last"]["what"] == "scan 3"
    assert documents["dispatch_record"].facts == {"warehouse": "WH-1", "condition": "sealed", "items": []}


async def test_claim_waits_for_a_document_that_is_missing(lose: Lose, partners: FakePartners) -> None:
    """B16: it shows which documents are missing, and they can be added."""
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


async def test_claim_is_filed_on_the_last_day_with_the_documents_it_has(lose: Lose, partners: FakePartners) -> None:
    """B16: an incomplete claim is better than none."""
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


# Filed once, whatever fails: S13


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
    """The server repeats the attempt, which asks before it sends."""
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
    await eventually(lambda: _notified(partners, "unknown"))
    await claim.process.says("claim-settled", recovered="100.00")

    assert (await claim.process.result())["recovered"] == "100.00"
    assert len(partners.logistics.commands) == 1


async def test_claim_is_not_filed_under_a_new_key_before_the_old_one_has_been_asked_for(
    lose: Lose, partners: FakePartners
) -> None:
    """S25: the refusal was wrong; the next try finds the claim instead of filing another."""
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


async def test_claim_that_was_reset_does_not_file_again_under_a_key_that_it_has_moved_past(
    lose: Lose, partners: FakePartners
) -> None:
    """S25: our database supplies the later key; the carrier is asked what became of both before anything is sent."""
    partners.logistics.will(Turn(raises=PartnerRefused("not today")))
    claim = await lose(timedelta(days=4))
    await claim.process.at_rest()
    before = await claim.after(hours=25)
    key = f"{claim.case.id}/carrier_claim"
    assert [command.key for command in partners.logistics.commands] == [key, f"{key}/2"]
    partners.logistics.asked.clear()

    await claim.process.reset("logistics-step")
    after = await claim.until(state="filed")

    assert after["reference"] == before["reference"]
    assert partners.logistics.asked == [key, f"{key}/2"]
    assert len(partners.logistics.commands) == 2
    await claim.process.says("step-reported", step="carrier_claim", state="done", key=f"{key}/2")
    assert (await claim.process.result())["state"] == "paid"


async def test_claim_whose_old_key_has_an_unknown_outcome_stays_unknown(lose: Lose, partners: FakePartners) -> None:
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


async def _notified(partners: FakePartners, why: str) -> bool:
    return why in notices(partners)


async def _is_past(claim: Claim, instant: datetime) -> bool:
    return await claim.process.now() > instant
