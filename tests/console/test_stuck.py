"""Stuck cases are listed with what to do; healthy ones are not; and checking disturbs no case."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.client import Client, Interceptor, OutboundInterceptor, QueryWorkflowInput
from temporalio.contrib.pydantic import pydantic_data_converter

import policies
from cases.contract import CASE_WORKFLOW, line_queue
from client import stuck as search
from client.cases import Engine
from partners.ports import OutcomeUnknown, PartnerRefused, TryAgain
from records import Records
from settings import ROOT
from tests.broken import Unreplayable, broken_case
from tests.complaints import complaint
from tests.e2e.driving import starter_here
from tests.engine import OpenCase, Workshop, eventually, serving, step
from tests.fakes import FakePartners, Turn
from worker import Parts, register_search_attributes

Row = dict[str, Any]
Look = Callable[[], Awaitable[list[Row]]]


class Asked(Interceptor):
    """Records which workflows were queried."""

    def __init__(self) -> None:
        self.queried: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 (the SDK's name)
        asked = self

        class Noting(OutboundInterceptor):
            async def query_workflow(self, input: QueryWorkflowInput) -> Any:  # noqa: A002 (the SDK's name)
                asked.queried.append(input.id)
                return await super().query_workflow(input)

        return Noting(next)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quick_to_report(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server that reports failures of a workflow task after the first one, not after a minute."""
    settings = {"system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute": "1"}
    async with serving(tmp_path_factory.mktemp("stuck"), settings) as address:
        await register_search_attributes(await Client.connect(address))
        yield address


@pytest.fixture
def partners() -> FakePartners:
    return FakePartners()


@pytest.fixture
async def workshop(quick_to_report: str, partners: FakePartners, tmp_path: Path) -> AsyncIterator[Workshop]:
    records = Records(f"sqlite:///{tmp_path / 'records.db'}")
    client = await Client.connect(quick_to_report, data_converter=pydantic_data_converter)
    opened = Workshop(client, Parts(policies.load(ROOT / "policies"), partners.ports(), records))
    await opened.open()
    yield opened
    await opened.close()
    # One test's cases must not show up in the next.
    for taken in opened.taken_in:
        await client.get_workflow_handle(taken).terminate()
    records.close()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
async def look(quick_to_report: str, asked: Asked) -> Callable[[], Awaitable[list[Row]]]:
    """List everything that is stuck on the server."""
    client = await Client.connect(quick_to_report, data_converter=pydantic_data_converter, interceptors=[asked])
    return lambda: search.stuck(Engine(client, "here"))


async def until(look: Look, holds: Callable[[list[Row]], bool]) -> list[Row]:
    """Repeat until `holds` is true of what is stuck: the server's list of cases lags a little."""
    found: list[Row] = []

    async def again() -> bool:
        found[:] = await look()
        return holds(found)

    await eventually(again, "what was expected to be stuck")
    return found


async def listed(case: OpenCase) -> None:
    """Wait until the server's list of cases contains this one."""

    async def there() -> list[str]:
        query = f"WorkflowId = '{case.handle.id}' AND CaseStatus IS NOT NULL"
        return [found.id async for found in case.client.list_workflows(query)]

    await eventually(there, f"{case.id} in the list")


async def agreed(workshop: Workshop, severity: str = "moderate") -> OpenCase:
    """A case whose customer has agreed to a replacement."""
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await case.says("assess", severity=severity, by="Zhao")
    await case.becomes("awaiting_consent")
    await case.says("customer-approved", by="Wang Li")
    return case


async def test_healthy_case_is_not_stuck(workshop: Workshop, look: Look, asked: Asked) -> None:
    case = await agreed(workshop)
    await case.until(lambda c: step(c, "replacement")["reference"])
    await listed(case)

    assert await look() == []
    assert asked.queried == [case.handle.id]  # it was queried


async def test_case_with_failing_code_is_listed_with_the_cause_and_never_queried(
    workshop: Workshop, look: Look, asked: Asked
) -> None:
    async with broken_case(workshop.client) as handle:
        [row] = await until(look, lambda rows: [r["what"] for r in rows] == ["failing"])

    assert (row["case_id"], row["workflow_id"]) == (handle.id.removeprefix("case-"), handle.id)
    assert "WorkflowWorkerUnhandledFailure" in row["why"]
    assert row["since"] is not None
    assert f"read the error in the Temporal UI, on the page of {handle.id}; deploy a fixed worker" in row["do"]
    assert asked.queried == []


async def test_case_whose_history_does_not_replay_is_listed_with_how_to_reset_it(
    workshop: Workshop, look: Look
) -> None:
    """S24: a fixed worker would not help."""
    async with broken_case(workshop.client, Unreplayable) as handle:
        [row] = await until(look, lambda rows: [r["what"] for r in rows] == ["failing"])

    assert "NonDeterministicError" in row["why"]
    assert "deploy" not in row["do"]
    assert f"temporal workflow reset --workflow-id {handle.id} --event-id" in row["do"]


