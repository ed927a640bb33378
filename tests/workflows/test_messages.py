"""Messages to a case: applied once, or refused with a sentence; whatever arrives, the case lives."""

from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.exceptions import ApplicationError

from cases.messages import FACTS, MESSAGES
from tests.engine import OpenCase, promise
from tests.workflows.conftest import Open
from workflows.doors import AsTheyCame


async def raw_signal(case: OpenCase, name: str, *payloads: Payload) -> None:
    """A signal with these very payloads, as a client in another language may send it."""
    await case.client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=case.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=case.handle.id),
            signal_name=name,
            input=Payloads(payloads=payloads) if payloads else None,
        )
    )


def json_payload(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=text.encode())


async def refusal(case: OpenCase, message: str, **payload: Any) -> str:
    """The sentence with which an update is rejected."""
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        await case.says(message, **payload)
    assert isinstance(raised.value.cause, ApplicationError)
    return raised.value.cause.message


UNREADABLE_AS = ["no JSON", "unknown encoding", "no encoding"]
UNREADABLE = [json_payload("{no JSON"), Payload(metadata={"encoding": b"of/mars"}, data=b"{}"), Payload(data=b"{}")]
"""Payloads that nobody can decode."""
UNUSABLE = [
    ("customer-declined", [], "reason: is required"),
    *(("contact-made", [payload], "not JSON") for payload in UNREADABLE),
    ("contact-made", [Payload(metadata={"encoding": b"binary/plain"}, data=b"\x00\xff")], "JSON"),
    ("contact-made", [json_payload('"a sentence"')], "takes a JSON object"),
    ("contact-made", [json_payload('{"noet": "x"}')], "noet: is not known here"),
    ("contact-made", [json_payload('{"note": "%s"}' % ("x" * 70_000))], "larger than 65536 bytes"),
    ("contact-made", [json_payload('{"occurred_at": "2099-01-01T00:00:00Z"}')], "in the future"),
    ("satisfaction-reported", [json_payload('{"score": 6}')], "score"),
    ("assess", [json_payload('{"severity": "severe"}')], "update"),
    ("no-such-message", [json_payload("{}")], "there is no message no-such-message"),
    ("no-such-message", [], "there is no message no-such-message"),
]
"""Signals that cannot be applied, and words of the sentence that says why."""


async def test_signals_that_cannot_be_applied_are_kept_with_the_reason_and_the_case_lives(open_case: Open) -> None:
    """Contract, *Messages*: commands are updates only, and nothing that arrives fails a workflow task."""
    case = await open_case()
    await case.becomes("assessing")

    for name, payloads, _ in UNUSABLE:
        await raw_signal(case, name, *payloads)

    seen = await case.until(lambda c: len(c["refused"]) == len(UNUSABLE))
    assert [r["message"] for r in seen["refused"]] == [name for name, _, _ in UNUSABLE]
    for kept, (_, _, why) in zip(seen["refused"], UNUSABLE, strict=True):
        assert why in kept["why"]
    assert seen["offers"] == []
    assert (await case.says("note", text="still here"))["applied"]


