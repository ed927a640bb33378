"""Simulated people who act on a case: agent, customer, crew. They see the case through its snapshots.

The demo uses only the public contract: it starts workflows, sends messages and reads snapshots.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Self

from aiohttp import ClientSession
from rich.markup import escape
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.testing import TimeSkipper

from cases.contract import CASE_WORKFLOW, TASK_QUEUE, workflow_id
from cases.policy.remedy_kinds import PAID_AS
from cases.views.snapshot import Snapshot
from client.cases import Engine
from client.connection import Unreachable
from demo.complaints import complaint
from demo.narrator import Narrator
from embedded import Embedded

PATIENCE = 120
"""Seconds of real time that a case has to reach the next point of its story."""
LOOK = 0.15
"""Seconds between two reads of a case."""


class Stage:
    """The server, worker and sandbox that the stories are played on."""

    def __init__(self, client: Client, machine: Embedded) -> None:
        self.client = client
        self.machine = machine
        self.engine = Engine(client, machine.address)
        self._partners = ClientSession(machine.partners, raise_for_status=True)
        self.cases: dict[str, Played] = {}
        self._crash = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._partners.close()

    async def open(self, narrator: Narrator, **given: Any) -> "Played":
        """Start a case as upstream systems do. `given` are the arguments of `demo.complaints.complaint`."""
        raw = complaint(**given)
        handle = await self.start(raw)
        played = Played(self, narrator, handle, raw)
        self.cases[raw["case_id"]] = played
        who = (raw["customer"]["name"], raw["channel"], raw["line"], raw["topic"], f"order {raw['order']['order_id']}")
        narrator.say(f"   [dim]{' · '.join(who)}[/]")
        narrator.say(f"   “{escape(raw['description'])}”")
        return played

    async def start(self, raw: dict[str, Any]) -> WorkflowHandle[Any, Any]:
        """Start a case. The same complaint again finds the same case."""
        return await self.client.start_workflow(
            CASE_WORKFLOW,
            raw,
            id=workflow_id(raw["case_id"]),
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"{raw['topic']} · {raw['order']['order_id']}",
            static_details=f"{raw['line']} · received {raw['received_at']} through {raw['channel']}",
        )

    async def break_partner(self, **fault: Any) -> None:
        """Switch on a fault of a partner."""
        await self.at_partners("POST", "/_sandbox/faults", json=fault)

    async def repair_partners(self) -> None:
        """Switch off all faults of partners."""
        await self.at_partners("DELETE", "/_sandbox/faults")

    async def ledger(self, case_id: str | None = None) -> dict[str, Any]:
        """Return what the partners have recorded, for one case or for all."""
        only = {"case_id": case_id} if case_id else {}
        found: dict[str, Any] = await self.at_partners("GET", "/_sandbox/ledger", params=only)
        return found

    async def at_partners(self, method: str, path: str, **what: Any) -> Any:
        """Send a request to the sandbox's control API. Return its answer, or None if it has no body."""
        async with self._partners.request(method, path, **what) as answer:
            return None if answer.status == HTTPStatus.NO_CONTENT else await answer.json()

    def crash_now(self) -> None:
        """Make `worker_crashes_once` kill the worker now."""
        self._crash.set()

    async def worker_crashes_once(self) -> None:
        """Wait for `crash_now`, then kill the worker process and start it again."""
        await self._crash.wait()
        await self.machine.kill_worker()
        await self.machine.start_worker()


