"""Whole cases with encrypted payloads on a real server; each test replays its histories at the end."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.common import RawValue

from cases.errors import AfterSalesError
from client.cases import Engine
from encryption import data_converter, encrypted
from encryption.codec import is_sealed
from encryption.keys import KeyRing, new_key
from partners.ports import TryAgain
from settings import Settings
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, eventually, replayer
from tests.fakes import FakePartners, Turn
from tests.workflows.conftest import Open, agreed
from tests.workflows.test_messages import raw_signal

WORDS = "my daughter cut her hand"


async def stored(case: OpenCase, plain: Client) -> bytes:
    """Return everything the server stores about a case, as read without keys."""
    handle = plain.get_workflow_handle(case.handle.id)
    events = (await handle.fetch_history()).events
    return b"".join(event.SerializeToString() for event in events) + (
        (await handle.describe()).raw_description.SerializeToString()
    )


async def test_case_runs_to_its_end_and_the_server_cannot_read_it(open_case: Open, plain: Client) -> None:
    case = await open_case(description=WORDS)
    await agreed(case, "minor")
    await case.says("note", text=WORDS, by="Zhao Yun")
    await case.until(lambda c: any(s["reference"] for s in c["steps"]))
    await case.signals("step-reported", step="onsite_repair", state="done", detail=WORDS)
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5, comment=WORDS)

    result = await case.result()

    assert result["outcome"] == "satisfied"
    assert WORDS in [entry.get("text") for entry in result["timeline"]]
    kept = await stored(case, plain)
    for word in (WORDS, "Zhao Yun", "Wang Li", "li@example.org", "received_at", "onsite_repair"):
        assert word.encode() not in kept


async def test_program_without_keys_still_starts_cases_and_sends_messages(workshop: Workshop, plain: Client) -> None:
    """Encryption is switched on for one program after another, while cases run."""
    content = complaint(description=WORDS)
    theirs = await Workshop(plain, workshop.parts, workshop.task_queue).take_in(content)
    ours = OpenCase(content["case_id"], workshop.client, workshop.client.get_workflow_handle(theirs.handle.id))
    workshop.taken_in.add(theirs.handle.id)
    await ours.becomes("assessing")

    await theirs.signals("contact-made", note=WORDS)
    await theirs.handle.start_update("assess", {"severity": "minor"}, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    seen = await ours.becomes("awaiting_consent")

    assert seen["finding"]["severity"] == "minor"
    assert not seen["refused"]
    with pytest.raises(Exception, match="encoding"):
        await theirs.snapshot()


async def test_messages_from_before_the_switch_are_read_after_it(
    closed_workshop: Workshop, plain: Client, client: Client
) -> None:
    before = Workshop(plain, closed_workshop.parts, closed_workshop.task_queue)
    await before.open()
    case = await before.take_in(complaint())
    await case.becomes("assessing")
    await case.says("note", text=WORDS)
    await before.close()

    await closed_workshop.open()
    closed_workshop.taken_in.add(case.handle.id)
    after = OpenCase(case.id, client, client.get_workflow_handle(case.handle.id))
    await after.says("assess", severity="minor")

    assert WORDS in [entry.get("text") for entry in (await after.becomes("awaiting_consent"))["timeline"]]


async def test_case_is_previewed_and_moved_and_the_server_can_read_neither(
    open_case: Open, workshop: Workshop, plain: Client
) -> None:
    """S18: the policy travels with a query, there and back, and into the case by a look-up."""
    case = await open_case()
    await case.becomes("assessing")
    policy = workshop.parts.policies["building_materials"]
    promises = [r.model_copy(update={"within": "23h"}) if r.rule == "B4" else r for r in policy.promises]
    edited = policy.model_copy(update={"version": "2026-12+edited", "promises": promises})
    workshop.parts.policies["building_materials"] = edited

    shown = await Engine(case.client, "here").preview(case.id, edited.model_dump(mode="json"))
    answer = await case.says("move-policy", by="Zhao Yun", reason=WORDS)

    assert shown is not None
    assert shown["promises"] == answer["promises"] != []
    kept = await stored(case, plain)
    assert not any(word.encode() in kept for word in (WORDS, "Zhao Yun", "2026-12+edited"))


async def test_failure_of_a_case_can_be_read_only_with_a_key(open_case: Open, plain: Client) -> None:
    case = await open_case(topic="no.such.topic")

    with pytest.raises(WorkflowFailureError) as ours:
        await case.result()
    with pytest.raises(KeyError, match="binary/encrypted"):
        await plain.get_workflow_handle(case.handle.id).result()

    assert "the complaint was refused: topic" in str(ours.value.cause)
    kept = await stored(case, plain)
    assert b"Encoded failure" in kept
    assert b"the complaint was refused" not in kept


async def test_error_text_of_a_partner_cannot_be_read_without_a_key(
    open_case: Open, partners: FakePartners, plain: Client
) -> None:
    """A partner's answer may quote the customer; the server stores it while the call is retried."""
    case = await open_case()
    partners.warehouse.will(*[Turn(raises=TryAgain(f"{WORDS} is no address"))])

    await agreed(case, "moderate")
    await case.until(lambda c: any(s["kind"] == "replacement" and s["reference"] for s in c["steps"]))

    failed = [
        event for event in await case.events("ACTIVITY_TASK_STARTED") if _failure(event).HasField("encoded_attributes")
    ]
    assert failed
    assert WORDS.encode() not in await stored(case, plain)


