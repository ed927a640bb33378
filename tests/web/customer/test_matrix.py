"""Every route of the customer's page against every state of its link and every place that a form can come from."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from records import Records
from records.links import LIFETIME, new_token
from tests.cases import stages
from tests.cases.world import World, open_case
from tests.web.customer.conftest import OWN, CasesInMemory, Customer
from web.customer.routes import router
from web.limits import Rates

FORMS: dict[str, dict[str, Any]] = {
    "accept": {"data": {"offer": "o1", "option": "replace"}},
    "decline": {"data": {"offer": "o1", "reason": "too little"}},
    "rate": {"data": {"score": "5"}},
    "photos": {"files": {"photos": ("x.jpg", b"no picture", "image/jpeg")}},
}
"""A form for each route that takes one."""
DEAD = {"unknown": 404, "altered": 404, "expired": 410, "revoked": 410}
"""The states of a link that opens no case, and the status that answers it."""


@pytest.fixture
def dead_links(records: Records) -> dict[str, str]:
    now = datetime.now(UTC)
    made = {name: new_token() for name in ("altered", "expired", "revoked")}
    records.add_link(made["revoked"], "HL-1", "test", now)
    records.revoke_links("HL-1", now)
    records.add_link(made["altered"], "HL-1", "test", now)
    records.add_link(made["expired"], "HL-1", "test", now - LIFETIME - timedelta(seconds=1))
    altered = made["altered"]
    return {"unknown": new_token(), **made, "altered": ("B" if altered[0] == "A" else "A") + altered[1:]}


def test_matrix_has_every_route() -> None:
    """A new route needs an entry here."""
    routes = {(route.path, *sorted(route.methods or ())) for route in router.routes if isinstance(route, APIRoute)}

    assert routes == {("/c/{token}", "GET", "HEAD"), *((f"/c/{{token}}/{form}", "POST") for form in FORMS)}


@pytest.mark.parametrize("state", DEAD)
@pytest.mark.parametrize("form", ["", *FORMS])
async def test_dead_link_opens_no_case(
    http: httpx.AsyncClient, dead_links: dict[str, str], engine_in_memory: CasesInMemory, form: str, state: str
) -> None:
    engine_in_memory.add(stages.offered())
    path = f"/c/{dead_links[state]}"

    answer = await (http.post(f"{path}/{form}", headers=OWN, **FORMS[form]) if form else http.get(path))

    assert answer.status_code == DEAD[state]
    assert answer.headers["content-type"].startswith("text/html")
    assert "HL-1" not in answer.text
    assert engine_in_memory.sent == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": "http://door"},
        {"origin": "https://evil.example"},
        {"origin": "http://door.evil.example"},
        {"origin": "null"},
        {},
    ],
)
async def test_form_from_elsewhere_is_refused(customer_of: Any, form: str, headers: dict[str, str]) -> None:
    customer: Customer = customer_of(stages.offered())
    before = customer.world.case.model_dump()

    answer = await customer.http.post(f"{customer.path}/{form}", headers=headers, **FORMS[form])

    assert answer.status_code == 403
    assert customer.world.case.model_dump() == before


async def test_browser_without_fetch_metadata_states_its_origin(customer_of: Any) -> None:
    customer: Customer = customer_of(stages.offered())

    answer = await customer.sends("decline", {"origin": "http://door"}, offer="o1", reason="too little")

    assert answer.status_code == 303


@pytest.mark.parametrize("form", FORMS)
async def test_opening_a_form_s_address_changes_nothing(customer_of: Any, form: str) -> None:
    customer: Customer = customer_of(stages.offered())
    before = customer.world.case.model_dump()

    answer = await customer.http.get(f"{customer.path}/{form}", params=FORMS[form].get("data"))

    assert answer.status_code == 405
    assert customer.world.case.model_dump() == before


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_mail_scanner_that_opens_the_link_changes_nothing(
    customer_of: Any, engine_in_memory: CasesInMemory, method: str
) -> None:
    customer: Customer = customer_of(stages.offered())
    before = customer.world.case.model_dump()

    answer = await customer.http.request(method, customer.path)

    assert answer.status_code == 200
    assert (customer.world.case.model_dump(), engine_in_memory.sent) == (before, [])


async def test_link_opens_its_own_case_only(customer_of: Any) -> None:
    mine: Customer = customer_of(stages.offered())
    other: Customer = customer_of(open_case(case_id="HL-2", description="another matter"))

    assert "HL-2" not in (await mine.opens()).text
    assert "HL-1" not in (await other.opens()).text


async def test_answer_with_a_link_of_another_case_reaches_that_case(customer_of: Any) -> None:
    """The id of the case comes from the link alone, whatever the form says."""
    mine: Customer = customer_of(stages.offered())
    other: Customer = customer_of(_offered("HL-2"))
    before = mine.world.case.model_dump()

    await other.sends("decline", offer="o1", reason="too little", case_id="HL-1", case="HL-1")

    assert mine.world.case.model_dump() == before
    assert other.world.offer.state == "declined"


@pytest.mark.parametrize("form", ["", *FORMS])
async def test_case_of_which_no_worker_answers_has_a_page_that_says_what_to_do(
    customer_of: Any, engine_in_memory: CasesInMemory, form: str
) -> None:
    customer: Customer = customer_of(stages.offered())
    engine_in_memory.down = True

    if form:
        answer = await customer.http.post(
            f"{customer.path}/{form}", headers={**OWN, "accept-language": "en"}, **FORMS[form]
        )
    else:
        answer = await customer.opens()

    assert answer.status_code == 503
    assert "Nothing is lost" in answer.text
    assert "mention case HL-1" in answer.text
    assert "worker" not in answer.text


@pytest.fixture
def few(app: FastAPI) -> int:
    """How many requests the server accepts from a sender, while no time passes."""
    now, service = datetime.now(UTC), app.state.service
    service.now = lambda: now
    service.visits, service.refusals = Rates(3), Rates(3)
    return 3


async def test_flood_through_one_link_is_stopped_and_other_links_are_not(customer_of: Any, few: int) -> None:
    customer: Customer = customer_of(stages.offered())
    other: Customer = customer_of(_offered("HL-2"))

    answers = [await customer.opens() for _ in range(few + 1)]

    assert [answer.status_code for answer in answers] == [*[200] * few, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "Please wait a minute" in answers[-1].text
    assert (await other.opens()).status_code == 200


async def test_flood_of_invented_links_does_not_stop_a_real_one(customer_of: Any, few: int) -> None:
    customer: Customer = customer_of(stages.offered())

    statuses = [(await customer.http.get(f"/c/{new_token()}")).status_code for _ in range(few + 1)]

    assert statuses == [*[404] * few, 429]
    assert (await customer.opens()).status_code == 200


@pytest.mark.parametrize("path", ["", "/accept"])
async def test_every_answer_protects_the_link(customer_of: Any, path: str) -> None:
    customer: Customer = customer_of(stages.offered())

    answer = await (customer.opens() if not path else customer.sends("accept", offer="o9", option="x"))

    assert answer.headers["referrer-policy"] == "strict-origin", "the address stays here; only the origin is stated"
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    assert "script" not in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|https?://", answer.text)
    assert "set-cookie" not in answer.headers


def _offered(case_id: str) -> World:
    world = open_case(case_id=case_id)
    world.says("assess", severity="moderate")
    return world
