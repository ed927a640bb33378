"""A refused complaint opens no case and does not use up its id; its sender gets the reason each time (S34)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

import policies
from cases.contract import TASK_QUEUE, workflow_id
from cases.policy.admission import admitted
from client.cases import Engine
from client.errors import NoSuchCase
from client.opening import Opening, differing
from records import Records
from settings import ROOT
from tests.complaints import complaint
from tests.engine import PATIENCE, OpenCase, Workshop
from tests.fakes import FakePartners
from worker import Parts


@pytest.fixture
async def workshop(client: Client, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A worker on the task queue that the command line uses."""
    records = Records(f"sqlite:///{tmp_path / 'records.db'}")
    parts = Parts(policies.load(ROOT / "policies"), FakePartners().ports(), records)
    opened = Workshop(client, parts, task_queue=TASK_QUEUE)
    await opened.open()
    yield opened
    await opened.close()
    records.close()


@pytest.fixture
def engine_here(client: Client) -> Engine:
    return Engine(client, "here")


async def sent(engine: Engine, raw: dict[str, Any]) -> tuple[str, bool]:
    """Return what `starter.py open` prints for one complaint, and whether there is a case with its content."""
    found, policy = admitted(raw, datetime.now(UTC), policies.load(ROOT / "policies"))
    opened = await (await Opening(engine).start(found, raw, policy))
    return opened.text, opened.ok


async def refused_without_the_command_line(workshop: Workshop) -> dict[str, Any]:
    """Start a faulty complaint directly through Temporal; return the corrected one."""
    good = complaint()
    case = await workshop.take_in({**good, "channel": "pigeon"})
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(Exception, match="Workflow execution failed"):
            await case.handle.result()
    return good


async def test_corrected_complaint_is_opened_under_the_same_id(workshop: Workshop, engine_here: Engine) -> None:
    """S34: with `open`, after the first start failed."""
    good = await refused_without_the_command_line(workshop)

    assert await sent(engine_here, good) == ("opened", True)
    case = OpenCase(good["case_id"], workshop.client, workshop.client.get_workflow_handle(workflow_id(good["case_id"])))
    await case.becomes("assessing")
    assert await sent(engine_here, good) == ("already open, nothing started", True)


async def test_corrected_complaint_is_opened_by_any_client(workshop: Workshop) -> None:
    """S34: the id policies of the contract are enough; another faulty complaint fails again."""
    good = await refused_without_the_command_line(workshop)
    again = await workshop.take_in({**good, "wish": "revenge"})
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(Exception, match="Workflow execution failed"):
            await again.handle.result()

    case = await workshop.take_in(good)

    await case.becomes("assessing")


async def test_every_query_and_message_to_a_refused_complaint_reports_that_there_is_no_case_and_why(
    workshop: Workshop, engine_here: Engine
) -> None:
    """S34: `show`, `watch` and every message."""
    case_id = (await refused_without_the_command_line(workshop))["case_id"]

    for asks in (engine_here.snapshot(case_id), engine_here.send(case_id, "note", {"text": "x"})):
        with pytest.raises(NoSuchCase, match=r"there is no case .*: the complaint was refused: channel: .*correct it"):
            await asks


@pytest.mark.parametrize("end", ["terminate", "withdraw"])
async def test_id_of_a_case_is_never_used_again(workshop: Workshop, engine_here: Engine, end: str) -> None:
    """S34, G1: whatever happened to its workflow."""
    raw = complaint()
    case = await workshop.take_in(raw)
    await case.becomes("assessing")
    if end == "terminate":
        await case.handle.terminate("by an operator")
    else:
        await case.says("complaint-withdrawn")
        await case.result()

    text, ok = await sent(engine_here, raw)

    if end == "terminate":
        assert not ok
        assert "ended in Temporal (terminated): a case id cannot be reused" in text
        late = await workshop.take_in(raw)  # any client may start it, but our records refuse it
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(Exception, match="Workflow execution failed") as failed:
                await late.handle.result()
        assert getattr(failed.value.__cause__, "type", None) == "CaseIdTaken"
        assert (await sent(engine_here, raw))[0].startswith(f"refused: there is no case {case.id} for this complaint")
    else:
        assert (text, ok) == ("already closed: withdrawn", True)


async def test_complaint_that_our_records_refuse_opens_no_case(workshop: Workshop, engine_here: Engine) -> None:
    """S34, G1: the server has forgotten the first case, but our records have not."""
    raw, at = complaint(), datetime.now(UTC)
    workshop.parts.records.open_case(
        raw["case_id"], "another-run", line="express", topic="inquiry", order_id=None, received_at=at, opened_at=at
    )

    text, ok = await sent(engine_here, raw)

    assert not ok
    assert "exists already: a case id is used once, give this complaint another" in text


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
async def test_same_complaint_with_other_content_is_reported_with_the_differing_fields(
    workshop: Workshop, engine_here: Engine, closed: bool
) -> None:
    """G12: names of fields only, no personal data."""
    raw = complaint()
    case = await workshop.take_in(raw)
    await case.becomes("assessing")
    if closed:
        await case.says("complaint-withdrawn")
        await case.result()

    opened = await sent(
        engine_here, {**raw, "wish": "refund", "customer": {**raw["customer"], "name": "Somebody Else"}}
    )

    there = "already closed: withdrawn" if closed else "already open"
    assert opened == (f"{there}, and this complaint differs in customer.name, wish: nothing started", False)


async def test_complaint_without_a_worker_is_opened_and_waits(engine_here: Engine) -> None:
    """The command returns although no worker runs."""
    raw = complaint()

    text, ok = await sent(engine_here, raw)

    assert ok
    assert text.startswith("opened")
    await engine_here.client.get_workflow_handle(workflow_id(raw["case_id"])).terminate()


async def test_list_shows_a_refused_complaint_until_it_is_replaced(workshop: Workshop, engine_here: Engine) -> None:
    """S34."""
    good = await refused_without_the_command_line(workshop)

    async def rows() -> list[tuple[str, str]]:
        return [(r["status"], r["outcome"]) async for r in engine_here.cases() if r["case_id"] == good["case_id"]]

    async def until(wanted: list[tuple[str, Any]]) -> None:
        async with asyncio.timeout(PATIENCE):
            while await rows() != wanted:
                await asyncio.sleep(0.05)

    await until([("refused", "no case")])
    case = await workshop.take_in(good)
    await case.becomes("assessing")
    await until([("assessing", None)])


def test_differing_fields_are_named_and_spelling_is_no_difference() -> None:
    """G12, S29."""
    raw = complaint()
    found, _ = admitted(raw, datetime.now(UTC), policies.load(ROOT / "policies"))

    assert differing(found, raw) == []
    assert differing(found, {**raw, "urgent": not raw.get("urgent", False)}) == ["urgent"]
    assert differing(found, {"no": "complaint"}) == []