async def test_step_with_unknown_outcome_is_listed_with_its_key_and_how_to_report_it(
    workshop: Workshop, look: Look, partners: FakePartners
) -> None:
    """S13."""
    partners.warehouse.will(Turn(raises=OutcomeUnknown("no answer within 8 s")))
    partners.warehouse.when_asked(*[Turn(raises=TryAgain("still no answer"))] * 9)
    case = await agreed(workshop)
    seen = await case.until(lambda c: step(c, "replacement")["state"] == "unknown")

    [row] = await until(look, bool)

    assert (row["case_id"], row["what"]) == (case.id, "step_unknown")
    assert datetime.fromisoformat(row["since"]) == datetime.fromisoformat(step(seen, "replacement")["since"])
    assert "step replacement (warehouse): it is not known whether it was done: no answer within 8 s" in row["why"]
    assert f"look up {case.id}/1/o1/replacement" in row["do"]
    assert f"starter.py step-reported {case.id} --step replacement --state done" in row["do"]


async def test_retried_step_is_listed_with_the_key_of_the_retry(
    workshop: Workshop, look: Look, partners: FakePartners
) -> None:
    """S13: after a refusal the partner knows it under another key, once the first one is unknown to it (S25)."""
    partners.warehouse.will(
        Turn(raises=PartnerRefused("out of stock")), Turn(raises=OutcomeUnknown("no answer within 8 s"))
    )
    partners.warehouse.when_asked(Turn(), *[Turn(raises=TryAgain("still no answer"))] * 9)
    case = await agreed(workshop)
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")
    await case.says("resolve-step", step="replacement", action="retry", reason="stock has come in", by="Zhao")
    # It is unknown twice: while its first key is looked up, and after the second call.
    await case.until(lambda c: len(partners.warehouse.asked) > 1 and step(c, "replacement")["state"] == "unknown")

    [row] = await until(look, lambda rows: [r["what"] for r in rows] == ["step_unknown"])

    asked = [command.key for command in partners.warehouse.commands]
    assert asked == [f"{case.id}/1/o1/replacement", f"{case.id}/1/o1/replacement/2"]
    assert f"look up {asked[-1]} in the partner's records, then" in row["do"]


async def test_step_whose_earlier_key_is_looked_up_is_listed_with_that_key(
    workshop: Workshop, look: Look, partners: FakePartners
) -> None:
    """S25: nothing was sent under the new key, so the partner has nothing under it."""
    partners.warehouse.will(Turn(raises=PartnerRefused("out of stock")))
    partners.warehouse.when_asked(*[Turn(raises=TryAgain("no answer"))] * 99)
    case = await agreed(workshop)
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")
    await case.says("resolve-step", step="replacement", action="retry", reason="stock has come in", by="Zhao")
    seen = await case.until(lambda c: step(c, "replacement")["state"] == "unknown")

    [row] = await until(look, lambda rows: [r["what"] for r in rows] == ["step_unknown"])
    key = f"{case.id}/1/o1/replacement"
    await case.says("step-reported", step="replacement", state="done", key=key, by="Zhao")
    done = await case.until(lambda c: step(c, "replacement")["state"] == "done")

    assert f"look up {key} in the partner's records, then" in row["do"]
    assert [need["example"]["key"] for need in seen["needs"]] == [key]
    assert step(done, "replacement")["key"] == key


async def test_refused_step_is_listed_with_how_to_resolve_it(
    workshop: Workshop, look: Look, partners: FakePartners
) -> None:
    """G6."""
    partners.warehouse.will(Turn(raises=PartnerRefused("out of stock: SLATE-9")))
    case = await agreed(workshop)
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")

    [row] = await until(look, bool)

    assert (row["case_id"], row["what"]) == (case.id, "step_blocked")
    assert "step replacement (warehouse): out of stock: SLATE-9" in row["why"]
    assert f"starter.py resolve-step {case.id} --step replacement" in row["do"]


async def test_cases_without_a_worker_are_listed_by_task_queue_and_not_queried(
    workshop: Workshop, look: Look, asked: Asked
) -> None:
    queue = f"nobody-{uuid4().hex}"
    started = [
        await workshop.client.start_workflow(CASE_WORKFLOW, {}, id=f"case-HL-{uuid4().hex}", task_queue=queue)
        for _ in range(2)
    ]
    workshop.taken_in.update(handle.id for handle in started)

    [row] = await until(look, lambda rows: any("; 2 open on it" in r["why"] for r in rows))

    assert (row["case_id"], row["what"]) == (None, "no_worker")
    assert f"no worker serves task queue {queue}; 2 open on it" in row["why"]
    assert "no worker has accepted are no cases yet, so terminate them and start them on after-sales" in row["do"]
    assert f"TaskQueue = '{queue}'" in row["do"]
    assert asked.queried == []