async def test_signal_with_no_payload_is_an_empty_one(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")

    await raw_signal(case, "contact-made")

    seen = await case.until(lambda c: any(e["what"] == "contact" for e in c["timeline"]))
    assert seen["refused"] == []


@pytest.mark.parametrize("second", [json_payload('{"note": "second"}'), *UNREADABLE], ids=["JSON", *UNREADABLE_AS])
async def test_second_payload_of_a_signal_is_left_alone_whatever_it_is(open_case: Open, second: Payload) -> None:
    """A handler with too many arguments would fail its workflow task for ever; the SDK drops what it cannot read."""
    case = await open_case()
    await case.becomes("assessing")

    await raw_signal(case, "contact-made", json_payload('{"note": "first"}'), second)

    seen = await case.until(lambda c: any(e["what"] == "contact" for e in c["timeline"]))
    assert [e["text"] for e in seen["timeline"] if e["what"] == "contact"] == ["first"]


@pytest.mark.parametrize("name", ["contact-made", "no-such-message"])
async def test_first_of_two_payloads_is_judged_as_if_it_were_alone(open_case: Open, name: str) -> None:
    """Never dropped: kept with the sentence that says why."""
    case = await open_case()
    await case.becomes("assessing")
    large = json_payload('{"note": "%s"}' % ("x" * 70_000))

    for first in (*UNREADABLE, large):
        await raw_signal(case, name, first, json_payload("{}"))

    seen = await case.until(lambda c: len(c["refused"]) == len(UNREADABLE) + 1)
    assert {r["message"] for r in seen["refused"]} == {name}
    assert ["not JSON" in r["why"] for r in seen["refused"]] == [True] * len(UNREADABLE) + [False]
    assert "larger than 65536 bytes" in seen["refused"][-1]["why"]


async def test_worker_that_decodes_as_it_likes_would_drop_the_signal(
    open_case: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard bites: without it the first signal is gone, and only the second is seen."""
    monkeypatch.setattr(AsTheyCame, "from_payloads", PydanticPayloadConverter.from_payloads)
    case = await open_case()
    await case.becomes("assessing")

    await raw_signal(case, "contact-made", json_payload('{"note": "first"}'), UNREADABLE[0])
    await raw_signal(case, "contact-made", json_payload('{"note": "second"}'))

    seen = await case.until(lambda c: any(e["what"] == "contact" for e in c["timeline"]))
    assert [e["text"] for e in seen["timeline"] if e["what"] == "contact"] == ["second"]
    assert seen["refused"] == []


async def test_update_with_two_payloads_is_judged_by_the_first(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")
    first, second = {"text": "first"}, {"text": "second"}

    answer = await case.handle.execute_update("note", args=[first, second])
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        await case.handle.execute_update("note", args=[RawValue(UNREADABLE[0]), second])

    assert answer["applied"]
    assert [e["text"] for e in (await case.snapshot())["timeline"] if e["what"] == "note"] == ["first"]
    assert "not JSON" in str(raised.value.cause)


async def test_every_message_has_a_door_that_says_what_it_is_for(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")

    about = (await case.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)).definition

    signals = {door.name: door.description for door in about.signal_definitions}
    updates = {door.name: door.description for door in about.update_definitions}
    assert signals.keys() >= FACTS.keys()
    assert updates.keys() == MESSAGES.keys()
    assert all(updates.values())
    assert all(signals[name] for name in FACTS)


async def test_rejected_update_writes_nothing(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")
    await case.at_rest()
    before = await case.snapshot()
    events = len(await case.events())

    why = await refusal(case, "customer-approved", by="Wang Li")

    assert "has made no offer yet" in why
    assert len(await case.events()) == events
    assert await case.snapshot() == before


async def test_rejected_update_says_what_would_be_accepted(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")
    await case.says("assess", severity="moderate")

    assert "replace (replacement" in await refusal(case, "customer-approved", offer="o7")
    assert "severity" in await refusal(case, "assess", severity="catastrophic")
    assert "update" not in await refusal(case, "note", text="")


async def test_message_id_is_applied_once_whichever_door_it_comes_through(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")

    first = await case.says("contact-made", note="one", message_id="m-1")
    await case.signals("contact-made", note="two", message_id="m-1")
    second = await case.says("contact-made", note="three", message_id="m-1")

    seen = await case.snapshot()
    assert first["applied"] is True
    assert second["applied"] is False
    assert [e["text"] for e in seen["timeline"] if e["what"] == "contact"] == ["one"]
    assert seen["refused"] == []


async def test_fact_is_judged_by_when_it_happened(open_case: Open) -> None:
    """S9: reached after nine minutes, told after an hour."""
    case = await open_case(channel="hotline")
    seen = await case.becomes("assessing")
    received = promise(seen, "detailed_result")["started_at"]
    await case.after(hours=1)

    await case.says("note", text="told late", occurred_at=received)
    assert "before the complaint" in await refusal(case, "note", text="x", occurred_at="2001-01-01T00:00:00Z")

    assert [e["at"] for e in (await case.snapshot())["timeline"] if e["what"] == "note"] == [
        next(e["at"] for e in (await case.snapshot())["timeline"] if e["what"] == "received")
    ]


async def test_result_is_the_final_snapshot(open_case: Open) -> None:
    """Contract, *Names*. When it was opened is left to `test_visibility`, where a fault is known."""
    case = await open_case()
    await case.becomes("assessing")
    await case.says("complaint-withdrawn", reason="found it")
    result = await case.result()

    assert (result["status"], result["outcome"]) == ("closed", "withdrawn")
    assert {**await case.snapshot(), "opened_at": result["opened_at"]} == result
