"""The damage-replaced case on other engines: it does what ours does. Skipped if they are not installed."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.arms import Arm
from bench.driving import players
from bench.rivals import machines
from bench.rivals.machines import DBOS_DATABASE, RIVALS, missing, rival_player
from bench.shapes import DAMAGE_REPLACED
from bench.watching import Watch
from tests.postgres import running


def handed_over(ledger: Path, case_id: str) -> dict[str, list[Any]]:
    """Return what the partners were handed for a case. Look-ups and messages run beside others, so they are sorted."""
    with closing(sqlite3.connect(ledger)) as db:

        def rows(sql: str) -> list[Any]:
            return [row for (row,) in db.execute(f"{sql} WHERE case_id = ?", (case_id,))]

        return {
            "steps": rows("SELECT kind || ' by ' || partner || ' of ' || items FROM steps"),
            "look-ups": rows("SELECT DISTINCT call FROM calls"),
            "messages": sorted(rows("SELECT json_extract(content, '$.event') FROM messages")),
            "callbacks": rows("SELECT json_extract(content, '$.attempt') FROM callbacks"),
        }


@pytest.mark.e2e
@pytest.mark.long
@pytest.mark.parametrize("name", RIVALS)
async def test_case_on_another_engine_ends_as_ours(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if name == "dbos-postgresql":
        cluster = running()
        monkeypatch.setenv(DBOS_DATABASE, cluster.__enter__().url)
        request.addfinalizer(lambda: cluster.__exit__(None, None, None))
    if why := missing(name):
        pytest.skip(why)
    watch = Watch(60)
    async with (
        players(Arm("plain"), tmp_path / "ours", [DAMAGE_REPLACED], watch) as (ours,),
        rival_player(name, tmp_path / "theirs", watch) as theirs,
    ):
        played = await watch.over(ours.play())
        other = await watch.over(theirs.play())
        expected = handed_over(ours.target.data / "partners.db", played.workflow.removeprefix("case-"))
        found = handed_over(theirs.target.ledger, other.workflow)
        for calls in (expected, found):
            calls["look-ups"].sort()
        assert found == expected
        assert (await theirs.target.kept(other.workflow)).events > 0

        # The promise breaks before the agent answers.
        late = replace(DAMAGE_REPLACED.says[0], after="promise_broken")
        other = await watch.over(theirs.play([late, *DAMAGE_REPLACED.says[1:]], promised_seconds=1))
        notices = set(handed_over(theirs.target.ledger, other.workflow)["messages"])
        assert notices - set(expected["messages"]) == {"promise_warning", "promise_broken"}


def test_engine_that_is_not_installed_is_skipped_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "HOME", tmp_path)
    assert [missing(name) for name in RIVALS] == [
        f"{name} is not installed in {tmp_path}: see bench/rivals/README.md" for name in RIVALS
    ]