class Played:
    """One case and the people around it."""

    def __init__(
        self, stage: Stage, narrator: Narrator, handle: WorkflowHandle[Any, Any], complaint: dict[str, Any]
    ) -> None:
        self.stage = stage
        self.id: str = complaint["case_id"]
        self.complaint = complaint
        self.snapshot = Snapshot.being_admitted(self.id)
        self._narrator = narrator
        self._handle = handle
        self._skipper = TimeSkipper(stage.client)

    def narrate(self, text: str) -> None:
        """Add a line to the story."""
        self._narrator.say(f"   {text}")

    @property
    def customer(self) -> str:
        """The customer, as the story names them."""
        return f"customer {self.complaint['customer']['name']}"

    async def does(self, who: str, message: str, **payload: Any) -> Any:
        """Send a message to the case as `who`, and return its answer."""
        fields = ", ".join(f"{k} {_shown(v)}" for k, v in payload.items() if k != "options")
        self.narrate(f"[blue]{escape(who)}[/]: {message}{escape(f' ({fields})') if fields else ''}")
        answer = await self._handle.execute_update(message, {"by": who, **payload})
        await self.look()
        return answer

    async def is_refused(self, who: str, message: str, **payload: Any) -> None:
        """Send a message that the case has to refuse, and print the reason."""
        try:
            await self.does(who, message, **payload)
        except WorkflowUpdateFailedError as refused:
            self.narrate(f"[dim]refused: {escape(getattr(refused.cause, 'message', str(refused.cause)))}[/]")
        else:
            raise AssertionError(f"{message} by {who} was not refused")

    async def look(self) -> Snapshot:
        """Read the case, and print what has changed."""
        self.snapshot = await self.stage.engine.snapshot(self.id)
        self._narrator.print_changes(self.snapshot)
        return self.snapshot

    async def until(self, what: str, condition: Callable[[Snapshot], Any]) -> Snapshot:
        """Wait, in real time, until the condition holds."""
        async with asyncio.timeout(PATIENCE) as patience:
            try:
                while not (await self._look_patiently() and condition(self.snapshot)):
                    await asyncio.sleep(LOOK)
            except TimeoutError:
                if not patience.expired():
                    raise
        if patience.expired():
            raise TimeoutError(f"{self.id} did not reach: {what}")
        return self.snapshot

    async def _look_patiently(self) -> Snapshot:
        try:
            return await self.look()
        except Unreachable:  # the worker is down
            return self.snapshot

    async def until_status(self, status: str) -> Snapshot:
        """Wait until the case has this status."""
        return await self.until(status, lambda s: s.status == status)

    async def passes(self, **time: float) -> None:
        """Skip time for this case. Every timer fires when it is due."""
        length = timedelta(**time)
        hours = length / timedelta(hours=1)
        self.narrate(f"[dim]… {f'{hours:g} hours' if hours >= 1 else f'{length.seconds // 60} minutes'} pass …[/]")
        await self._skipper.fast_forward(self._handle, length)
        await self.look()

    async def show_message(self, event: str) -> None:
        """Print the latest message of this kind to the customer, as the messaging partner received it."""
        messages = (await self.stage.ledger(self.id))["messages"]
        bodies = [m["content"]["body"] for m in messages if m["content"]["event"] == event]
        if not bodies:
            raise AssertionError(f"no {event} was sent to the customer")
        for line in bodies[-1].splitlines():
            if line.strip():
                self.narrate(f"[italic]  │ {escape(line)}[/]")

    async def result_of(self, handle: WorkflowHandle[Any, Any]) -> Any:
        """Wait until a workflow ends, and return its result."""
        async with asyncio.timeout(PATIENCE):
            while (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                await asyncio.sleep(LOOK)
        return await handle.result()

    async def ends(
        self,
        outcome: str,
        *,
        paid: dict[str, str] | None = None,
        kept: tuple[str, ...] = (),
        broken: tuple[str, ...] = (),
    ) -> None:
        """Check the end of the case: its outcome, payments and broken promises, and that those in `kept` were kept."""
        self.snapshot = Snapshot.model_validate(await self.result_of(self._handle))
        self._narrator.print_changes(self.snapshot)
        was_paid = self.snapshot.paid.as_json()
        wanted = dict.fromkeys(PAID_AS, "0.00") | (paid or {})
        by_state = {s: {p.name for p in self.snapshot.promises if p.state == s} for s in ("kept", "broken")}
        if self.snapshot.outcome != outcome:
            raise AssertionError(f"ended as {self.snapshot.outcome}, not as {outcome}")
        if was_paid != wanted:
            raise AssertionError(f"paid {was_paid}, not {wanted}")
        if by_state["broken"] != set(broken):
            raise AssertionError(f"broken: {sorted(by_state['broken'])}, not {sorted(broken)}")
        if not_kept := set(kept) - by_state["kept"]:
            raise AssertionError(f"not kept: {sorted(not_kept)}")


def _shown(value: Any) -> str:
    """Return a short form of a message's field; for evidence only the kind."""
    return " and ".join(each["kind"] for each in value) if isinstance(value, list) else f"{value}"
