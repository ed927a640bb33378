"""Opening cases and sending messages over HTTP: what is refused, what is repeated, and who is named as the sender."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from cases.contract import MAX_INPUT_BYTES
from cases.errors import Refusal
from client.connection import Unreachable
from records import Begun
from settings import WebSettings
from tests.complaints import complaint
from tests.web.conftest import FakeEngine, NewKey
from web.api import bodies
from web.api.repeats import IN_PROGRESS, OTHER_REQUEST
from web.limits import WRITES

JSON = {"content-type": "application/json"}


@pytest.fixture
def client(key: NewKey, http: httpx.AsyncClient, cases: FakeEngine) -> httpx.AsyncClient:
    """A client that may do everything."""
    del cases
    http.headers.update(key())
    return http


class TestOpening:
    async def test_complaint_opens_a_case_and_the_same_again_finds_it(self, client: httpx.AsyncClient) -> None:
        """G1."""
        given = complaint(case_id="HL-1")

        first, again = await client.post("/v1/cases", json=given), await client.post("/v1/cases", json=given)

        assert (first.status_code, first.headers["location"]) == (201, "/v1/cases/HL-1")
        assert (again.status_code, again.json()["result"], again.json()["differs"]) == (200, "exists", [])
        assert again.json()["case"]["case_id"] == "HL-1"

    async def test_complaint_that_differs_says_in_which_fields(self, client: httpx.AsyncClient) -> None:
        await client.post("/v1/cases", json=complaint(case_id="HL-1"))

        other = complaint(case_id="HL-1", order={"amount": "12801.00"}, description="another")
        answer = await client.post("/v1/cases", json=other)

        assert answer.status_code == 200
        assert {"order.amount", "description"} <= set(answer.json()["differs"])

    async def test_every_faulty_field_is_named_and_the_id_stays_free(
        self, client: httpx.AsyncClient, cases: FakeEngine
    ) -> None:
        """S34."""
        faulty = complaint(case_id="HL-1", topic="nonsense", colour="red", order={"amount": "12,800"})

        answer = await client.post("/v1/cases", json=faulty)
        corrected = await client.post("/v1/cases", json=complaint(case_id="HL-1"))

        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"topic", "colour", "order.amount"} <= {error["field"] for error in answer.json()["errors"]}
        assert (corrected.status_code, cases.starts) == (201, 1)

    @pytest.mark.parametrize(
        ("content", "headers", "status"),
        [
            (b"", JSON, 422),
            (b"{", JSON, 422),
            (b"[]", JSON, 422),
            (b'"x"', JSON, 422),
            (b'{"case_id": "A", "case_id": "B"}', JSON, 422),
            (b'{"case_id": NaN}', JSON, 422),
            (b"\xff\xfe", JSON, 422),
            (b"[" * 100_000, JSON, 422),
            (b'{"x": "\\ud800"}', JSON, 422),
            (b"{}", {"content-type": "text/plain"}, 415),
            (b"{}", {**JSON, "content-encoding": "gzip"}, 415),
            (b" " * (bodies.MAX_BODY + 1), JSON, 413),
            (json.dumps({"x": "y" * MAX_INPUT_BYTES}).encode(), JSON, 413),
        ],
    )
    async def test_body_that_is_no_complaint_is_refused(
        self, client: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int
    ) -> None:
        answer = await client.post("/v1/cases", content=content, headers=headers)

        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Traceback" not in answer.text

    async def test_plan_opens_nothing(self, client: httpx.AsyncClient, cases: FakeEngine) -> None:
        answer = await client.post("/v1/plan", json={"complaint": complaint(), "finding": {"upheld": True}})
        wrong = await client.post("/v1/plan", json={"complaint": complaint(topic="x"), "finding": {"upheld": "maybe"}})

        assert answer.status_code == 200
        assert answer.json()["promises"]
        assert {"topic", "finding.upheld"} <= {error["field"] for error in wrong.json()["errors"]}
        assert cases.starts == 0


class TestBatch:
    async def send(self, client: httpx.AsyncClient, content: bytes) -> list[dict[str, Any]]:
        answer = await client.post("/v1/cases:batch", content=content, headers={"content-type": "application/x-ndjson"})
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    async def test_each_line_has_its_result_in_order(self, client: httpx.AsyncClient) -> None:
        good = [json.dumps(complaint(case_id=f"B-{number}")) for number in range(30)]
        lines = [*good[:15], "", "{", json.dumps(complaint(case_id="B-X", topic="x")), *good[15:], good[0]]

        found = await self.send(client, "\n".join(lines).encode())

        assert [each["line"] for each in found] == [*range(1, 16), *range(17, 35)]
        assert [each["status"] for each in found] == [201] * 15 + [422, 422] + [201] * 15 + [200]
        assert found[16]["case_id"] == "B-X"
        assert [error["field"] for error in found[16]["errors"]] == ["topic"]

    @pytest.mark.parametrize(
        ("content", "status"),
        [(b"", 422), (b"\n \n", 422), (b"{}\n" * 2001, 413), (b"x" * (bodies.MAX_BATCH + 1), 413)],
    )
    async def test_batch_is_bounded(self, client: httpx.AsyncClient, content: bytes, status: int) -> None:
        answer = await client.post("/v1/cases:batch", content=content, headers={"content-type": "application/x-ndjson"})

        assert answer.status_code == status


class TestMessages:
    @pytest.fixture(autouse=True)
    def one_case(self, cases: FakeEngine) -> None:
        cases.complaints["HL-1"] = complaint(case_id="HL-1")

    async def test_sender_is_the_client_of_the_key(self, client: httpx.AsyncClient, cases: FakeEngine) -> None:
        answer = await client.post("/v1/cases/HL-1/messages/note", json={"text": "called"})

        assert answer.json() == {"case": "HL-1", "applied": True, "status": "assessing", "outcome": None}
        assert [(name, payload) for _, name, payload, _ in cases.sent] == [("note", {"text": "called", "by": "crm"})]
        assert cases.sent[0][3] == answer.headers["x-request-id"]

    @pytest.mark.parametrize("by", ["boss", "crm", None])
    async def test_sender_in_the_body_is_refused(
        self, client: httpx.AsyncClient, cases: FakeEngine, by: str | None
    ) -> None:
        answer = await client.post("/v1/cases/HL-1/messages/note", json={"text": "called", "by": by})

        assert (answer.status_code, cases.sent) == (422, [])
        assert [error["field"] for error in answer.json()["errors"]] == ["by"]

    async def test_every_faulty_field_of_a_message_is_named(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/cases/HL-1/messages/resolve-step", json={"action": "burn", "colour": "red"})

        assert answer.status_code == 422
        assert {error["field"] for error in answer.json()["errors"]} == {"step", "action", "reason", "colour"}

    async def test_refusal_of_the_case_is_its_own_sentence(self, client: httpx.AsyncClient, cases: FakeEngine) -> None:
        cases.refuses = Refusal("there is no offer o9: the customer has none")

        answer = await client.post("/v1/cases/HL-1/messages/customer-approved", json={"offer": "o9"})

        assert (answer.status_code, answer.json()["detail"]) == (409, str(cases.refuses))
        assert answer.json()["case"] == "HL-1"

    async def test_message_that_does_not_exist_is_named_with_those_that_do(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/cases/HL-1/messages/shout", json={})

        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("there is no message shout; there are contact-made, ")

    async def test_unknown_case_is_not_found(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/cases/HL-9/messages/note", json={"text": "x"})

        assert (answer.status_code, answer.json()["detail"]) == (404, "there is no case HL-9")


class TestRepeats:
    NOTE = "/v1/cases/HL-1/messages/note"

    @pytest.fixture(autouse=True)
    def one_case(self, cases: FakeEngine) -> None:
        cases.complaints["HL-1"] = complaint(case_id="HL-1")

    async def test_repeated_request_is_carried_out_once(self, client: httpx.AsyncClient, cases: FakeEngine) -> None:
        sent = {"json": {"text": "once"}, "headers": {"idempotency-key": "k-1"}}

        first, again = [await client.post(self.NOTE, **sent) for _ in range(2)]  # type: ignore[arg-type]

        assert (again.status_code, again.json(), len(cases.sent)) == (200, first.json(), 1)
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers

    async def test_same_key_with_another_body_is_refused(self, client: httpx.AsyncClient, cases: FakeEngine) -> None:
        headers = {"idempotency-key": "k-1"}
        await client.post(self.NOTE, json={"text": "one"}, headers=headers)

        answer = await client.post(self.NOTE, json={"text": "two"}, headers=headers)

        assert (answer.status_code, len(cases.sent)) == (422, 1)

    async def test_same_key_of_another_client_is_another_request(
        self, client: httpx.AsyncClient, cases: FakeEngine, key: NewKey
    ) -> None:
        for headers in ({}, key("messages:*", client="other")):
            await client.post(self.NOTE, json={"text": "x"}, headers={"idempotency-key": "k-1", **headers})

        assert [payload["by"] for _, _, payload, _ in cases.sent] == ["crm", "other"]

    async def test_second_request_while_the_first_is_in_progress_is_refused(
        self, client: httpx.AsyncClient, cases: FakeEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arrived, go_on, send = asyncio.Event(), asyncio.Event(), cases.send

        async def slow(*given: Any) -> Any:
            arrived.set()
            await go_on.wait()
            return await send(*given)

        monkeypatch.setattr(cases, "send", slow)
        sent: dict[str, Any] = {"json": {"text": "once"}, "headers": {"idempotency-key": "k-1"}}
        first = asyncio.create_task(client.post(self.NOTE, **sent))
        await arrived.wait()
        second = await client.post(self.NOTE, **sent)
        go_on.set()

        assert (second.status_code, (await first).status_code, len(cases.sent)) == (409, 200, 1)

    async def test_refused_request_may_be_corrected_under_its_key(self, client: httpx.AsyncClient) -> None:
        headers = {"idempotency-key": "k-1"}

        wrong = await client.post(self.NOTE, json={}, headers=headers)
        right = await client.post(self.NOTE, json={"text": "x"}, headers=headers)

        assert (wrong.status_code, right.status_code) == (422, 200)

    async def test_request_with_unknown_outcome_is_repeated_under_the_same_update(
        self, client: httpx.AsyncClient, cases: FakeEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An answer may be lost after the case has applied the message: the server then applies it once (S31)."""
        send, used = cases.send, list[Any]()

        async def lost(*given: Any) -> Any:
            used.append(given[3])
            await send(*given)
            if len(used) == 1:
                raise Unreachable("HL-1 does not answer")
            return {"applied": True}

        monkeypatch.setattr(cases, "send", lost)
        sent: dict[str, Any] = {"json": {"text": "once"}, "headers": {"idempotency-key": "k-1"}}

        first, again = [await client.post(self.NOTE, **sent) for _ in range(2)]

        assert (first.status_code, again.status_code) == (503, 200)
        assert used[0] == used[1]

    @pytest.mark.parametrize("given", ["", "two words", "x" * 256, "ä"])
    async def test_faulty_key_is_refused(self, client: httpx.AsyncClient, given: str) -> None:
        answer = await client.post(self.NOTE, json={"text": "x"}, headers={b"idempotency-key": given.encode()})

        assert answer.status_code == 422

    def test_names_of_what_our_database_answers(self) -> None:
        assert {IN_PROGRESS, OTHER_REQUEST} < {begun.value for begun in Begun}


