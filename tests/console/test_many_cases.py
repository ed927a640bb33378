"""`starter.py list` with many cases, and a comparison with Temporal whose worker is killed."""

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from client.reconcile_runs import SCHEDULE
from settings import LOCK
from tests.e2e.driving import Starter, Up, children_of, complaint, eventually, starter_at, starter_up

pytestmark = [pytest.mark.e2e, pytest.mark.long]

CASES = 300


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def up(data: Path) -> Iterator[Up]:
    """A server of this module's own with its cases: the complaints differ in what customers say and their phone."""
    with starter_up("--data", data) as running:
        complaints = data / "complaints.ndjson"
        complaints.write_text("\n".join(json.dumps(said(number)) for number in range(CASES)), encoding="utf-8")
        opened = starter_at(running.address)("open", complaints)
        assert opened.code == 0, opened.err
        yield running


@pytest.fixture(scope="module")
def live(up: Up, data: Path) -> Starter:
    """The command line at that server, and its database."""
    return starter_at(up.address, AFTER_SALES_DATABASE_URL=f"sqlite:///{data / 'records.db'}")


def said(number: int) -> dict[str, Any]:
    customer = {"name": "王芳" if number % 100 == 7 else "李雷", "phone": f"+86138{number:08}"}
    words = "送到时岩板断成两截" if number % 50 == 9 else "门铰链松了"
    return complaint(case_id=f"MANY-{number:03}", customer=customer, description=words)


def ids(live: Starter, *options: str) -> list[str]:
    result = live("list", "--json", *options)
    assert (result.code, result.err) == (0, "")
    return [json.loads(line)["case_id"] for line in result.out.splitlines()]


def reconciled(live: Starter) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(live("reconcile", "--json").out)
    return found


async def schedules(address: str) -> list[str]:
    client = await Client.connect(address)
    return [each.id async for each in await client.list_schedules()]


def all_listed(live: Starter) -> bool:
    return len(ids(live)) == CASES


def test_the_first_hundred_are_printed_and_how_to_see_the_rest(live: Starter) -> None:
    assert eventually(lambda: all_listed(live)), "a row for each case"

    printed = live("list")
    few = live("list", "--limit", "5")
    whole = live("list", "--limit", "all")

    assert [out.count("MANY-") for out in (printed.out, few.out, whole.out)] == [200, 10, 600]  # its order has its id
    assert printed.out.splitlines()[-1] == "200 more: --limit 300, or --limit all"
    assert few.out.splitlines()[-1] == "295 more: --limit 300, or --limit all"
    assert "more: " not in whole.out
    assert printed.err == ""


def test_server_notes_its_address_where_its_database_is(up: Up, data: Path) -> None:
    """With its default folder `starter.py list` finds the database by it."""
    assert (data / LOCK).read_text() == up.address


def test_what_is_due_next_comes_first(live: Starter) -> None:
    rows = [json.loads(line) for line in live("list", "--json", "--limit", "300").out.splitlines()]

    due = [row["next_due_at"] for row in rows]
    assert due == sorted(due)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("岩板断", [f"MANY-{n:03}" for n in (9, 59, 109, 159, 209, 259)]),
        ("王芳", ["MANY-007", "MANY-107", "MANY-207"]),
        ("0123", ["MANY-123"]),
        ("SO-MANY-042", ["MANY-042"]),
        ("many-299", ["MANY-299"]),
        ("王芳 00107", ["MANY-107"]),
        ("没有这样的话", []),
    ],
)
def test_a_case_is_found_by_what_people_know_of_it(live: Starter, text: str, found: list[str]) -> None:
    assert eventually(lambda: all_listed(live)), "a row for each case"

    assert sorted(ids(live, "--search", text)) == found


def test_owners_are_compared_as_names(live: Starter) -> None:
    live("assign", "MANY-001", "--owner", "Li.Na")

    assert eventually(lambda: ids(live, "--owner", "ｌi.na") == ["MANY-001"])


def test_without_our_database_the_list_comes_from_temporal_and_says_so(up: Up, tmp_path: Path) -> None:
    unset, absent = starter_at(up.address), f"sqlite:///{tmp_path / 'none.db'}"
    away = starter_at(up.address, AFTER_SALES_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/none")

    without = unset("list", "--limit", "1")
    nowhere = unset("list", "--json", "--limit", "1", AFTER_SALES_DATABASE_URL=absent)
    out_of_reach = away("list", "--limit", "1")
    search = unset("list", "--search", "岩板")

    instead = "listed from Temporal instead of our database: "
    assert without.err == f"{instead}AFTER_SALES_DATABASE_URL is not set\n"
    assert nowhere.err == f"{instead}our database does not exist yet: a worker creates it\n"
    assert out_of_reach.err.startswith(f"{instead}The database at 127.0.0.1:1/none cannot be used: ")
    assert [r.code for r in (without, nowhere, out_of_reach)] == [0, 0, 0]
    assert json.loads(nowhere.out)["case_id"].startswith("MANY-")
    assert search.code == 1
    assert search.err == "--search needs our database: AFTER_SALES_DATABASE_URL is not set\n"


def test_a_worker_that_is_killed_while_rows_are_healed_loses_none(live: Starter, up: Up, data: Path) -> None:
    """Each row is written on its own, and another worker continues the comparison."""
    assert eventually(lambda: reconciled(live)["compared"] == CASES), "cases are compared once they are a minute old"
    with closing(sqlite3.connect(data / "records.db", isolation_level=None)) as database:
        database.execute("DELETE FROM case_terms")
        database.execute("DELETE FROM case_projection")

    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(live, "reconcile", "--json")
        assert eventually(lambda: 0 < len(ids(live)) < CASES), "some rows are back"
        (worker,) = (pid for pid, command in children_of(up.process.pid).items() if "worker.py" in command)
        os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: all_listed(live)), "all rows are back"

    assert running.result().code == 0
    assert reconciled(live)["healed"]["missing"] == 0
    assert asyncio.run(schedules(up.address)) == [SCHEDULE], "two workers have started"
