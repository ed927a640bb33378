"""A claim against a carrier: `lose` opens a case whose parcel is lost, so that its claim begins."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from cases.contract import claim_workflow_id
from cases.partner_calls import DispatchRecord, Trail, TrailEvent, TrailState
from tests.engine import OpenCase, Workshop, eventually, step
from tests.fakes import FakePartners
from tests.workflows.conftest import Open

YESTERDAY = timedelta(days=1)
TRAIL = Trail(
    state=TrailState.LOST,
    events=[TrailEvent(at=datetime(2026, 1, day, tzinfo=UTC), what=f"scan {day}") for day in (1, 3, 2)],
)
DISPATCHED = DispatchRecord(warehouse="WH-1", packed_by="Li Na", condition="sealed")
CONTRACT_NOTE = {"kind": "document", "uri": "s3://claims/dispatch-note.pdf"}


class Claim(NamedTuple):
    """A carrier claim, whose clock can be moved like a case's."""

    case: OpenCase
    process: OpenCase

    async def view(self) -> dict[str, Any]:
        """Return the answer to its query."""
        answer: dict[str, Any] = await self.process.asks("claim")
        return answer

    async def until(self, **fields: Any) -> dict[str, Any]:
        """Return the first view in which these fields have these values."""
        seen: dict[str, Any] = {}

        async def look() -> bool:
            seen.update(await self.view())
            return all(seen[name] == value for name, value in fields.items())

        await eventually(look, f"{fields} of {self.process.handle.id}")
        return seen

    async def after(self, **time: float) -> dict[str, Any]:
        """Move its clock, let everything happen that became due, and return the view."""
        await TimeSkipper(self.process.client).fast_forward(self.process.handle, timedelta(**time))
        await self.process.at_rest()
        return await self.view()


Lose = Callable[..., Awaitable[Claim]]


@pytest.fixture
def lose(workshop: Workshop, open_case: Open, partners: FakePartners, client: Client) -> Lose:
    """Start a claim for a lost parcel that was `promised` that long ago; it is replayed at the end."""

    async def begun(promised: timedelta = YESTERDAY, dispatched: DispatchRecord | None = DISPATCHED) -> Claim:
        partners.logistics.knows, partners.warehouse.knows = TRAIL, dispatched
        promised_at = (datetime.now(UTC) - promised).isoformat()
        case = await open_case(topic="transport.loss", order={"promised_at": promised_at})
        await case.until(lambda c: step(c, "carrier_claim")["state"] == "done")
        process = OpenCase(case.id, client, client.get_workflow_handle(claim_workflow_id(case.id)))
        workshop.taken_in.add(process.handle.id)
        return Claim(case, process)

    return begun


async def end(case: OpenCase) -> dict[str, Any]:
    """Let the customer agree, get paid, and be satisfied."""
    await case.becomes("awaiting_consent")
    await case.says("customer-approved")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=4)
    return await case.result()


def notices(partners: FakePartners) -> list[str]:
    """Return the reasons of notices to staff about a claim, in order."""
    notices = partners.messaging.notices.values()
    return [notice.facts["why"] for notice in notices if notice.event == "carrier_claim"]
