"""Messages to a case are applied once, or refused with a sentence; no message stops the case."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.sdk.v1 import ExternalStorageReference, WorkflowMetadata
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest, UpdateWorkflowExecutionRequest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from cases.errors import printable
from cases.inbox.messages import FACTS, MESSAGES
from cases.rate_limit import AT_ONCE
from tests.engine import PATIENCE, OpenCase, eventually, promise
from tests.workflows.conftest import Open
from workflows.sdk.hardening import HardenedDataConverter, LenientPayloadConverter


async def raw_signal(case: OpenCase, name: str, *payloads: Payload) -> None:
    """Send a signal with exactly these payloads, as a client in another language may."""
    await case.client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=case.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=case.handle.id),
            signal_name=name,
            input=Payloads(payloads=payloads) if payloads else None,
        )
    )


async def raw_update(case: OpenCase, name: str, *payloads: Payload) -> None:
    """Send an update with exactly these payloads once, without waiting for its answer."""
    await case.client.workflow_service.update_workflow_execution(
        UpdateWorkflowExecutionRequest(
            namespace=case.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=case.handle.id),
            wait_policy=WaitPolicy(lifecycle_stage=Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED),
            request=Request(meta=Meta(), input=Input(name=name, args=Payloads(payloads=payloads))),
        ),
        timeout=timedelta(seconds=PATIENCE),
    )


def json_payload(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=text.encode())


async def refusal(case: OpenCase, message: str, **payload: Any) -> str:
    """Return the sentence with which an update is rejected."""
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        await case.says(message, **payload)
    assert isinstance(raised.value.cause, ApplicationError)
    return raised.value.cause.message


UNREADABLE = {
    "no JSON": json_payload("{no JSON"),
    "unknown encoding": Payload(metadata={"encoding": b"of/mars"}, data=b"{}"),
    "no encoding": Payload(data=b"{}"),
    "elsewhere": Payload(metadata={"encoding": b"json/external-storage-reference"}, data=b"{}"),
    "marked as elsewhere": Payload(
        metadata={"encoding": b"of/mars", "__temporal_external_storage_reference": b"true"}, data=b"{}"
    ),
}
"""Payloads that nobody can decode; the SDK would fetch two of them from a store that does not exist."""
ELSEWHERE = ExternalStorageReference.DESCRIPTOR.full_name.encode()
UNUSABLE = [
    ("customer-declined", [], "reason: is required"),
    *(("contact-made", [payload], "not JSON") for payload in UNREADABLE.values()),
    (
        "contact-made",
        [Payload(metadata={"encoding": b"json/protobuf", "messageType": ELSEWHERE}, data=b"{}")],
        "not JSON",
    ),
    ("contact-made", [Payload(metadata={"encoding": b"binary/plain"}, data=b"\x00\xff")], "not JSON"),
    ("contact-made", [json_payload('"a sentence"')], "a JSON object"),
    ("contact-made", [json_payload('{"noet": "x"}')], "noet: is not known here"),
    ("contact-made", [json_payload('{"note": "%s"}' % ("x" * 70_000))], "larger than 65536 bytes"),
    ("contact-made", [json_payload('{"occurred_at": "2099-01-01T00:00:00Z"}')], "in the future"),
    ("satisfaction-reported", [json_payload('{"score": 6}')], "score"),
    ("assess", [json_payload('{"severity": "severe"}')], "update"),
    ("no-such-message", [json_payload("{}")], "there is no message no-such-message"),
    ("no-such-message", [], "there is no message no-such-message"),
    *(("claim-settled", [json_payload("{}")] * number, "there is no message claim-settled") for number in range(3)),
    ("explode\x1b[2J\u202e", [], "there is no message explode\ufffd[2J\ufffd; a case understands"),
    ("evidence-received", [json_payload('{"\x7f\\u001b[2J": 1}')], "\ufffd\ufffd[2J: is not known here"),
]
"""Signals that cannot be applied, and words of the sentence that says why."""


async def test_signals_that_cannot_be_applied_are_kept_with_the_reason_and_the_case_lives(open_case: Open) -> None:
    """Contract, *Messages*: commands are updates only, and no message fails a workflow task."""
    case = await open_case()
    await case.becomes("assessing")

    for name, payloads, _ in UNUSABLE:
        await raw_signal(case, name, *payloads)

    seen = await case.until(lambda c: sum(line["count"] for line in c["refused"]) == len(UNUSABLE))
    unusable = {(name, why) for name, _, why in UNUSABLE}
    for name, why in unusable:
        assert [why in line["why"] for line in seen["refused"] if line["message"] == printable(name)].count(True) == 1
    assert seen["offers"] == []
    assert (await case.says("note", text="still here"))["applied"]


async def test_signal_with_no_payload_is_an_empty_one(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")

    await raw_signal(case, "contact-made")

    seen = await case.until(lambda c: any(e["what"] == "contact" for e in c["timeline"]))
    assert seen["refused"] == []


@pytest.mark.parametrize(
    "second", [json_payload('{"note": "second"}'), *UNREADABLE.values()], ids=["JSON", *UNREADABLE]
)
async def test_second_payload_of_a_signal_of_any_kind_is_ignored(open_case: Open, second: Payload) -> None:
    """A handler with too many arguments would fail its workflow task forever; the SDK drops what it cannot read."""
    case = await open_case()
    await case.becomes("assessing")

    await raw_signal(case, "contact-made", json_payload('{"note": "first"}'), second)

    seen = await case.until(lambda c: any(e["what"] == "contact" for e in c["timeline"]))
    assert [e["text"] for e in seen["timeline"] if e["what"] == "contact"] == ["first"]


@pytest.mark.parametrize("name", ["contact-made", "no-such-message"])
async def test_first_of_two_payloads_is_judged_as_if_it_were_alone(open_case: Open, name: str) -> None:
    """Never dropped: recorded with the reason."""
    case = await open_case()
    await case.becomes("assessing")
    large = json_payload('{"note": "%s"}' % ("x" * 70_000))

    for first in (*UNREADABLE.values(), large):
        await raw_signal(case, name, first, json_payload("{}"))

    seen = await case.until(lambda c: sum(line["count"] for line in c["refused"]) == len(UNREADABLE) + 1)
    *unread, too_large = seen["refused"]
    assert {line["message"] for line in seen["refused"]} == {name}
    assert sum(line["count"] for line in unread if "the payload is not JSON" in line["why"]) == len(UNREADABLE)
    assert "larger than 65536 bytes" in too_large["why"]


async def test_worker_that_decodes_as_it_likes_would_drop_the_signal(
    open_case: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard fails when it should: without it the first signal is lost, and only the second is seen."""
    monkeypatch.setattr(LenientPayloadConverter, "from_payloads", PydanticPayloadConverter.from_payloads)
    case = await open_case()
    await case.becomes("assessing")

    await raw_signal(case, "contact-made", json_payload('{"note": "first"}'), UNREADABLE["no JSON"])
    await raw_signal(case, "contact-made", json_payload('{"note": "second"}'))

    seen = await case.until(lambda c: any(e["what"] == "contact" for e in c["timeline"]))
    assert [e["text"] for e in seen["timeline"] if e["what"] == "contact"] == ["second"]
    assert seen["refused"] == []


