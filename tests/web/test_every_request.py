"""What holds for every request: its id, protective headers, errors as problem details."""

import logging
import socket
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from cases.errors import AfterSalesError, InvalidInput, Problem, Refusal
from client.errors import NoSuchCase
from settings import Settings
from web.middleware import HEADERS
from web.problems import Failed


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a Temporal server that does not answer."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("TEMPORAL_ADDRESS", address)
        yield address


def failing(app: FastAPI, error: Exception) -> None:
    @app.get("/fails")
    async def fails() -> None:
        raise error


async def test_health_asks_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_every_answer_has_an_id_of_its_own_and_protective_headers(http: httpx.AsyncClient) -> None:
    answers = [await http.get("/health", headers={"x-request-id": "mine"}), await http.get("/nowhere")]

    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 2
    assert "mine" not in ids
    for answer in answers:
        assert HEADERS.items() <= dict(answer.headers).items()


async def test_method_that_is_not_possible_is_answered_with_those_that_are(http: httpx.AsyncClient) -> None:
    """Also where several routes have one path."""
    answer = await http.delete("/v1/cases")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_unknown_path_and_method_are_problem_details(http: httpx.AsyncClient) -> None:
    missing, wrong = await http.get("/nowhere"), await http.delete("/health")

    assert missing.headers["content-type"] == wrong.headers["content-type"] == "application/problem+json"
    assert missing.json()["detail"] == "there is nothing at /nowhere"
    assert missing.json()["request_id"] == missing.headers["x-request-id"]
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert wrong.json()["detail"] == "DELETE is not possible at /health"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refusal("the case is closed"), 409),
        (NoSuchCase("no case HL-1"), 404),
        (InvalidInput([Problem(field="line", problem="is required")]), 422),
        (Failed(412, "it has changed"), 412),
    ],
)
async def test_our_errors_have_a_status_and_their_sentence(
    app: FastAPI, http: httpx.AsyncClient, error: AfterSalesError, status: int
) -> None:
    failing(app, error)

    answer = await http.get("/fails")

    assert (answer.status_code, answer.json()["status"], answer.json()["detail"]) == (status, status, str(error))


async def test_error_in_our_code_shows_nothing_and_is_logged_with_its_request(
    app: FastAPI, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    failing(app, ZeroDivisionError("secret"))

    with caplog.at_level(logging.ERROR):
        answer = await http.get("/fails")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


async def test_ready_names_what_does_not_answer_and_what_to_do(http: httpx.AsyncClient, nobody: str) -> None:
    answer = await http.get("/ready")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["temporal"].startswith(f"no server answers at {nobody}: start one")
    assert answer.json()["database"] == "ok"


class TestWithoutDatabase:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(database_url="postgresql+psycopg://nobody:secret@127.0.0.1:1/none")

    async def test_ready_names_its_address_without_the_password(self, http: httpx.AsyncClient, nobody: str) -> None:
        answer = await http.get("/ready")

        assert answer.status_code == 503
        assert answer.json()["database"].startswith("The database at 127.0.0.1:1/none cannot be used: ")
        assert "secret" not in answer.text
