"""Whoever sends a complaint is told each time whether there is a case, and what it was not opened for (S34)."""

import asyncio
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from cases.complaint import Complaint
from cases.contract import TASK_QUEUE
from cases.errors import AfterSalesError, Refusal
from cases.policy.policy import Policy
from client.cases import Engine, NoSuchCase

OPENED = "opened"
CONFIRM_WITHIN, EVERY = 10.0, 0.05
"""Seconds that a worker has to take a complaint up, and between two looks; an idle one needs a tenth of a second."""
AT_ONCE = 20
"""Complaints that are waited for at a time."""


class Opened(NamedTuple):
    """What became of a complaint, and whether there is a case for all that it says."""

    text: str
    ok: bool = True


class Opening:
    """Opens cases one by one, and waits beside that for each to be taken up."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._some = asyncio.Semaphore(AT_ONCE)
        self._served: bool | None = None

    async def start(self, complaint: Complaint, raw: dict[str, Any], policy: Policy) -> "asyncio.Task[Opened]":
        """Start a complaint that passed the door; the task ends when it is known what became of it."""
        how: str | AfterSalesError
        try:
            how = await self._engine.open(complaint, raw, policy)
        except (Refusal, NoSuchCase) as refused:
            how = refused
        return asyncio.create_task(self._ended(complaint, how))

    async def _ended(self, complaint: Complaint, how: str | AfterSalesError) -> Opened:
        async with self._some:
            if isinstance(how, AfterSalesError):
                return Opened(f"refused: {how}", ok=False)
            if how != OPENED:
                return await self._there(complaint, how)
            try:
                taken_up = await self._taken_up(complaint.case_id)
            except (Refusal, NoSuchCase) as refused:
                return Opened(f"refused: {refused}", ok=False)
            later = f"; no worker has taken it up yet, see starter.py show {complaint.case_id}"
            return Opened(OPENED if taken_up else OPENED + later)

    async def _there(self, complaint: Complaint, how: str) -> Opened:
        """There was a case already: for this very complaint, or for one that says something else."""
        raw = await self._engine.complaint(complaint.case_id)
        fields = differing(complaint, raw)
        if fields:
            here = how.removesuffix(", nothing started")
            return Opened(f"{here}, and this complaint differs in {', '.join(fields)}: nothing started", ok=False)
        return Opened(how)

    async def _taken_up(self, case_id: str) -> bool:
        """Whether there is a case now; False: nobody has looked at it yet. Raises `NoSuchCase` with the reason."""
        patience = asyncio.get_running_loop().time() + CONFIRM_WITHIN
        while not await self._engine.has_begun(case_id):
            if self._served is None:
                self._served = await self._engine.is_served(TASK_QUEUE)
            if not self._served or asyncio.get_running_loop().time() > patience:
                return False
            await asyncio.sleep(EVERY)
        return True


def differing(complaint: Complaint, raw: Any) -> list[str]:
    """Names of the fields in which a complaint is not the one in `raw`; no values, they may be personal."""
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
