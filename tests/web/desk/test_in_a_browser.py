"""The desk in a real browser: by keyboard alone, with a second person, without violations of its policy, accessible.

AFTER_SALES_TEST_PICTURES=DIR also saves pages as pictures (docs/images).
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from rich.console import Console

from demo.narrator import Narrator
from demo.play import Played, Stage
from tests.e2e.test_temporal_ui import CHROMIUM, QUIET
from tests.engine import PATIENCE

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
if not shutil.which(CHROMIUM) and os.environ.get("CI") != "true":
    pytest.skip("there is no Chromium: apt-get install chromium", allow_module_level=True)
MANY_TABS = 40
"""Elements on a page that Tab may reach before the one that is looked for."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


async def log_in(browser: Browser, stage: Stage, person: str, **how: Any) -> Page:
    """Return a page in which the person is logged in. What breaks the page's policy is in `page.faults`."""
    context = await browser.new_context(
        base_url=stage.machine.web, **{"locale": "en-GB", "viewport": {"width": 1440, "height": 900}, **how}
    )
    page = await context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    watch(context, page)
    await page.goto("/login")
    await page.get_by_role("button", name=person).press("Enter")
    await page.wait_for_url("**/desk*")
    return page


FAULTS: list[str] = []
"""What browsers reported: violations of the policy, errors of scripts."""


def watch(context: BrowserContext, page: Page) -> None:
    page.on("pageerror", lambda error: FAULTS.append(str(error)))
    page.on("console", lambda said: FAULTS.append(said.text) if _is_fault(said.type, said.text) else None)
    context.set_default_timeout(1000 * PATIENCE)


def _is_fault(kind: str, text: str) -> bool:
    return kind == "error" and not text.startswith("Failed to load resource: the server responded with a status of 4")


async def opened(stage: Stage, case_id: str, **given: Any) -> Played:
    return await stage.open(Narrator(Console(quiet=True), ""), case_id=case_id, **given)


async def tab_to(page: Page, label: str) -> None:
    """Press Tab until the element with this text or name has the focus."""
    for _ in range(MANY_TABS):
        await page.keyboard.press("Tab")
        name = await page.evaluate(
            "() => { const e = document.activeElement; return (e.labels?.[0] ?? e).innerText?.trim() ?? '' }"
        )
        if name == label:
            return
    raise AssertionError(f"Tab does not reach {label}")


async def select(page: Page, case_id: str) -> None:
    """From a case or the list, search for a case and select it: other tests leave cases in the list."""
    await page.keyboard.press("/")
    await page.keyboard.type(case_id)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/desk?*q={case_id}*")
    await expect(page.locator("[data-row]")).to_have_count(1)
    await page.keyboard.press("j")


async def open_selected(page: Page) -> None:
    await page.keyboard.press("o")
    await page.wait_for_url("**/desk/cases/*")


