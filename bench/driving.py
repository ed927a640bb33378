"""Cases are started as upstream systems start them and answered as people do; each call is one that they would make."""

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
from bench.watching import Heard, Sightings, Told, Watch
from cases.complaint import Complaint
from cases.contract import workflow_id
from cases.errors import AfterSalesError
from settings import configured

Given = TypeVar("Given")
Answer = TypeVar("Answer")
Work = Callable[[], Awaitable[Answer]]
THINKING = 0.5
"""Seconds after which the bare case's customer agrees: by then it waits for that, as a case waits for its consent."""


class NotAsPlanned(AfterSalesError):
    """A case that ended otherwise than it should have; what it cost would mean nothing."""


@dataclass(frozen=True)
class Played:
    """One case that has run to its end; instants in seconds since the epoch."""

    workflow: str
    started: float
    first: float
    """It was acknowledged; the bare case: its first activity ran."""
    agreed: float | None
    """Consent was sent."""
    effect: float
    """Its first step was handed to a partner; the bare case: as `last`."""
    last: float
    """Its last step was handed to a partner; the bare case: its last activity ran."""
    ended: float


class Player(Protocol):
    """Plays one case after another on one machine."""

    @property
    def name(self) -> str:
        """What it is called in the table."""

    @property
    def target(self) -> Measured:
        """Where it plays."""

    async def play(self) -> Played:
        """One case, from its start to its end."""


class BarePlayer:
    """Plays bare cases."""

    name = "bare"

    def __init__(self, target: BareMachine, watch: Watch) -> None:
        self.target = target
        self._watch = watch

    async def play(self) -> Played:
        """Start, agree, wait for the end."""
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

    def __init__(self, target: HollowMachine, shape: Shape, told: Heard, watch: Watch) -> None:
        self.target, self.name = target, shape.name
        self._told, self._watch = told, watch

    async def play(self) -> Played:
        """Start it, say what is said to a case of its shape, each when it was asked for, and wait for the end."""
        case_id, hear = f"hollow-{uuid4().hex[:12]}", self._told.of
        with self._watch.waiting(self.target.client, case_id, "its end"):
            started, agreed = time.time(), None
            complaint = {"case_id": case_id, "shape": self.name, "description": "Two slabs arrived cracked."}
            handle = await self.target.client.start_workflow("HollowCase", complaint, id=case_id, task_queue=HOLLOW)
            acknowledged = await hear(case_id, hollow.ACKNOWLEDGED)
            if self.name == DAMAGE_REPLACED.name:
                await hear(case_id, hollow.TO_ASSESS)
                await handle.execute_update("assess", {"severity": "moderate"})
                await hear(case_id, hollow.OFFER)
                agreed = time.time()
                await handle.signal("agree", {"option": "replace"})
                await hear(case_id, hollow.SENT)
                await handle.signal("report", {"step": hollow.SENT})
                last = await hear(case_id, hollow.FETCHED)
                reports = 2 * hollow.REPORTS - 1
            else:
                last, reports = await hear(case_id, hollow.SENT), hollow.REPORTS
            for _ in range(reports):
                await handle.signal("report", {"step": hollow.FETCHED})
            await hear(case_id, hollow.CALLBACK)
            await handle.signal("satisfy", {"score": 5})
            await handle.result()
        return Played(case_id, started, acknowledged, agreed, await hear(case_id, hollow.SENT), last, ended=time.time())


@asynccontextmanager
async def hollow_players(data: Path, names: Sequence[str], watch: Watch) -> AsyncIterator[Sequence[HollowPlayer]]:
    """A hollow machine with its data in that folder, and a player on it for each of those shapes that has a twin."""
    async with Told(watch.moved) as told, HollowMachine(data, told.port) as machine:
        yield [HollowPlayer(machine, shape, told, watch) for shape in hollow.SHAPES if shape.name in names]


