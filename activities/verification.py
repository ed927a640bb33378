"""All look-ups of a case in one activity: the partners are asked in parallel (G3)."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from pydantic import Field
from temporalio import activity

from activities.outcomes import as_application_errors
from activities.shortcuts import Shortcut
from cases.look_ups import ROWS, LookUps
from cases.partner_calls import LookUp, Wire
from cases.state.account import Account
from partners import ports
from records import Records, RecordsUnavailable


class Answers(LookUps):
    """The partners' answers, and the look-ups that failed."""

    failed: list[str] = Field(default_factory=list)
    account: Account | None = None
    """What the order's other cases have taken by now (S35); None if the database is unavailable."""


class Verification:
    """The activities that use the look-ups port and our database."""

    def __init__(self, port: ports.LookUps, records: Records, shortcuts: Mapping[str, Shortcut]) -> None:
        """`shortcuts` are those of each partner."""
        self._port = port
        self._records = records
        self._shortcuts = shortcuts

    @activity.defn(name="look-up")
    async def look_up(self, what: LookUp, wanted: list[str]) -> Answers:
        """Ask each look-up in `wanted` (`LookUpName`) once, and read the order's account from the database."""
        answers = await asyncio.gather(*(self._ask(name, what) for name in wanted), return_exceptions=True)
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

    async def _ask(self, name: str, what: LookUp) -> Wire | None:
        with self._shortcuts[ROWS[name].partner].taken():
            return await self._port.look_up(name, what)

    def again(self, partner: str) -> list[Callable[..., Any]]:
        """Return an activity for each look-up at a partner, which asks again after a failure."""
        return [self._again(name, row.activity) for name, row in ROWS.items() if row.partner == partner]

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
