"""Whatever is sent as a body, a parameter or a header, the answer is a result or clear problem details."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.complaints import complaint
from tests.garbage import NASTY, VALUES, WHOLE, examples, is_clean, spoilt, written
from tests.web.conftest import FakeEngine, NewKey
from web.problems import MEDIA_TYPE

COMPLAINT = complaint(case_id="HL-1")
PAYLOADS = {name: {k: v for k, v in payload.items() if k != "by"} for name, payload in WHOLE.items()}
NAMES = st.sampled_from(sorted(PAYLOADS))
GIVEN = NAMES.flatmap(lambda name: st.tuples(st.just(name), written(spoilt(PAYLOADS[name]))))
SHORT = st.sampled_from([text for text in NASTY if text.isascii() and len(text) < 1000])
HEADER = st.sampled_from(["if-match", "if-none-match", "idempotency-key", "content-type", "x-request-id", "accept"])
VALUE = st.binary(max_size=30).map(lambda value: value.translate(None, b"\r\n\0"))
PARAMETERS = st.sampled_from(["line", "owner", "search", "cursor", "limit", "sort", "state", "needs", "urgent", "x"])


@pytest.fixture
def client(key: NewKey, http: httpx.AsyncClient, cases: FakeEngine) -> httpx.AsyncClient:
    """A client that may do everything. There is one case."""
    cases.complaints["HL-1"] = COMPLAINT
    http.headers.update(key())
    return http


def check(answer: httpx.Response) -> None:
    """The status is no error of the server, and a problem is a clean sentence."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == MEDIA_TYPE
        problem = answer.json()
        assert is_clean(problem["detail"]), problem
        assert all(is_clean(f"{fault['field']} {fault['problem']} .") for fault in problem.get("errors", []))


@examples(150)
@given(body=written(spoilt(COMPLAINT)), path=st.sampled_from(["/v1/cases", "/v1/plan"]))
async def test_any_complaint_is_answered(client: httpx.AsyncClient, body: bytes, path: str) -> None:
    check(await client.post(path, content=body, headers={"content-type": "application/json"}))


@examples(150)
@given(sent=GIVEN)
async def test_any_message_is_answered(client: httpx.AsyncClient, cases: FakeEngine, sent: tuple[str, bytes]) -> None:
    name, body = sent
    answer = await client.post(
        f"/v1/cases/HL-1/messages/{name}", content=body, headers={"content-type": "application/json"}
    )

    check(answer)
    assert all(payload["by"] == "crm" for _, _, payload, _ in cases.sent)


@examples(40)
@given(lines=st.lists(written(spoilt(COMPLAINT)) | written(VALUES) | st.binary(max_size=20), min_size=1, max_size=5))
async def test_any_batch_has_a_result_for_each_line(client: httpx.AsyncClient, lines: list[bytes]) -> None:
    body = b"\n".join(lines)
    answer = await client.post("/v1/cases:batch", content=body, headers={"content-type": "application/x-ndjson"})

    check(answer)
    if answer.status_code == 200:
        results = answer.text.removesuffix("\n").split("\n")
        assert len(results) == sum(1 for line in body.split(b"\n") if line.strip())


@examples(150)
@given(
    parameters=st.dictionaries(PARAMETERS, SHORT | st.text("a0%\0 é", max_size=9)),
    headers=st.lists(st.tuples(HEADER, VALUE), max_size=2),
    path=st.sampled_from(["/v1/cases", "/v1/cases/HL-1", "/v1/cases/HL-1/events", "/v1/docs/x", "/health"]),
)
async def test_any_parameter_and_header_is_answered(
    client: httpx.AsyncClient, parameters: dict[str, str], headers: list[tuple[str, bytes]], path: str
) -> None:
    sent: Any = [(name.encode(), value) for name, value in headers]

    check(await client.get(path, params=parameters, headers=sent))
