"""A customer with a phone: the link in a letter, photos, an offer, consent, a rating; in a real browser.

AFTER_SALES_TEST_PICTURES=DIR also saves the pages as pictures (docs/images).
"""

import io
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from PIL import Image
from playwright.async_api import BrowserContext, FilePayload, Page, ViewportSize, async_playwright
from rich.console import Console

from demo.narrator import Narrator
from demo.play import Played, Stage
from tests.e2e.test_temporal_ui import CHROMIUM, QUIET
from tests.engine import PATIENCE

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
PHONE: ViewportSize = {"width": 390, "height": 844}
if not shutil.which(CHROMIUM) and os.environ.get("CI") != "true":
    pytest.skip("there is no Chromium: apt-get install chromium", allow_module_level=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phone() -> AsyncIterator[BrowserContext]:
    """A phone on which scripts are switched off."""
    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = await browser.new_context(
            viewport=PHONE, is_mobile=True, has_touch=True, java_script_enabled=False, locale="zh-CN"
        )
        context.set_default_timeout(1000 * PATIENCE)
        yield context
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(phone: BrowserContext) -> AsyncIterator[Page]:
    """A page; the test fails if it violates its Content-Security-Policy or logs any other error."""
    faults: list[str] = []
    page = await phone.new_page()
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("requestfailed", lambda request: faults.append(f"{request.url} failed"))
    yield page
    await page.close()
    assert [fault for fault in faults if "409" not in fault and "422" not in fault] == []


async def link_in(stage: Stage, case: Played, event: str) -> str:
    """The link at the end of the letter that the customer got."""
    messages = (await stage.ledger(case.id))["messages"]
    body = [m["content"]["body"] for m in messages if m["content"]["event"] == event][-1]
    found = re.search(r"http://127\.0\.0\.1:\d+/c/[\w-]{43}$", body)
    assert found, body
    return found[0]


async def saved(page: Page, name: str) -> None:
    if folder := os.environ.get("AFTER_SALES_TEST_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def photo() -> FilePayload:
    out = io.BytesIO()
    Image.effect_noise((640, 480), 60).save(out, "JPEG")
    return {"name": "eggs.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


async def opened(stage: Stage, case_id: str, order_id: str) -> Played:
    case = await stage.open(
        Narrator(Console(quiet=True), ""),
        case_id=case_id,
        line="fresh_food",
        topic="goods.damage",
        order_id=order_id,
        description="今早送来的鸡蛋碎了两箱。",
    )
    await case.until_status("awaiting_evidence")
    return case


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_axe_finds_nothing_that_would_exclude_a_reader(
    stage: Stage, phone: BrowserContext, language: str, scheme: Literal["light", "dark"]
) -> None:
    case = await opened(stage, "FF-3", "FF-THIRD")
    link = await link_in(stage, case, "evidence_request")
    assert phone.browser
    context = await phone.browser.new_context(viewport=PHONE, color_scheme=scheme)
    page = await context.new_page()

    for address in (f"{link}?lang={language}", f"{link[:-1]}?lang={language}"):
        await page.goto(address)
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    await context.close()


async def test_customer_sends_photos_accepts_and_rates(stage: Stage, page: Page) -> None:
    case = await opened(stage, "FF-1", "FF-EGGS")
    await case.until("a letter", lambda s: any(e.what == "acknowledged" for e in s.timeline))

    # Photos, because the case waits for them
    await page.goto(await link_in(stage, case, "evidence_request"))
    await saved(page, "photos")
    await page.set_input_files("#files", [photo()])
    await page.get_by_role("button", name="上传照片").click()
    await page.get_by_text("谢谢，照片已收到。").wait_for()
    await case.until("the photo", lambda s: s.evidence and not s.awaited)

    # The offer: money, so the digits are asked for
    await case.does("李娜", "assess", upheld=True, liable="delivery", cause="装车时堆压")
    await case.until_status("awaiting_consent")
    await page.goto(await link_in(stage, case, "offer"))
    await page.get_by_text("方案 2").click()
    await saved(page, "customer-page")
    await page.get_by_label("您手机号的后四位").fill("9999")
    await page.get_by_role("button", name="确认选择").click()
    await page.get_by_text("与您手机号的后四位不符。").wait_for()
    assert await page.locator("input[value=refund]").is_checked()
    await page.get_by_label("您手机号的后四位").fill(case.complaint["customer"]["phone"][-4:])
    await page.get_by_role("button", name="确认选择").click()
    await page.get_by_text("谢谢，已收到您的选择").wait_for()
    agreed = await case.until_status("following_up")

    assert agreed.offers[-1].accepted == "refund"
    assert any(entry.what == "agreed" and entry.by == "customer" for entry in agreed.timeline)

    # A rating closes the case
    await page.reload()
    await page.locator(".scores label", has_text="5").click()
    await page.get_by_role("button", name="提交评价").click()
    await page.get_by_text("感谢您的评价。").wait_for()
    await case.ends("satisfied", paid={"refund": "460.00", "compensation": "23.00"})
    await page.reload()
    await page.get_by_role("heading", name="工单已关闭").wait_for()
    await saved(page, "closed")


async def test_offer_replaced_while_the_customer_reads_is_not_accepted(stage: Stage, page: Page) -> None:
    """S19: in a real case behind a real page."""
    case = await opened(stage, "FF-2", "FF-OTHER")
    await case.does("周涛", "evidence-received", evidence=[{"kind": "photo", "uri": "https://example.com/1"}])
    await case.does("李娜", "assess", upheld=True, liable="delivery", cause="堆压")
    await case.until_status("awaiting_consent")
    await page.goto(await link_in(stage, case, "offer"))
    await page.get_by_text("方案 1").click()
    await page.get_by_label("您手机号的后四位").fill(case.complaint["customer"]["phone"][-4:])

    await stage.engine.send(case.id, "assess", {"affected": [{"sku": "EGG-360", "quantity": 1}], "by": "李娜"})
    await page.get_by_role("button", name="确认选择").click()
    await page.get_by_text("处理方案刚刚更新，请查看新的方案。").wait_for()

    seen = await case.look()
    assert [(offer.id, offer.accepted) for offer in seen.offers] == [("o1", None), ("o2", None)]
