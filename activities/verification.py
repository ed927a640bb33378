"""All look-ups of a case at once: the partners are asked side by side (G3)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from pydantic import Field
from temporalio import activity

from cases.partner_calls import LookUp
from cases.state.account import Account
from cases.state.finding import LookUps
from partners import ports
from records import Records, RecordsUnavailable


class Answers(LookUps):
    """What the partners answered, and which of them could not be asked."""

    failed: list[str] = Field(default_factory=list)
    account: Account | None = None
    """What the order's other cases have taken meanwhile (S35); None: our records could not be asked."""


class Verification:
    """Over the ports that can be asked what happened."""

    def __init__(
        self,
        logistics: ports.Logistics,
        warehouse: ports.Warehouse,
        installation: ports.Installation,
        records: Records,
    ) -> None:
        self._records = records
        self._ask: dict[str, Callable[[LookUp], Awaitable[Any]]] = {
            "trail": logistics.trail,
            "dispatch": warehouse.dispatch_record,
            "installation": installation.record,
        }

    @activity.defn(name="look-up")
    async def look_up(self, what: LookUp, wanted: list[str]) -> Answers:
        """Ask each of `wanted` (trail, dispatch, installation) once, and our records for the order's account."""
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
        return Answers(**found, failed=failed, account=await self._account(what))

    async def _account(self, what: LookUp) -> Account | None:
        with suppress(RecordsUnavailable):
            return await asyncio.to_thread(self._records.account, what.order_id, what.case_id)
        return None