async def test_worker_that_fetches_what_is_stored_elsewhere_would_stop_at_it(
    open_case: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard fails when it should: the workflow task fails repeatedly."""
    for step in ("_decode_reference_payload_sequence", "_external_retrieve_payload_sequence"):
        monkeypatch.delattr(HardenedDataConverter, step)
    case = await open_case()
    await case.becomes("assessing")

    await raw_signal(case, "contact-made", UNREADABLE["elsewhere"])

    await eventually(lambda: case.events("WORKFLOW_TASK_FAILED"), "a task that cannot go on")
    monkeypatch.undo()  # the replay of this history needs the guard as a worker does
    await case.until(lambda c: c["refused"])


async def test_update_too_large_to_be_rejected_by_a_worker_is_refused_by_the_server(open_case: Open) -> None:
    """`SERVER_SETTINGS`: the SDK sends a rejected update back, and more than 2 MiB cannot be sent."""
    case = await open_case()
    await case.becomes("assessing")

    for size in (1_100_000, 2_200_000):
        with pytest.raises(RPCError, match="limit on total payload size of in-flight updates"):
            await raw_update(case, "note", json_payload('{"text": "%s"}' % ("x" * size)))

    assert (await case.says("note", text="still here"))["applied"]
    assert await case.events("WORKFLOW_TASK_FAILED") == []


@pytest.mark.parametrize("asked", [[], ["x"], ["x", {}], [RawValue(Payload())], [RawValue(Payload()), 1]], ids=range(5))
async def test_query_is_answered_with_any_arguments(open_case: Open, asked: list[Any]) -> None:
    """Contract, *Names*: in the Temporal UI a person may type anything."""
    case = await open_case()
    await case.becomes("assessing")

    assert (await case.asks("case", *asked))["case_id"] == case.id


async def test_flood_of_signals_is_one_line_and_keeps_no_other_sender_out(open_case: Open) -> None:
    """Contract, *Messages*: another system sends in a loop; the customer's consent still arrives."""
    case = await open_case()
    await case.becomes("assessing")
    await case.says("assess", severity="moderate")
    await asyncio.gather(*(case.signals("contact-made", note="again", by="crm") for _ in range(100)))

    why = await refusal(case, "contact-made", note="again")
    seen = await case.until(lambda c: sum(line["count"] for line in c["refused"]) == 100 - AT_ONCE)

    assert "comes too often" in why
    [line] = seen["refused"]
    assert (line["message"], line["by"], line["why"]) == ("contact-made", "crm", why)
    assert [entry["what"] for entry in seen["timeline"]].count("contact") == AT_ONCE
    assert (await case.says("customer-approved"))["applied"]


async def test_update_with_two_payloads_is_judged_by_the_first(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")
    first, second = {"text": "first"}, {"text": "second"}

    answer = await case.handle.execute_update("note", args=[first, second])
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        await case.handle.execute_update("note", args=[RawValue(UNREADABLE["no JSON"]), second])

    assert answer["applied"]
    assert [e["text"] for e in (await case.snapshot())["timeline"] if e["what"] == "note"] == ["first"]
    assert "not JSON" in str(raised.value.cause)


async def test_every_message_has_a_handler_with_a_description(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")

    about = (await case.asks("__temporal_workflow_metadata", result_type=WorkflowMetadata)).definition

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
    """S31: another message under the same id is refused, not ignored."""
    case = await open_case()
    await case.becomes("assessing")

    first = await case.says("contact-made", note="one", message_id="m-1")
    await case.signals("contact-made", note="one", message_id="m-1")
    second = await case.says("contact-made", note="one", message_id="m-1")
    other = await refusal(case, "contact-made", note="two", message_id="m-1")
    await case.signals("complaint-withdrawn", reason="sorry", message_id="m-1")

    seen = await case.until(lambda c: c["refused"])
    assert first["applied"] is True
    assert second["applied"] is False
    assert [e["text"] for e in seen["timeline"] if e["what"] == "contact"] == ["one"]
    assert "message_id: m-1 was applied before with other content" in other
    assert ["m-1 was applied before as contact-made" in line["why"] for line in seen["refused"]] == [True]
    assert seen["status"] == "assessing"


async def test_fact_is_judged_by_when_it_happened(open_case: Open) -> None:
    """S9: reached after nine minutes, entered after an hour."""
    case = await open_case(channel="hotline")
    seen = await case.becomes("assessing")
    received = promise(seen, "detailed_result")["started_at"]
    await case.after(hours=1)

    await case.says("note", text="entered late", occurred_at=received)
    assert "before the complaint" in await refusal(case, "note", text="x", occurred_at="2001-01-01T00:00:00Z")

    assert [e["at"] for e in (await case.snapshot())["timeline"] if e["what"] == "note"] == [
        next(e["at"] for e in (await case.snapshot())["timeline"] if e["what"] == "received")
    ]


async def test_result_is_the_final_snapshot(open_case: Open) -> None:
    """Contract, *Names*. When it was opened has a known fault, which `test_visibility` covers."""
    case = await open_case()
    await case.becomes("assessing")
    await case.says("complaint-withdrawn", reason="found it")
    result = await case.result()

    assert (result["status"], result["outcome"]) == ("closed", "withdrawn")
    assert {**await case.snapshot(), "opened_at": result["opened_at"]} == result