async def saved(page: Page, name: str) -> None:
    if folder := os.environ.get("AFTER_SALES_TEST_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_agent_takes_a_case_from_the_worklist_to_closed_by_keyboard_alone(stage: Stage, browser: Browser) -> None:
    case = await opened(stage, "DESK-1", topic="transport.damage", order_id="SO-SCRATCH", description="Scratched.")
    await case.until_status("assessing")
    page = await log_in(browser, stage, "李娜")

    await select(page, "DESK-1")
    await page.keyboard.press("a")
    await page.wait_for_url("**/send/assign*")
    await tab_to(page, "Owner")
    await page.keyboard.type("李娜")
    await page.keyboard.press("Enter")
    await page.get_by_text("Done: Assign").wait_for()

    await page.keyboard.press("f")
    await tab_to(page, "Minor")
    await page.keyboard.press("Space")
    await page.get_by_text("With this, the policy grants:").wait_for()
    await page.keyboard.press("Enter")
    await page.get_by_text("Done: Assess").wait_for()
    await case.until_status("awaiting_consent")

    await select(page, "DESK-1")
    await open_selected(page)
    await page.keyboard.press("f")
    await tab_to(page, "Customer approved")
    await page.keyboard.press("Enter")
    await page.get_by_text("Done: Customer approved").wait_for()
    await case.until_status("following_up")

    await select(page, "DESK-1")
    await open_selected(page)
    await page.keyboard.press("f")
    await tab_to(page, "1")
    for _ in range(4):
        await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await case.until_status("closed")

    assert case.snapshot.outcome == "satisfied"
    assert case.snapshot.owner.name == "李娜"
    assert [entry.by for entry in case.snapshot.timeline if entry.what in {"assigned", "agreed"}] == ["李娜"] * 2


async def test_manager_approves_what_an_agent_proposed(stage: Stage, browser: Browser) -> None:
    case = await opened(stage, "DESK-2", topic="transport.damage", order_id="SO-SMASH", description="Smashed.")
    await case.until_status("assessing")
    await case.does("李娜", "assess", severity="minor")
    await case.until_status("awaiting_consent")
    coupon = {"kind": "coupon", "amount": "700.00"}
    await case.does("李娜", "propose", options=[{"key": "coupon", "remedies": [coupon]}])
    await case.until_status("awaiting_approval")
    agent, manager = await log_in(browser, stage, "李娜"), await log_in(browser, stage, "陈静")

    await agent.goto("/desk/cases/DESK-2")
    assert await agent.get_by_text("not with your role").count() > 0
    await manager.goto("/desk/approvals")
    await manager.get_by_role("link", name="Approve", exact=True).click()
    await manager.get_by_role("button", name="Send").click()
    await manager.get_by_text("Done: Approve").wait_for()

    await case.until_status("awaiting_consent")
    assert [entry.by for entry in case.snapshot.timeline if entry.what == "approved"] == ["陈静"]


async def test_two_agents_at_one_case_see_each_other_and_no_stale_form_is_sent(stage: Stage, browser: Browser) -> None:
    case = await opened(stage, "DESK-3", topic="transport.damage", order_id="SO-CRACK", description="Cracked.")
    await case.until_status("assessing")
    first, second = await log_in(browser, stage, "李娜"), await log_in(browser, stage, "吴刚")

    await first.goto("/desk/cases/DESK-3/send/note")
    await first.goto("/desk/cases/DESK-3")
    await second.goto("/desk/cases/DESK-3")
    await expect(second.get_by_text("Also here: 李娜")).to_be_visible()
    await second.goto("/desk/cases/DESK-3/send/note")
    await first.get_by_label("Moderate").check()
    await first.get_by_role("button", name="Assess").click()
    await first.get_by_text("Done: Assess").wait_for()
    await second.get_by_label("Text").fill("a remark that took a while")
    await second.get_by_role("button", name="Send").click()

    await expect(second.get_by_text("This case has changed since you opened it.")).to_be_visible()
    await expect(second.get_by_label("Text")).to_have_value("a remark that took a while")
    await second.get_by_role("button", name="Send").click()
    await second.get_by_text("Done: Note").wait_for()


async def test_session_that_was_ended_shows_the_log_in(stage: Stage, browser: Browser) -> None:
    agent, admin = await log_in(browser, stage, "赵敏"), await log_in(browser, stage, "钱进")

    await admin.goto("/desk/sessions")
    await admin.get_by_role("button", name="End 赵敏").click()
    await agent.keyboard.press("/")
    await agent.keyboard.type("anything")
    await agent.keyboard.press("Enter")

    await agent.wait_for_url("**/login?to=*")


PAGES = {
    "李娜": ["/desk", "/desk?closed=1", "/desk?q=nothing", "/desk/cases/DESK-4", "/desk/cases/DESK-5",
             *(f"/desk/cases/DESK-4/send/{name}" for name in ("call", "propose", "assess", "evidence-received"))],
    "陈静": ["/desk/approvals", "/desk/log", "/desk/cases/NONE-1"],
    "钱进": ["/desk/sessions", "/components", "/login"],
}  # fmt: skip
"""The pages that are looked at, by the person who may see them."""


@pytest.mark.parametrize(
    "how",
    [
        {"locale": "zh-CN", "color_scheme": "light"},
        {"locale": "en-GB", "color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
    ],
    ids=["zh-light-wide", "en-dark-phone"],
)
async def test_no_page_breaks_its_policy_or_shuts_anybody_out(stage: Stage, browser: Browser, how: Any) -> None:
    case = await opened(
        stage, "DESK-4", topic="transport.damage", order_id="SO-88121", description="四块岩板里有一块断成两截，急。"
    )
    closed = await opened(stage, "DESK-5", topic="transport.delay", order_id="SO-DELAY-2", description="Late.")
    await asyncio.gather(case.until_status("assessing"), closed.until("it was offered something", lambda s: s.offers))
    found: list[str] = []

    for person, paths in PAGES.items():
        page = await log_in(browser, stage, person, **how)
        for path in paths:
            await page.goto(path)
            for details in await page.locator("details").all():
                await details.evaluate("element => { element.open = true }")
            wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found += [f"{path}: {wide} px too wide"] if wide > 0 else []
            result = await Axe().run(page)
            found += [f"{path}: {each['id']} {each['nodes'][0]['html']}" for each in result.response["violations"]]
        await page.context.close()

    assert found == []
    assert FAULTS == []


async def test_pictures_of_the_desk(stage: Stage, browser: Browser) -> None:
    case = await opened(
        stage, "DESK-6", topic="transport.damage", order_id="SO-88121", description="四块岩板里有一块断成两截，急。"
    )
    await case.until_status("assessing")
    page = await log_in(browser, stage, "李娜", viewport={"width": 1360, "height": 850}, device_scale_factor=1.5)
    await page.goto("/desk")
    await expect(page.locator("[data-row]").first).to_be_visible()
    await saved(page, "desk-worklist")
    await page.goto("/desk/cases/DESK-6")
    await expect(page.get_by_role("heading", name="Promises")).to_be_visible()
    await saved(page, "desk-case")
