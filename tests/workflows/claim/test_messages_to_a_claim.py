"""Messages that a claim cannot apply change nothing and are recorded."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from tests.engine import Workshop, eventually
from tests.workflows.claim.conftest import Claim, Lose


async def test_late_report_is_refused_visibly(lose: Lose, workshop: Workshop) -> None:
    """The first message counts; two more are recorded."""
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
    """Contract, *Messages*: messages of a carrier's system are accepted at any time."""
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
    """Contract, *Messages*; a repetition of the same is not refused."""
    claim = await lose(timedelta(days=4), dispatched=None)
    message = {"evidence": [{"kind": "photo", "uri": "s3://1"}], "message_id": "m-1"}

    first = await claim.process.says("evidence-received", **message)
    again = await claim.process.says("evidence-received", **message)

    assert (first["applied"], again["applied"]) == (True, False)
    assert (await claim.view())["refused"] == []


async def _refused(claim: Claim) -> bool:
    return bool((await claim.view())["refused"])
