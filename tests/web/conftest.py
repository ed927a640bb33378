"""The application in this process, without a server; Temporal and our database are reached as its settings say."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

import policies
from settings import ROOT, Settings, WebSettings
from web.app import application


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    """Settings with an empty database."""
    return Settings(database_url=sqlite_url)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The running application."""
    built = application(settings, WebSettings(), policies.load(ROOT / "policies"))
    async with built.router.lifespan_context(built):
        yield built


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door") as client:
        yield client
