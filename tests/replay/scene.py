"""Where golden histories are played: a worker with fakes, and partners that fail as planned."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

from cases.contract import claim_workflow_id
from cases.partner_calls import DispatchRecord, Trail, TrailState
from partners.ports import OutcomeUnknown, PartnerRefused, TryAgain
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, eventually, step
from tests.fakes import FakePartners, Turn

PHOTO = {"kind": "photo", "uri": "https://files.example.org/1.jpg"}
LOST = Turn(raises=OutcomeUnknown("no answer within 8 s"), done=False)
AWAY = Turn(raises=TryAgain("down", retry_after=3_600))
NO = Turn(raises=PartnerRefused("no such parcel"))


@dataclass
class Scene:
    """A worker with fakes, on a new server."""

    workshop: Workshop
    partners: FakePartners = field(default_factory=FakePartners)

    async def case(self, name: str, **changes: Any) -> OpenCase:
        """Start the case of the complaint PATH-name."""
        return await self.workshop.take_in(complaint(case_id=f"PATH-{name}", **changes))

    def policy(self, **changes: Any) -> None:
        """Change the policy of the line that most complaints are about."""
        policies = self.workshop.parts.policies
        policies["building_materials"] = policies["building_materials"].model_copy(update=changes)

    async def claim(self, name: str, promised: timedelta, dispatched: DispatchRecord | None) -> OpenCase:
        """Return the carrier claim for a lost parcel that was promised that long ago."""
        self.partners.logistics.knows, self.partners.warehouse.knows = Trail(state=TrailState.LOST), dispatched
        order = {"promised_at": (datetime.now(UTC) - promised).isoformat()}
        case = await self.case(name, topic="transport.loss", order=order)
        await case.until(lambda c: step(c, "carrier_claim")["state"] == "done")
        handle = case.client.get_workflow_handle(claim_workflow_id(case.id))
        # The case itself is not recorded: the demo has a similar one.
        self.workshop.taken_in.symmetric_difference_update({case.handle.id, handle.id})
        return OpenCase(case.id, case.client, handle)


Path = Callable[[Scene], Awaitable[None]]
DISPATCHED = DispatchRecord(warehouse="WH-1", packed_by="Li Na", condition="sealed")
FOUR_DAYS = timedelta(days=4)


def fails(port: object, method: str, error: Exception, times: int = 1) -> None:
    """Let the next calls of a method raise."""
    well, left = getattr(port, method), [error] * times

    def called(*arguments: Any, **named: Any) -> Any:
        if left:
            raise left.pop()
        return well(*arguments, **named)

    setattr(port, method, called)


async def passes(claim: OpenCase, **time: float) -> None:
    """Let time pass for a claim, which has no snapshot of a case."""
    await TimeSkipper(claim.client).fast_forward(claim.handle, timedelta(**time))
    with suppress(RPCError):  # it may have ended meanwhile
        await claim.at_rest()


async def over(case: OpenCase) -> None:
    """Wait until it has ended in any way."""

    async def ended() -> bool:
        return (await case.handle.describe()).close_time is not None

    await eventually(ended, f"the end of {case.handle.id}")
