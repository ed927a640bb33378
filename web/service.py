"""What all routes share: connections to Temporal and our database, the policies, the settings."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request

from cases.policy.policy import Policy
from client.cases import Engine
from client.store import Store
from settings import Settings, WebSettings
from web.limits import Rates

MAX_REFUSED = 60
"""Requests without a known key or link that an address may send in a minute."""
MAX_LOG_INS = 20
"""Log-ins of an address in a minute."""
MAX_VISITS = 60
"""Requests that a customer may send with one link in a minute."""
NOTED_EVERY = timedelta(minutes=1)


class Service:
    """The parts of the server. Connections are opened when they are first needed, and again after a failure."""

    def __init__(self, settings: Settings, web: WebSettings, policies: Mapping[str, Policy]) -> None:
        self.settings, self.web, self.policies = settings, web, policies
        self.store = Store(settings)
        self.rates = Rates(web.requests_per_minute)
        self.refusals = Rates(MAX_REFUSED)
        """Requests without a known key, and with an unknown link of a customer, by address."""
        self.log_ins = Rates(MAX_LOG_INS)
        self.visits = Rates(MAX_VISITS)
        """Requests of customers, by link."""
        self._noted: dict[str, datetime] = {}
        self._engine: Engine | None = None
        self._connecting = asyncio.Lock()

    async def engine(self) -> Engine:
        """Return the connection to Temporal. Raises `Unreachable` with the address and what to do."""
        async with self._connecting:
            if self._engine is None:
                self._engine = await Engine.connect(settings=self.settings)
            return self._engine

    async def close(self) -> None:
        """Close our database. The SDK closes its own connections."""
        await self.store.close()

    def is_worth_noting(self, key_id: str, now: datetime) -> bool:
        """Return whether to note in our database that a key was used: once a minute."""
        if key_id in self._noted and now - self._noted[key_id] < NOTED_EVERY:
            return False
        self._noted[key_id] = now
        return True

    def now(self) -> datetime:
        """Return the current time."""
        return datetime.now(UTC)


async def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


Served = Annotated[Service, Depends(_service)]
"""The type of a route's parameter that receives the `Service`."""
