"""All look-ups of a case at once: the partners are asked side by side (G3)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import Field
from temporalio import activity

from cases.commands import LookUp
from cases.finding import LookUps
from partners import ports


class Answers(LookUps):
    """What the partners answered, and which of them could not be asked."""

    failed: list[str] = Field(default_factory=list)


class Verification:
    """Over the ports that can be asked what happened."""

    def __init__(
        self, logistics: ports.Logistics, warehouse: ports.Warehouse, installation: ports.Installation
    ) -> None:
        self._ask: dict[str, Callable[[LookUp], Awaitable[Any]]] = {
            "trail": logistics.trail,
            "dispatch": warehouse.dispatch_record,
            "installation": installation.record,
        }

    @activity.defn(name="look-up")
    async def look_up(self, what: LookUp, wanted: list[str]) -> Answers:
        """Ask each of `wanted` (trail, dispatch, installation) once."""
        answers = await asyncio.gather(*(self._ask[name](what) for name in wanted), return_exceptions=True)
        found: dict[str, Any] = {}
        failed = []
        for name, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, ports.PartnerError):
                failed.append(name)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found[name] = answer
        return Answers(**found, failed=failed)
