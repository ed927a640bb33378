"""A complaint becomes a case once: it is admitted, refused with its problems, or already known."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

from cases.contract import CASE_WORKFLOW, workflow_id
from partners.ports import PartnerRefused, TryAgain
from records import Records
from tests.complaints import complaint
from tests.engine import ONCE, PATIENCE, OpenCase, Workshop, eventually, promise, replayer
from tests.fakes import FakePartners, Turn
from tests.workflows.conftest import Open
from workflows.intake import CONTINUED
from workflows.sdk.hardening import LenientPayloadConverter

AS_THEY_CAME = DataConverter(payload_converter_class=LenientPayloadConverter)


async def failure(handle: WorkflowHandle[Any, Any]) -> ApplicationError:
    """Return what the workflow failed with."""
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
    assert isinstance(raised.value.cause, ApplicationError)
    return raised.value.cause


async def test_complaint_that_came_past_the_door_fails_at_once_with_every_problem(workshop: Workshop) -> None:
    """Contract, *A complaint*."""
    bad = complaint(received_at="yesterday", customer={"name": "Wang Li"}, channel="pigeon")

    case = await workshop.take_in(bad)
    error = await failure(case.handle)

    assert error.type == "InvalidComplaint"
    assert error.non_retryable
    assert {problem["field"] for problem in error.details[0]} == {"received_at", "customer", "channel"}
    assert all(problem["problem"] for problem in error.details[0])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"line": "paper_clips"}, "line"),
        ({"topic": "transport.teleport"}, "topic"),
        ({"received_at": "2999-01-01T00:00:00+08:00"}, "received_at"),
        ({"order": {"amount": "10.00", "freight": "0.00"}}, "order.items"),
        ({"description": "x" * 70_000}, "(whole)"),
    ],
)
async def test_problems_found_only_by_policy_or_clock_are_refused(
    workshop: Workshop, change: dict[str, Any], field: str
) -> None:
    case = await workshop.take_in(complaint(**change))

    error = await failure(case.handle)

    assert error.type == "InvalidComplaint"
    assert [problem["field"] for problem in error.details[0]] == [field]


@pytest.mark.parametrize(
    "arguments",
    [[], [b"\x00\x01 no JSON"], ["a sentence"], [None], [[1, 2]], [{CONTINUED: {}}]],
    ids=["no argument", "binary", "string", "null", "list", "what continues a case"],
)
async def test_argument_that_is_no_complaint_fails_at_once(workshop: Workshop, arguments: list[Any]) -> None:
    case_id = complaint()["case_id"]

    handle = await workshop.client.start_workflow(
        CASE_WORKFLOW, args=arguments, id=workflow_id(case_id), task_queue=workshop.task_queue
    )

    assert (await failure(handle)).type == "InvalidComplaint"


UNREADABLE = [
    Payload(metadata={"encoding": b"json/plain"}, data=b"{no JSON"),
    Payload(metadata={"encoding": b"of/mars"}, data=b"{}"),
    Payload(),
    Payload(metadata={"encoding": b"json/protobuf", "messageType": b"google.protobuf.Struct"}, data=b"{}"),
]
UNREADABLE_AS = ["no JSON", "encoding", "empty", "protobuf"]
"""Payloads that nobody can decode, or that decode to something other than JSON."""


@pytest.mark.parametrize("second", ["?", *map(RawValue, UNREADABLE)], ids=["JSON", *UNREADABLE_AS])
async def test_superfluous_argument_of_any_kind_is_ignored(workshop: Workshop, second: Any) -> None:
    """A handler with too many or undecodable arguments would fail its workflow task forever."""
    content = complaint()

    handle = await workshop.client.start_workflow(
        CASE_WORKFLOW, args=[content, second], id=workflow_id(content["case_id"]), task_queue=workshop.task_queue
    )

    case = OpenCase(content["case_id"], workshop.client, handle)
    await case.becomes("assessing")
    again = Replayer(**replayer().config(active_config=True) | {"data_converter": AS_THEY_CAME})
    await again.replay_workflow(await handle.fetch_history())


@pytest.mark.parametrize("first", UNREADABLE, ids=UNREADABLE_AS)
@pytest.mark.parametrize("more", [[], [{"second": 2}]], ids=["alone", "of two"])
async def test_undecodable_argument_fails_at_once(workshop: Workshop, first: Payload, more: Any) -> None:
    """Contract, *A complaint*: it neither hangs nor retries."""
    case_id = complaint()["case_id"]

    handle = await workshop.client.start_workflow(
        CASE_WORKFLOW, args=[RawValue(first), *more], id=workflow_id(case_id), task_queue=workshop.task_queue
    )

    error = await failure(handle)
    assert (error.type, error.non_retryable) == ("InvalidComplaint", True)
    assert [(p["field"], p["problem"].partition(":")[0]) for p in error.details[0]] == [("(whole)", "is not JSON")]


async def test_worker_that_decodes_as_it_likes_would_hang_the_start(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard fails when it should: the first workflow task fails, and is retried."""
    monkeypatch.setattr(LenientPayloadConverter, "from_payloads", PydanticPayloadConverter.from_payloads)
    content = complaint()

    handle = await workshop.client.start_workflow(
        CASE_WORKFLOW,
        args=[content, RawValue(UNREADABLE[0])],
        id=workflow_id(content["case_id"]),
        task_queue=workshop.task_queue,
    )

    case = OpenCase(content["case_id"], workshop.client, handle)

    async def has_failed() -> bool:
        return bool(await case.events("WORKFLOW_TASK_FAILED"))

    await eventually(has_failed)
    await handle.terminate()


