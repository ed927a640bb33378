"""Hollow cases: the histories of two shapes without business logic, to measure the share of Temporal itself.

They issue the same Temporal commands for the same messages (activities, local activities, timers, search attributes),
with almost no content. They run like `worker.py`: without the workflow sandbox, on uvloop, on the engine's server.
`python -m bench.hollow PORT` runs their worker. It sends what it would hand to a partner to PORT, by UDP.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import uvloop
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from bench.shapes import DAMAGE_REPLACED, DELAY_ANSWERED
from cases.views.search_attributes import LINE, NEXT_DUE_AT, OUTCOME, STATUS, TEAM, TOPIC, SearchAttribute
from worker import register_search_attributes
from workflows.sdk.search import KEYS

HOLLOW = "hollow"
SHAPES = (DAMAGE_REPLACED, DELAY_ANSWERED)
"""The shapes that have a hollow case."""
READY = "worker ready"
"""The line that the engine's worker prints, too."""
ACKNOWLEDGED, TO_ASSESS, OFFER, CALLBACK, REPORT = "acknowledged", "to assess", "offer", "callback", "report"
ROW = "row"
"""What a case writes into our database; here it is handed over as everything else is."""
SENT, FETCHED = "sent", "fetched"
"""What a case hands over: messages and steps. The second of two steps follows the first one's first report."""
REPORTS = 2
"""Reports on each step."""
SOON = timedelta(seconds=10)


@activity.defn
async def hand_over(case_id: str, what: str) -> dict[str, Any]:
    """Report by UDP that it was handed over."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.sendto(f"{case_id} {what}".encode(), ("127.0.0.1", int(sys.argv[1])))
    return {"reference": what}


@workflow.defn
class HollowCase:
    """The Temporal commands of a damage-replaced or a delay-answered case."""

    def __init__(self) -> None:
        self._case_id = ""
        self._assessed = self._agreed = self._satisfied = False
        self._reports = 0
        self._under_way: set[asyncio.Task[None]] = set()

    @workflow.run
    async def run(self, complaint: dict[str, Any]) -> dict[str, Any]:
        """Run the case. Return the complaint."""
        self._case_id = complaint["case_id"]
        for what in ("claimed", ACKNOWLEDGED, "looked up"):
            await self._quickly(what)
        if complaint["shape"] == DELAY_ANSWERED.name:
            await self._answered()
        else:
            await self._replaced()
        await self._quickly(CALLBACK)
        self._enter("following_up")
        await self._quickly(ROW)
        await workflow.wait_condition(lambda: self._satisfied)
        await self._quickly(REPORT)
        self._enter("closed", {OUTCOME: "satisfied"})
        archived = asyncio.create_task(self._carry_out("archived"))
        await self._quickly(ROW)
        await archived
        return complaint

    async def _answered(self) -> None:
        self._begin(self._carry_out(SENT))
        for what in ("explained", OFFER):
            await self._quickly(what)
        self._enter("executing", {LINE: "building_materials", TOPIC: "transport.delay", TEAM: "logistics"})
        self._wait(hours=18)
        await self._quickly(ROW)
        await workflow.wait_condition(lambda: self._reports == REPORTS)

    async def _replaced(self) -> None:
        await self._quickly(TO_ASSESS)
        self._enter("assessing", {LINE: "building_materials", TOPIC: "transport.damage", TEAM: "logistics"})
        self._wait(hours=38)
        await self._quickly(ROW)
        await workflow.wait_condition(lambda: self._assessed)
        await self._quickly(OFFER)
        self._enter("awaiting_consent")
        self._wait(hours=24)
        await self._quickly(ROW)
        await workflow.wait_condition(lambda: self._agreed)
        self._enter("executing")
        self._wait(hours=18)
        sent = asyncio.create_task(self._carry_out(SENT))
        await self._quickly(ROW)
        await sent
        await workflow.wait_condition(lambda: self._reports > 0)
        fetched = asyncio.create_task(self._carry_out(FETCHED))
        await self._quickly(ROW)
        await fetched
        await workflow.wait_condition(lambda: self._reports == 2 * REPORTS)

    @workflow.update
    async def assess(self, _finding: dict[str, Any]) -> dict[str, Any]:
        """Record the agent's finding."""
        self._assessed = True
        return {"applied": True}

    @workflow.signal
    def agree(self, _how: dict[str, Any]) -> None:
        """Record the customer's consent."""
        self._agreed = True

    @workflow.signal
    def report(self, _what: dict[str, Any]) -> None:
        """Count a partner's report on a step."""
        self._reports += 1

    @workflow.signal
    def satisfy(self, _how: dict[str, Any]) -> None:
        """Record the customer's satisfaction."""
        self._satisfied = True

    async def _quickly(self, what: str) -> None:
        await workflow.execute_local_activity(hand_over, args=[self._case_id, what], start_to_close_timeout=SOON)

    async def _carry_out(self, what: str) -> None:
        await workflow.execute_activity(hand_over, args=[self._case_id, what], start_to_close_timeout=SOON)

    def _enter(self, status: str, more: dict[SearchAttribute, Any] | None = None) -> None:
        values = {STATUS: status, NEXT_DUE_AT: datetime(2026, 11, 18, tzinfo=UTC), **(more or {})}
        workflow.upsert_search_attributes([KEYS[a.name].value_set(value) for a, value in values.items()])

    def _wait(self, *, hours: int) -> None:
        self._begin(workflow.sleep(timedelta(hours=hours), summary="notify owner"))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._under_way.add(asyncio.create_task(work))


async def main() -> None:
    """Run the worker until it is killed."""
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    await register_search_attributes(client)
    runner = UnsandboxedWorkflowRunner()
    async with Worker(
        client, task_queue=HOLLOW, workflows=[HollowCase], activities=[hand_over], workflow_runner=runner
    ):
        print(READY, flush=True)  # noqa: T201 (the benchmark waits for this line)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
