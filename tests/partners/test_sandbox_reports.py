"""The partners' reports to the engine: content, target, order, and retries."""

import asyncio
from typing import Any

import pytest

from cases.partner_calls import CallbackRequest, ReceiptState
from partners.http import Partners
from partners.sandbox.reports import NoCaseError
from tests.engine import PATIENCE
from tests.partners.running import CONTACT, RunningSandbox, Start, command, talk_to

AT_ONCE = [{"state": "dispatched", "after": 0}, {"state": "done", "after": 0}]


async def next_report(sandbox: RunningSandbox) -> tuple[str, str, dict[str, Any]]:
    async with asyncio.timeout(PATIENCE):
        return await sandbox.reports.get()


@pytest.mark.parametrize(
    ("partner", "kind"),
    [
        ("warehouse", "replacement"),
        ("warehouse", "gift"),
        ("logistics", "collection"),
        ("logistics", "search"),
        ("installation", "rectification"),
    ],
)
async def test_longer_steps_are_reported_as_dispatched_then_done(
    partners: Partners, sandbox: RunningSandbox, partner: str, kind: str
) -> None:
    key = command(kind).key
    await partners.steps[partner].carry_out(command(kind))

    for state in ("dispatched", "done"):
        assert await next_report(sandbox) == (
            "case-HL-1",
            "step-reported",
            {"step": kind, "key": key, "state": state, "message_id": f"{key}/{state}", "by": partner},
        )


async def test_money_is_done_at_once_and_not_reported(partners: Partners, sandbox: RunningSandbox) -> None:
    await partners.steps["refunds"].carry_out(command())

    assert await sandbox.rows("reports") == []


async def test_report_goes_to_the_workflow_that_asked(partners: Partners, sandbox: RunningSandbox) -> None:
    """B16: a carrier claim outlives its case and is a separate workflow."""
    await sandbox.order(reports=AT_ONCE)

    await partners.steps["logistics"].carry_out(command("carrier_claim", reply_to="claim-HL-1"))

    assert (await next_report(sandbox))[0] == "claim-HL-1"


async def test_inspection_reports_its_finding_when_it_is_done(partners: Partners, sandbox: RunningSandbox) -> None:
    """Site check, rulebook §2."""
    found = {"severity": "severe", "evidence": [{"kind": "photo", "uri": "file:a.jpg"}]}
    await sandbox.order(reports=AT_ONCE, inspection=found)

    await partners.steps["installation"].carry_out(command("inspection"))

    assert "finding" not in (await next_report(sandbox))[2]
    assert (await next_report(sandbox))[2]["finding"] == found
    receipt = await partners.steps["installation"].find(command("inspection").key)
    assert receipt is not None
    assert receipt.finding is not None
    assert receipt.finding.severity == "severe"


async def test_course_of_a_step_can_be_set_for_an_order(partners: Partners, sandbox: RunningSandbox) -> None:
    failed = [{"state": "failed", "after": 0, "detail": "lorry broke down"}]
    await sandbox.order(reports="never", reports_by_kind={"collection": failed})

    await partners.steps["warehouse"].carry_out(command("gift"))
    await partners.steps["logistics"].carry_out(command("collection"))

    report = (await next_report(sandbox))[2]
    assert (report["step"], report["state"], report["detail"]) == ("collection", "failed", "lorry broke down")
    assert len(await sandbox.rows("reports")) == 1
    receipt = await partners.steps["logistics"].find(command("collection").key)
    assert receipt is not None
    assert receipt.state is ReceiptState.FAILED


async def test_repeated_command_is_not_reported_twice(partners: Partners, sandbox: RunningSandbox) -> None:
    for _ in range(3):
        await partners.steps["warehouse"].carry_out(command("gift"))

    assert len(await sandbox.rows("reports")) == 2


async def test_customer_answers_when_the_order_says_so(partners: Partners, sandbox: RunningSandbox) -> None:
    """G8: once for each callback."""
    await sandbox.order(satisfaction=5)
    await partners.steps["refunds"].carry_out(command())
    request = CallbackRequest(key="HL-1/1/callback/1", case_id="HL-1", attempt=1, to=CONTACT)

    await partners.callbacks.ask(request)
    await partners.callbacks.ask(request)

    assert await next_report(sandbox) == (
        "case-HL-1",
        "satisfaction-reported",
        {"score": 5, "message_id": "HL-1/1/callback/1/answer", "by": "callbacks"},
    )
    assert len(await sandbox.rows("reports")) == 1


async def test_reports_wait_in_order_while_the_engine_is_down(start_sandbox: Start) -> None:
    attempts: list[str] = []
    arrived: asyncio.Queue[str] = asyncio.Queue()

    async def down_at_first(_: str, __: str, payload: dict[str, Any]) -> None:
        attempts.append(payload["state"])
        if len(attempts) <= 3:
            raise ConnectionError("connection refused")
        await arrived.put(payload["state"])

    async with start_sandbox({"SO-1": {"reports": AT_ONCE}}, send=down_at_first) as sandbox:
        async with talk_to(sandbox.url) as partners:
            await partners.steps["warehouse"].carry_out(command("gift"))
        async with asyncio.timeout(PATIENCE):
            assert [await arrived.get(), await arrived.get()] == ["dispatched", "done"]

    assert attempts == ["dispatched"] * 4 + ["done"]


async def test_report_to_a_closed_case_delays_no_other(start_sandbox: Start) -> None:
    arrived: asyncio.Queue[str] = asyncio.Queue()

    async def one_is_gone(to: str, _: str, __: dict[str, Any]) -> None:
        if to == "case-gone":
            raise NoCaseError
        await arrived.put(to)

    async with start_sandbox({"*": {"reports": AT_ONCE}}, send=one_is_gone) as sandbox:
        async with talk_to(sandbox.url) as partners:
            await partners.steps["warehouse"].carry_out(command("gift", key="a", case_id="gone"))
            await partners.steps["warehouse"].carry_out(command("gift", key="b", case_id="here"))
        async with asyncio.timeout(PATIENCE):
            assert [await arrived.get(), await arrived.get()] == ["case-here"] * 2

        outcomes = {(row["case_id"], row["outcome"]) for row in await sandbox.rows("reports")}
    assert ("gone", "no case") in outcomes


async def test_reports_due_while_the_sandbox_was_down_are_sent_when_it_is_back(start_sandbox: Start) -> None:
    tried = asyncio.Event()

    async def unreachable(_: str, __: str, ___: dict[str, Any]) -> None:
        tried.set()
        raise ConnectionError("connection refused")

    async with start_sandbox({"SO-1": {"reports": AT_ONCE}}, send=unreachable) as before:
        async with talk_to(before.url) as partners:
            await partners.steps["warehouse"].carry_out(command("gift"))
        async with asyncio.timeout(PATIENCE):
            await tried.wait()

    async with start_sandbox() as after:
        reports = [await next_report(after), await next_report(after)]

    assert [payload["state"] for _, _, payload in reports] == ["dispatched", "done"]
