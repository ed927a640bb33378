"""The HTTP API with everything real: server, worker, web server, and curl as the client."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from client.serving import keys
from embedded import Embedded
from records import Records
from settings import ROOT
from tests.complaints import complaint
from tests.e2e.driving import clean_environment
from tests.engine import PATIENCE
from tests.web.conftest import EVERYTHING, POLICIES

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]
CHROMIUM = "/usr/bin/chromium"
GUIDE = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """One machine for all tests here."""
    folder = tmp_path_factory.mktemp("machine")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AFTER_SALES_WEB_REQUESTS_PER_MINUTE", "1000000")
        async with Embedded(data=folder, port=0, ui_port=0, partners_port=0, web_port=0) as running:
            yield running


@pytest.fixture(scope="module")
def database(machine: Embedded) -> str:
    """The address of its database."""
    return f"sqlite:///{machine.logs.parent / 'records.db'}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(machine: Embedded, database: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may do everything, with a key of its own."""
    records = Records(database)
    key = keys.create(records, "desk of tests", EVERYTHING, POLICIES)
    records.close()
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=f"{machine.web}", headers=headers, timeout=PATIENCE, trust_env=False) as http:
        yield http


async def until(http: httpx.AsyncClient, case_id: str, status: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            seen: dict[str, Any] = (await http.get(f"/v1/cases/{case_id}")).json()
            if seen["case"]["status"] == status:
                return seen
            await asyncio.sleep(0.1)


async def test_server_is_ready(http: httpx.AsyncClient) -> None:
    answer = await http.get("/ready")

    assert (answer.status_code, answer.json()) == (200, {"temporal": "ok", "database": "ok"})


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_commands_of_the_guide_work(machine: Embedded, database: str, tmp_path: Path) -> None:
    """A reader copies them into a shell."""
    commands = re.search(r"## Try it\n.*?```sh\n(.*?)```", GUIDE, re.DOTALL)
    assert commands
    script = commands[1].replace("http://127.0.0.1:8735", str(machine.web)).replace("curl ", "curl -fsS ")
    script = script.replace("python starter.py", f"{sys.executable} {ROOT / 'starter.py'}")
    env = {**clean_environment(), "AFTER_SALES_DATABASE_URL": database}

    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-euo", "pipefail", "-c", script.replace("\ncurl", "\necho; curl")],
        capture_output=True,
        text=True,
        env=env,
        cwd=tmp_path,
        check=False,
        timeout=PATIENCE,
    )

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    plan, opened, listed = (json.loads(line) for line in lines if line.startswith(('{"policy', '{"case_id', '{"cases')))
    assert plan["promises"]
    assert opened["result"] == "opened"
    assert listed["next"] is None
    assert re.search(r'^etag: "[0-9a-f]{32}-\d+"', done.stdout, re.MULTILINE)
    assert json.loads(lines[-1])["applied"] is True


async def test_a_case_from_its_complaint_to_its_end(http: httpx.AsyncClient) -> None:
    raw = complaint(topic="transport.damage")
    case_id = raw["case_id"]

    opened = await http.post("/v1/cases", json=raw)
    assert (opened.status_code, opened.json()["result"]) == (201, "opened")
    await until(http, case_id, "assessing")
    assessed = await http.post(
        f"/v1/cases/{case_id}/messages/assess",
        json={
            "upheld": True,
            "severity": "minor",
            "affected": [{"sku": "SLATE-9", "quantity": 1}],
        },
    )
    assert assessed.json()["applied"], assessed.text
    seen = await http.get(f"/v1/cases/{case_id}")
    assert "desk of tests" in [entry.get("by") for entry in seen.json()["case"]["timeline"]]
    withdrawn = await http.post(
        f"/v1/cases/{case_id}/messages/complaint-withdrawn", json={}, headers={"if-match": seen.headers["etag"]}
    )
    assert withdrawn.status_code == 200, withdrawn.text
    ended = await until(http, case_id, "closed")

    events = (await http.get(f"/v1/cases/{case_id}/events")).json()["events"]
    late = await http.post(f"/v1/cases/{case_id}/messages/note", json={"text": "too late"})
    again = await http.post("/v1/cases", json=raw)

    assert (ended["case"]["outcome"], ended["as_of"]) == ("withdrawn", None)
    assert events[0]["type"] == "case.opened"
    assert late.status_code == 409
    assert f"{case_id} closed as withdrawn" in late.json()["detail"]
    assert (again.status_code, again.json()["differs"], again.json()["case"]["status"]) == (200, [], "closed")


async def test_evidence_for_a_closed_case_reopens_it(http: httpx.AsyncClient) -> None:
    """S22. To the next message a closed case says which case goes on."""
    raw = complaint()
    case_id = raw["case_id"]
    await http.post("/v1/cases", json=raw)
    await http.post(f"/v1/cases/{case_id}/messages/complaint-withdrawn", json={})
    await until(http, case_id, "closed")

    photo = {"evidence": [{"kind": "photo", "uri": "s3://p"}]}
    reopened = await http.post(f"/v1/cases/{case_id}/messages/evidence-received", json=photo)
    follows = reopened.json()["case"]
    await until(http, follows, "assessing")
    note = await http.post(f"/v1/cases/{case_id}/messages/note", json={"text": "hello"})

    assert (reopened.status_code, follows) == (200, f"{case_id}.2")
    assert (note.status_code, note.json()["case"]) == (409, follows)


