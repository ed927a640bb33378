"""Any input at any entry point of a case: no workflow task fails, nothing hangs, nothing is lost silently."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.enums.v1 import WorkflowTaskFailedCause as Cause
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    QueryWorkflowRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import ASK_AGAIN, CASE_QUERY, CASE_WORKFLOW, workflow_id
from tests.complaints import complaint
from tests.engine import PATIENCE, OpenCase, Workshop, eventually
from tests.garbage import LEAVES, NAMES, WHOLE, examples, is_clean, payloads, spoilt
from tests.workflows.conftest import Open

Sent = tuple[str, list[Payload]]
BY_THE_SERVER = {RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.NOT_FOUND}
"""Refusals of the server itself: an empty name, too large, a message to a closed case."""
AT_MOST = timedelta(seconds=PATIENCE)
TAKEN = ("contact", "evidence")
"""Timeline entries for facts that a case accepts before a decision."""


def about(name: str) -> st.SearchStrategy[Sent]:
    """Generate messages of this name, from now or from before the complaint."""
    whole = {field: value for field, value in WHOLE.get(name, {}).items() if field != "occurred_at"}
    return st.tuples(st.just(name), payloads(spoilt(whole)))


MESSAGES = st.lists(NAMES.flatmap(about), min_size=1, max_size=8)
SIGNALS = st.lists(NAMES.filter(lambda name: name != "complaint-withdrawn").flatmap(about), min_size=1, max_size=8)
"""All signals except those that end a case, after which later messages could not be distinguished from lost ones."""
COMPLAINTS = payloads(spoilt(complaint(case_id="HL-X", evidence=[{"kind": "photo", "uri": "s3://p"}])))


def refused_by_the_server(error: RPCError) -> bool:
    """Return False for a refusal of the server; raise any other error."""
    if error.status not in BY_THE_SERVER:
        raise error
    return False


def without(name: str, sentence: str) -> str:
    """Return the sentence without the name, which the SDK quotes unchanged if it does not know it."""
    return sentence.replace(name, "…") if name else sentence


async def signal(case: OpenCase, name: str, given: list[Payload]) -> bool:
    """Send a signal; return whether the server accepted it."""
    try:
        await case.client.workflow_service.signal_workflow_execution(
            SignalWorkflowExecutionRequest(
                namespace=case.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=case.handle.id),
                signal_name=name,
                input=Payloads(payloads=given) if given else None,
            ),
            timeout=AT_MOST,
        )
    except RPCError as error:
        return refused_by_the_server(error)
    return True


async def update(case: OpenCase, name: str, given: list[Payload]) -> str | None:
    """Send an update; return why it was rejected, or None if it was applied or the server refused it."""
    try:
        answer = await case.client.workflow_service.update_workflow_execution(
            UpdateWorkflowExecutionRequest(
                namespace=case.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=case.handle.id),
                wait_policy=WaitPolicy(lifecycle_stage=Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED),
                request=Request(meta=Meta(), input=Input(name=name, args=Payloads(payloads=given))),
            ),
            timeout=AT_MOST,
        )
    except RPCError as error:
        refused_by_the_server(error)
        return None
    return without(name, answer.outcome.failure.message) if answer.outcome.HasField("failure") else None


async def query(case: OpenCase, name: str, given: list[Payload]) -> str | None:
    """Send a query; return why it was refused, or None if it was answered or the server refused it."""
    try:
        await case.client.workflow_service.query_workflow(
            QueryWorkflowRequest(
                namespace=case.client.namespace,
                execution=WorkflowExecution(workflow_id=case.handle.id),
                query=WorkflowQuery(query_type=name, query_args=Payloads(payloads=given)),
            ),
            timeout=AT_MOST,
        )
    except RPCError as error:
        if ASK_AGAIN in error.message:
            return await query(case, name, given)
        refused_by_the_server(error)
        too_large = error.status is RPCStatusCode.RESOURCE_EXHAUSTED
        return None if too_large else without(name, error.message)
    return None


async def is_well(case: OpenCase) -> dict[str, Any]:
    """Return the snapshot; check that the case answers and that no workflow task has failed.

    If more than 2 MB arrive during a task, the server itself fails it and starts another.
    """
    seen = await case.snapshot()
    failed = [e.workflow_task_failed_event_attributes.cause for e in await case.events("WORKFLOW_TASK_FAILED")]
    assert set(failed) <= {Cause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND}
    assert await case.events("WORKFLOW_TASK_TIMED_OUT") == []
    return seen


def complained(log: pytest.LogCaptureFixture) -> list[str]:
    """Return what the worker has logged with a traceback or as an error, and clear the log."""
    found = [
        r.getMessage() for r in log.records if r.exc_info or r.levelno >= logging.ERROR or "Traceback" in r.getMessage()
    ]
    log.clear()
    return found


async def signals_are_applied_or_refused(open_case: Open, log: pytest.LogCaptureFixture, signals: list[Sent]) -> None:
    case = await open_case()
    await case.becomes("assessing")

    sent = sum([await signal(case, name, given) for name, given in signals])

    assert (await case.says("note", text="still here"))["applied"]
    seen = await is_well(case)
    refused = sum(line["count"] for line in seen["refused"])
    taken = sum(entry["what"] in TAKEN for entry in seen["timeline"])
    assert refused + taken == sent
    assert [line["why"] for line in seen["refused"] if not is_clean(line["why"])] == []
    assert complained(log) == []


async def updates_are_answered(open_case: Open, log: pytest.LogCaptureFixture, updates: list[Sent]) -> None:
    case = await open_case()
    await case.becomes("assessing")

    why = [await update(case, name, given) for name, given in updates]

    assert [sentence for sentence in why if sentence is not None and not is_clean(sentence)] == []
    seen = await is_well(case)
    assert seen["refused"] == []
    if seen["status"] != "closed":
        assert (await case.says("note", text="still here"))["applied"]
    assert complained(log) == []


async def queries_change_nothing(open_case: Open, log: pytest.LogCaptureFixture, queries: list[Sent]) -> None:
    case = await open_case()
    await case.becomes("assessing")
    await case.at_rest()
    before = await case.snapshot()

    why = {name: await query(case, name, asked) for name, asked in queries}

    assert [sentence for sentence in why.values() if sentence is not None and not is_clean(sentence)] == []
    # The server itself refuses more than 2 MiB.
    assert why.get(CASE_QUERY) in {None, "Blob data size exceeds limit."}
    assert await is_well(case) == before
    assert complained(log) == []


async def start_is_a_case_or_a_failure(workshop: Workshop, log: pytest.LogCaptureFixture, given: list[Payload]) -> None:
    case_id = complaint()["case_id"]
    given = [Payload(metadata=p.metadata, data=p.data.replace(b"HL-X", case_id.encode())) for p in given]
    request = StartWorkflowExecutionRequest(
        namespace=workshop.client.namespace,
        workflow_id=workflow_id(case_id),
        workflow_type=WorkflowType(name=CASE_WORKFLOW),
        task_queue=TaskQueue(name=workshop.task_queue),
        input=Payloads(payloads=given),
        request_id=case_id,
    )
    try:
        await workshop.client.workflow_service.start_workflow_execution(request)
    except RPCError as error:
        refused_by_the_server(error)
        return
    workshop.taken_in.add(workflow_id(case_id))
    case = OpenCase(case_id, workshop.client, workshop.client.get_workflow_handle(workflow_id(case_id)))

    async def is_settled() -> bool:
        described = await case.handle.describe()
        return described.status is WorkflowExecutionStatus.FAILED or (await case.snapshot())["promises"] != []

    await eventually(is_settled, "a case, or its failure")
    seen = await is_well(case)
    if seen["promises"]:
        assert (await case.says("note", text="still here"))["applied"]
    else:
        with pytest.raises(WorkflowFailureError) as failed:
            await case.handle.result()
        cause = failed.value.cause
        assert isinstance(cause, ApplicationError)
        assert (cause.type, cause.non_retryable) == ("InvalidComplaint", True)
        assert is_clean(cause.message)
        assert all(problem["field"] and problem["problem"] for problem in cause.details[0])
    assert complained(log) == []


@examples(5)
@given(signals=SIGNALS)
async def test_every_signal_is_applied_or_recorded_as_refused(
    open_case: Open, caplog: pytest.LogCaptureFixture, signals: list[Sent]
) -> None:
    """Contract, *Messages*."""
    await signals_are_applied_or_refused(open_case, caplog, signals)


@examples(5)
@given(updates=MESSAGES)
async def test_every_update_is_answered_or_rejected_with_a_sentence(
    open_case: Open, caplog: pytest.LogCaptureFixture, updates: list[Sent]
) -> None:
    """Contract, *Messages*."""
    await updates_are_answered(open_case, caplog, updates)


@examples(3)
@given(queries=st.lists(st.tuples(st.just(CASE_QUERY) | NAMES, payloads(LEAVES)), min_size=1, max_size=8))
async def test_no_query_changes_a_case(open_case: Open, caplog: pytest.LogCaptureFixture, queries: list[Sent]) -> None:
    """Contract, *Names*: with any arguments."""
    await queries_change_nothing(open_case, caplog, queries)


@examples(12)
@given(given=COMPLAINTS)
async def test_every_start_is_a_case_or_fails_by_its_fields(
    workshop: Workshop, caplog: pytest.LogCaptureFixture, given: list[Payload]
) -> None:
    """Contract, *A complaint*: it neither hangs nor retries."""
    await start_is_a_case_or_a_failure(workshop, caplog, given)
