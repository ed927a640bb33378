"""Every route is closed without its scope, and shows nothing of other lines. A route that is not in the table fails."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from cases.inbox.examples import EXAMPLES
from cases.inbox.messages import MESSAGES
from client.serving.keys import REPORTS
from records import Records
from tests.complaints import complaint
from tests.records.projected import projected
from tests.web.conftest import FakeEngine, NewKey
from web.app import ROUTERS

OWN, OTHER = "fresh_food", "building_materials"


class Row(NamedTuple):
    """A route: the scopes each of which opens it, and the statuses for a case of the key's own line and another."""

    scopes: tuple[str, ...]
    own: int
    other: int
    body: Any = None
    also: tuple[str, ...] = ()
    """Scopes that open it besides."""


def of_line(line: str) -> dict[str, Any]:
    topic = {"fresh_food": "goods.damage", "building_materials": "transport.damage"}[line]
    return complaint(case_id=f"NEW-{line.upper()}", line=line, topic=topic)


MESSAGE_ROWS = {
    f"POST /v1/cases/{{case_id}}/messages/{name}": Row(
        (f"messages:{name}", "messages:*", *(["reports"] if name in REPORTS else [])), 200, 404, EXAMPLES[name]
    )
    for name in MESSAGES
}
WEBHOOK = "/v1/webhooks/{webhook_id}"
WEBHOOKS: dict[str, str] = {}
"""The id of a webhook of each line."""


def hook_of(line: str) -> dict[str, Any]:
    return {"url": "https://93.184.215.14/events", "lines": [line]}


TABLE = {
    "POST /v1/webhooks": Row(("webhooks",), 201, 422, hook_of),
    "GET /v1/webhooks": Row(("webhooks",), 200, 200),
    f"GET {WEBHOOK}": Row(("webhooks",), 200, 404),
    f"DELETE {WEBHOOK}": Row(("webhooks",), 204, 404),
    f"POST {WEBHOOK}/rotate": Row(("webhooks",), 200, 404, {}),
    f"POST {WEBHOOK}/disable": Row(("webhooks",), 200, 404),
    f"POST {WEBHOOK}/enable": Row(("webhooks",), 200, 404, {}),
    f"POST {WEBHOOK}/ping": Row(("webhooks",), 200, 404),
    f"POST {WEBHOOK}/replay": Row(("webhooks",), 200, 404, {"events": ["evt_1"]}),
    f"GET {WEBHOOK}/deliveries": Row(("webhooks",), 200, 404),
    "POST /v1/cases": Row(("cases:write",), 201, 422, of_line),
    "POST /v1/cases:batch": Row(("cases:write",), 200, 200, of_line),
    "POST /v1/plan": Row(("cases:write",), 200, 422, of_line),
    "GET /v1/cases": Row((f"read:{OWN}", "read:*"), 200, 200),
    "GET /v1/cases/{case_id}": Row((f"read:{OWN}", "read:*"), 200, 404),
    "GET /v1/cases/{case_id}/events": Row((f"read:{OWN}", "read:*"), 200, 404),
    "POST /v1/cases/{case_id}/messages/{name}": Row(("messages:*", "read:*", "reports"), 404, 404, {}),
    **MESSAGE_ROWS,
}
ANY_KEY = {"POST /v1/cases/{case_id}/messages/{name}"}
"""Routes that refuse every request, whatever the key."""
SCOPES = {
    "cases:write", "reports", "webhooks", "messages:*", "read:*", f"read:{OWN}", f"line:{OWN}",
    *(f"messages:{name}" for name in MESSAGES),
}  # fmt: skip


PUBLIC = {"GET /v1/docs", "GET /v1/docs/{name}", "GET /v1/openapi.json"}
"""Routes of the API that need no key: they show its description."""


