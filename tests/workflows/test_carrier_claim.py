"""The claim against the carrier outlives its case, and what it brings is set against what was paid out (B16)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import TimeSkipper

from cases.commands import Trail, TrailState
from cases.names import claim_workflow_id
from partners.ports import OutcomeUnknown, PartnerRefused
from records import Records
from tests.engine import OpenCase, Workshop, eventually, step
from tests.fakes import FakePartners, Turn
from tests.workflows.conftest import Open

PROMISED = datetime.now(UTC) - timedelta(days=1)


def claim_of(client: Client, case: OpenCase) -> OpenCase:
    """The claim's own process; its clock can be moved like a case's."""
    return OpenCase(case.id, client, client.get_workflow_handle(claim_workflow_id(case.id)))


async def lost(open_case: Open, partners: FakePartners) -> OpenCase:
    """A case whose parcel the carrier has lost; the claim has begun by itself."""
    partners.logistics.knows = Trail(state=TrailState.LOST)
    case = await open_case(topic="transport.loss", order={"promised_at": PROMISED.isoformat()})
    await case.until(lambda c: step(c, "carrier_claim")["state"] == "done")
    return case


async def end(case: OpenCase) -> dict[str, Any]:
    """The customer agrees, is paid, and is satisfied."""
    await case.becomes("awaiting_consent")
    await case.says("customer-approved")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=4)
    return await case.result()


async def test_claim_goes_on_when_its_case_has_closed(
    open_case: Open, partners: FakePartners, records: Records, client: Client
) -> None:
    case = await lost(open_case, partners)
    result = await end(case)
    claim = claim_of(client, case)
    assert (await claim.handle.describe()).status is WorkflowExecutionStatus.RUNNING
    assert result["links"] == [{"kind": "carrier_claim", "workflow": claim.handle.id}]

    await claim.handle.signal("claim-settled", {"recovered": "9000.00", "detail": "paid in part", "by": "Zhao"})
    settled = await claim.result()

    assert settled["recovered"] == "9000.00"
    (row,) = [row for row in records.claims() if row["case_id"] == case.id]
    assert row["paid_out"] == Decimal("15360.00"), "refund and 20 % compensation"
    assert row["loss"] == Decimal("6360.00")
    assert row["closed_at"] is not None


async def test_claim_is_filed_once_its_window_opens(open_case: Open, partners: FakePartners, client: Client) -> None:
    """Not before three days after the promised arrival."""
    claim = claim_of(client, await lost(open_case, partners))
    await claim.at_rest()

    await _moved(claim, hours=47)
    assert partners.logistics.commands == []
    await _moved(claim, hours=2)
    await eventually(lambda: _filed(claim))

    (command,) = partners.logistics.commands
    assert (command.kind, command.amount, command.carrier) == ("carrier_claim", Decimal("12800.00"), "Slow Freight")
    assert command.reply_to == claim.handle.id


@pytest.mark.parametrize(("state", "recovered"), [("done", "12800.00"), ("failed", "0.00")])
async def test_carrier_answers_with_its_report(
    open_case: Open, partners: FakePartners, client: Client, state: str, recovered: str
) -> None:
    claim = claim_of(client, await lost(open_case, partners))

    await claim.handle.signal("step-reported", {"step": "carrier_claim", "state": state, "detail": "file 7"})

    assert (await claim.result())["recovered"] == recovered


@pytest.mark.parametrize("done", [True, False])
async def test_claim_whose_filing_got_lost_is_asked_for(
    open_case: Open, partners: FakePartners, client: Client, done: bool
) -> None:
    """S13, here as well."""
    claim = claim_of(client, await lost(open_case, partners))
    partners.logistics.will(Turn(raises=OutcomeUnknown("no answer"), done=done))
    await claim.at_rest()

    await _moved(claim, days=3)
    await eventually(lambda: _filed(claim))

    assert len(partners.logistics.receipts) == 1
    assert len(partners.logistics.commands) == (1 if done else 2)


async def test_carrier_that_refuses_is_asked_daily_until_the_window_closes(
    workshop: Workshop, open_case: Open, partners: FakePartners, records: Records
) -> None:
    """The window is short here: from three days after the promised arrival to ten."""
    policy = workshop.parts.policies["building_materials"]
    short = policy.carrier_claim.model_copy(update={"not_after": "10 days"})
    workshop.parts.policies["building_materials"] = policy.model_copy(update={"carrier_claim": short})
    case = await lost(open_case, partners)
    claim = claim_of(workshop.client, case)
    partners.logistics.will(*[Turn(raises=PartnerRefused("no such parcel"))] * 20)
    await claim.at_rest()

    await _moved(claim, days=12)

    assert (await claim.result())["state"] == "refused"
    assert len(partners.logistics.commands) == 8
    assert [row["recovered"] for row in records.claims() if row["case_id"] == case.id] == [Decimal("0.00")]


@pytest.mark.parametrize(
    "arguments",
    [[], [{"recovered": "a lot, says Wang Li"}], ["a sentence"], [b"\x00\xff"], [{"recovered": "2.00"}, "?"]],
    ids=["none", "wrong", "no object", "binary", "two"],
)
async def test_message_that_makes_no_sense_leaves_the_claim_alone(
    open_case: Open, partners: FakePartners, client: Client, caplog: pytest.LogCaptureFixture, arguments: list[Any]
) -> None:
    """It is logged without its content."""
    claim = claim_of(client, await lost(open_case, partners))

    await claim.handle.signal("claim-settled", args=arguments)
    await claim.handle.signal("claim-settled", {"recovered": "1.00"})

    assert (await claim.result())["recovered"] == ("2.00" if len(arguments) > 1 else "1.00")
    assert "Wang Li" not in caplog.text


async def _moved(claim: OpenCase, **time: float) -> None:
    await TimeSkipper(claim.client).fast_forward(claim.handle, timedelta(**time))


async def _filed(claim: OpenCase) -> bool:
    return bool((await claim.handle.query("claim"))["state"] == "filed")
