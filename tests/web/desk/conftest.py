"""The desk in this process: real cases in memory behind it, and our database with their rows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cases.contract import MOVE_POLICY
from cases.errors import Refusal
from cases.views.listing import Listing, Projected
from cases.views.snapshot import Snapshot
from client.errors import NoSuchCase
from records import Records
from settings import WebSettings
from tests.cases.world import World, in_force

OURS = {"sec-fetch-site": "same-origin"}
"""What a browser states about a form of our own page."""


@dataclass
class Cases:
    """Cases in memory by id, with the methods of `Engine` that the desk uses."""

    records: Records
    worlds: dict[str, World] = field(default_factory=dict)
    sent: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def put(self, world: World) -> World:
        """Add a case, and its row."""
        self.worlds[world.case.id] = world
        self._write(world)
        return world

    def _write(self, world: World) -> None:
        snapshot = Snapshot.of(world.case)
        row = Projected(seq=1, listing=Listing.of(world.case, snapshot), snapshot=snapshot.model_dump_json())
        if not self.records.replace(row, None):
            self.records.project(row.model_copy(update={"seq": 1 + len(self.sent)}))

    async def snapshot(self, case_id: str) -> Snapshot:
        if case_id not in self.worlds:
            raise NoSuchCase(f"no case {case_id}")
        return Snapshot.of(self.worlds[case_id].case)

    async def send(self, case_id: str, name: str, payload: dict[str, Any], update_id: str | None = None) -> Any:
        world = self.worlds[case_id]
        try:
            if name == MOVE_POLICY:
                answer = world.moves(in_force()[world.case.complaint.line], **payload)
            else:
                answer = world.says(name, **payload)
        except Refusal as error:
            raise Refusal(str(error)) from None
        self.sent.append((case_id, name, payload))
        self._write(world)
        return answer


@pytest.fixture
def web() -> WebSettings:
    return WebSettings(demonstration=True)


@pytest.fixture
def kept(app: FastAPI, records: Records) -> Cases:
    """The cases behind the desk."""
    found = Cases(records)
    app.state.service._engine = found  # noqa: SLF001 (what a connection would set)
    return found


class Browser(httpx.AsyncClient):
    """A browser: it keeps cookies, and states where forms come from."""

    async def log_in(self, person: str) -> httpx.Response:
        """Log in as a person of the demonstration."""
        return await self.post("/login", data={"person": person}, headers=OURS)

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of our own page."""
        return await self.post(path, data=fields, headers=OURS)


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[Browser]:
    """A browser without a session."""
    async with Browser(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8735") as client:
        yield client


@pytest.fixture
async def agent(browser: Browser) -> Browser:
    """A browser in which an agent who sees every line is logged in."""
    await browser.log_in("李娜")
    return browser