async def test_refusal_and_repeated_request_reach_the_case_once(http: httpx.AsyncClient) -> None:
    raw = complaint()
    path = f"/v1/cases/{raw['case_id']}/messages"
    await http.post("/v1/cases", json=raw)

    refused = await http.post(f"{path}/customer-approved", json={"offer": "o9"})
    notes = [
        await http.post(f"{path}/note", json={"text": "once"}, headers={"idempotency-key": "note-1"}) for _ in range(3)
    ]
    seen = (await http.get(f"/v1/cases/{raw['case_id']}")).json()["case"]

    assert (refused.status_code, refused.json()["case"]) == (409, raw["case_id"])
    assert {note.status_code for note in notes} == {200}
    assert [entry["text"] for entry in seen["timeline"] if entry["what"] == "note"] == ["once"]


async def test_batch_opens_what_is_valid(http: httpx.AsyncClient) -> None:
    good = [complaint() for _ in range(25)]
    lines = [*map(json.dumps, good), "{broken", json.dumps(complaint(topic="x")), json.dumps(good[0])]

    answer = await http.post(
        "/v1/cases:batch", content="\n".join(lines), headers={"content-type": "application/x-ndjson"}
    )
    results = [json.loads(line) for line in answer.text.splitlines()]

    assert [each["status"] for each in results] == [201] * 25 + [422, 422, 200]
    assert [each["line"] for each in results] == list(range(1, 29))


async def test_without_a_worker_a_case_comes_from_our_database_and_messages_are_answered_503(
    http: httpx.AsyncClient, machine: Embedded
) -> None:
    raw = complaint()
    await http.post("/v1/cases", json=raw)
    await until(http, raw["case_id"], "assessing")
    await http.post(f"/v1/cases/{raw['case_id']}/messages/assign", json={"owner": "li.na"})
    async with asyncio.timeout(PATIENCE):
        while not (await http.get("/v1/cases?owner=li.na")).json()["cases"]:
            await asyncio.sleep(0.1)

    await machine.kill_worker()
    try:
        kept, waiting, note = await asyncio.gather(
            http.get(f"/v1/cases/{raw['case_id']}"),
            http.post("/v1/cases", json=complaint(case_id=f"{raw['case_id']}-W")),
            http.post(f"/v1/cases/{raw['case_id']}/messages/note", json={"text": "anybody?"}),
        )
    finally:
        await machine.start_worker()

    assert (kept.status_code, kept.json()["case"]["owner"]["name"]) == (200, "li.na")
    assert kept.json()["as_of"] is not None
    assert (waiting.status_code, waiting.json()["result"]) == (202, "pending")
    assert (note.status_code, note.headers["retry-after"]) == (503, "5")
    assert "is a worker running" in note.json()["detail"]
    assert (await until(http, raw["case_id"], "assessing"))["as_of"] is None


MESSAGES_OF_ONE_KIND = r"/messages/(?!note$|propose$|step-reported$)"
"""Routes of messages differ in their schemas only; the long run includes all of them."""
SHORT = ["--phases", "examples,coverage", "--exclude-path-regex", MESSAGES_OF_ONE_KIND]
LONG = ["--max-examples", "20"]


@pytest.mark.parametrize("how", [SHORT, pytest.param(LONG, marks=pytest.mark.long)], ids=["short", "long"])
async def test_every_request_that_the_description_allows_or_forbids_is_answered_as_described(
    machine: Embedded, http: httpx.AsyncClient, how: list[str], tmp_path: Path
) -> None:
    """Schemathesis generates them from the published document, valid and not, and runs all its checks."""
    command = [str(Path(sys.executable).with_name("st")), "--config-file", "tests/e2e/schemathesis.toml"]
    command += ["run", f"{machine.web}/v1/openapi.json", "-H", f"Authorization: {http.headers['authorization']}"]
    command += ["--checks", "all", "--generation-deterministic", "--continue-on-failure", "--no-color", *how]

    with (tmp_path / "report.txt").open("w+") as report:
        run = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=report, stderr=report)
        code = await run.wait()
        report.seek(0)
        said = report.read()

    assert code == 0, said
    assert re.search(r"Tested: +[1-9]\d", said), said
    assert "Traceback" not in (machine.logs / "web.log").read_text(encoding="utf-8")
    assert '"status": 500' not in (machine.logs / "web.log").read_text(encoding="utf-8")


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium")
async def test_documentation_page_works_in_a_browser_under_its_policy(machine: Embedded) -> None:
    """The browser reports each violation of the content security policy as an error on its console."""
    errors: list[str] = []
    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page()
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.on("request", lambda sent: errors.append(sent.url) if not sent.url.startswith(str(machine.web)) else None)
        await page.goto(f"{machine.web}/v1/docs")
        await page.locator("#operations-cases-openCase .opblock-summary").click(timeout=1000 * PATIENCE)
        await page.locator("#operations-cases-openCase .opblock-body").wait_for(timeout=1000 * PATIENCE)
        await browser.close()

    assert [error for error in errors if "404" not in error and not error.startswith("data:")] == []
