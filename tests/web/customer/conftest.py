"""The customer's page over cases in memory: the real domain and our real database, without Temporal."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cases.views.snapshot import Snapshot
from client.connection import Unreachable
from client.errors import CaseOver, NoSuchCase
from records import Records
from records.links import new_token
from settings import WebSettings
from tests.cases.world import World

OWN = {"sec-fetch-site": "same-origin"}
"""What a browser sends with a form of our page."""
DIGITS = "0000"
"""The last digits of the customer of `tests.complaints`."""


@dataclass
class CasesInMemory:
    """Cases as `client.cases.Engine` reaches them."""

    worlds: dict[str, World] = field(default_factory=dict)
    sent: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """Every message that was sent: case, name, payload."""
    down: bool = False
    """No worker answers."""

    def add(self, world: World) -> World:
        self.worlds[world.case.id] = world
        return world

    async def snapshot(self, case_id: str) -> Snapshot:
        world = self._world(case_id)
        return Snapshot.model_validate_json(Snapshot.of(world.case).model_dump_json())

    async def send(self, case_id: str, name: str, payload: dict[str, Any]) -> Any:
        self.sent.append((case_id, name, payload))
        world = self._world(case_id)
        if world.case.closed_at is not None:
            raise CaseOver(f"{case_id} is closed")
        return world.says(name, **payload)

    def _world(self, case_id: str) -> World:
        if self.down:
            raise Unreachable("no worker answers")
        if case_id not in self.worlds:
            raise NoSuchCase(f"there is no case {case_id}")
        return self.worlds[case_id]


@pytest.fixture
def web(tmp_path: Path) -> WebSettings:
    return WebSettings(photos=tmp_path / "photos")


@pytest.fixture
def engine_in_memory(app: FastAPI) -> CasesInMemory:
    cases = CasesInMemory()

    app.state.service._engine = cases  # noqa: SLF001 (what a connection would set)
    return cases


@dataclass
class Customer:
    """Somebody with a link."""

    http: httpx.AsyncClient
    token: str
    world: World

    @property
    def path(self) -> str:
        return f"/c/{self.token}"

    async def opens(self, **query: str) -> httpx.Response:
        return await self.http.get(self.path, params={"lang": "en", **query})

    async def sends(self, form: str, headers: dict[str, str] = OWN, **fields: Any) -> httpx.Response:
        files = fields.pop("files", None)
        return await self.http.post(f"{self.path}/{form}?lang=en", data=fields, files=files, headers=headers)


@pytest.fixture
def customer_of(http: httpx.AsyncClient, records: Records, engine_in_memory: CasesInMemory) -> Any:
    """Gives the customer of a case a link."""

    def made(world: World) -> Customer:
        engine_in_memory.add(world)
        token = new_token()
        records.add_link(token, world.case.id, "test", datetime.now(UTC))
        return Customer(http, token, world)

    return made
