"""Programs ask a case with short queries, so that none is waiting when another worker takes the case over."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client, Interceptor, OutboundInterceptor, QueryWorkflowInput, WorkflowQueryFailedError
from temporalio.contrib.pydantic import pydantic_data_converter

from cases.contract import ASK_AGAIN, TASK_QUEUE
from client import cases as connection
from client.cases import Engine
from client.connection import Unreachable
from tests.complaints import complaint
from tests.engine import PATIENCE, Workshop, eventually


async def test_unanswered_query_is_repeated_until_a_worker_runs(
    engine: str, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await workshop.close()
    questions = Questions()
    client = await Client.connect(engine, data_converter=pydantic_data_converter, interceptors=[questions])
    monkeypatch.setattr(connection, "ANSWER_WITHIN", timedelta(seconds=PATIENCE))
    with monkeypatch.context() as patch:
        patch.setattr(connection, "QUERY_WITHIN", timedelta(seconds=0.2))
        asked = asyncio.create_task(Engine(client, "here").snapshot(case.id))
        await eventually(questions.repeated, "a question that is put again")
    assert not asked.done()

    await workshop.open()

    assert (await asked).case_id == case.id


class Questions(Interceptor):
    """Counts the queries that a client sends."""

    def __init__(self) -> None:
        self.count = 0

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 (the SDK's name)
        questions = self

        class Counted(OutboundInterceptor):
            async def query_workflow(self, input: QueryWorkflowInput) -> Any:  # noqa: A002 (the SDK's name)
                questions.count += 1
                return await super().query_workflow(input)

        return Counted(next)

    async def repeated(self) -> bool:
        return self.count > 1


class Hasty:
    """A waiting workflow that answers its third query."""

    raw_description = DescribeWorkflowExecutionResponse()
    task_queue = TASK_QUEUE

    def __init__(self, why: str) -> None:
        self.why, self.asked = why, 0

    async def describe(self, **_: Any) -> "Hasty":
        return self

    async def query(self, *_: Any, **__: Any) -> int:
        self.asked += 1
        if self.asked < 3:
            raise WorkflowQueryFailedError(self.why)
        return self.asked


async def test_question_that_came_too_soon_is_put_again(workshop: Workshop) -> None:
    here, hasty = Engine(workshop.client, "here"), Hasty(ASK_AGAIN)

    assert await here.ask(hasty, "case") == 3  # type: ignore[arg-type]


async def test_question_that_fails_otherwise_is_not(workshop: Workshop) -> None:
    here, broken = Engine(workshop.client, "here"), Hasty("no such query")

    with pytest.raises(WorkflowQueryFailedError, match="no such query"):
        await here.ask(broken, "case")  # type: ignore[arg-type]
    assert broken.asked == 1


async def test_query_without_a_worker_fails_in_the_end(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await workshop.close()
    for name in ("QUERY_WITHIN", "ANSWER_WITHIN"):
        monkeypatch.setattr(connection, name, timedelta(seconds=0.5))

    with pytest.raises(Unreachable, match=f"{case.id} does not answer: is a worker running"):
        await Engine(workshop.client, "here").snapshot(case.id)
