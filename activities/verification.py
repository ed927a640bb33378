"""All look-ups of a case at once: the partners are asked side by side (G3)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pydantic import Field
from temporalio import activity

from activities.outcomes import as_application_errors
from cases.look_ups import ROWS, LookUps
from cases.partner_calls import LookUp
from cases.state.account import Account
from partners import ports
from records import Records, RecordsUnavailable


class Answers(LookUps):
    """What the partners answered, and which of them could not be asked."""

    failed: list[str] = Field(default_factory=list)
    account: Account | None = None
    """What the order's other cases have taken meanwhile (S35); None: our records could not be asked."""


class Verification:
    """Over the look-ups and our own records."""

    def __init__(self, port: ports.LookUps, records: Records) -> None:
        self._port = port
        self._records = records

    @activity.defn(name="look-up")
    async def look_up(self, what: LookUp, wanted: list[str]) -> Answers:
        """Ask for each of `wanted` (`LookUpName`) once, and our records for the order's account."""
        answers = await asyncio.gather(*(self._port.look_up(name, what) for name in wanted), return_exceptions=True)
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

    def activities(self) -> list[Callable[..., Any]]:
        """All look-ups at once, and each again by itself."""
        return [self.look_up, *(self._again(name, row.activity) for name, row in ROWS.items())]

    def _again(self, name: str, activity_name: str) -> Callable[..., Any]:
        @activity.defn(name=activity_name)
        async def again(what: LookUp) -> Any:
            async with as_application_errors():
                return await self._port.look_up(name, what)

        return again

    async def _account(self, what: LookUp) -> Account | None:
        with suppress(RecordsUnavailable):
            return await asyncio.to_thread(self._records.account, what.order_id, what.case_id)
        return None
