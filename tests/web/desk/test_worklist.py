"""The worklist: what is due next first, in pages, with views, counts and search."""

import re
from datetime import timedelta

import pytest

from tests.cases import stages
from tests.cases.world import START, World, open_case
from tests.web.desk.conftest import Browser, Cases
from web.desk import worklist
from web.desk.presence import EXPIRES, Presence


def shown(page: str) -> list[str]:
    return re.findall(r'id="row-([^"]+)"', page)


def case(hours: int) -> World:
    """A case that was received some hours later than others."""
    return open_case(case_id=f"HL-{hours}", received=START + timedelta(hours=hours), order={"order_id": f"S{hours}"})


async def test_what_is_due_next_comes_first(agent: Browser, kept: Cases) -> None:
    for hours in (3, 1, 2):
        kept.put(case(hours))

    assert shown((await agent.get("/desk")).text) == ["HL-1", "HL-2", "HL-3"]


async def test_pages_follow_one_another_without_gaps(
    agent: Browser, kept: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worklist, "AT_ONCE", 2)
    for number in range(5):
        kept.put(
            open_case(
                case_id=f"HL-{number}", received=START + timedelta(hours=number), order={"order_id": f"S{number}"}
            )
        )
    found: list[str] = []
    path = "/desk"
    while path:
        page = (await agent.get(path)).text
        found += shown(page)
        following = re.search(r'href="(/desk\?[^"]*after=[^"]*)"', page)
        path = following[1].replace("&amp;", "&") if following else ""

    assert found == [f"HL-{number}" for number in range(5)]


async def test_strange_address_of_a_page_is_refused(agent: Browser) -> None:
    for after in ("x", "WzFd", "W251bGwsIDFd", "WyIyMDI2LTAxLTAxIiwgIkhMIl0"):
        assert (await agent.get("/desk", params={"after": after})).status_code == 422


async def test_views_count_what_they_show(agent: Browser, kept: Cases) -> None:
    kept.put(stages.over_limits())
    kept.put(open_case(case_id="HL-2", urgent=True, order={"order_id": "SO-2"}))
    kept.worlds["HL-2"].says("assign", owner="李娜")
    kept._write(kept.worlds["HL-2"])  # noqa: SLF001 (its row)

    counts = {}
    page = (await agent.get("/desk", headers={"accept-language": "en"})).text
    for name, count in re.findall(r"<span>([^<]+)</span><span class=\"count number\">(\d+)</span>", page):
        counts[name] = int(count)

    assert counts["All open"] == 2
    assert (counts["Urgent"], counts["Needs approval"], counts["Blocked"]) == (1, 1, 0)
    assert shown((await agent.get("/desk?urgent=1")).text) == ["HL-2"]
    assert shown((await agent.get("/desk?needs=approval")).text) == ["HL-1"]


async def test_saved_view_is_its_persons_own(agent: Browser) -> None:
    await agent.submit("/desk/views", name="紧急建材", query="urgent=1&line=building_materials&evil=1")
    assert "紧急建材" in (await agent.get("/desk")).text

    await agent.log_in("陈静")

    assert "紧急建材" not in (await agent.get("/desk")).text


async def test_search_finds_a_case_by_the_customers_name(agent: Browser, kept: Cases) -> None:
    kept.put(open_case(customer={"name": "欧阳修", "phone": "+8613811112222", "locale": "zh-CN"}))

    assert shown((await agent.get("/desk", params={"q": "欧阳修"})).text) == ["HL-1"]
    assert shown((await agent.get("/desk", params={"q": "司马光"})).text) == []


def test_people_at_a_case_see_each_other_until_they_leave() -> None:
    there = Presence()
    assert there.others("HL-1", "li", START) == []

    assert there.others("HL-1", "wang", START) == ["li"]
    assert there.others("HL-1", "Li", START) == ["wang"]
    assert there.others("HL-2", "zhao", START) == []
    assert there.others("HL-1", "zhao", START + EXPIRES) == []
