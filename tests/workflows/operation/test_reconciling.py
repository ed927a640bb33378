"""Our database is compared with the cases that Temporal has, and rows that are wrong are healed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, update
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import Client, ScheduleOverlapPolicy, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import RECONCILE_WORKFLOW
from client import reconciling
from client.cases import Engine
from client.connection import Unreachable
from client.reconcile_runs import SCHEDULE, schedule
from client.reconciling import Progress, Reconciling
from encryption import encrypted
from encryption.keys import KeyRing, new_key
from records import CaseFilter, Records, RecordsUnavailable
from records.tables import case_projection, case_terms, cases
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, eventually, serving
from tests.replay.scene import fails
from tests.workflows.operation.test_asking import Questions
from worker import register_search_attributes


@pytest.fixture
async def client(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A server of this test's own: all cases on it are compared. A test may choose another data converter."""
    async with serving(tmp_path) as address:
        converter = getattr(request, "param", pydantic_data_converter)
        client = await Client.connect(address, data_converter=converter)
        await register_search_attributes(client)
        yield client


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has just changed is compared as well."""
    monkeypatch.setattr(reconciling, "SETTLED", timedelta(seconds=-1))


@pytest.fixture
async def case(workshop: Workshop) -> OpenCase:
    """An open case whose row is in our database, and which Temporal's lists have."""
    taken = await workshop.take_in(complaint())
    await taken.becomes("assessing")
    await taken.at_rest()
    await eventually(lambda: listed(workshop.client, taken), "the case in Temporal's list")
    return taken


async def listed(client: Client, case: OpenCase, status: str = "Running") -> bool:
    query = f"ExecutionStatus = '{status}' AND WorkflowId = '{case.handle.id}'"
    return bool([each async for each in client.list_workflows(query)])


async def reconcile(workshop: Workshop) -> Progress:
    """What a comparison has healed."""
    done: Progress = await workshop.client.execute_workflow(
        RECONCILE_WORKFLOW, id=f"reconcile-{uuid4().hex}", task_queue=workshop.task_queue, result_type=Progress
    )
    return done


def healed(done: Progress) -> dict[str, str]:
    return {each.case_id: each.what for each in done.cases}


async def reset(case: OpenCase) -> None:
    """Let it run again from its last workflow task, as an operator may."""
    last = (await case.events("WORKFLOW_TASK_COMPLETED"))[-1]
    await case.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=case.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=case.handle.id),
            reason="it was terminated by mistake",
            workflow_task_finish_event_id=last.event_id,
            request_id=uuid4().hex,
        )
    )


class NoWorkflows:
    """A Temporal client of a server that has forgotten everything."""

    def list_workflows(self, *_: Any, **__: Any) -> "NoWorkflows":
        return self

    def __aiter__(self) -> "NoWorkflows":
        return self

    async def __anext__(self) -> None:
        raise StopAsyncIteration

    def get_workflow_handle(self, _: str) -> "NoWorkflows":
        return self

    async def describe(self, **_: Any) -> None:
        raise RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")


def tamper(records: Records, *statements: Any) -> None:
    """Change our database behind the program's back."""
    with records._writing() as connection:  # noqa: SLF001 (nothing of ours would do so)
        for statement in statements:
            connection.execute(statement)


async def test_rows_that_are_right_stay_as_they_are(workshop: Workshop, records: Records, case: OpenCase) -> None:
    before = records.rows_of([case.id])

    done = await reconcile(workshop)

    assert (done.compared, done.counts, done.unanswered) == (1, {}, 0)
    assert records.rows_of([case.id]) == before


async def test_row_that_was_deleted_comes_back(workshop: Workshop, records: Records, case: OpenCase) -> None:
    before, snapshot = records.rows_of([case.id])[case.id].row, records.snapshot_of(case.id)
    tamper(records, delete(case_terms), delete(case_projection))

    done = await reconcile(workshop)

    assert healed(done) == {case.id: "missing"}
    assert records.rows_of([case.id])[case.id].row == before
    assert snapshot is not None
    assert records.snapshot_of(case.id)[1] == snapshot[1]  # type: ignore[index]
    assert (await reconcile(workshop)).counts == {}


