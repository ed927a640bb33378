"""Hollow cases: those of two shapes with no business in them; what Temporal alone takes for such a history.

They give the same commands at the same messages (activities, local activities, timers, lists), each with next to
nothing in it, and run as `worker.py` does: without the sandbox, on uvloop, on the engine's own server.
`python -m bench.hollow PORT` is its worker; PORT hears by UDP what would be handed to a partner.
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
from workflows.search import KEYS

HOLLOW = "hollow"
SHAPES = (DAMAGE_REPLACED, DELAY_ANSWERED)
"""Those that have a hollow twin."""
READY = "worker ready"
"""As the engine's own worker says it."""
ACKNOWLEDGED, TO_ASSESS, OFFER, CALLBACK, REPORT = "acknowledged", "to assess", "offer", "callback", "report"
SENT, FETCHED = "sent", "fetched"
"""What is heard of a case: letters, and its steps, of two the second after the first one's first report."""
REPORTS = 2
"""Of each step."""
SOON = timedelta(seconds=10)


@activity.defn
async def hand_over(case_id: str, what: str) -> dict[str, Any]:
    """Say that it was handed over."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
        told.sendto(f"{case_id} {what}".encode(), ("127.0.0.1", int(sys.argv[1])))
    return {"reference": what}


@workflow.defn
class HollowCase:
    """What a damage-replaced or a delay-answered case does, and nothing of why."""

    def __init__(self) -> None:
        self._case_id = ""
        self._assessed = self._agreed = self._satisfied = False
        self._reports = 0
        self._under_way: set[asyncio.Task[None]] = set()

    @workflow.run
    async def run(self, complaint: dict[str, Any]) -> dict[str, Any]:
        """From receipt to closing; answers with the complaint."""
        self._case_id = complaint["case_id"]
        for what in ("claimed", ACKNOWLEDGED, "looked up"):
            await self._quickly(what)
        if complaint["shape"] == DELAY_ANSWERED.name:
            await self._answered()
        else:
            await self._replaced()
        await self._quickly(CALLBACK)
        self._tell("following_up")
        await workflow.wait_condition(lambda: self._satisfied)
        await self._quickly(REPORT)
        self._tell("closed", {OUTCOME: "satisfied"})
        await self._carry_out("archived")
        return complaint

    async def _answered(self) -> None:
        self._begin(self._carry_out(SENT))
        for what in ("explained", OFFER):
            await self._quickly(what)
        self._tell("executing", {LINE: "building_materials", TOPIC: "transport.delay", TEAM: "logistics"})
        self._wait(hours=18)
        await workflow.wait_condition(lambda: self._reports == REPORTS)

    async def _replaced(self) -> None:
        await self._quickly(TO_ASSESS)
        self._tell("assessing", {LINE: "building_materials", TOPIC: "transport.damage", TEAM: "logistics"})
        self._wait(hours=38)
        await workflow.wait_condition(lambda: self._assessed)
        await self._quickly(OFFER)
        self._tell("awaiting_consent")
        self._wait(hours=24)
        await workflow.wait_condition(lambda: self._agreed)
        self._tell("executing")
        self._wait(hours=18)
        await self._carry_out(SENT)
        await workflow.wait_condition(lambda: self._reports > 0)
        await self._carry_out(FETCHED)
        await workflow.wait_condition(lambda: self._reports == 2 * REPORTS)

    @workflow.update
    async def assess(self, _finding: dict[str, Any]) -> dict[str, Any]:
        """The agent's finding."""
        self._assessed = True
        return {"applied": True}

    @workflow.signal
    def agree(self, _how: dict[str, Any]) -> None:
        """The customer's word."""
        self._agreed = True

    @workflow.signal
    def report(self, _what: dict[str, Any]) -> None:
        """A partner's word on a step."""
        self._reports += 1

    @workflow.signal
    def satisfy(self, _how: dict[str, Any]) -> None:
        """The customer's last word."""
        self._satisfied = True

    async def _quickly(self, what: str) -> None:
        await workflow.execute_local_activity(hand_over, args=[self._case_id, what], start_to_close_timeout=SOON)

    async def _carry_out(self, what: str) -> None:
        await workflow.execute_activity(hand_over, args=[self._case_id, what], start_to_close_timeout=SOON)

    def _tell(self, status: str, more: dict[SearchAttribute, Any] | None = None) -> None:
        values = {STATUS: status, NEXT_DUE_AT: datetime(2026, 11, 18, tzinfo=UTC), **(more or {})}
        workflow.upsert_search_attributes([KEYS[a.name].value_set(value) for a, value in values.items()])

    def _wait(self, *, hours: int) -> None:
        self._begin(workflow.sleep(timedelta(hours=hours), summary="tell owner"))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._under_way.add(asyncio.create_task(work))


async def main() -> None:
    """Work until killed."""
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
