"""Whoever has a link is the customer, so it is in no log and in no history."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

import logs
from records.links import new_token
from settings import Settings
from tests.cases import stages
from tests.web.customer.conftest import CasesInMemory, Customer


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The standard error of the web server, set up as in `web.__main__`."""
    text, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", text)
    logs.set_up(Settings(log_format="json", log_level="DEBUG"))
    yield text
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


async def test_no_line_of_the_log_has_a_token(
    log: io.StringIO, customer_of: Any, engine_in_memory: CasesInMemory
) -> None:
    customer: Customer = customer_of(stages.offered())
    await customer.opens()
    await customer.sends("accept", offer="o1", option="replace")
    await customer.http.get(f"{customer.path}/nothing")
    await customer.http.get("/language/en", params={"to": customer.path})
    await customer.http.get(f"/c/{new_token()}")
    engine_in_memory.down = True
    await customer.opens()

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert {line["path"] for line in lines if line["event"] == "request"} >= {"/c/***", "/c/***/accept"}
    assert customer.token not in log.getvalue()


async def test_error_of_ours_is_logged_without_the_token(
    log: io.StringIO, customer_of: Any, engine_in_memory: CasesInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer: Customer = customer_of(stages.offered())

    async def fails(_: str) -> Any:
        raise RuntimeError(f"at https://care.example.com{customer.path}?lang=en and '{customer.path}'")

    monkeypatch.setattr(engine_in_memory, "snapshot", fails)
    answer = await customer.opens()

    assert answer.status_code == 500
    assert "RuntimeError" in log.getvalue()
    assert customer.token not in log.getvalue() + answer.text


def test_library_that_logs_an_address_logs_no_token(log: io.StringIO) -> None:
    logging.getLogger("some.library").warning("GET %s failed", "http://127.0.0.1:8735/c/SECRET/photos?lang=en")

    assert json.loads(log.getvalue())["event"] == "GET http://127.0.0.1:8735/c/***/photos?lang=en failed"
