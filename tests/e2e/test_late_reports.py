"""A report reaches its step whenever it comes: a real server, and HTTP partners that report late (S13)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from partners.sandbox.reports import TemporalSignals
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, step
from tests.partners.running import Gate, RunningSandbox, sandbox_in

pytestmark = pytest.mark.e2e


class Post:
    """Sends reports to the server one by one, as the test lets them through."""

    def __init__(self, signals: TemporalSignals) -> None:
        self.let_through = asyncio.Semaphore(0)
        self._signals = signals

    async def __call__(self, to: str, signal: str, payload: dict[str, Any]) -> None:
        await self.let_through.acquire()
        await self._signals(to, signal, payload)


@pytest.fixture
def gate() -> Gate:
    """A gate before the warehouse."""
    return Gate("/warehouse/steps")


@pytest.fixture
def post(signals: TemporalSignals) -> Post:
    """Holds the partners' reports."""
    return Post(signals)


@pytest.fixture
async def sandbox(post: Post, gate: Gate, tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    """Partners that report on goods at once, as far as `post` lets the reports through."""
    ways = {"replacement": [{"state": "done", "after": 0}], "collection": "never"}
    async with sandbox_in(tmp_path, {"*": {"reports_by_kind": ways}}, send=post, gate=gate) as running:
        yield running


async def offered(workshop: Workshop) -> OpenCase:
    """A case whose customer may choose a replacement."""
    case = await workshop.take_in(complaint())
    await case.becomes("assessing")
    await case.says("assess", severity="moderate", by="Zhao")
    await case.becomes("awaiting_consent")
    return case


async def test_report_on_a_step_with_unknown_outcome_settles_it(
    workshop: Workshop, sandbox: RunningSandbox, post: Post
) -> None:
    """S13: the answer was lost and the partner cannot be asked for an hour; nothing is sent a second time."""
    case = await offered(workshop)
    await sandbox.fault("nonsense", partner="warehouse", count=1)
    await sandbox.fault("down", partner="warehouse", seconds=3_600)
    await case.says("customer-approved", by="Wang Li")
    await case.until(lambda c: step(c, "replacement")["state"] == "unknown")

    post.let_through.release()
    seen = await case.until(lambda c: step(c, "collection")["state"] == "running")

    assert step(seen, "replacement")["state"] == "done"
    assert seen["refused"] == []
    assert [row["key"] for row in await _booked(sandbox, case)] == [f"{case.id}/1/o1/replacement"]
    await sandbox.clear()
    await case.after(hours=2)
    assert step(await case.snapshot(), "replacement")["state"] == "done"
    assert len(await _booked(sandbox, case)) == 1


async def test_report_before_the_answer_to_the_call_counts(
    workshop: Workshop, sandbox: RunningSandbox, gate: Gate, post: Post
) -> None:
    """S13: the partner reports while its answer is still on the way."""
    case = await offered(workshop)
    gate.hold(1, carried_out=True)
    post.let_through.release()

    await case.says("customer-approved", by="Wang Li")
    seen = await case.until(lambda c: step(c, "replacement")["state"] == "done")
    before_the_answer = [event["what"] for event in seen["timeline"] if event["what"].startswith("step ")]
    gate.open()
    await case.until(lambda c: step(c, "collection")["state"] == "running")
    await case.at_rest()

    seen = await case.snapshot()
    assert (gate.held, before_the_answer) == (1, ["step done"])
    assert step(seen, "replacement")["state"] == "done"
    assert len(await _booked(sandbox, case)) == 1


async def test_report_on_an_earlier_try_is_recorded_and_changes_nothing(
    workshop: Workshop, sandbox: RunningSandbox, post: Post, signals: TemporalSignals
) -> None:
    """S13: the partner refuses, is asked again under another key, and then the first try is reported as done."""
    case = await offered(workshop)
    order_id, key = f"SO-{case.id}", f"{case.id}/1/o1/replacement"
    failed = [{"state": "failed", "after": 0, "detail": "out of stock"}]
    await sandbox.order(order_id, reports_by_kind={"replacement": failed})
    await case.says("customer-approved", by="Wang Li")
    post.let_through.release()
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")
    await sandbox.order(order_id, reports_by_kind={"replacement": "never"})
    await case.says("resolve-step", step="replacement", action="retry", reason="stock has come in", by="Zhao")
    await case.until(lambda c: step(c, "replacement")["reference"] and step(c, "replacement")["state"] == "running")

    await signals(case.handle.id, "step-reported", {"step": "replacement", "key": key, "state": "done"})
    seen = await case.until(lambda c: c["refused"])

    assert [refused["why"] for refused in seen["refused"]] == [
        f"step replacement is carried out under {key}/2: a report on {key} changes nothing any more"
    ]
    assert step(seen, "replacement")["state"] == "running"


async def test_partner_that_refused_but_carried_out_the_step_is_not_asked_again(
    workshop: Workshop, sandbox: RunningSandbox, post: Post
) -> None:
    """S25: before a new key is used, the partner is asked about the old one."""
    case = await offered(workshop)
    contradictory = [{"state": "failed", "after": 0, "detail": "out of stock"}, {"state": "done", "after": 0}]
    await sandbox.order(f"SO-{case.id}", reports_by_kind={"replacement": contradictory})
    await case.says("customer-approved", by="Wang Li")
    post.let_through.release()
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")

    await case.says("resolve-step", step="replacement", action="retry", reason="stock has come in", by="Zhao")

    seen = await case.until(lambda c: step(c, "replacement")["state"] == "done")
    assert step(seen, "replacement")["key"] == f"{case.id}/1/o1/replacement"
    assert len(await _booked(sandbox, case)) == 1


async def test_report_on_an_unknown_step_is_recorded_and_delays_nothing(
    workshop: Workshop, post: Post, signals: TemporalSignals
) -> None:
    """S13: an unknown step, and an unknown key; the partner's next report counts."""
    case = await offered(workshop)
    await case.says("customer-approved", by="Wang Li")
    await case.until(lambda c: step(c, "replacement")["state"] == "running" and step(c, "replacement")["reference"])
    report = {"state": "done", "by": "warehouse"}

    await signals(case.handle.id, "step-reported", {**report, "step": "gift", "key": f"{case.id}/1/o1/gift"})
    await signals(case.handle.id, "step-reported", {**report, "step": "replacement", "key": "HL-0/1/o1/replacement"})
    post.let_through.release()
    seen = await case.until(lambda c: step(c, "replacement")["state"] == "done")

    key = f"{case.id}/1/o1/replacement"
    assert [refused["why"] for refused in seen["refused"]] == [
        f"{case.id} has no step gift; it has replacement, collection",
        f"step replacement is carried out under {key}: a report on HL-0/1/o1/replacement changes nothing any more",
    ]
    assert [refused["by"] for refused in seen["refused"]] == ["warehouse", "warehouse"]


async def _booked(sandbox: RunningSandbox, case: OpenCase) -> list[dict[str, Any]]:
    """Return what the warehouse has recorded."""
    return [row for row in await sandbox.rows("steps", case_id=case.id) if row["partner"] == "warehouse"]
