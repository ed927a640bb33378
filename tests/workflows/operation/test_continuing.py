"""A case with a long history continues as new: another run, the same case."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.contrib.pydantic import pydantic_data_converter

from cases.policy.policy import Policy
from records import EntryState, Records
from tests.complaints import complaint
from tests.engine import ONCE, OpenCase, Workshop, promise, runs, serving, step
from tests.fakes import FakePartners
from tests.workflows.conftest import offered
from worker import Parts, register_search_attributes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def impatient_engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server for which a history of 40 events is long, and that lets the next run begin at once."""
    settings = {
        "limit.historyCount.suggestContinueAsNew": "40",
        # Otherwise a run shorter than a second delays the next one, and time skipping jumps over it.
        "history.workflowIdReuseMinimalInterval": '"0s"',
    }
    async with serving(tmp_path_factory.mktemp("impatient"), settings) as address:
        await register_search_attributes(await Client.connect(address))
        yield address


@pytest.fixture
async def case(
    impatient_engine: str, partners: FakePartners, records: Records, written_policies: dict[str, Policy]
) -> AsyncIterator[OpenCase]:
    """A case there, with a repair in progress."""
    client = await Client.connect(impatient_engine, data_converter=pydantic_data_converter)
    workshop = Workshop(client, Parts(dict(written_policies), partners.ports(), records))
    await workshop.open()
    case = await workshop.take_in(complaint())
    await offered(case, "minor")
    await case.says("customer-approved", message_id="yes-1", by="Wang Li")
    await case.until(lambda c: step(c, "onsite_repair")["reference"])
    yield case
    await workshop.close()
    await workshop.replay()


async def test_case_continues_in_another_run_with_its_whole_state(
    case: OpenCase, partners: FakePartners, records: Records
) -> None:
    before = await case.snapshot()

    after = await case.after(days=5)

    assert await case.runs() > 2
    for name in ("case_id", "policy", "finding", "offers", "opened_at", "cycle"):
        assert after[name] == before[name]
    assert promise(after, "acknowledge") == promise(before, "acknowledge")
    assert promise(after, "detailed_result") == promise(before, "detailed_result")
    assert after["timeline"][: len(before["timeline"])] == before["timeline"]

    await case.signals("step-reported", step="onsite_repair", state="done", by="crew")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    result = await case.result()
    assert result["outcome"] == "satisfied"
    assert [command.key for command in partners.installation.commands] == [f"{case.id}/1/o1/onsite_repair"]
    assert {e["state"] for e in records.entries(case.id)} == {EntryState.COMMITTED}
    archived = records.case(case.id)
    assert archived is not None
    assert archived["record"] == result


async def test_promises_continue_without_a_gap_and_nothing_is_sent_twice(
    case: OpenCase, partners: FakePartners
) -> None:
    """B5: one update a day, each kept, over all runs."""
    seen = await case.after(days=10)

    updates = [p for p in seen["promises"] if p["name"] == "progress_update"]
    assert await case.runs() > 2
    assert [p["state"] for p in updates] == ["kept"] * (len(updates) - 1) + ["open"]
    assert [p["started_at"] for p in updates[1:]] == [p["kept_at"] for p in updates[:-1]]
    assert partners.messaging.events.count("progress") == len(updates) - 1
    assert partners.messaging.events.count("acknowledged") == 1


async def test_message_that_was_applied_in_an_earlier_run_is_not_applied_again(case: OpenCase) -> None:
    await case.says("note", text="one", message_id="n-1")
    await case.after(days=5)
    assert await case.runs() > 2

    answer = await case.says("note", text="one", message_id="n-1")

    assert answer["applied"] is False
    assert [e["text"] for e in (await case.snapshot())["timeline"] if e["what"] == "note"] == ["one"]


async def test_same_complaint_sent_again_finds_the_case_in_its_later_run(case: OpenCase) -> None:
    """G1."""
    await case.after(days=5)
    run = (await case.handle.describe()).run_id

    handle = await case.client.start_workflow(
        "AfterSalesCase", complaint(case_id=case.id), id=case.handle.id, task_queue="after-sales", **ONCE
    )

    assert (await case.client.get_workflow_handle(handle.id).describe()).run_id == run


async def test_case_that_is_larger_than_a_complaint_may_be_continues(case: OpenCase) -> None:
    """Messages from strangers are limited; what a case carries into its next run is not."""
    for _ in range(25):
        await case.says("note", text="x" * 3_000)

    seen = await case.after(days=3)

    assert await case.runs() > 1
    assert seen["status"] == "executing"
    assert [e["what"] for e in seen["timeline"]].count("note") == 25


def photos(number: int) -> list[dict[str, str]]:
    """As many as one message may have, each with a long text; different ones for each `number`."""
    return [{"kind": "photo", "uri": f"s3://{number}/{piece}/".ljust(1_200, "x")} for piece in range(50)]


@pytest.mark.long
async def test_full_case_continues_and_closes(case: OpenCase, records: Records) -> None:
    """Contract, *Messages*: it can still be carried into another run, shown, and archived."""
    shown, full = 0, None
    while full is None and shown < 30:
        try:
            await case.says("evidence-received", evidence=photos(shown))
            shown += 1
        except WorkflowUpdateFailedError as error:
            full = str(error.cause)
    assert shown > 10
    assert "more than 1048576 bytes are kept here already" in (full or "")

    await case.after(days=2)
    assert await case.runs() > 1
    await case.signals("step-reported", step="onsite_repair", state="done", by="crew")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)

    assert (await case.result())["outcome"] == "satisfied"
    archived = records.case(case.id)
    assert archived is not None
    assert len(archived["record"]["evidence"]) == shown * 50


async def test_run_ends_only_when_nothing_is_in_progress(case: OpenCase) -> None:
    """A timer that fires in the last task of a run starts a call, whose result only that run would get."""
    await case.after(days=5)

    for run in (await runs(case.client, case.handle.id))[1:]:
        names = [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in run.events]
        assert names[-1] == "WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
        assert names.count("ACTIVITY_TASK_SCHEDULED") == names.count("ACTIVITY_TASK_COMPLETED")
