"""Playing a case's people: an agent, a customer, a crew; and telling what the case then does.

Only what the contract names is used: a workflow is started with a complaint, messages are sent, snapshots read.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console
from rich.markup import escape
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

from cases.names import CASE_QUERY, CASE_WORKFLOW, TASK_QUEUE, workflow_id
from embedded import Embedded

ZONE = ZoneInfo("Asia/Shanghai")
PATIENCE = 40
"""Seconds of real time in which a case has to come to where its story says."""
LOOK = 0.15
"""Seconds between two looks at a case."""
STYLES = {
    "step blocked": "red", "escalated": "yellow", "step unknown": "red", "agreed": "green", "closed": "bold green",
    "declined": "magenta", "offered": "cyan", "satisfaction": "magenta", "acknowledged": "green",
}  # fmt: skip


class Teller:
    """One story's lines: kept until it is this story's turn, then printed as they come."""

    def __init__(self, console: Console, title: str) -> None:
        self.title = title
        self.failure: str | None = None
        self._console = console
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()

    def say(self, line: str) -> None:
        """One more line, in rich's markup."""
        self._lines.put_nowait(line)

    def fail(self, why: str) -> None:
        """The story did not go as told."""
        self.failure = why
        self.say(f"   [bold red]not as told: {escape(why)}[/]")

    def close(self) -> None:
        """The story is over."""
        self._lines.put_nowait(None)

    async def tell(self) -> None:
        """Print the story from its beginning to its end, as it happens."""
        self._console.print(f"\n[bold]{escape(self.title)}[/]")
        while (line := await self._lines.get()) is not None:
            self._console.print(line)


class Stage:
    """The machine that the stories are played on."""

    def __init__(self, client: Client, machine: Embedded) -> None:
        self.client = client
        self.machine = machine
        self.partners = httpx.AsyncClient(base_url=machine.partners, trust_env=False, timeout=20)
        self.cases: dict[str, Played] = {}
        self._crash = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.partners.aclose()

    async def open(self, teller: Teller, **complaint: Any) -> "Played":
        """A complaint arrives, through the entry that upstream systems use."""
        raw = _complaint(**complaint)
        handle = await self.start(raw)
        played = Played(self, teller, handle, raw)
        self.cases[raw["case_id"]] = played
        who = f"{raw['customer']['name']} · {raw['channel']} · {raw['topic']} · order {raw['order']['order_id']}"
        teller.say(f"   [dim]{who}[/]")
        teller.say(f"   “{escape(raw['description'])}”")
        return played

    async def start(self, raw: dict[str, Any]) -> WorkflowHandle[Any, Any]:
        """Start a case; the same complaint a second time is the same case."""
        return await self.client.start_workflow(
            CASE_WORKFLOW,
            raw,
            id=workflow_id(raw["case_id"]),
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"{raw['topic']} · {raw['order']['order_id']}",
            static_details=f"{raw['line']} · received {raw['received_at']} through {raw['channel']}",
        )

    async def switch(self, **fault: Any) -> None:
        """Something goes wrong at a partner from now on."""
        (await self.partners.post("/_sandbox/faults", json=fault)).raise_for_status()

    async def mend(self) -> None:
        """The partners are well again."""
        (await self.partners.delete("/_sandbox/faults")).raise_for_status()

    async def ledger(self) -> dict[str, Any]:
        """What the partners have booked."""
        found: dict[str, Any] = (await self.partners.get("/_sandbox/ledger")).raise_for_status().json()
        return found

    def crash_now(self) -> None:
        """A good moment for the worker to crash."""
        self._crash.set()

    async def worker_crashes_once(self) -> None:
        """The worker process is killed in the middle of its work, and started again."""
        await self._crash.wait()
        await self.machine.kill_worker()
        await self.machine.start_worker()