async def test_case_that_was_not_admitted_has_a_complete_snapshot(workshop: Workshop) -> None:
    """Contract, *The snapshot*: readers find all keys, down to the second level."""
    bad = await workshop.take_in(complaint(channel="pigeon"))
    await failure(bad.handle)
    good = await workshop.take_in(complaint())
    known = await good.becomes("assessing")

    seen = await bad.snapshot()

    assert seen.keys() == known.keys()
    assert (seen["case_id"], seen["status"], seen["topic"]) == (bad.id, "received", None)
    for name in ("owner", "policy", "paid"):
        assert seen[name].keys() == known[name].keys()
    assert [name for name in known if type(seen[name]) is not type(known[name]) and seen[name] is not None] == []


async def test_case_under_the_id_of_another_workflow_is_refused(workshop: Workshop) -> None:
    content = complaint()

    handle = await workshop.client.start_workflow(
        CASE_WORKFLOW, content, id=f"mine-{content['case_id']}", task_queue=workshop.task_queue
    )

    error = await failure(handle)
    assert [problem["field"] for problem in error.details[0]] == ["case_id"]
    assert workflow_id(content["case_id"]) in str(error)


async def test_same_complaint_sent_twice_is_one_case(workshop: Workshop) -> None:
    """G1: while the case is open, and after it has closed."""
    content = complaint()
    case = await workshop.take_in(content)
    await case.becomes("assessing")
    run = (await case.handle.describe()).run_id

    again = await workshop.take_in(content)
    assert (await again.handle.describe()).run_id == run

    await case.signals("complaint-withdrawn", reason="sorry")
    await case.result()
    with pytest.raises(Exception, match="already"):
        await workshop.take_in(content)
    assert (await case.handle.describe()).run_id == run


async def test_case_id_is_not_used_again_after_the_engine_has_forgotten_the_case(
    workshop: Workshop, records: Records
) -> None:
    """G1: our records remember it."""
    content = complaint()
    long_ago = datetime.now(UTC) - timedelta(days=90)
    records.open_case(
        content["case_id"],
        "another-run",
        line="building_materials",
        topic="transport.loss",
        order_id=None,
        received_at=long_ago,
        opened_at=long_ago,
    )

    case = await workshop.take_in(content)
    error = await failure(case.handle)

    assert error.type == "CaseIdTaken"
    assert "give this complaint another" in str(error)


async def test_signal_with_start_reaches_the_case(workshop: Workshop) -> None:
    """A signal may come before the complaint has been admitted; it waits, and is applied."""
    content = complaint()
    payload = {"note": "called", "message_id": "m-1"}

    case = await workshop.take_in(content, start_signal="contact-made", start_signal_args=[payload])

    seen = await case.until(lambda c: any(e["what"] == "contact" for e in c["timeline"]))
    assert promise(seen, "acknowledge")["state"] == "kept"
    assert seen["refused"] == []


async def test_signal_with_start_that_cannot_be_applied_is_kept_with_the_reason(workshop: Workshop) -> None:
    case = await workshop.take_in(complaint(), start_signal="customer-approved", start_signal_args=[{}])

    seen = await case.until(lambda c: c["refused"])

    assert [(r["message"], "no offer yet" in r["why"]) for r in seen["refused"]] == [("customer-approved", True)]


@pytest.mark.parametrize("error", [TryAgain("no answer"), PartnerRefused("who are you?")], ids=["down", "refusing"])
async def test_look_up_that_fails_holds_up_neither_the_acknowledgement_nor_the_agents(
    open_case: Open, partners: FakePartners, error: Any
) -> None:
    """G3."""
    partners.logistics.when_looked_up(*[Turn(raises=error)] * 5)
    partners.warehouse.when_looked_up(*[Turn(raises=error)] * 5)

    case = await open_case()

    seen = await case.becomes("assessing")
    assert promise(seen, "acknowledge")["state"] == "kept"
    answer = await case.says("assess", severity="moderate")
    assert answer["offer"]["id"] == "o1"


async def test_look_up_that_hangs_holds_up_neither_the_acknowledgement_nor_the_agents(
    open_case: Open, partners: FakePartners
) -> None:
    """G3."""
    answers = asyncio.Event()
    partners.logistics.when_looked_up(*[Turn(until=answers)] * 3)

    case = await open_case()
    await case.until(lambda c: c["promises"] and promise(c, "acknowledge")["state"] == "kept")
    answer = await case.says("assess", severity="moderate")

    assert answer["offer"]["id"] == "o1"
    assert (await case.handle.describe()).status is WorkflowExecutionStatus.RUNNING
    answers.set()


async def test_start_is_idempotent_by_the_contract_alone(workshop: Workshop) -> None:
    """Temporal's default policies would reopen a closed case."""
    assert {policy.name for policy in ONCE.values()} == {"ALLOW_DUPLICATE_FAILED_ONLY", "USE_EXISTING"}
    content = complaint()
    cases = await asyncio.gather(*(workshop.take_in(content) for _ in range(5)))

    runs = {(await case.handle.describe()).run_id for case in cases}

    assert len(runs) == 1