@pytest.mark.parametrize("client", [encrypted(KeyRing(text=new_key("k1")))], indirect=True)
async def test_encrypted_cases_are_compared_as_well(workshop: Workshop, records: Records, case: OpenCase) -> None:
    before = records.rows_of([case.id])[case.id].row
    tamper(records, delete(case_terms), delete(case_projection))

    assert healed(await reconcile(workshop)) == {case.id: "missing"}
    assert records.rows_of([case.id])[case.id].row == before


async def test_row_with_wrong_data_is_written_again(workshop: Workshop, records: Records, case: OpenCase) -> None:
    before = records.rows_of([case.id])[case.id].row
    tamper(records, update(case_projection).values(team="nobody", urgent=True, seq=case_projection.c.seq + 10**9))

    done = await reconcile(workshop)

    assert healed(done) == {case.id: "differs"}
    assert records.rows_of([case.id])[case.id].row == before
    await case.says("assign", team="quality", by="Zhao")
    await case.at_rest()
    assert records.rows_of([case.id])[case.id].row.team == "quality"


async def test_terminated_case_is_no_longer_open(workshop: Workshop, records: Records, case: OpenCase) -> None:
    """None of our code runs when an operator terminates a workflow; later cases of its order do not wait for it."""
    order = records.rows_of([case.id])[case.id].row.order_id
    await case.handle.terminate("by mistake")
    await eventually(lambda: listed(workshop.client, case, "Terminated"), "the end in Temporal's list")

    done = await reconcile(workshop)

    assert healed(done) == {case.id: "ended"}
    assert records.listed().cases == []
    assert [each.ended for each in records.listed(CaseFilter(state="closed")).cases] == ["terminated"]
    row = records.case(case.id)
    assert row is not None
    assert (row["ended"], row["closed_at"]) == ("terminated", None)
    assert (await reconcile(workshop)).counts == {}
    about: dict[str, Any] = {"line": "building_materials", "topic": "transport.damage", "order_id": order}
    now = datetime.now(UTC)
    assert records.open_case("HL-later", "run", **about, received_at=now, opened_at=now) == []


async def test_terminated_case_that_is_reset_is_open_again(
    workshop: Workshop, records: Records, case: OpenCase
) -> None:
    await case.handle.terminate()
    await eventually(lambda: listed(workshop.client, case, "Terminated"))
    await reconcile(workshop)
    await reset(case)

    async def noted() -> bool:
        await reconcile(workshop)
        row = records.case(case.id)
        return row is not None and row["ended"] is None

    await eventually(noted)
    assert [each.ended for each in records.listed().cases] == [None]


async def test_case_that_temporal_no_longer_has_is_no_longer_open(
    workshop: Workshop, records: Records, case: OpenCase
) -> None:
    await workshop.client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=workshop.client.namespace, workflow_execution=WorkflowExecution(workflow_id=case.handle.id)
        )
    )
    workshop.taken_in.clear()

    async def noted() -> bool:
        await reconcile(workshop)
        return [each.ended for each in records.listed(CaseFilter(state="closed")).cases] == ["gone"]

    await eventually(noted)


async def test_closed_case_whose_row_is_open_gets_its_end(workshop: Workshop, records: Records, case: OpenCase) -> None:
    """From its workflow; what our archive has lost is archived again."""
    await case.says("complaint-withdrawn")
    await case.result()
    await eventually(lambda: listed(workshop.client, case, "Completed"))
    last, row = records.rows_of([case.id])[case.id].row, records.case(case.id)
    tamper(
        records,
        update(case_projection).values(status="assessing", outcome=None, closed_at=None),
        update(cases).values(status="received", outcome=None, closed_at=None, record=None),
    )

    done = await reconcile(workshop)

    assert healed(done) == {case.id: "closed"}
    assert records.rows_of([case.id])[case.id].row == last
    assert row is not None
    assert records.case(case.id) == row


