"""The log of a case: one line for each entry of its timeline, once, without personal data."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from temporalio import workflow

import logs
from settings import Settings
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, replayer, step
from tests.workflows.conftest import Open, agreed
from tests.workflows.operation.test_continuing import case, impatient_engine  # noqa: F401 (fixtures)

PERSONAL = ("Wang Xiaoming", "13900001234", "xiaoming@example.org", "Lotus Street", "my daughter", "Zhao Yun")
"""Name, phone, email, address, text of a customer, an agent's name."""


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The standard error of a worker, set up as in `worker.py`."""
    text, root, chatty = io.StringIO(), logging.getLogger(), logging.getLogger("temporalio.activity")
    handlers, level, chatty_level = root.handlers[:], root.level, chatty.level
    monkeypatch.setattr(sys, "stderr", text)
    logs.set_up(Settings(log_format="json"))
    yield text
    structlog.reset_defaults()
    chatty.setLevel(chatty_level)
    # Not `force=True`: that would close pytest's own handlers.
    root.handlers, root.level = handlers, level


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    """Return the lines about a case so far."""
    return [line for line in map(json.loads, log.getvalue().splitlines()) if "case_id" in line]


def timeline_events(snapshot: dict[str, Any]) -> list[str]:
    """Return the entries of a snapshot's timeline, as the log names them."""
    return [entry["what"] for entry in snapshot["timeline"]]


async def lived(case: OpenCase) -> dict[str, Any]:  # noqa: F811
    """A case with a note, an agreement, steps and a callback; its final snapshot."""
    await agreed(case, "minor")
    await case.says("note", text="my daughter called about Lotus Street", by="Zhao Yun")
    await case.until(lambda c: step(c, "onsite_repair")["reference"])
    await case.signals("step-reported", step="onsite_repair", state="done", detail="left with Wang Xiaoming")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5, comment="my daughter is glad", by="Wang Xiaoming")
    return await case.result()


def about_somebody() -> dict[str, Any]:
    """A complaint full of personal data."""
    name, phone, email, address, wrote, _ = PERSONAL
    customer = {"name": name, "phone": phone, "email": email, "locale": "zh-CN"}
    return {"customer": customer, "order": {"install_address": f"5 {address}"}, "description": f"{wrote} saw it"}


async def test_each_entry_of_the_timeline_is_one_line_in_order(log: io.StringIO, open_case: Open) -> None:
    case = await open_case()  # noqa: F811

    result = await lived(case)

    assert [line["event"] for line in lines(log)] == timeline_events(result)
    assert {"received", "offered", "agreed", "note", "step done", "closed"} <= set(timeline_events(result))
    for line in lines(log):
        assert line["case_id"] == case.id
        assert (line["workflow_id"], line["level"]) == (case.handle.id, "info")
        assert (line["line"], line["topic"]) == (result["line"], result["topic"])
    assert lines(log)[-1]["status"] == "closed"


async def test_no_line_has_personal_data(log: io.StringIO, open_case: Open) -> None:
    result = await lived(await open_case(**about_somebody()))

    assert {"my daughter called about Lotus Street", "Zhao Yun"} <= {
        value for entry in result["timeline"] for value in entry.values()
    }
    assert len(lines(log)) == len(result["timeline"])
    assert [word for word in PERSONAL if word in log.getvalue()] == []


async def test_case_that_is_replayed_for_each_task_logs_nothing_twice(
    log: io.StringIO, closed_workshop: Workshop
) -> None:
    """S24: the worker keeps nothing in memory, so each task replays the case from its beginning."""
    await closed_workshop.open(max_cached_workflows=0)

    result = await lived(await closed_workshop.take_in(complaint()))

    assert [line["event"] for line in lines(log)] == timeline_events(result)


@pytest.mark.parametrize("replays_aloud", [False, True], ids=["as it is", "without the guard"])
async def test_replay_says_nothing(
    log: io.StringIO, open_case: Open, monkeypatch: pytest.MonkeyPatch, *, replays_aloud: bool
) -> None:
    """S24: a logger that ignored replays would log everything again."""
    case = await open_case()  # noqa: F811
    result = await lived(case)
    before = len(lines(log))
    monkeypatch.setattr(workflow.logger, "log_during_replay", replays_aloud)

    await replayer().replay_workflow(await case.handle.fetch_history())

    again = [line["event"] for line in lines(log)[before:]]
    assert again == (timeline_events(result) if replays_aloud else [])


async def test_run_that_continues_a_case_says_nothing_again(log: io.StringIO, case: OpenCase) -> None:  # noqa: F811
    await case.at_rest()  # or the server repeats a task that ends as the clock is moved, and its lines
    seen = await case.after(days=5)

    assert await case.runs() > 2
    assert timeline_events(seen).count("update") > 1
    assert [line["event"] for line in lines(log)] == timeline_events(seen)