class CasePlayer:
    """Plays cases of one shape; `name` is the shape's."""

    def __init__(self, target: Machine, shape: Shape, sightings: Sightings, watch: Watch) -> None:
        self.target, self.name = target, shape.name
        self.sightings = sightings
        self._shape, self._watch = shape, watch
        self._policies = policies.load(configured().policies)

    async def play(self) -> Played:
        """Start it, say what its shape says, wait for its end; raises `NotAsPlanned`."""
        case_id, started = await self.open()
        return await self.go_on(case_id, self._shape.says, started)

    async def until_offered(self) -> str:
        """Open a case and bring it to where it waits for the customer's word; its id."""
        case_id, _ = await self.open()
        for said in takewhile(lambda said: said.message != CONSENT, self._shape.says):
            await self.say(case_id, said)
        await self.sees(case_id, OFFER)
        return case_id

    async def finish(self, case_id: str) -> Played:
        """From the customer's word on a case that waits for it to its end."""
        rest = tuple(dropwhile(lambda said: said.message != CONSENT, self._shape.says))
        return await self.go_on(case_id, rest, time.time())

    async def go_on(self, case_id: str, says: Sequence[Said], started: float) -> Played:
        """Say all that, and wait for the end."""
        agreed = None
        for said in says:
            at = await self.say(case_id, said)
            agreed = at if said.message == CONSENT else agreed
        await self.sees(case_id, REPORT)
        workflow = workflow_id(case_id)
        with self._watch.waiting(self.target.client, workflow, "its result"):
            result: dict[str, Any] = await self.target.client.get_workflow_handle(workflow).result()
        if result["outcome"] != "satisfied" or result["refused"]:
            raise NotAsPlanned(f"{case_id} ({self.name}) ended as {result['outcome']}, refused: {result['refused']}")
        acknowledged, steps = await self.sees(case_id, ACKNOWLEDGED), self.sightings.times(case_id, "step")
        return Played(workflow, started, acknowledged, agreed, steps[0], steps[-1], time.time())

    async def agree(self, case_id: str) -> float:
        """The customer agrees; when that was sent."""
        return await self.say(case_id, next(said for said in self._shape.says if said.message == CONSENT))

    async def open(self, **more: Any) -> tuple[str, float]:
        """Start a case as `starter.py open` does; its id, and when it was sent."""
        raw = self._shape.complaint(f"B-{uuid4().hex[:12]}", **more)
        complaint = Complaint.model_validate(raw)
        started = time.time()
        await self.target.engine.open(complaint, raw, self._policies[complaint.line])
        self._watch.moved()
        return complaint.case_id, started

    async def say(self, case_id: str, said: Said) -> float:
        """Say it once the partners have seen what it answers; when it was sent."""
        await self.sees(case_id, said.after)
        at, workflow = time.time(), workflow_id(case_id)
        with self._watch.waiting(self.target.client, workflow, f"an answer to {said.message}"):
            if said.command:
                await self.target.engine.send(case_id, said.message, said.payload)
            else:
                await self.target.client.get_workflow_handle(workflow).signal(said.message, said.payload)
        return at

    async def sees(self, case_id: str, what: str) -> float:
        """When the partners were first handed `what` for this case; waits for it."""
        with self._watch.waiting(self.target.client, workflow_id(case_id), f"the partners to be handed: {what}"):
            return await self.sightings.of(case_id, what)


@asynccontextmanager
async def players(arm: Arm, data: Path, shapes: Sequence[Shape], watch: Watch) -> AsyncIterator[Sequence[CasePlayer]]:
    """A machine of this arm with its data in that folder, and a player on it for each shape."""
    async with Machine(arm, data) as machine, Sightings(machine.data / "partners.db", watch.moved) as sightings:
        yield [CasePlayer(machine, shape, sightings, watch) for shape in shapes]


async def at_most(count: int, in_flight: int, work: Work[Answer]) -> list[Answer]:
    """`work` done `count` times, so many at a time; the first that fails ends all."""
    left = iter(range(count))
    done: list[Answer] = []

    async def one_after_another() -> None:
        for _ in left:
            done.append(await work())  # noqa: PERF401 (the others add to it too)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(in_flight, count)):
            group.create_task(one_after_another())
    return done


async def each_of(given: Sequence[Given], in_flight: int, work: Callable[[Given], Awaitable[Answer]]) -> list[Answer]:
    """`work` done on each, so many at a time."""
    left = iter(given)
    return await at_most(len(given), in_flight, lambda: work(next(left)))


async def at_pace(count: int, every: float, work: Work[Answer]) -> list[Answer]:
    """`work` begun `count` times, every so many seconds, whether or not the one before is done."""
    begun: list[asyncio.Task[Answer]] = []
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            begun.append(group.create_task(_of(work)))
            await asyncio.sleep(every)
    return [task.result() for task in begun]


async def _of(work: Work[Answer]) -> Answer:
    return await work()
