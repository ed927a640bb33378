"""Play cases: start them as upstream systems do, and answer as customers and agents do, with the same calls."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import policies
from bench import bare, hollow
from bench.arms import Arm
from bench.hollow import HOLLOW
from bench.machines import BareMachine, HollowMachine, Machine, Measured
from bench.shapes import ACKNOWLEDGED, CONSENT, DAMAGE_REPLACED, OFFER, REPORT, Said, Shape
from bench.watching import Handovers, HollowHandovers, LedgerHandovers, Watch
from cases.complaint import Complaint
from cases.contract import workflow_id
from cases.errors import AfterSalesError
from settings import configured

Given = TypeVar("Given")
Answer = TypeVar("Answer")
Work = Callable[[], Awaitable[Answer]]
THINKING = 0.5
"""Seconds after which the bare case's customer agrees. By then the workflow waits for it, as a case does."""


class NotAsPlanned(AfterSalesError):
    """A case did not end as planned, so its cost is meaningless."""


@dataclass(frozen=True)
class Played:
    """One closed case. Times are in seconds since the epoch."""

    workflow: str
    started: float
    first: float
    """When it was acknowledged; of the bare case, when its first activity ran."""
    agreed: float | None
    """When the consent was sent."""
    effect: float
    """When its first step was handed to a partner; of the bare case, the same as `last`."""
    last: float
    """When its last step was handed to a partner; of the bare case, when its last activity ran."""
    ended: float


class Player(Protocol):
    """Plays one case after another on one machine."""

    @property
    def name(self) -> str:
        """Its name in the table."""

    @property
    def target(self) -> Measured:
        """The machine on which it plays."""

    async def play(self) -> Played:
        """Play one case from start to end."""


class BarePlayer:
    """Plays bare cases."""

    name = "bare"

    def __init__(self, target: BareMachine, watch: Watch) -> None:
        self.target = target
        self._watch = watch

    async def play(self) -> Played:
        """Start the case, agree, and wait for its end."""
        workflow = f"bare-{uuid4().hex[:12]}"
        with self._watch.waiting(self.target.client, workflow, "its end"):
            started = time.time()
            complaint = {"case_id": workflow, "description": "Two slabs arrived cracked."}
            handle = await self.target.client.start_workflow("BareCase", complaint, id=workflow, task_queue=bare.QUEUE)
            await asyncio.sleep(THINKING)
            agreed = time.time()
            await handle.signal("agree", {"option": "replace"})
            result: dict[str, Any] = await handle.result()
        last = result["last"]["at"]
        return Played(workflow, started, result["first"]["at"], agreed, last, last, time.time())


class HollowPlayer:
    """Plays hollow cases of one shape."""

    def __init__(self, target: HollowMachine, shape: Shape, handovers: Handovers, watch: Watch) -> None:
        self.target, self.name = target, shape.name
        self._handovers, self._watch = handovers, watch

    async def play(self) -> Played:
        """Start the case, send each message of its shape when the case waits for it, and wait for its end."""
        case_id, until = f"hollow-{uuid4().hex[:12]}", self._handovers.until
        with self._watch.waiting(self.target.client, case_id, "its end"):
            started, agreed = time.time(), None
            complaint = {"case_id": case_id, "shape": self.name, "description": "Two slabs arrived cracked."}
            handle = await self.target.client.start_workflow("HollowCase", complaint, id=case_id, task_queue=HOLLOW)
            acknowledged = await until(case_id, hollow.ACKNOWLEDGED)
            if self.name == DAMAGE_REPLACED.name:
                await until(case_id, hollow.TO_ASSESS)
                await handle.execute_update("assess", {"severity": "moderate"})
                await until(case_id, hollow.OFFER)
                agreed = time.time()
                await handle.signal("agree", {"option": "replace"})
                await until(case_id, hollow.SENT)
                await handle.signal("report", {"step": hollow.SENT})
                last = await until(case_id, hollow.FETCHED)
                reports = 2 * hollow.REPORTS - 1
            else:
                last, reports = await until(case_id, hollow.SENT), hollow.REPORTS
            for _ in range(reports):
                await handle.signal("report", {"step": hollow.FETCHED})
            await until(case_id, hollow.CALLBACK)
            await handle.signal("satisfy", {"score": 5})
            await handle.result()
        return Played(
            case_id, started, acknowledged, agreed, await until(case_id, hollow.SENT), last, ended=time.time()
        )


@asynccontextmanager
async def hollow_players(data: Path, names: Sequence[str], watch: Watch) -> AsyncIterator[Sequence[HollowPlayer]]:
    """Start a hollow machine with its data in `data`. Yield a player for each named shape that has a hollow case."""
    async with HollowHandovers(watch.moved) as handovers, HollowMachine(data, handovers.port) as machine:
        yield [HollowPlayer(machine, shape, handovers, watch) for shape in hollow.SHAPES if shape.name in names]


