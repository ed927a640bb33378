"""Recording fakes behind every port: each does what was planned (`Turn`), and records what it was asked.

Without a plan a fake behaves well. It carries out a key once, and answers a repeated key with the first receipt.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cases.look_ups import ROWS
from cases.partner_calls import (
    CallbackRequest,
    CustomerMessage,
    Delivery,
    LookUp,
    Receipt,
    ReceiptState,
    StaffNotice,
    StepCommand,
    StepFinding,
    Wire,
)
from cases.policy.remedy_kinds import STEP_PARTNERS
from partners.http import Partners
from partners.ports import PartnerError, TryAgain


@dataclass(frozen=True)
class Turn:
    """How one call goes: it waits, carries the step out or not, and answers or raises."""

    until: asyncio.Event | None = None
    raises: PartnerError | None = None
    done: bool | None = None
    """Whether it is carried out; by default, unless it raises."""
    state: ReceiptState | None = None
    finding: StepFinding | None = None

    @property
    def does(self) -> bool:
        """Return whether the step is carried out."""
        return self.raises is None if self.done is None else self.done


class Turns:
    """The planned turns; after them, every call succeeds."""

    def __init__(self) -> None:
        self._coming: deque[Turn] = deque()

    def plan(self, turns: Iterable[Turn]) -> None:
        """Add these turns."""
        self._coming.extend(turns)

    def cancel(self) -> None:
        """Drop all turns, so that every call succeeds."""
        self._coming.clear()

    async def next(self) -> Turn:
        """Return the turn of this call, once it has waited."""
        turn = self._coming.popleft() if self._coming else Turn()
        if turn.until is not None:
            await turn.until.wait()
        return turn


class FakeSteps:
    """A partner that carries out steps: `commands` is every call, `asked` every question, `receipts` what was done."""

    def __init__(self, answers: ReceiptState = ReceiptState.ACCEPTED) -> None:
        self.answers = answers
        self.commands: list[StepCommand] = []
        self.asked: list[str] = []
        self.receipts: dict[str, Receipt] = {}
        self.knows: Wire | None = None
        """Its answers to look-ups."""
        self._steps, self._finds, self._look_ups = Turns(), Turns(), Turns()

    def will(self, *turns: Turn) -> None:
        """Plan the next steps."""
        self._steps.plan(turns)

    def when_asked(self, *turns: Turn) -> None:
        """Plan the next questions by key."""
        self._finds.plan(turns)

    def when_looked_up(self, *turns: Turn) -> None:
        """Plan the next look-ups."""
        self._look_ups.plan(turns)

    def will_find(self, key: str, state: ReceiptState | None) -> None:
        """Set what it finds from now on; None: nothing."""
        self.receipts.pop(key, None)
        if state is not None:
            self.receipts[key] = Receipt(reference="R-1", state=state)

    def recovers(self) -> None:
        """Drop all plans, so that every call succeeds."""
        for turns in (self._steps, self._finds, self._look_ups):
            turns.cancel()

    async def carry_out(self, command: StepCommand) -> Receipt:
        """Carry out as planned; a known key is not carried out again."""
        self.commands.append(command)
        number = len(self.commands)
        turn = await self._steps.next()
        if turn.does and command.key not in self.receipts:
            state = turn.state or self.answers
            self.receipts[command.key] = Receipt(reference=f"R-{number}", state=state, finding=turn.finding)
        if turn.raises is not None:
            raise turn.raises
        receipt = self.receipts[command.key]
        return receipt if turn.state is None else receipt.model_copy(update={"state": turn.state})

    async def find(self, key: str) -> Receipt | None:
        """Return what was done under this key."""
        self.asked.append(key)
        turn = await self._finds.next()
        if turn.raises is not None:
            raise turn.raises
        return self.receipts.get(key)

    async def look_up(self) -> Any:
        """Return what it `knows`, for any order."""
        turn = await self._look_ups.next()
        if turn.raises is not None:
            raise turn.raises
        return self.knows


class FakeMessaging:
    """Customer messages and staff notices, in the order of delivery; a key is delivered once."""

    def __init__(self) -> None:
        self.down = False
        self.unreachable: PartnerError | None = None
        """Appended to every message to a customer, if set."""
        self.attempts = 0
        self.to_customers: dict[str, CustomerMessage] = {}
        self.notices: dict[str, StaffNotice] = {}

    @property
    def events(self) -> list[str]:
        """Return the events of the messages to customers."""
        return [message.event for message in self.to_customers.values()]

    async def to_customer(self, message: CustomerMessage) -> Delivery:
        """Deliver, unless `down` or `unreachable`."""
        self._up()
        if self.unreachable is not None:
            raise self.unreachable
        self.to_customers.setdefault(message.key, message)
        return Delivery(reference=message.key, channel=message.routes[0], at=datetime.now(UTC))

    async def to_staff(self, notice: StaffNotice) -> Delivery:
        """Deliver, unless `down`."""
        self._up()
        self.notices.setdefault(notice.key, notice)
        return Delivery(reference=notice.key, channel="staff", at=datetime.now(UTC))

    def _up(self) -> None:
        self.attempts += 1
        if self.down:
            raise TryAgain("messaging is down")


class FakeCallbacks:
    """Calls and questionnaires."""

    def __init__(self) -> None:
        self.asked: dict[str, CallbackRequest] = {}

    async def ask(self, request: CallbackRequest) -> Delivery:
        """Request a callback, once per key."""
        self.asked.setdefault(request.key, request)
        return Delivery(reference=request.key, channel="phone", at=datetime.now(UTC))


@dataclass
class FakePartners:
    """One fake per partner; money is done at once, everything else is accepted and reported later."""

    logistics: FakeSteps = field(default_factory=FakeSteps)
    warehouse: FakeSteps = field(default_factory=FakeSteps)
    installation: FakeSteps = field(default_factory=FakeSteps)
    refunds: FakeSteps = field(default_factory=lambda: FakeSteps(ReceiptState.DONE))
    messaging: FakeMessaging = field(default_factory=FakeMessaging)
    callbacks: FakeCallbacks = field(default_factory=FakeCallbacks)

    async def look_up(self, name: str, what: LookUp) -> Any:
        """Return what the partner of this look-up knows."""
        partner: FakeSteps = getattr(self, ROWS[name].partner)
        return await partner.look_up()

    def ports(self) -> Partners:
        """Return the ports for the worker."""
        return Partners(
            steps={partner: getattr(self, partner) for partner in STEP_PARTNERS},
            look_ups=self,
            messaging=self.messaging,
            callbacks=self.callbacks,
            aclose=_nothing_to_close,
        )


async def _nothing_to_close() -> None:
    return None