async def test_closed_case_that_temporal_no_longer_has_gets_its_end_from_our_archive(
    records: Records, case: OpenCase
) -> None:
    await case.says("complaint-withdrawn")
    await case.result()
    last = records.rows_of([case.id])[case.id].row
    tamper(records, update(case_projection).values(status="assessing", outcome=None, closed_at=None, owner="nobody"))
    elsewhere = Reconciling(Engine(NoWorkflows(), "here"), records, lambda _: None)  # type: ignore[arg-type]
    done = Progress(listed=True)

    await elsewhere.page(done)

    assert healed(done) == {case.id: "closed"}
    assert records.rows_of([case.id])[case.id].row == last


async def test_database_that_is_down_fails_the_run_with_a_sentence_and_the_next_one_heals(
    workshop: Workshop, records: Records, case: OpenCase
) -> None:
    tamper(records, delete(case_terms), delete(case_projection))
    fails(records, "rows_of", RecordsUnavailable("The records at here cannot be used: it is down"), times=3)

    with pytest.raises(WorkflowFailureError) as failed:
        await reconcile(workshop)

    assert "The records at here cannot be used: it is down" in str(failed.value.cause.__cause__)
    assert healed(await reconcile(workshop)) == {case.id: "missing"}


async def test_case_with_a_pending_task_is_not_asked(workshop: Workshop, records: Records, case: OpenCase) -> None:
    """A query that waits while a worker takes the case over can corrupt its history."""
    tamper(records, delete(case_terms), delete(case_projection))
    await workshop.close()
    await case.signals("contact-made")
    questions, address = Questions(), workshop.client.service_client.config.target_host
    asking = await Client.connect(address, data_converter=pydantic_data_converter, interceptors=[questions])
    done = Progress()

    await Reconciling(Engine(asking, "here"), records, lambda _: None).page(done)

    assert (questions.count, done.unanswered, done.counts) == (0, 1, {})
    await workshop.open()


@pytest.mark.usefixtures("case")
async def test_cases_that_do_not_answer_are_asked_no_longer_than_a_page(
    workshop: Workshop, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    tamper(records, delete(case_terms), delete(case_projection))
    await workshop.close()
    monkeypatch.setattr(reconciling, "ASK_WITHIN", 0.2)
    monkeypatch.setattr(reconciling, "AT_A_TIME", 1)
    questions, done, address = Questions(), Progress(), workshop.client.service_client.config.target_host
    asking = await Client.connect(address, data_converter=pydantic_data_converter, interceptors=[questions])
    page = Reconciling(Engine(asking, "here"), records, lambda _: None)

    for _ in range(3):
        await page.page(done)
        done.listed = False

    assert (questions.count, done.unanswered) == (1, 3)
    await workshop.open()


async def test_schedule_exists_once_whatever_workers_start_and_stays_paused(client: Client) -> None:
    ten, five = timedelta(minutes=10), timedelta(minutes=5)
    await asyncio.gather(schedule(client, ten), schedule(client, ten))
    handle = client.get_schedule_handle(SCHEDULE)
    first = (await handle.describe()).schedule
    await handle.pause(note="by the night shift")

    await asyncio.gather(schedule(client, five), schedule(client, five))

    last = (await handle.describe()).schedule
    assert [each.spec.intervals[0].every for each in (first, last)] == [ten, five]
    assert first.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert (last.state.paused, last.state.note) == (True, "by the night shift")

    async def ids() -> list[str]:
        return [each.id async for each in await client.list_schedules()]

    await eventually(ids, "the schedule in the list")
    assert await ids() == [SCHEDULE]


async def test_schedule_that_cannot_be_created_is_one_sentence(client: Client) -> None:
    elsewhere = await Client.connect(client.service_client.config.target_host, namespace="nowhere")

    with pytest.raises(Unreachable, match="after-sales-reconcile cannot be created in namespace nowhere: "):
        await schedule(elsewhere, timedelta(minutes=10))