async def test_cases_of_a_line_without_a_worker_are_listed_with_the_worker_to_start(
    workshop: Workshop, look: Look
) -> None:
    queue = line_queue("express")
    handle = await workshop.client.start_workflow(CASE_WORKFLOW, {}, id=f"case-HL-{uuid4().hex}", task_queue=queue)
    workshop.taken_in.add(handle.id)

    [row] = await until(look, bool)

    assert "no worker serves task queue after-sales.express; 1 open on it" in row["why"]
    assert row["do"] == "start one: python worker.py --lines express; then run this again"


async def test_call_that_no_worker_makes_is_listed_after_five_minutes(
    workshop: Workshop, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.close()
    await workshop.open(partners_of=None)
    case = await agreed(workshop)
    await case.until(lambda c: step(c, "replacement")["state"] == "running")
    assert await look() == []

    monkeypatch.setattr(search, "CALLED_WITHIN", timedelta(0))
    rows = await until(look, bool)

    assert {(row["case_id"], row["what"]) for row in rows} == {(case.id, "uncalled")}
    assert rows[0]["why"] == "warehouse-step waits for a worker, or for its turn"


async def test_task_that_a_worker_does_not_finish_is_listed_and_the_case_is_not_queried(
    workshop: Workshop, look: Look, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await case.at_rest()
    await workshop.close()  # the server still takes it to be running
    await case.signals("contact-made")
    monkeypatch.setattr(search, "LOOKS", 1)
    assert await look() == []  # it may only be busy
    monkeypatch.setattr(search, "TAKEN_WITHIN", timedelta())

    [row] = await until(look, bool)

    assert (row["case_id"], row["what"]) == (case.id, "untaken")
    assert "a worker is running, but does not take the workflow task" in row["why"]
    assert asked.queried == []


async def test_case_that_does_not_answer_is_listed(
    workshop: Workshop, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await case.at_rest()
    await listed(case)
    await workshop.close()
    monkeypatch.setattr(search, "ANSWER_WITHIN", timedelta(seconds=1))

    [row] = await look()

    assert (row["case_id"], row["what"]) == (case.id, "silent")
    assert f"starter.py show {case.id}" in row["do"]


async def test_promise_escalated_to_the_director_is_listed_until_it_is_acknowledged(
    workshop: Workshop, look: Look
) -> None:
    """G10: there is nobody else to notify."""
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await case.after(hours=73)
    await listed(case)
    assert await look() == []  # the manager was notified, and the director is still to come
    await case.after(hours=24)

    [row] = await look()
    await case.says("acknowledge-escalation", promise="detailed_result", by="Chen")

    assert (row["case_id"], row["what"]) == (case.id, "unacknowledged")
    assert "detailed_result is broken, the director was notified, and nobody has acknowledged it" in row["why"]
    assert f"starter.py acknowledge-escalation {case.id} --promise detailed_result" in row["do"]
    assert await look() == []


async def test_undeliverable_letter_is_listed_until_a_person_handles_it(
    workshop: Workshop, look: Look, partners: FakePartners
) -> None:
    """S7."""
    partners.messaging.unreachable = PartnerRefused("no channel has an address for them")
    case = await workshop.take_in(complaint())
    await case.until(lambda c: any(e["what"] == "undeliverable" for e in c["timeline"]))
    await case.at_rest()

    [row] = await until(look, bool)
    await case.says("contact-made", note="met at the depot")

    assert (row["case_id"], row["what"]) == (case.id, "undeliverable")
    assert "no channel accepts acknowledged: no channel has an address for them" in row["why"]
    assert f"starter.py contact-made {case.id}" in row["do"]
    assert await look() == []


async def test_call_that_has_failed_for_15_minutes_is_listed(
    workshop: Workshop, look: Look, partners: FakePartners
) -> None:
    partners.messaging.down = True
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await listed(case)
    assert await look() == []

    await case.after(minutes=30)

    rows = [row for row in await look() if row["what"] == "retrying"]
    assert {row["case_id"] for row in rows} == {case.id}
    assert any(row["why"].startswith("message-customer has been tried 1") for row in rows)
    assert f"pending activity in the Temporal UI, on the page of case-{case.id}" in rows[0]["do"]


async def test_command_line_says_that_nothing_is_stuck_or_exits_with_1(
    workshop: Workshop, quick_to_report: str, partners: FakePartners, capsys: pytest.CaptureFixture[str]
) -> None:
    starter = starter_here(quick_to_report, capsys)
    nothing = [await asyncio.to_thread(starter, "stuck", *option) for option in ([], ["--json"])]
    partners.warehouse.will(Turn(raises=PartnerRefused("out of stock")))
    case = await agreed(workshop)
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")
    await listed(case)

    shown = await asyncio.to_thread(starter, "stuck")
    in_json = await asyncio.to_thread(starter, "stuck", "--json")
    [row] = map(json.loads, in_json.out.splitlines())

    assert [(result.code, result.out) for result in nothing] == [(0, "nothing is stuck\n"), (0, "")]
    assert (shown.code, in_json.code) == (1, 1)
    assert case.id in shown.out
    assert "out of stock" in shown.out
    assert row.keys() == {"case_id", "workflow_id", "what", "since", "why", "do"}
    assert (row["case_id"], row["what"]) == (case.id, "step_blocked")