class TestRates:
    @pytest.fixture
    def web(self) -> WebSettings:
        return WebSettings(requests_per_minute=3)

    async def test_key_that_sends_too_much_is_slowed_down_alone(self, client: httpx.AsyncClient, key: NewKey) -> None:
        found = [await client.get("/v1/cases") for _ in range(5)]
        other = await client.get("/v1/cases", headers=key(client="other"))

        assert [each.status_code for each in found] == [200, 200, 200, 429, 429]
        assert 1 <= int(found[-1].headers["retry-after"]) <= 20
        assert other.status_code == 200


async def test_more_requests_at_a_time_than_are_useful_are_refused(
    client: httpx.AsyncClient, cases: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases.complaints["HL-1"] = complaint(case_id="HL-1")
    go_on, send = asyncio.Event(), cases.send

    async def slow(*given: Any) -> Any:
        await go_on.wait()
        return await send(*given)

    monkeypatch.setattr(cases, "send", slow)
    running = [
        asyncio.create_task(client.post("/v1/cases/HL-1/messages/note", json={"text": str(number)}))
        for number in range(WRITES + 10)
    ]
    refused = 0
    while refused < 10:
        refused = sum(task.done() for task in running)
        await asyncio.sleep(0.01)
    read = await client.get("/v1/cases")
    go_on.set()
    found = [(await task).status_code for task in running]

    assert read.status_code == 200
    assert (found.count(429), found.count(200)) == (10, WRITES)
