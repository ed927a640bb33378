"""The effect of an edited policy file can be previewed case by case; cases are moved by name (S18)."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

import policies
from client import cases as connection
from client import policy_move as moving
from console import reading
from records import Records
from settings import ROOT
from tests.complaints import complaint
from tests.e2e.driving import Result, Starter, starter_here
from tests.engine import OpenCase, Workshop, eventually, promise, serving
from tests.fakes import FakePartners
from worker import Parts, register_search_attributes

Run = Callable[..., Any]
BY = ("--by", "Chen Wei", "--reason", "24 hours for all")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server without other cases."""
    async with serving(tmp_path_factory.mktemp("moving")) as served:
        await register_search_attributes(await Client.connect(served))
        yield served


@pytest.fixture
async def workshop(address: str, tmp_path: Path) -> AsyncIterator[Workshop]:
    records = Records(f"sqlite:///{tmp_path / 'records.db'}")
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    opened = Workshop(client, Parts(policies.load(ROOT / "policies"), FakePartners().ports(), records))
    await opened.open()
    yield opened
    await opened.close()
    # One test's cases must not show up in the next.
    for taken in opened.taken_in:
        with suppress(RPCError):  # it may have closed
            await client.get_workflow_handle(taken).terminate()
    records.close()


@pytest.fixture
def starter(address: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line, in a thread, so that the worker can run in this one."""
    here: Starter = starter_here(address, capsys)

    async def run(*arguments: str | Path) -> Result:
        return await asyncio.to_thread(here, *arguments)

    return run


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """A copy of the policies that promises the detailed result in 24 hours; the path of the changed file."""
    folder = Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))
    path = folder / "building_materials.yaml"
    replace(path, "name: detailed_result, within: 48h", "name: detailed_result, within: 24h")
    return path


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


async def waiting(workshop: Workshop, **changes: Any) -> OpenCase:
    """A case that is on the server's list."""
    case = await workshop.take_in(complaint(**changes))
    await case.until(lambda c: c["status"] != "received")
    await case.at_rest()

    async def listed() -> list[str]:
        query = f"WorkflowId = '{case.handle.id}' AND CaseLine IS NOT NULL"
        return [found.id async for found in case.client.list_workflows(query)]

    await eventually(listed, f"{case.id} in the list")
    return case


async def test_preview_shows_what_would_change_for_each_case_and_changes_nothing(
    workshop: Workshop, starter: Run, edited: Path
) -> None:
    """S18: case by case, at each case's current time; cases of other lines are not listed."""
    old = await waiting(workshop)
    await old.after(hours=30)
    fresh = await waiting(workshop, topic="goods.quality")
    await waiting(workshop, line="fresh_food", topic="goods.damage")
    before = {case.id: (await case.snapshot(), len(await case.events())) for case in (old, fresh)}

    shown, in_json = await starter("policy", "preview", edited), await starter("policy", "preview", "--json", edited)

    rows = {row["case_id"]: row for row in map(json.loads, in_json.out.splitlines())}
    assert (shown.code, in_json.code) == (0, 0)
    assert rows.keys() == {old.id, fresh.id}
    assert [r["role"] for r in rows[old.id]["rungs"]] == ["owner", "team_lead"]
    assert rows[fresh.id]["rungs"] == []
    for case in (old, fresh):
        row = rows[case.id]
        assert (row["line"], row["policy"]["to"]) == ("building_materials", policies.load_file(edited).version)
        [change] = row["promises"]
        assert (change["name"], change["before"]["within"], change["after"]["within"]) == (
            *("detailed_result", "48h", "24h"),
        )
        assert (await case.snapshot(), len(await case.events())) == before[case.id]
    assert old.id in shown.out
    assert "detailed_result: 48h, due " in shown.out
    assert "at once: team_lead notified of detailed_result (rung 2)" in shown.out
    assert "differs in promises" in shown.out


async def test_change_of_shared_rules_is_previewed_for_each_line(
    workshop: Workshop, starter: Run, edited: Path
) -> None:
    shared = edited.with_name("every_line.yaml")
    replace(shared, "close_after: 7 days", "close_after: 6 days")
    slate, food = await waiting(workshop), await waiting(workshop, line="fresh_food", topic="goods.damage")

    result = await starter("policy", "preview", "--json", shared)

    rows = {row["case_id"]: row["differs"] for row in map(json.loads, result.out.splitlines())}
    assert rows == {slate.id: ["promises", "silence"], food.id: ["silence"]}


async def test_current_policies_change_nothing(workshop: Workshop, starter: Run) -> None:
    await waiting(workshop)

    results = [await starter("policy", "preview", *option) for option in ([], ["--json"])]

    assert [(result.code, result.out) for result in results] == [(0, "no open case would change\n"), (0, "")]


async def test_faulty_file_is_reported_by_key_and_no_case_is_queried(starter: Run, edited: Path) -> None:
    replace(edited, "within: 24h, pausable: true", "within: 24 parsecs, pausable: true")

    result = await starter("policy", "preview", edited)

    assert (result.code, result.out) == (2, "")
    assert 'building_materials.yaml: promises.3.within: "24 parsecs" is not a duration' in result.err


async def test_cases_are_moved_by_name_and_a_refused_one_stops_no_other(
    workshop: Workshop, starter: Run, edited: Path
) -> None:
    """S18: who and why are on the timeline; a second move changes nothing."""
    first, over, last = [await waiting(workshop) for _ in range(3)]
    await over.says("complaint-withdrawn")
    await over.result()
    policy = policies.load_file(edited)
    names = (first.id, "HL-404", over.id, last.id)

    early = await starter("policy", "move", first.id, *BY, "--version", policy.version)
    workshop.parts.policies[policy.line] = policy
    moved = await starter("policy", "move", *names, *BY, "--version", policy.version)
    again = await starter("policy", "move", first.id, *BY)

    assert (early.code, moved.code, again.code) == (1, 1, 0)
    assert f"{first.id} refused: the policy in force is " in early.out
    assert f"not {policy.version}: restart every worker with the edited file" in early.out
    assert f"{first.id} move-policy: done, the case is assessing\n  detailed_result: 48h, due " in moved.out
    assert "HL-404 refused: no case HL-404 at " in moved.out
    assert f"{over.id} refused: {over.id} is closed as withdrawn" in moved.out
    assert again.out == f"{first.id} move-policy: nothing changed, {first.id} has policy {policy.version} already\n"
    for case in (first, last):
        seen = await case.snapshot()
        assert promise(seen, "detailed_result")["within"] == "24h"
        assert [e["by"] for e in seen["timeline"] if e["what"] == "policy moved"] == ["Chen Wei"]


async def test_case_that_does_not_answer_is_named_and_several_end_the_preview(
    workshop: Workshop, starter: Run, edited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = {(await waiting(workshop)).id for _ in range(2)}
    await workshop.close()
    monkeypatch.setattr(connection, "ANSWER_WITHIN", timedelta(seconds=1))

    few = await starter("policy", "preview", "--json", edited)
    monkeypatch.setattr(moving, "AT_A_TIME", 1)
    many = await starter("policy", "preview", edited)

    rows = [json.loads(line) for line in few.out.splitlines()]
    assert few.code == 1
    assert {row["case_id"] for row in rows} == cases
    assert all("does not answer: is a worker running" in row["unknown"] for row in rows)
    assert (many.code, many.out) == (1, "")
    assert "too many cases do not answer" in many.err


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"refused": "topic: is gone"}, "cannot be moved: topic: is gone"),
        ({"unknown": "HL-1 does not answer"}, "did not answer: HL-1 does not answer"),
        (
            {"begins": [{"name": "solution", "within": "24h", "starts": "received", "passed": True}]},
            "has passed: not owed",
        ),
        ({"begins": [{"name": "progress_update", "within": "12h", "starts": "consent", "passed": False}]}, "12h from"),
        ({"at_once": ["no answer to o1: close"]}, "at once: no answer to o1: close"),
        ({"offer": {"id": "o1", "instead": []}}, "offer o1 stays as it is; a new assessment would offer: nothing"),
    ],
)
def test_each_possible_change_has_a_sentence(row: dict[str, Any], sentence: str) -> None:
    nothing: dict[str, Any] = {"promises": [], "begins": [], "rungs": [], "at_once": [], "offer": None, "differs": []}
    about = {"case_id": "HL-1", "line": "x", "topic": "y", "status": "assessing"}
    screen = reading.screen()

    with screen.capture() as captured:
        screen.print(reading.moves([{**about, **nothing, **row}]))

    assert sentence in captured.get()