def routes() -> Iterator[str]:
    """Return every route of the application under /v1/."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            if route.path.startswith("/v1/"):
                yield from (f"{method} {route.path}" for method in route.methods or ())


@pytest.fixture(autouse=True)
def two_cases(records: Records, cases: FakeEngine) -> None:
    """A case of each line, in the fakes and in our database."""
    for line, topic in ((OWN, "goods.damage"), (OTHER, "transport.damage")):
        case_id = f"CASE-{line}"
        cases.complaints[case_id] = complaint(case_id=case_id, line=line, topic=topic)
        records.project(projected(case_id, line=line, topic=topic))
        # Nothing is there: a test event is refused at once.
        WEBHOOKS[line] = records.add_endpoint("https://127.0.0.1:1/", "whsec_c2VjcmV0", lines=[line]).endpoint_id


async def call(http: httpx.AsyncClient, route: str, line: str, headers: dict[str, str]) -> httpx.Response:
    method, path = route.split(" ")
    body = TABLE[route].body
    content = body(line) if callable(body) else body
    media_type = "application/x-ndjson" if path.endswith(":batch") else "application/json"
    more: dict[str, Any] = {} if content is None else {"json": content}
    if content is not None:
        headers = {**headers, "content-type": media_type}
    return await http.request(method, _filled(path, line), headers=headers, **more)


def _filled(path: str, line: str) -> str:
    return path.format(case_id=f"CASE-{line}", name="nonsense", webhook_id=WEBHOOKS[line])


def test_every_route_is_in_the_table() -> None:
    assert sorted(routes()) == sorted({*TABLE, *PUBLIC})


@pytest.mark.parametrize("route", TABLE)
async def test_route_needs_a_key(route: str, http: httpx.AsyncClient) -> None:
    answer = await call(http, route, OWN, {})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("route", TABLE)
async def test_route_needs_one_of_its_scopes(route: str, http: httpx.AsyncClient, key: NewKey) -> None:
    """The key has every scope that does not open the route."""
    others = SCOPES - set(TABLE[route].scopes) - {"read:*" if f"read:{OWN}" in TABLE[route].scopes else f"read:{OWN}"}

    answer = await call(http, route, OWN, key(*others))

    if route in ANY_KEY:
        assert answer.status_code == 404
    else:
        assert answer.status_code == 403
        assert answer.json()["detail"].startswith("this key does not have the scope ")


@pytest.mark.parametrize(("route", "scope"), [(route, scope) for route, row in TABLE.items() for scope in row.scopes])
async def test_each_scope_of_a_route_opens_it(route: str, scope: str, http: httpx.AsyncClient, key: NewKey) -> None:
    answer = await call(http, route, OWN, key(scope))

    assert answer.status_code == TABLE[route].own, answer.text


@pytest.mark.parametrize("route", TABLE)
async def test_other_lines_do_not_exist_for_a_key_that_is_bound(
    route: str, http: httpx.AsyncClient, key: NewKey, cases: FakeEngine
) -> None:
    """The answer is the one for a case or a line that does not exist at all, and nothing reaches the case."""
    bound = key("cases:write", "messages:*", "webhooks", f"read:{OWN}")

    answer = await call(http, route, OTHER, bound)

    assert answer.status_code == TABLE[route].other, answer.text
    assert OTHER not in answer.text.replace(f"CASE-{OTHER}", "").replace(f"there is no line {OTHER}", "")
    assert cases.sent == []
    assert cases.starts == 0
    if answer.status_code == 404 and route not in ANY_KEY:
        what = f"webhook {WEBHOOKS[OTHER]}" if "webhook" in route else f"case CASE-{OTHER}"
        assert answer.json()["detail"] == f"there is no {what}"


async def test_list_and_its_total_count_only_lines_of_the_key(http: httpx.AsyncClient, key: NewKey) -> None:
    every, bound = key("read:*", client="all"), key(f"read:{OWN}", client="some")

    found = [(await http.get("/v1/cases?total=true", headers=each)).json() for each in (every, bound)]
    of_other = (await http.get(f"/v1/cases?total=true&line={OTHER}", headers=bound)).json()

    assert [answer["total"] for answer in found] == [2, 1]
    assert [row["case_id"] for row in found[1]["cases"]] == [f"CASE-{OWN}"]
    assert of_other == {"cases": [], "next": None, "total": 0}


async def test_existing_case_of_another_line_is_not_shown_to_who_sends_its_id(
    http: httpx.AsyncClient, key: NewKey
) -> None:
    taken = complaint(case_id=f"CASE-{OTHER}", line=OWN, topic="goods.damage")

    answer = await http.post("/v1/cases", json=taken, headers=key("cases:write", f"read:{OWN}"))

    assert (answer.status_code, answer.json()["detail"]) == (409, f"the case id CASE-{OTHER} is taken: use another")


async def test_key_is_refused_from_the_moment_it_is_revoked(
    http: httpx.AsyncClient, key: NewKey, records: Records, app: FastAPI
) -> None:
    headers = key()
    before = await http.get("/v1/cases", headers=headers)

    records.revoke_api_key(headers["authorization"].split("_")[2], app.state.service.now())

    assert (before.status_code, (await http.get("/v1/cases", headers=headers)).status_code) == (200, 401)


@pytest.mark.parametrize(
    "presented",
    ["", "Bearer", "Bearer x", "Basic as_live_x", "Bearer as_live_aaaaaaaaaaaa_" + "A" * 43, "Bearer \x00"],
)
async def test_what_is_no_key_is_refused(presented: str, http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/cases", headers={"authorization": presented})

    assert answer.status_code == 401


async def test_right_id_with_a_wrong_secret_is_refused(http: httpx.AsyncClient, key: NewKey) -> None:
    headers = key()

    answer = await http.get("/v1/cases", headers={"authorization": headers["authorization"][:-1] + "?"})
    other = await http.get("/v1/cases", headers={"authorization": headers["authorization"][:-43] + "A" * 43})

    assert (answer.status_code, other.status_code) == (401, 401)


async def test_use_of_a_key_is_noted(http: httpx.AsyncClient, key: NewKey, records: Records) -> None:
    headers = key()

    await http.get("/v1/cases", headers=headers)

    (stored,) = records.all_api_keys()
    assert stored.last_used_at is not None
    assert headers["authorization"].split("_", 3)[3] not in repr(stored)


async def test_guessing_keys_is_slowed_down_but_valid_keys_still_work(http: httpx.AsyncClient, key: NewKey) -> None:
    guesses = [await http.get("/v1/cases", headers={"authorization": "Bearer guess"}) for _ in range(62)]
    valid = await http.get("/v1/cases", headers=key())

    assert {guess.status_code for guess in guesses} == {401, 429}
    assert guesses[-1].headers["retry-after"].isdigit()
    assert valid.status_code == 200
