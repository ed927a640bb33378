"""The application in this process. Our database is real; the cases behind it are fakes with the methods of `Engine`."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from temporalio.client import Client

import demo
import policies
from cases.errors import Refusal
from cases.views.snapshot import Snapshot
from client.errors import CaseOver, NoSuchCase
from client.serving import keys
from demo.play import Stage
from embedded import Embedded
from records import Records
from settings import ROOT, Settings, WebSettings
from web.app import application

POLICIES = policies.load(ROOT / "policies")
EVERYTHING = ("cases:write", "messages:*", "read:*", "webhooks")
NewKey = Callable[..., dict[str, str]]


@dataclass
class FakeEngine:
    """Cases in memory: open ones by id, with the complaint that each was opened with."""

    complaints: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[tuple[str, str, dict[str, Any], str | None]] = field(default_factory=list)
    refuses: Refusal | None = None
    starts: int = 0

    def _known(self, case_id: str) -> dict[str, Any]:
        if case_id not in self.complaints:
            raise NoSuchCase(f"no case {case_id} at 127.0.0.1:7233")
        return self.complaints[case_id]

    async def check(self) -> None:
        """Always answers."""

    async def open(self, complaint: Any, raw: dict[str, Any], _: Any) -> str:
        self.starts += 1
        if complaint.case_id in self.complaints:
            return "already open, nothing started"
        self.complaints[complaint.case_id] = raw
        return "opened"

    def queue_for(self, line: str) -> str:
        return f"queue of {line}"

    async def has_begun(self, case_id: str) -> bool:
        return case_id in self.complaints

    async def complaint(self, case_id: str) -> dict[str, Any] | None:
        return self.complaints.get(case_id)

    async def snapshot(self, case_id: str) -> Snapshot:
        known = self._known(case_id)
        timeline = [{"at": "2026-11-22T09:00:00Z", "what": "received", "text": ""}]
        timeline += [{"at": "2026-11-22T09:00:00Z", "what": name, "text": ""} for _, name, _, _ in self.sent]
        seen = Snapshot.being_admitted(case_id).model_dump(mode="json")
        return Snapshot.model_validate({**seen, "line": known["line"], "topic": known["topic"], "timeline": timeline})

    async def send(self, case_id: str, name: str, payload: dict[str, Any], update_id: str | None = None) -> Any:
        self._known(case_id)
        if self.refuses:
            raise self.refuses
        self.sent.append((case_id, name, payload, update_id))
        return {"applied": True, "status": "assessing", "outcome": None}

    async def is_open(self, case_id: str) -> bool:
        return case_id in self.complaints and not isinstance(self.refuses, CaseOver)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with empty tables, to copy: that is faster than to migrate a new one for each test."""
    file = tmp_path_factory.mktemp("empty") / "records.db"
    Records(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def settings(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with an empty database."""
    url = f"sqlite:///{shutil.copy(empty, tmp_path / 'records.db')}"
    monkeypatch.setenv("AFTER_SALES_DATABASE_URL", url)
    return Settings(database_url=url)


@pytest.fixture
def web() -> WebSettings:
    """The settings of the server."""
    return WebSettings()


@pytest.fixture
def engine_of_fakes() -> FakeEngine:
    """The cases behind the application."""
    return FakeEngine()


@pytest.fixture
async def app(settings: Settings, web: WebSettings) -> AsyncIterator[FastAPI]:
    """The running application. It reaches Temporal at TEMPORAL_ADDRESS, if at all."""
    built = application(settings, web, POLICIES)
    async with built.router.lifespan_context(built):
        yield built


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door") as client:
        yield client


@pytest.fixture
def cases(app: FastAPI, engine_of_fakes: FakeEngine) -> FakeEngine:
    """Make the application reach fake cases, and return them."""
    app.state.service._engine = engine_of_fakes  # noqa: SLF001 (what a connection would set)
    return engine_of_fakes


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    """The application's database."""
    opened = Records(settings.database_url)
    yield opened
    opened.close()


@pytest.fixture
def key(records: Records) -> NewKey:
    """Makes a key with these scopes, and returns the header that presents it."""

    def make(*scopes: str, client: str = "crm") -> dict[str, str]:
        return {"authorization": f"Bearer {keys.create(records, client, scopes or EVERYTHING, POLICIES)}"}

    return make


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Everything on this machine, for tests in a real browser."""
    ports = {"port": 0, "ui_port": 0, "partners_port": 0, "web_port": 0}
    async with (
        Embedded(data=None, fixtures=demo.FIXTURES, **ports) as machine,
        Stage(await Client.connect(machine.address), machine) as stage,
    ):
        yield stage
