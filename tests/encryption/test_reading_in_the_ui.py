"""A user who has signed in to the codec server reads an encrypted case in the Temporal UI; in a real browser."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright
from temporalio.client import Client

from cases.contract import CASE_WORKFLOW, TASK_QUEUE, workflow_id
from embedded import Embedded
from encryption import encrypted
from encryption.keys import KeyRing, new_key
from tests.complaints import complaint
from tests.encryption.test_codec_server import TOKEN, codec_server
from tests.engine import PATIENCE, OpenCase

pytestmark = [pytest.mark.e2e, pytest.mark.long]
CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-sync", "--disable-background-networking"]
if not shutil.which(CHROMIUM) and os.environ.get("CI") != "true":
    pytest.skip("there is no Chromium: apt-get install chromium", allow_module_level=True)
KEY, WORDS = new_key("k1"), "li@example.org"
CODEC_IN_THE_UI = """
localStorage.setItem("endpoint", JSON.stringify({address}));
localStorage.setItem("includeCredentials", "true");
localStorage.setItem("overrideRemoteCodecConfiguration", "true");
"""
"""What a user enters in the UI under *Codec Server*."""


@pytest.fixture
async def machine(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Embedded]:
    """Everything on this machine, with keys."""
    monkeypatch.setenv("AFTER_SALES_ENCRYPTION_KEYS", KEY)
    async with Embedded(data=None, port=0, ui_port=0, partners_port=0) as machine:
        yield machine


@pytest.fixture
async def codec(machine: Embedded, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a codec server for that machine's UI."""
    settings = {"AFTER_SALES_ENCRYPTION_KEYS": KEY, "AFTER_SALES_CODEC_ORIGINS": json.dumps([machine.ui])}
    server = codec_server(tmp_path / "codec.log", **settings)
    await server.launch()
    try:
        await server.until_ready()
        yield server.log.read_text(encoding="utf-8").splitlines()[0].rpartition(" ")[2]
    finally:
        await server.end(5)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = await browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(1000 * PATIENCE)
        yield page
        await browser.close()


async def test_case_is_read_by_a_user_who_has_signed_in(machine: Embedded, codec: str, page: Page) -> None:
    case = await _case(machine)
    there = f"{machine.ui}/namespaces/default/workflows/{case.handle.id}"
    await page.goto(there)
    await page.evaluate(CODEC_IN_THE_UI.format(address=json.dumps(codec)))

    async with page.expect_response(lambda answer: answer.url.startswith(codec)) as answer:
        await page.goto(there)
    assert (await answer.value).status == 401
    assert WORDS not in await page.inner_text("body")

    await page.goto(codec)
    await page.fill("input", TOKEN)
    await page.click("button")
    await page.get_by_text("You are signed in").wait_for()
    await page.goto(there)
    await page.get_by_text(WORDS).first.wait_for()
    # Summaries of timers are encrypted as well.
    await page.get_by_text("detailed_result due").first.wait_for()


async def _case(machine: Embedded) -> OpenCase:
    client = await Client.connect(machine.address, data_converter=encrypted(KeyRing(text=KEY)))
    content = complaint()
    handle = await client.start_workflow(
        CASE_WORKFLOW, content, id=workflow_id(content["case_id"]), task_queue=TASK_QUEUE
    )
    case = OpenCase(content["case_id"], client, handle)
    await case.becomes("assessing")
    return case
