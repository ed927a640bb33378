"""A case reads its order's account again before it makes an offer by itself, on a real server (S35)."""

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.records import Records as Admissions
from cases.partner_calls import Trail, TrailState
from cases.policy.policy import Policy
from cases.state.account import Account
from records import Records, RecordsUnavailable
from tests.complaints import complaint
from tests.engine import OpenCase
from tests.fakes import FakePartners
from tests.workflows.conftest import Open

PROOF = {"kind": "proof_of_value", "uri": "s3://e/2.pdf"}
PARCEL: dict[str, Any] = {
    "order_id": "SO-PARCEL",
    "amount": "18.00",
    "freight": "18.00",
    "goods_value": "90.00",
    "items": [],
}


@pytest.fixture
async def claim(open_case: Open, partners: FakePartners) -> OpenCase:
    """A claim for a lost parcel that waits for its proof."""
    partners.logistics.knows = Trail(state=TrailState.LOST)
    case = await open_case(line="express", topic="claim.loss", order=PARCEL)
    await case.becomes("awaiting_evidence")
    return case


@pytest.fixture
async def paid(claim: OpenCase, open_case: Open) -> OpenCase:
    """Another case about the parcel, which has been paid its worth since the claim read the account."""
    case = await open_case(line="express", topic="transport.loss", order=PARCEL)
    await case.becomes("awaiting_consent")
    await case.says("customer-approved", by="Wang Li")
    seen = await case.becomes("following_up")
    assert (seen["case_id"] != claim.id, seen["paid"]["compensation"]) == (True, "90.00")
    return case


def down(_order_id: str, _case_id: str) -> Account:
    raise RecordsUnavailable("down")


def promised(seen: dict[str, Any]) -> list[str]:
    return [r["kind"] for offer in seen["offers"] for option in offer["options"] for r in option["remedies"]]


async def test_an_offer_after_late_evidence_does_not_promise_what_another_case_has_taken(
    claim: OpenCase, paid: OpenCase
) -> None:
    """S35: 90.00 may be paid for the parcel, once; the evidence comes as a signal."""
    await claim.signals("evidence-received", evidence=[PROOF])

    seen = await claim.until(lambda c: any(entry["what"] == "not offered" for entry in c["timeline"]))

    assert "claim_payment" not in promised(seen)
    why = [entry["text"] for entry in seen["timeline"] if entry["what"] == "not offered"]
    assert f"claim payment in case {paid.id}" in why[0]


async def test_an_update_is_answered_once_its_offer_has_been_made(claim: OpenCase) -> None:
    """S35: the sender learns what the evidence led to."""
    answer = await claim.says("evidence-received", evidence=[PROOF])

    assert answer["status"] == "awaiting_approval"
    assert promised(await claim.snapshot()) == ["claim_payment", "freight_refund"]


async def test_while_our_records_are_down_the_account_counts_that_was_read_last(
    monkeypatch: pytest.MonkeyPatch, records: Records, claim: OpenCase, paid: OpenCase
) -> None:
    """S35: no database delays an offer; the ledger checks again at the payment."""
    monkeypatch.setattr(records, "account", down)

    await claim.says("evidence-received", evidence=[PROOF])

    assert paid.id != claim.id
    assert "claim_payment" in promised(await claim.snapshot())


def test_a_complaint_is_not_claimed_while_the_account_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, records: Records, written_policies: dict[str, Policy]
) -> None:
    """S35: a case whose id is claimed at its admission takes the account for read."""
    admission, now = Admissions(written_policies, records), datetime.now(UTC)
    content = complaint(case_id="HL-claimed", line="express", topic="claim.loss", order=PARCEL)
    with monkeypatch.context() as outage:
        outage.setattr(records, "account", down)
        while_down = admission.admit(content, now, "run-1")

    then = admission.admit(content, now, "run-1")

    assert (while_down.others, while_down.account, while_down.rereads_account) == (None, Account(), True)
    assert (then.others, then.problems) == ([], [])


async def test_what_comes_while_the_account_is_read_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, records: Records, claim: OpenCase
) -> None:
    """S22, S35: the case ends meanwhile."""
    asked, go_on, read = threading.Event(), threading.Event(), records.account

    def held(order_id: str, case_id: str) -> Account:
        asked.set()
        go_on.wait()
        return read(order_id, case_id)

    monkeypatch.setattr(records, "account", held)
    await claim.signals("evidence-received", evidence=[PROOF])
    await asyncio.to_thread(asked.wait)
    await claim.signals("contact-made", note="called them")
    await claim.signals("complaint-withdrawn", reason="it was found")
    go_on.set()

    record = await claim.result()

    assert record["outcome"] == "withdrawn"
    assert ("contact", "called them") in [(entry["what"], entry["text"]) for entry in record["timeline"]]
    assert record["refused"] == []
