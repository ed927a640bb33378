"""A worker with fakes behind every port and a records file; `open_case` starts cases on it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

import policies
from cases.policy.policy import Policy
from records import Records
from settings import ROOT
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop
from tests.fakes import FakePartners
from worker import Parts

Open = Callable[..., Awaitable[OpenCase]]


@pytest.fixture(scope="session")
def written_policies() -> dict[str, Policy]:
    """The policies in force."""
    return policies.load(ROOT / "policies")


@pytest.fixture
def partners() -> FakePartners:
    """The fakes; they behave well by default."""
    return FakePartners()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Our records, empty."""
    opened = Records(f"sqlite:///{tmp_path / 'records.db'}")
    yield opened
    opened.close()


@pytest.fixture
async def closed_workshop(
    client: Client, partners: FakePartners, records: Records, written_policies: dict[str, Policy]
) -> AsyncIterator[Workshop]:
    """A worker that has not started yet; at the end every history of the test is replayed."""
    workshop = Workshop(client, Parts(dict(written_policies), partners.ports(), records))
    yield workshop
    await workshop.close()
    await workshop.replay()


@pytest.fixture
async def workshop(closed_workshop: Workshop) -> Workshop:
    """A running worker."""
    await closed_workshop.open()
    return closed_workshop


@pytest.fixture
def open_case(workshop: Workshop) -> Open:
    """Starts a case: `await open_case(topic=…, order={…}, age=timedelta(…))`."""

    async def opened(*, age: timedelta = timedelta(), **changes: Any) -> OpenCase:
        return await workshop.take_in(complaint(age=age, **changes))

    return opened


async def offered(case: OpenCase, severity: str) -> dict[str, Any]:
    """Assess the case; return the snapshot once the offer has reached the customer."""
    await case.becomes("assessing")
    await case.says("assess", severity=severity, by="Zhao")
    return await case.becomes("awaiting_consent")


async def agreed(case: OpenCase, severity: str = "severe") -> None:
    """Assess the case, and let the customer agree."""
    await offered(case, severity)
    await case.says("customer-approved", by="Wang Li")


def links(case: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the kind and the case of each link of a snapshot."""
    return [(link["kind"], link["case"]) for link in case["links"]]