class Played:
    """One case and the people around it."""

    def __init__(
        self, stage: Stage, teller: Teller, handle: WorkflowHandle[Any, Any], complaint: dict[str, Any]
    ) -> None:
        self.stage = stage
        self.id: str = complaint["case_id"]
        self.complaint = complaint
        self.snapshot: dict[str, Any] = {}
        self._teller = teller
        self._handle = handle
        self._told = 0
        self._promises: dict[tuple[str, int, int], str] = {}
        self._skipper = TimeSkipper(stage.client)

    def tell(self, text: str) -> None:
        """A line of the story."""
        self._teller.say(f"   {text}")

    async def does(self, who: str, message: str, **payload: Any) -> Any:
        """Somebody sends the case a message and waits for its answer."""
        said = ", ".join(f"{k} {v}" for k, v in payload.items() if k != "options")
        self.tell(f"[blue]{escape(who)}[/]: {message}{escape(f' ({said})') if said else ''}")
        answer = await self._handle.execute_update(message, {"by": who, **payload})
        await self.look()
        return answer

    async def look(self) -> dict[str, Any]:
        """Read the case, and tell what is new."""
        self.snapshot = await self._handle.query(CASE_QUERY)
        self._tell_news()
        return self.snapshot

    async def until(self, what: str, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Wait, in real time, until the case has come so far."""
        async with asyncio.timeout(PATIENCE) as patience:
            try:
                while not (await self._look_patiently() and condition(self.snapshot)):
                    await asyncio.sleep(LOOK)
            except TimeoutError:
                if not patience.expired():
                    raise
        if patience.expired():
            raise TimeoutError(f"{self.id} did not come to: {what}")
        return self.snapshot

    async def _look_patiently(self) -> dict[str, Any]:
        """Not while a workflow task waits for a worker: such a query can spoil the history (docs/findings.md)."""
        try:
            described = await self._handle.describe()
            if described.raw_description.HasField("pending_workflow_task"):
                return self.snapshot
            return await self.look()
        except RPCError:  # the worker is away just now
            return self.snapshot

    async def until_status(self, status: str) -> dict[str, Any]:
        """Wait until the case has this status."""
        return await self.until(status, lambda s: s["status"] == status)

    async def passes(self, **time: float) -> None:
        """Time passes for this case: every timer on the way fires at its own instant."""
        length = timedelta(**time)
        hours = length / timedelta(hours=1)
        self.tell(f"[dim]… {f'{hours:g} hours' if hours >= 1 else f'{length.seconds // 60} minutes'} pass …[/]")
        await self._skipper.fast_forward(self._handle, length)
        await self.look()

    async def result_of(self, handle: WorkflowHandle[Any, Any]) -> Any:
        """What a workflow ended with, once it has."""
        async with asyncio.timeout(PATIENCE):
            while (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                await asyncio.sleep(LOOK)
        return await handle.result()

    async def ends(self, outcome: str, *, paid: dict[str, str] | None = None, broken: tuple[str, ...] = ()) -> None:
        """The case has to end so: outcome, money out, promises broken."""
        self.snapshot = await self.result_of(self._handle)
        self._tell_news()
        wanted = {"refund": "0.00", "compensation": "0.00", "coupon": "0.00"} | (paid or {})
        really_broken = sorted({p["name"] for p in self.snapshot["promises"] if p["state"] == "broken"})
        if self.snapshot["outcome"] != outcome:
            raise AssertionError(f"ended as {self.snapshot['outcome']}, not as {outcome}")
        if self.snapshot["paid"] != wanted:
            raise AssertionError(f"paid {self.snapshot['paid']}, not {wanted}")
        if really_broken != sorted(broken):
            raise AssertionError(f"broken: {really_broken}, not {sorted(broken)}")

    def _tell_news(self) -> None:
        for index, promise in enumerate(self.snapshot.get("promises", [])):
            key = (promise["name"], promise["cycle"], index)
            if key not in self._promises:
                self.tell(
                    f"{'promised':>12}  {promise['name']} by {at(promise['due_at'])}  [dim]({promise['within']})[/]"
                )
            if self._promises.get(key) != promise["state"] and promise["state"] in ("kept", "broken"):
                style = "green" if promise["state"] == "kept" else "bold red"
                self.tell(f"{'promise':>12}  [{style}]{promise['name']} {promise['state']}[/]")
            self._promises[key] = promise["state"]
        timeline = self.snapshot.get("timeline", [])
        for entry in timeline[self._told :]:
            style = STYLES.get(entry["what"], "")
            text = escape(f"{entry.get('text', '')}")
            line = f"{at(entry['at'])}  {entry['what']}{f': {text}' if text else ''}"
            self.tell(f"[{style}]{line}[/]" if style else line)
        self._told = len(timeline)


def at(time: str | None) -> str:
    """A time as a person in Shanghai reads it."""
    return f"{datetime.fromisoformat(time).astimezone(ZONE):%a %H:%M}" if time else "—"


def _complaint(*, case_id: str, topic: str, order_id: str, description: str, **more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    promised = now - timedelta(days=more.pop("promised_days_ago", 0))
    complaint = {
        "case_id": case_id,
        "line": "building_materials",
        "topic": topic,
        "channel": "hotline",
        "received_at": now.isoformat(),
        "customer": {"name": "王芳", "phone": "+8613800000001", "locale": "zh-CN"},
        "order": {
            "order_id": order_id,
            "amount": "12800.00",
            "freight": "300.00",
            "currency": "CNY",
            "promised_at": promised.isoformat(),
            "tracking_no": f"YT-{order_id}",
            "carrier": "远通物流",
            "install_address": "上海市徐汇区",
            "items": [{"sku": "SLATE-9", "name": "岩板 900×1800", "quantity": 4, "unit_price": "3125.00"}],
        },
        "description": description,
        "affected": [{"sku": "SLATE-9", "quantity": 1}],
    }
    return complaint | more
