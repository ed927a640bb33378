"""In the Temporal UI a case can be understood without its payloads; checked in a real browser.

AFTER_SALES_TEST_PICTURES=DIR also saves the pages as pictures (docs/images).
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Error, Page, async_playwright
from rich.console import Console
from temporalio.client import Client

import demo
from demo.narrator import Narrator
from demo.play import Played, Stage
from embedded import Embedded
from tests.engine import PATIENCE

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-sync", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--no-first-run"]
if not shutil.which(CHROMIUM) and os.environ.get("CI") != "true":
    pytest.skip("there is no Chromium: apt-get install chromium", allow_module_level=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    ports = {"port": 0, "ui_port": 0, "partners_port": 0}
    async with (
        Embedded(data=None, fixtures=demo.FIXTURES, **ports) as machine,
        Stage(await Client.connect(machine.address), machine) as stage,
    ):
        yield stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = await browser.new_page(viewport={"width": 1500, "height": 1100})
        page.set_default_timeout(1000 * PATIENCE)
        yield page
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def case(stage: Stage) -> Played:
    """A late delivery whose acknowledgement broke while the messaging partner was down; it waits for consent."""
    await stage.break_partner(partner="messaging", kind="down")
    case = await stage.open(
        Narrator(Console(quiet=True), ""),
        case_id="HL-20261122-0001",
        topic="transport.delay",
        order_id="SO-DELAY-7",
        promised_days_ago=7,
        description="一周了还没到",
    )
    await case.until("an offer", lambda s: s.offers)
    await case.passes(minutes=16)
    await stage.repair_partners()
    await case.passes(minutes=6)
    await case.until_status("awaiting_consent")
    await case.until("the team lead was notified", lambda s: all(e.sent_at for e in s.escalations))
    return case


async def _shows(page: Page, text: str) -> str:
    """Return all text on the page, including its frames (where Markdown is drawn), once it contains `text`."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(Error):  # the page has just replaced that frame
                shown = "\n".join([await frame.inner_text("body") for frame in page.frames])
                if text in shown:
                    return shown
            await asyncio.sleep(0.2)


async def _saved(page: Page, name: str) -> None:
    if folder := os.environ.get("AFTER_SALES_TEST_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_timers_show_in_the_timeline_what_was_promised_by_when(stage: Stage, case: Played, page: Page) -> None:
    await page.goto(f"{stage.machine.ui}/namespaces/default/workflows/case-{case.id}")
    await page.get_by_text("no answer to o1: remind").first.wait_for()
    shown = await page.inner_text("body")
    await _saved(page, "timeline")

    assert "acknowledge due" in shown
    assert "then notify director" in shown


async def test_page_of_a_case_shows_what_to_do_next(stage: Stage, case: Played, page: Page) -> None:
    await page.goto(f"{stage.machine.ui}/namespaces/default/workflows/case-{case.id}")
    await page.get_by_text("User Metadata").first.click()
    shown = await _shows(page, "answer to offer o1: customer-approved")
    await _saved(page, "case-in-temporal-ui")

    assert "detailed_result" in shown
    assert "no answer to o1: remind" in shown
    assert "王芳" not in shown
    assert "一周了还没到" not in shown
