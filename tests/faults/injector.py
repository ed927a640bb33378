"""Inject one fault after another while cases run, drawn from a seed."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.service import RPCError

from cases.contract import workflow_id
from cases.errors import AfterSalesError
from client.cases import Engine
from tests.faults.fleet import Fleet
from tests.faults.people import Life

STEP_PARTNERS = ("refunds", "warehouse", "logistics", "installation")
BEYOND_TIMEOUT = 9.0
"""Seconds; calls to partners time out after 8."""
SWITCHES: list[dict[str, Any]] = [
    {"kind": "error", "count": 8, "probability": 0.5},
    {"kind": "slow", "count": 4, "seconds": 3},
    {"kind": "slow", "count": 2, "seconds": BEYOND_TIMEOUT},
    {"kind": "commit_then_timeout", "count": 3, "seconds": BEYOND_TIMEOUT},
    {"kind": "commit_then_timeout", "partner": "refunds", "count": 2, "seconds": BEYOND_TIMEOUT},
    {"kind": "commit_then_timeout", "partner": "refunds", "count": 4, "seconds": 3},
    {"kind": "rate_limit", "count": 10, "seconds": 1},
    {"kind": "nonsense", "count": 6, "probability": 0.5},
    {"kind": "down", "count": 15, "seconds": 1},
    {"kind": "refuse", "count": 2, "probability": 0.5},
]
DENIALS: list[dict[str, Any]] = [
    {"kind": "commit_then_failed", "partner": "refunds", "probability": 0.2, "seconds": 2},
    *(
        {"kind": "commit_then_status", "partner": partner, "status": 409, "probability": 0.3}
        for partner in STEP_PARTNERS
    ),
    {"kind": "commit_then_status", "partner": "refunds", "status": 409, "probability": 0.3, "seconds": 4},
    {"kind": "commit_then_status", "partner": "refunds", "status": 425, "probability": 0.2},
    {"kind": "commit_then_status", "partner": "warehouse", "status": 423, "probability": 0.2},
]
"""Shares of all contradictions, as probabilities."""


@dataclass
class FaultInjector:
    """Injects faults at intervals of about `pause` seconds while cases run."""

    fleet: Fleet
    engine: Engine
    lives: list[Life]
    seed: int
    pause: float
    contradict: float
    done: Counter[str] = field(default_factory=Counter)
    recovered: list[float] = field(default_factory=list)
    """Seconds from each kill to the next answered message."""
    reset: set[str] = field(default_factory=set)
    """Cases that were reset."""

    def __post_init__(self) -> None:
        self._chance = Random(f"mischief {self.seed}")

    async def begin(self) -> None:
        """Switch on what holds from the start: payments whose answer is lost, so that even a short run has some."""
        lost = {"kind": "commit_then_timeout", "partner": "refunds", "seconds": BEYOND_TIMEOUT}
        await self._switch_on({**lost, "count": 5, "probability": 0.5, "seed": self.seed})
        await self._deny()

    async def _deny(self) -> None:
        """Make some steps succeed but be answered as failed, throughout the run (S25, S26)."""
        for switch in DENIALS if self.contradict else []:
            probability = self.contradict * switch["probability"]
            await self._switch_on({**switch, "probability": probability, "seed": self._chance.randrange(1000)})

    async def _switch_on(self, switch: dict[str, Any]) -> None:
        async with self.fleet.partners_admin() as partners:
            (await partners.post("/_sandbox/faults", json=switch)).raise_for_status()

    async def run(self, rounds: int | None = None) -> None:
        """Inject this many rounds, or until cancelled. Each round has every kind, so that a short run covers all."""
        for _ in itertools.count() if rounds is None else range(rounds):
            kinds = self._kinds()
            self._chance.shuffle(kinds)
            for name, act in kinds:
                await asyncio.sleep(self.pause * self._chance.uniform(0.5, 1.5))
                await act()
                self.done[name] += 1

    async def repair_all(self) -> None:
        """Repair everything."""
        await self.fleet.workers_back()
        async with self.fleet.partners_admin() as partners:
            (await partners.delete("/_sandbox/faults")).raise_for_status()

    def _kinds(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [
            ("worker killed", lambda: self._recovering(self.fleet.crash_workers(1))),
            ("all workers killed", lambda: self._recovering(self.fleet.crash_workers(9))),
            ("worker stopped", lambda: self._recovering(self.fleet.stop_worker())),
            ("server killed", lambda: self._recovering(self.fleet.crash_server())),
            ("partners killed", self._partners_killed),
            ("database gone", self._database_gone),
            ("keys out of reach", lambda: self._recovering(self._keys_gone())),
            ("clock jumped", self._clock_jumps),
            *[("case reset", self._reset)] * 2,
            *[("partner fault", self._partner_fault)] * 6,
        ]

    async def _partner_fault(self) -> None:
        switch = self._chance.choice(SWITCHES)
        with suppress(Exception):  # the sandbox itself may be down
            async with self.fleet.partners_admin() as partners:
                await partners.post("/_sandbox/faults", json={**switch, "seed": self._chance.randrange(1000)})

    async def _partners_killed(self) -> None:
        """Kill the partners. The restart drops switched-on faults, so the denials are switched on again."""
        await self.fleet.crash_partners()
        await self._deny()

    async def _database_gone(self) -> None:
        async with self.fleet.database_gone():
            await asyncio.sleep(self.pause * self._chance.choice([2, 10]))

    async def _keys_gone(self) -> None:
        async with self.fleet.keys_out_of_reach():
            await asyncio.sleep(self.pause)

    async def _clock_jumps(self) -> None:
        if life := self._some():
            with suppress(AfterSalesError, RPCError):
                await self.engine.skip(life.case_id, timedelta(hours=self._chance.choice([1, 12, 48])))

    async def _reset(self) -> None:
        """Reset a case to one of its workflow tasks, as an operator may."""
        if not (life := self._some()):
            return
        handle = self.engine.client.get_workflow_handle(workflow_id(life.case_id))
        with suppress(RPCError):
            events = (await handle.fetch_history()).events
            tasks = [e.event_id for e in events if e.HasField("workflow_task_completed_event_attributes")]
            if not tasks:
                return
            self.reset.add(life.case_id)
            await self.engine.client.workflow_service.reset_workflow_execution(
                ResetWorkflowExecutionRequest(
                    namespace=self.engine.client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=handle.id),
                    reason="test of a reset",
                    workflow_task_finish_event_id=self._chance.choice(tasks),
                    request_id=uuid4().hex,
                    reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
                )
            )

    def _some(self) -> Life | None:
        """Return a case that is open as far as its people know."""
        open_ = [life for life in self.lives if life.last and life.last["status"] != "closed"]
        return self._chance.choice(open_) if open_ else None

    async def _recovering(self, fault: Awaitable[None]) -> None:
        """Measure the time from a fault to the next message that a case applies."""
        clock = asyncio.get_running_loop()
        since = clock.time()
        await fault
        if life := self._some():
            await life.remark()
            self.recovered.append(clock.time() - since)
