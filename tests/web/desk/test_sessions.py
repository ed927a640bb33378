"""Sessions, the origin of forms, redirects, and the log of acts."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from records import Records
from settings import WebSettings
from tests.cases.world import open_case
from tests.web.desk.conftest import OURS, Browser, Cases
from web.desk.sessions import IDLE, LASTS
from web.service import MAX_LOG_INS, Service


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, datetime]:
    """The time of the server, which tests move."""
    time = {"now": datetime(2026, 11, 28, 8, 0, tzinfo=UTC)}
    monkeypatch.setattr(Service, "now", lambda _: time["now"])
    return time


async def test_log_in_begins_a_session_that_the_log_out_ends_for_good(browser: Browser) -> None:
    await browser.log_in("李娜")
    copied = dict(browser.cookies)
    assert (await browser.get("/desk")).status_code == 200

    await browser.submit("/logout")

    browser.cookies.update(copied)
    assert (await browser.get("/desk")).headers["location"] == "/login?to=%2Fdesk"


async def test_database_has_no_id_that_opens_a_session(browser: Browser, records: Records) -> None:
    await browser.log_in("李娜")

    [stored] = records.sessions(datetime.now(UTC))
    assert browser.cookies["desk"] not in repr(stored)
    browser.cookies.clear()
    browser.cookies["desk"] = stored.digest
    assert (await browser.get("/desk")).status_code == 303


async def test_log_in_gives_a_new_id_whatever_the_browser_sent(browser: Browser) -> None:
    browser.cookies["desk"] = "chosen-by-somebody-else"

    answer = await browser.log_in("李娜")

    assert "chosen-by-somebody-else" not in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=lax" in answer.headers["set-cookie"]


async def test_cookie_is_bound_to_the_host_over_https(app: FastAPI) -> None:
    async with Browser(transport=httpx.ASGITransport(app), base_url="https://localhost") as browser:
        cookie = (await browser.log_in("李娜")).headers["set-cookie"]

    assert cookie.startswith("__Host-desk=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("unused", [IDLE, LASTS])
async def test_session_expires(browser: Browser, clock: dict[str, datetime], unused: timedelta) -> None:
    await browser.log_in("李娜")

    clock["now"] += unused

    assert (await browser.get("/desk")).status_code == 303


async def test_session_in_use_lasts_a_working_day(browser: Browser, clock: dict[str, datetime]) -> None:
    await browser.log_in("李娜")
    for _ in range(11):
        clock["now"] += timedelta(hours=1)
        assert (await browser.get("/desk")).status_code == 200

    clock["now"] += timedelta(hours=1)

    assert (await browser.get("/desk")).status_code == 303


async def test_administrator_ends_the_session_of_another_person(app: FastAPI, agent: Browser, records: Records) -> None:
    async with Browser(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as admin:
        await admin.log_in("钱进")
        digest = next(each.digest for each in records.sessions(datetime.now(UTC)) if each.person == "李娜")
        await admin.submit("/desk/sessions/end", digest=digest)

    assert (await agent.get("/desk")).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8735"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:8735.evil.example"},
        {"origin": "http://["},
        {"origin": "null"},
    ],
)
async def test_form_of_another_site_is_refused_and_logged(
    agent: Browser, kept: Cases, records: Records, headers: dict[str, str]
) -> None:
    kept.put(open_case())

    answer = await agent.post("/desk/cases/HL-1/send/note", data={"text": "x"}, headers=headers)

    assert answer.status_code == 403
    assert kept.sent == []
    assert records.acts(1)[0].act == "form of another site"
    assert records.acts(1)[0].person == "李娜"


@pytest.mark.parametrize("scheme", ["http", "https"])  # https: a proxy ends it before us
async def test_old_browser_that_states_the_origin_alone_is_accepted(browser: Browser, scheme: str) -> None:
    answer = await browser.post("/login", data={"person": "李娜"}, headers={"origin": f"{scheme}://127.0.0.1:8735"})

    assert answer.status_code == 303


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_log_in_never_leads_to_another_site(browser: Browser, to: str) -> None:
    shown = await browser.get("/login", params={"to": to})
    answer = await browser.submit("/login", person="李娜", to=to)

    assert "evil" not in shown.text
    assert answer.headers["location"] == "/desk"


async def test_log_in_returns_to_the_page_that_was_asked_for(browser: Browser) -> None:
    asked = await browser.get("/desk/approvals?a=1")
    assert asked.headers["location"] == "/login?to=%2Fdesk%2Fapprovals%3Fa%3D1"

    answer = await browser.submit("/login", person="李娜", to="/desk/approvals?a=1")

    assert answer.headers["location"] == "/desk/approvals?a=1"


async def test_unknown_person_is_refused_and_logged_without_the_name(browser: Browser, records: Records) -> None:
    answer = await browser.log_in("Mallory")

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert records.acts(1)[0].refused == "unknown person"
    assert "Mallory" not in repr(records.acts(9))


async def test_too_many_log_ins_are_refused(browser: Browser, clock: dict[str, datetime]) -> None:
    for _ in range(MAX_LOG_INS):
        await browser.log_in("Mallory")

    answer = await browser.log_in("李娜")

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    clock["now"] += timedelta(minutes=2)
    assert (await browser.log_in("李娜")).status_code == 303


async def test_demonstration_is_for_this_machine_only(app: FastAPI) -> None:
    """A page of another site whose name leads to this machine cannot log in (DNS rebinding)."""
    async with Browser(transport=httpx.ASGITransport(app), base_url="http://desk.example") as browser:
        assert "李娜" not in (await browser.get("/login")).text
        assert (await browser.log_in("李娜")).status_code == 403


async def test_demonstration_is_for_no_other_machine_whatever_name_it_sends(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 50_000))
    async with Browser(transport=transport, base_url="http://127.0.0.1:8735") as browser:
        assert "李娜" not in (await browser.get("/login")).text
        assert (await browser.log_in("李娜")).status_code == 403


async def test_every_act_is_in_the_log_with_its_person_and_refusals(agent: Browser, kept: Cases) -> None:
    kept.put(open_case())
    await agent.get("/desk/cases/HL-1/send/move-policy")
    await agent.log_in("何雨")

    shown = (await agent.get("/desk/log")).text

    assert "李娜" in shown
    assert "may not send move-policy to this case" in shown


async def test_page_that_asks_again_without_a_session_goes_to_the_log_in(browser: Browser) -> None:
    answer = await browser.get("/desk/rows", headers={"hx-request": "true"})

    assert answer.headers["hx-redirect"] == "/login?to=%2Fdesk%2Frows"


class TestOutsideADemonstration:
    @pytest.fixture
    def web(self) -> WebSettings:
        return WebSettings()

    async def test_nobody_logs_in_without_an_identity_provider(self, browser: Browser) -> None:
        assert "李娜" not in (await browser.get("/login")).text
        assert (await browser.post("/login", data={"person": "李娜"}, headers=OURS)).status_code == 403