def _failure(event: Any) -> Any:
    return event.activity_task_started_event_attributes.last_failure


async def test_sender_of_a_rejected_update_can_read_why(open_case: Open) -> None:
    case = await open_case()
    await case.becomes("assessing")

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await case.says("customer-approved")

    assert "Encoded" not in str(refused.value.cause)


async def test_message_of_one_case_cannot_be_moved_to_another(open_case: Open, plain: Client) -> None:
    one, other = await open_case(), await open_case()
    await one.signals("contact-made", note="reached")
    await one.until(lambda c: any(entry["what"] == "contact-made" for entry in c["timeline"]) or c["promises"])
    [event] = await one.events("WORKFLOW_EXECUTION_SIGNALED")
    [copied] = event.workflow_execution_signaled_event_attributes.input.payloads
    assert is_sealed(copied)

    await plain.get_workflow_handle(other.handle.id).signal("contact-made", RawValue(copied))
    seen = await other.until(lambda c: c["refused"])

    assert seen["refused"][0]["why"] == "the payload is not JSON"
    await other.says("assess", severity="minor")


async def test_case_waits_while_a_key_is_out_of_reach_and_continues_when_it_is_back(
    engine: str, closed_workshop: Workshop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing fails meanwhile, and no worker is restarted."""
    file, old, new = tmp_path / "keys", new_key("old"), new_key("new")
    file.write_text(old, encoding="ascii")
    closed_workshop.client = await Client.connect(engine, data_converter=encrypted(KeyRing(file=file)))
    await closed_workshop.open()
    case = await closed_workshop.take_in(complaint())
    await case.becomes("assessing")

    ahead = await Client.connect(engine, data_converter=encrypted(KeyRing(text=f"{new},{old}")))
    await ahead.get_workflow_handle(case.handle.id).signal("contact-made", {"note": WORDS})
    await eventually(lambda: case.events("WORKFLOW_TASK_FAILED"), "a task that could not be read")
    file.write_text(f"{new}\n{old}\n", encoding="ascii")

    seen = await case.until(lambda c: any(entry.get("text") == WORDS for entry in c["timeline"]))
    assert seen["status"] == "assessing"
    assert not seen["refused"]
    [failed, *_] = await case.events("WORKFLOW_TASK_FAILED")
    assert failed.workflow_task_failed_event_attributes.failure.application_failure_info.type == "KeyOutOfReach"
    assert "no key new." in caplog.text
    assert await case.says("assess", severity="minor")


async def test_worker_without_its_keys_waits_for_them_and_refuses_nothing(
    engine: str, closed_workshop: Workshop
) -> None:
    forgetful = await Client.connect(engine, data_converter=data_converter(Settings()))
    worker = Workshop(forgetful, closed_workshop.parts, closed_workshop.task_queue)
    await worker.open()
    # Temporal repeats a task only after its time-out.
    case = await closed_workshop.take_in(complaint(), task_timeout=timedelta(seconds=4))
    await eventually(lambda: case.events("WORKFLOW_TASK_FAILED"), "a task that could not be read")
    await worker.close()

    await closed_workshop.open()

    assert not (await case.becomes("assessing"))["refused"]


@pytest.mark.parametrize("has_keys", [True, False], ids=["keys", "no keys"])
async def test_bytes_that_only_claim_to_be_encrypted_are_refused_and_the_case_continues(
    engine: str, closed_workshop: Workshop, keys: KeyRing, *, has_keys: bool
) -> None:
    """A worker without keys would otherwise wait for one forever."""
    closed_workshop.client = await Client.connect(
        engine, data_converter=encrypted(keys) if has_keys else data_converter(Settings())
    )
    await closed_workshop.open()
    case = await closed_workshop.take_in(complaint())
    await case.becomes("assessing")
    forged = {"encoding": b"binary/encrypted", "version": b"1", "namespace": b"default", "workflow": b"case-1"}
    strange = [
        Payload(metadata=m, data=b"x" * 50) for m in (forged, {"encoding": forged["encoding"]}, forged | {"key": b""})
    ]

    for payload in strange:
        await raw_signal(case, "contact-made", payload)

    [refused] = (await case.until(lambda c: sum(r["count"] for r in c["refused"]) == len(strange)))["refused"]
    assert "not JSON" in refused["why"]
    assert (await case.says("note", text="still here"))["applied"]
    assert await case.events("WORKFLOW_TASK_FAILED") == []


async def test_command_line_reads_with_keys_and_reports_in_a_sentence_that_it_has_none(
    engine: str, closed_workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key("k1")
    monkeypatch.setenv("TEMPORAL_ADDRESS", engine)
    monkeypatch.setenv("AFTER_SALES_ENCRYPTION_KEYS", key)
    connected = await Engine.connect()
    closed_workshop.client = connected.client
    await closed_workshop.open()
    case = await closed_workshop.take_in(complaint())
    await case.becomes("assessing")
    assert (await connected.snapshot(case.id)).status == "assessing"

    monkeypatch.delenv("AFTER_SALES_ENCRYPTION_KEYS")
    without = await Engine.connect()
    with pytest.raises(AfterSalesError, match="this is encrypted: set AFTER_SALES_ENCRYPTION_KEYS_FILE"):
        await without.snapshot(case.id)
    monkeypatch.setenv("AFTER_SALES_ENCRYPTION_KEYS", new_key("k2"))
    with pytest.raises(AfterSalesError, match="no key k1"):
        await (await Engine.connect()).snapshot(case.id)


async def test_history_replays_with_its_keys_and_not_without(open_case: Open) -> None:
    """S24; that it replays with them is checked at the end of every test here."""
    case = await open_case()
    await agreed(case, "minor")
    history = await case.handle.fetch_history()
    stranger = await Client.connect(
        case.client.service_client.config.target_host, data_converter=encrypted(KeyRing(text=new_key("k1")))
    )

    replayed = await replayer(case.client).replay_workflow(history, raise_on_replay_failure=False)
    refused = await replayer(stranger).replay_workflow(history, raise_on_replay_failure=False)

    assert replayed.replay_failure is None
    assert refused.replay_failure is not None


async def test_summary_in_the_ui_is_encrypted_and_comes_back(workshop: Workshop, plain: Client) -> None:
    case = await workshop.take_in(complaint(), static_summary="Building materials", memo={"from": WORDS})
    await case.becomes("assessing")
    described = await case.handle.describe()

    assert await described.static_summary() == "Building materials"
    assert await described.memo() == {"from": WORDS}
    assert is_sealed((await plain.get_workflow_handle(case.handle.id).describe()).raw_info.memo.fields["from"])
    for secret in (b"Building materials", WORDS.encode()):
        assert secret not in await stored(case, plain)
