"""Who may open and send what: every route, for every role, for a case among theirs and for another one."""

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from tests.cases import stages
from tests.cases.world import open_case
from tests.web.desk.conftest import OURS, Browser, Cases
from web import desk, pages
from web.desk.people import DEMONSTRATION, GRANTS, DeskRole, May

PEOPLE = {
    DeskRole.AGENT: "赵敏",
    DeskRole.TEAM_LEAD: "吴刚",
    DeskRole.MANAGER: "陈静",
    DeskRole.CLAIMS: "孙丽",
    DeskRole.AUDITOR: "何雨",
    DeskRole.ADMIN: "钱进",
}
SEES = "agent team_lead manager claims auditor"
HANDLES = "agent team_lead manager claims"
ALLOWED: dict[tuple[str, str], str] = {
    ("GET", "/"): "*",
    ("GET", "/login"): "*",
    ("POST", "/login"): "*",
    ("POST", "/logout"): "agent team_lead manager claims auditor admin",
    ("GET", "/language/{tag}"): "*",
    ("GET", "/components"): "*",
    ("GET", "/static/{digest}/{name:path}"): "*",
    ("GET", "/desk"): SEES,
    ("GET", "/desk/rows"): SEES,
    ("POST", "/desk/views"): SEES,
    ("POST", "/desk/views/delete"): SEES,
    ("GET", "/desk/approvals"): SEES,
    ("GET", "/desk/log"): "manager auditor admin",
    ("GET", "/desk/sessions"): "admin",
    ("POST", "/desk/sessions/end"): "admin",
    ("GET", "/desk/cases/{case_id}"): SEES,
    ("GET", "/desk/cases/{case_id}/pulse"): SEES,
    ("POST", "/desk/cases/{case_id}/preview"): SEES,
    ("GET", "/desk/cases/{case_id}/send/{name}"): HANDLES,
    ("POST", "/desk/cases/{case_id}/send/{name}"): HANDLES,
}
"""The roles that may use a route; `*`: everybody, without a session."""
FORMS = {"/desk/views": {"name": "mine", "query": "urgent=1"}, "/desk/views/delete": {"name": "mine"}}
FORMS |= {"/desk/sessions/end": {"digest": "0" * 64}, "/login": {"person": "李娜"}}
WITH_SESSION = [route for route, roles in ALLOWED.items() if roles != "*"]


def routes() -> Iterator[tuple[str, str]]:
    """Every route of pages."""
    for router in (*pages.ROUTERS, *desk.ROUTERS):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in route.methods or ():
                yield method, route.path


def path_of(route: str, case_id: str) -> str:
    return re.sub(r"\{name\}", "note", route).replace("{case_id}", case_id)


OTHER = "EX-1"
"""A case that agents of other lines must not see."""


@pytest.fixture(autouse=True)
def _three_cases(kept: Cases) -> None:
    """A case of each of three lines."""
    kept.put(open_case(case_id="BM-1"))
    kept.put(open_case("goods.damage", line="fresh_food", case_id="FF-1"))
    kept.put(open_case("transport.damage", line="express", case_id="EX-1"))


def own(role: DeskRole) -> str:
    lines = DEMONSTRATION[PEOPLE[role]].lines
    return "BM-1" if lines is None else "EX-1" if "express" in lines else "FF-1"


async def call(browser: Browser, method: str, path: str) -> int:
    if method == "GET":
        return (await browser.get(path)).status_code
    return (await browser.post(path, data=FORMS.get(path, {}), headers=OURS)).status_code


def test_every_route_has_an_entry_in_the_table() -> None:
    assert sorted(set(routes()) - ALLOWED.keys()) == []
    assert sorted(ALLOWED.keys() - set(routes())) == []


def test_every_role_has_a_person_and_a_row_of_grants() -> None:
    assert set(PEOPLE) == set(DeskRole) == set(GRANTS)
    assert all(DEMONSTRATION[name].roles == {role} for role, name in PEOPLE.items())


