"""The hollow case: a damage-replaced case with no business in it; what Temporal alone takes for such a history.

It gives the same commands at the same messages (activities, local activities, timers, lists), each with next to
nothing in it, and runs as `worker.py` does: without the sandbox, on uvloop, on the engine's own server.
`python -m bench.hollow PORT` is its worker; PORT hears by UDP what would be handed to a partner.
"""

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import uvloop
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from worker import register_search_attributes
from workflows.search import KEYS

HOLLOW = "hollow"
READY = "worker ready"
"""As the engine's own worker says it."""
ACKNOWLEDGED, TO_ASSESS, OFFER, CALLBACK, REPORT = "acknowledged", "to assess", "offer", "callback", "report"
SENT, FETCHED = "sent", "fetched"
"""What is heard of a case: letters, and its two steps, the second after the first one's first report."""
REPORTS = 4
"""Of two steps, two each."""
SOON = timedelta(seconds=10)


@activity.defn
async def hand_over(case_id: str, what: str) -> dict[str, Any]:
    """Say that it was handed over."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
        told.sendto(f"{case_id} {what}".encode(), ("127.0.0.1", int(sys.argv[1])))
    return {"reference": what}


@workflow.defn
class HollowCase:
    """What a damage-replaced case does, and nothing of why."""

    def __init__(self) -> None:
        self._case_id = ""
        self._assessed = self._agreed = self._satisfied = False
        self._reports = 0
        self._timers: set[asyncio.Task[None]] = set()

    @workflow.run
    async def run(self, complaint: dict[str, Any]) -> dict[str, Any]:
        """From receipt to closing; answers with the complaint."""
        self._case_id = complaint["case_id"]
        for what in ("claimed", ACKNOWLEDGED, "looked up", TO_ASSESS):
            await self._quickly(what)
        self._tell("assessing", CaseLine="building_materials", CaseTopic="transport.damage", CaseTeam="logistics")
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
        await workflow.wait_condition(lambda: self._reports == REPORTS)
        await self._quickly(CALLBACK)
        self._tell("following_up")
        await workflow.wait_condition(lambda: self._satisfied)
        await self._quickly(REPORT)
        self._tell("closed", CaseOutcome="satisfied")
        await self._carry_out("archived")
        return complaint

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

    def _tell(self, status: str, **more: str) -> None:
        due = datetime(2026, 11, 18, tzinfo=UTC)
        values = {"CaseStatus": status, "NextDueAt": due, **more}
        workflow.upsert_search_attributes([KEYS[name].value_set(value) for name, value in values.items()])

    def _wait(self, *, hours: int) -> None:
        timer = asyncio.create_task(workflow.sleep(timedelta(hours=hours), summary="tell owner"))
        self._timers.add(timer)


async def main() -> None:
    """Work until killed."""
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    await register_search_attributes(client)
    runner = UnsandboxedWorkflowRunner()
    async with Worker(
        client, task_queue=HOLLOW, workflows=[HollowCase], activities=[hand_over], workflow_runner=runner
    ):
        print(READY, flush=True)  # noqa: T201 (whoever started it waits for this line)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
