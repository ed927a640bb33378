"""Simulate the people around a case: they react to its state, repeat themselves, act too early or late, and send junk.

They use only the public contract. Every message is kept with its answers.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import CASE_WORKFLOW, TASK_QUEUE, workflow_id
from cases.errors import Refusal
from cases.policy.remedy_kinds import SHIPMENTS
from client.cases import Engine
from client.connection import Unreachable
from client.errors import CaseOver, NoSuchCase
from tests.faults.scenarios import Scenario

INSIST = 180.0
"""Seconds for which a call is repeated while nothing answers; longer than any fault lasts."""
LOOKS = 120
"""How often people look at a case before they leave it."""
MOMENT = 0.4
"""Seconds in which a case usually finishes what it can do."""
APPROVER = "Chen Qiang"
"""Prepares no offers, so they may approve (S20)."""
JUMPS = (timedelta(minutes=8), timedelta(hours=1), timedelta(hours=13), timedelta(hours=26), timedelta(days=3))
POISON = [
    Payload(metadata={"encoding": b"json/plain"}, data=b"{"),
    Payload(metadata={"encoding": b"binary/plain"}, data=b"\x00\xff" * 50),
    Payload(metadata={}, data=b"?"),
    Payload(metadata={"encoding": b"json/plain"}, data=b'"' + b"x" * 80_000 + b'"'),
]
"""Invalid JSON, raw bytes, no encoding, far too large."""
OVERSIZED = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b'"' + b"x" * 2_200_000 + b'"'))
"""More than the server accepts."""
Json = dict[str, Any]
T = TypeVar("T")


@dataclass
class Sent:
    """One message under one id, and each result: applied, repeated, refused, signalled or unanswered."""

    name: str
    answers: list[str] = field(default_factory=list)


@dataclass
class Life:
    """One case and the people around it."""

    scenario: Scenario
    engine: Engine
    sent: dict[str, Sent] = field(default_factory=dict)
    poisoned: int = 0
    """How many poison messages were sent."""
    garbage: list[str] = field(default_factory=list)
    """Workflows that were started without a valid complaint."""
    last: Json = field(default_factory=dict)
    offers: list[Json] = field(default_factory=list)
    """Every offer in every state that was seen."""
    failure: str | None = None
    _tried: dict[str, int] = field(default_factory=dict)
    _missing: set[str] = field(default_factory=set)

    async def play(self) -> None:
        """Play from the complaint to the end, or until nobody has anything left to do."""
        try:
            await self._begin()
            for _ in range(LOOKS):
                seen, before = await self._look(), self.last
                self.last = seen
                self.offers += [offer for offer in seen["offers"] if offer not in self.offers]
                if seen["status"] == "closed":
                    break
                if not await self._act(seen):
                    await self._let_time_pass(still=seen["timeline"] == before.get("timeline"))
            await self._come_late()
        except (Unreachable, NoSuchCase, RPCError, TimeoutError) as error:
            self.failure = f"{type(error).__name__}: {error}"

    @property
    def case_id(self) -> str:
        """The case's id."""
        return self.scenario.case_id

    # Beginning and end

    async def _begin(self) -> None:
        """Send the complaint, often more than once, and sometimes a message that is too early."""
        starts = 1 + (self.scenario.chance.random() < 0.3) * 2
        await asyncio.gather(*(self._insist(self._start) for _ in range(starts)))
        if self.scenario.chance.random() < 0.3:
            await self._send("customer-approved", by="too early")

    async def _start(self) -> None:
        try:
            await self.engine.client.start_workflow(
                CASE_WORKFLOW,
                self.scenario.complaint,
                id=workflow_id(self.case_id),
                task_queue=TASK_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
        except WorkflowAlreadyStartedError:
            return  # it has closed

    async def _come_late(self) -> None:
        """Send the complaint and an approval after the case has closed."""
        if self.scenario.chance.random() < 0.2:
            await self._insist(self._start)
            await self._send("customer-approved", by="too late")

    # What people do

    async def _act(self, seen: Json) -> bool:
        """React to the state of the case; return False if nothing is to do."""
        chance = self.scenario.chance
        if chance.random() < 0.15:
            await self._disturb()
        if step := next((s for s in seen["steps"] if s["state"] == "blocked"), None):
            await self._resolve(step)
            return True
        return await self._answer_to(seen)

    async def _resolve(self, step: Json) -> None:
        """Resolve a blocked step: retry, replace or waive it; sometimes a second person does so (S20)."""
        chance = self.scenario.chance
        done = self._tried[step["id"]] = self._tried.get(step["id"], 0) + 1
        action = "retry" if done < 3 else "waive"
        if step["kind"] in SHIPMENTS and done < 3:
            action = chance.choice(["retry", "replace", "waive"])
        by = APPROVER if chance.random() < 0.3 else "Li Na"
        await self._send("resolve-step", step=step["id"], action=action, reason="looked at it", by=by)

    async def _answer_to(self, seen: Json) -> bool:
        """Do what the case waits for, in the role that has to; not everybody answers at once."""
        chance = self.scenario.chance
        match seen["status"]:
            case "assessing" if seen["needs"]:
                await self._assess(seen)
            case "awaiting_evidence" if chance.random() < 0.7:
                shown = [{"kind": kind, "uri": f"s3://shown/{kind}"} for kind in seen["awaited"]]
                await self._send("evidence-received", evidence=shown, by="customer")
            case "awaiting_approval":
                await self._send("approve" if chance.random() < 0.8 else "reject", by=APPROVER)
            case "offering" if seen["needs"]:
                await self._send("contact-made", note="explained the offer", by="Li Na")
            case "awaiting_consent":
                return await self._answer(seen)
            case "following_up" if chance.random() < 0.5:
                await self._send("satisfaction-reported", score=chance.choice([5, 5, 4, 3, 1]), by="customer")
            case _:
                return False
        return True

    async def _assess(self, seen: Json) -> None:
        """Assess what the case says is missing; if that is not enough, propose an offer."""
        tried = self._tried["assess"] = self._tried.get("assess", 0) + 1
        if not seen["offers"] and tried <= 3:
            # What does not fit the topic is refused; the next finding is tried.
            given = [{}, self.scenario.finding, {"severity": "severe"}][tried - 1]
            if tried > 1:
                fits = {k: v for k, v in given.items() if k in self._missing}
                await self._send("assess", **fits, by="Li Na")
                return
            answer = await self._answer_of("assess", {"by": "Li Na"})
            self._missing = set(answer.get("missing") or self.scenario.finding)
            return
        goodwill = [{"key": "goodwill", "remedies": [{"kind": "coupon", "amount": "5.00"}]}]
        await self._send("propose", options=goodwill, by="Li Na")

    async def _answer(self, seen: Json) -> bool:
        """Answer the offer: mostly yes, sometimes no, never, or to an outdated offer."""
        chance, offer = self.scenario.chance, seen["offers"][-1]
        option, dice = chance.choice(offer["options"])["key"], chance.random()
        if dice < 0.75:
            often = chance.choice([1, 1, 3])
            await self._send("customer-approved", option=option, by="customer", often=often)
        elif dice < 0.85:
            await self._send("customer-declined", reason="not enough", by="customer")
        elif dice < 0.9:
            await self._send("customer-approved", offer="o0", option=option, by="customer")
        return dice < 0.9

    async def _disturb(self) -> None:
        """Send what may come at any time: repeated notes, messages that do not apply, poison."""
        match self.scenario.chance.randrange(6):
            case 0 | 1:
                await self.remark()
            case 2:
                await self._send("contact-made", note="reached them", by="Li Na", often=2)
            case 3:
                await self._send("note", text="misspelt", txet="", by="Li Na")
            case 4:
                await self._send("satisfaction-reported", score=self.scenario.chance.choice([0, 9]), by="nobody")
            case 5:
                await self._poison()

    async def remark(self) -> None:
        """Add a note whose text is its message id."""
        await self._send("note", by="Li Na", often=self.scenario.chance.choice([1, 2, 3]), text="")

    async def _poison(self) -> None:
        """Send an unreadable payload to every entry point: signal, update, workflow start."""
        payload = RawValue(self.scenario.chance.choice(POISON))
        handle = self.engine.client.get_workflow_handle(workflow_id(self.case_id))
        match self.scenario.chance.randrange(4):
            case 0:
                name = self.scenario.chance.choice(["customer-approved", "step-reported", "no-such-message"])
                await self._insist(lambda: _unless_over(handle.signal(name, payload)))
            case 1:
                with suppress(Refusal, NoSuchCase):
                    await self._insist(lambda: self.engine.send(self.case_id, "assess", payload))  # type: ignore[arg-type]
            case 2:
                await self._insist(lambda: self._start_garbage(payload))
            case 3:  # the server itself refuses it
                for call in (handle.signal("note", OVERSIZED), self._start_garbage(OVERSIZED)):
                    with suppress(RPCError):
                        await call
        self.poisoned += 1

    async def _start_garbage(self, payload: RawValue) -> None:
        id_ = workflow_id(f"{self.case_id}-garbage-{len(self.garbage)}")
        await self.engine.client.start_workflow(
            CASE_WORKFLOW,
            payload,
            id=id_,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        self.garbage.append(id_)

    # Time

    async def _let_time_pass(self, *, still: bool) -> None:
        """Wait briefly in real time; if nothing changed, skip hours or days for the case."""
        await asyncio.sleep(MOMENT)
        if not still:
            return
        jump = self.scenario.chance.choice(JUMPS)
        await self._insist(lambda: self._skip(jump))

    async def _skip(self, time: timedelta) -> None:
        try:
            await self.engine.skip(self.case_id, time)
        except (Refusal, NoSuchCase):
            return  # it is over, or a fault moved its clock

    # Sending

    async def _send(self, name: str, *, often: int = 1, **payload: Any) -> None:
        """Send a message `often` times at once under one id."""
        id_ = f"{self.case_id}/{len(self.sent)}"
        self.sent[id_] = sent = Sent(name)
        if name == "note" and not payload.get("text"):
            payload["text"] = id_
        as_signal = name not in _COMMANDS and self.scenario.chance.random() < 0.4
        for answer in await asyncio.gather(
            *(self._once(name, payload | {"message_id": id_}, as_signal=as_signal) for _ in range(often))
        ):
            sent.answers.append(answer)

    async def _once(self, name: str, payload: Json, *, as_signal: bool) -> str:
        if as_signal:
            handle = self.engine.client.get_workflow_handle(workflow_id(self.case_id))
            await self._insist(lambda: _unless_over(handle.signal(name, payload)))
            return "signalled"
        tries = 0

        async def send() -> Json:
            nonlocal tries
            tries += 1
            answer: Json = await self.engine.send(self.case_id, name, payload)
            return answer

        try:
            answer = await self._insist(send)
        except CaseOver:
            # An unanswered try may have been applied, and may have closed the case.
            return "refused" if tries == 1 else "unanswered"
        except (Refusal, NoSuchCase):
            return "refused"
        return "applied" if answer["applied"] else "repeated"

    async def _answer_of(self, name: str, payload: Json) -> Json:
        try:
            answer: Json = await self._insist(lambda: self.engine.send(self.case_id, name, payload))
        except Refusal:
            return {}
        return answer

    async def _look(self) -> Json:
        return (await self._insist(lambda: self.engine.snapshot(self.case_id))).as_json()

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat until something answers: server and workers come back."""
        clock = asyncio.get_running_loop()
        until, pause = clock.time() + INSIST, 0.2
        while True:
            try:
                return await call()
            except (Unreachable, RPCError):
                if clock.time() > until:
                    raise
            await asyncio.sleep(pause)
            pause = min(2.0, 1.5 * pause)


_COMMANDS = {"note", "assess", "propose", "approve", "reject", "resolve-step"}


async def _unless_over(call: Awaitable[None]) -> None:
    """Send a signal, unless the case is over."""
    try:
        await call
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def sandbox_knows(client: Any, scenario: Scenario) -> None:
    """Register the order with the partners' sandbox."""
    if scenario.order_id:
        (await client.post(f"/_sandbox/orders/{scenario.order_id}", json=scenario.order)).raise_for_status()