class CasePlayer:
    """Plays cases of one shape. `name` is that of the shape."""

    def __init__(self, target: Machine, shape: Shape, handovers: Handovers, watch: Watch) -> None:
        self.target, self.name = target, shape.name
        self.handovers = handovers
        self._shape, self._watch = shape, watch
        self._policies = policies.load(configured().policies)

    async def play(self) -> Played:
        """Start a case, send the messages of its shape, and wait for its end. Raises `NotAsPlanned`."""
        case_id, started = await self.open()
        return await self._to_the_end(case_id, self._shape.says, started)

    async def until_offered(self) -> str:
        """Open a case and play it until it waits for the customer's consent. Return its id."""
        case_id, _ = await self.open()
        for said in takewhile(lambda said: said.message != CONSENT, self._shape.says):
            await self.say(case_id, said)
        await self.until_handed(case_id, OFFER)
        return case_id

    async def finish(self, case_id: str) -> Played:
        """Play a case that waits for the customer's consent to its end."""
        rest = tuple(dropwhile(lambda said: said.message != CONSENT, self._shape.says))
        return await self._to_the_end(case_id, rest, time.time())

    async def _to_the_end(self, case_id: str, says: Sequence[Said], started: float) -> Played:
        """Send these messages, and wait for the case's end."""
        agreed = None
        for said in says:
            at = await self.say(case_id, said)
            agreed = at if said.message == CONSENT else agreed
        await self.until_handed(case_id, REPORT)
        workflow = workflow_id(case_id)
        with self._watch.waiting(self.target.client, workflow, "its result"):
            result: dict[str, Any] = await self.target.client.get_workflow_handle(workflow).result()
        if result["outcome"] != "satisfied" or result["refused"]:
            raise NotAsPlanned(f"{case_id} ({self.name}) ended as {result['outcome']}, refused: {result['refused']}")
        acknowledged = await self.until_handed(case_id, ACKNOWLEDGED)
        steps = self.handovers.times(case_id, "step")
        return Played(workflow, started, acknowledged, agreed, steps[0], steps[-1], time.time())

    async def agree(self, case_id: str) -> float:
        """Send the customer's consent. Return when it was sent."""
        return await self.say(case_id, next(said for said in self._shape.says if said.message == CONSENT))

    async def open(self, **more: Any) -> tuple[str, float]:
        """Start a case as `starter.py open` does. Return its id, and when it was sent."""
        raw = self._shape.complaint(f"B-{uuid4().hex[:12]}", **more)
        complaint = Complaint.model_validate(raw)
        started = time.time()
        await self.target.engine.open(complaint, raw, self._policies[complaint.line])
        self._watch.moved()
        return complaint.case_id, started

    async def say(self, case_id: str, said: Said) -> float:
        """Send a message once the partners were handed what it answers. Return when it was sent."""
        await self.until_handed(case_id, said.after)
        at, workflow = time.time(), workflow_id(case_id)
        with self._watch.waiting(self.target.client, workflow, f"an answer to {said.message}"):
            if said.command:
                await self.target.engine.send(case_id, said.message, said.payload)
            else:
                await self.target.client.get_workflow_handle(workflow).signal(said.message, said.payload)
        return at

    async def until_handed(self, case_id: str, what: str) -> float:
        """Wait until the partners were handed `what` for this case. Return when that was."""
        with self._watch.waiting(self.target.client, workflow_id(case_id), f"the partners to be handed: {what}"):
            return await self.handovers.until(case_id, what)


@asynccontextmanager
async def players(arm: Arm, data: Path, shapes: Sequence[Shape], watch: Watch) -> AsyncIterator[Sequence[CasePlayer]]:
    """Start a machine of this arm with its data in `data`. Yield a player for each shape."""
    async with Machine(arm, data) as machine, LedgerHandovers(machine.data / "partners.db", watch.moved) as handovers:
        yield [CasePlayer(machine, shape, handovers, watch) for shape in shapes]


async def at_most(count: int, in_flight: int, work: Work[Answer]) -> list[Answer]:
    """Do `work` `count` times, at most `in_flight` at a time. The first failure ends all."""
    left = iter(range(count))
    done: list[Answer] = []

    async def one_after_another() -> None:
        for _ in left:
            done.append(await work())  # noqa: PERF401 (several tasks append to it)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(in_flight, count)):
            group.create_task(one_after_another())
    return done


async def each_of(given: Sequence[Given], in_flight: int, work: Callable[[Given], Awaitable[Answer]]) -> list[Answer]:
    """Do `work` on each of `given`, at most `in_flight` at a time."""
    left = iter(given)
    return await at_most(len(given), in_flight, lambda: work(next(left)))


async def at_pace(count: int, every: float, work: Work[Answer]) -> list[Answer]:
    """Start `work` `count` times, every `every` seconds, even if earlier ones are not done."""
    begun: list[asyncio.Task[Answer]] = []
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            begun.append(group.create_task(_of(work)))
            await asyncio.sleep(every)
    return [task.result() for task in begun]


async def _of(work: Work[Answer]) -> Answer:
    return await work()
