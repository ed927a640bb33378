"""Start cases, and report for each complaint whether it has a case, or why not (S34)."""

import asyncio
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from cases.complaint import Complaint
from cases.errors import AfterSalesError, Refusal
from cases.policy.policy import Policy
from client.cases import Engine
from client.errors import NoSuchCase

OPENED = "opened"
CONFIRM_WITHIN, EVERY = 10.0, 0.05
"""Seconds that a worker has to accept a complaint, and between two checks; an idle one needs a tenth of a second."""
AT_ONCE = 20
"""Maximum number of complaints that are checked for acceptance at the same time."""


class How(StrEnum):
    """The kinds of results."""

    OPENED = "opened"
    PENDING = "pending"
    """The case is opened, and no worker has accepted the complaint yet."""
    EXISTS = "exists"
    """There was a case before, of this complaint or of one that differs."""
    REFUSED = "refused"


class Opened(NamedTuple):
    """The result for a complaint. `ok`: there is a case with its content."""

    text: str
    ok: bool = True
    how: How = How.OPENED
    differs: tuple[str, ...] = ()
    """The fields in which the complaint of an existing case differs."""


class Opening:
    """Opens cases one by one, while it waits in the background until workers accept them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._served: dict[str, bool] = {}
        """Whether a worker serves a task queue, for those that have been checked."""

    async def start(self, complaint: Complaint, raw: dict[str, Any], policy: Policy) -> "asyncio.Task[Opened]":
        """Start the case of a valid complaint. The task returned ends when the result is known."""
        started: str | AfterSalesError
        try:
            started = await self._engine.open(complaint, raw, policy)
        except (Refusal, NoSuchCase) as refused:
            started = refused
        return asyncio.create_task(self._result(complaint, started))

    async def _result(self, complaint: Complaint, started: str | AfterSalesError) -> Opened:
        async with self._gate:
            if isinstance(started, AfterSalesError):
                return Opened(f"refused: {started}", ok=False, how=How.REFUSED)
            if started != OPENED:
                return await self._existing(complaint, started)
            try:
                accepted = await self._is_accepted(complaint)
            except (Refusal, NoSuchCase) as refused:
                return Opened(f"refused: {refused}", ok=False, how=How.REFUSED)
            later = f"; no worker has accepted it yet, see starter.py show {complaint.case_id}"
            return Opened(OPENED) if accepted else Opened(OPENED + later, how=How.PENDING)

    async def _existing(self, complaint: Complaint, state: str) -> Opened:
        """Return the result if the case exists already: for this complaint, or for one with different content."""
        raw = await self._engine.complaint(complaint.case_id)
        fields = differing(complaint, raw)
        if fields:
            state = state.removesuffix(", nothing started")
            text = f"{state}, and this complaint differs in {', '.join(fields)}: nothing started"
            return Opened(text, ok=False, how=How.EXISTS, differs=tuple(fields))
        return Opened(state, how=How.EXISTS)

    async def _is_accepted(self, complaint: Complaint) -> bool:
        """Wait until a worker accepts the complaint; False: none has. Raises `NoSuchCase` if it is refused."""
        deadline = asyncio.get_running_loop().time() + CONFIRM_WITHIN
        queue = self._engine.queue_for(complaint.line)
        while not await self._engine.has_begun(complaint.case_id):
            if queue not in self._served:
                self._served[queue] = await self._engine.is_served(queue)
            if not self._served[queue] or asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(EVERY)
        return True


def differing(complaint: Complaint, raw: Any) -> list[str]:
    """Return the names of the fields in which a complaint differs from `raw`; no values, they may be personal."""
    try:
        before = Complaint.model_validate(raw)
    except ValidationError:
        return []
    return list(_differing(before, complaint, ""))


def _differing(before: BaseModel, after: BaseModel, where: str) -> list[str]:
    found = []
    for name in type(before).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, BaseModel) and isinstance(new, BaseModel):
            found += _differing(old, new, f"{where}{name}.")
        elif old != new:
            found.append(f"{where}{name}")
    return found