async def test_without_a_session_there_is_only_the_log_in(browser: Browser) -> None:
    for method, path in WITH_SESSION:
        answer = await browser.request(method, path_of(path, OTHER), headers=OURS)

        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login"), path
        assert OTHER not in answer.text


@pytest.mark.parametrize("role", DeskRole)
async def test_route_is_open_to_the_roles_of_the_table_alone(browser: Browser, role: DeskRole) -> None:
    refused = 404 if role is DeskRole.ADMIN else 403
    for method, path in WITH_SESSION:
        await browser.log_in(PEOPLE[role])
        status = await call(browser, method, path_of(path, own(role)))

        if role in ALLOWED[method, path].split():
            assert status in {200, 303, 422}, path
        else:
            assert status == (refused if "{case_id}" in path else 403), path


@pytest.mark.parametrize("role", [DeskRole.AGENT, DeskRole.TEAM_LEAD])
async def test_case_of_another_line_is_not_found(browser: Browser, kept: Cases, role: DeskRole) -> None:
    await browser.log_in(PEOPLE[role])
    for method, path in (each for each in WITH_SESSION if "{case_id}" in each[1]):
        there = await browser.request(method, path_of(path, OTHER), headers=OURS)
        nowhere = await browser.request(method, path_of(path, "EX-2"), headers=OURS)

        assert there.status_code == nowhere.status_code == 404
        assert without_ids(there.text) == without_ids(nowhere.text)
    assert kept.sent == []


def without_ids(page: str) -> str:
    """A page without what differs between any two requests."""
    return re.sub(r"[0-9a-f]{32}|nonce=\"[^\"]*\"", "", page)


async def test_lists_counts_and_searches_show_cases_of_own_lines_and_teams_alone(browser: Browser) -> None:
    await browser.log_in("赵敏")

    for query in ("", "?line=express", "?q=SO-88121", "?closed=1", "?team=delivery"):
        shown = (await browser.get(f"/desk{query}")).text
        assert "EX-1" not in shown
        assert "BM-1" not in shown
    assert '<span class="count number">1</span>' in shown
    await browser.log_in("李娜")
    assert '<span class="count number">3</span>' in (await browser.get("/desk")).text


async def test_case_of_another_team_is_not_found(browser: Browser, kept: Cases) -> None:
    kept.put(open_case("transport.damage", line="express", case_id="EX-1"))
    await browser.log_in("周凯")
    assert (await browser.get("/desk/cases/EX-1")).status_code == 200

    kept.worlds["EX-1"].says("assign", team="service")

    assert (await browser.get("/desk/cases/EX-1")).status_code == 404


MESSAGES = [
    (DeskRole.AGENT, "move-policy", 403),
    (DeskRole.TEAM_LEAD, "move-policy", 403),
    (DeskRole.CLAIMS, "move-policy", 403),
    (DeskRole.MANAGER, "move-policy", 200),
    (DeskRole.AGENT, "approve", 403),
    (DeskRole.TEAM_LEAD, "reject", 403),
    (DeskRole.CLAIMS, "approve", 200),
    (DeskRole.MANAGER, "approve", 200),
    (DeskRole.AUDITOR, "note", 403),
]


async def test_some_messages_need_a_role(browser: Browser) -> None:
    for role, message, status in MESSAGES:
        await browser.log_in(PEOPLE[role])
        answer = await browser.get(f"/desk/cases/{own(role)}/send/{message}")

        assert answer.status_code == status, (role, message)


async def test_offer_beyond_the_limits_is_for_a_manager(browser: Browser, kept: Cases) -> None:
    """G4."""
    kept.put(stages.over_limits())
    claims = DEMONSTRATION["孙丽"].model_copy(update={"lines": None})
    assert not claims.may(May.APPROVE)
    await browser.log_in("吴刚")
    assert (await browser.submit("/desk/cases/HL-1/send/approve")).status_code == 403

    await browser.log_in("陈静")
    shown = await browser.get("/desk/cases/HL-1/send/approve")

    assert shown.status_code == 200
    assert "陈静" in shown.text
