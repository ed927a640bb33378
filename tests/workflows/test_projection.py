"""Our database holds a row of each case, which follows the case and never delays it."""

import json
import sqlite3
from collections import Counter
from typing import Any

import pytest

from cases.contract import PROJECTION_QUERY
from records import Records, RecordsUnavailable
from tests.engine import OpenCase, Workshop, eventually
from tests.workflows.conftest import Open, offered


def shown(records: Records, case: OpenCase) -> dict[str, Any] | None:
    """Return the snapshot in our database."""
    row = records.snapshot_of(case.id)
    return row and json.loads(row[1])


async def follows(records: Records, case: OpenCase) -> dict[str, Any]:
    """Wait until the row matches the case's answer; return it."""

    async def same() -> dict[str, Any] | None:
        row = shown(records, case)
        return row if row == await case.snapshot() else None

    found: dict[str, Any] = await eventually(same, "a row like the case")
    return found


async def test_the_row_follows_the_case_from_its_opening_to_its_end(open_case: Open, records: Records) -> None:
    case = await open_case()
    await case.becomes("assessing")
    assert (await follows(records, case))["status"] == "assessing"

    await offered(case, "severe")
    assert (await follows(records, case))["status"] == "awaiting_consent"

    await case.signals("complaint-withdrawn", reason="it was found")
    record = await case.result()

    assert record["outcome"] == "withdrawn"
    assert shown(records, case) == record


async def test_the_row_is_written_once_a_workflow_task_at_most(open_case: Open) -> None:
    case = await open_case()
    await offered(case, "severe")
    await case.signals("complaint-withdrawn", reason="it was found")
    await case.result()

    written: Counter[int] = Counter()
    for event in await case.events("MARKER_RECORDED"):
        marker = event.marker_recorded_event_attributes
        if marker.marker_name == "core_local_activity":
            about = json.loads(marker.details["data"].payloads[0].data)
            written[marker.workflow_task_completed_event_id] += about["activity_type"] == "project-case"
    assert max(written.values()) == 1


async def test_what_lists_do_not_show_reaches_the_row_with_the_next_change(open_case: Open, records: Records) -> None:
    """A task that writes the row alone would be billed for it."""
    case = await open_case()
    await case.becomes("assessing")
    before = await follows(records, case)

    await case.says("note", by="Zhao", text="called them")
    assert shown(records, case) == before

    await case.says("mark-urgent", by="Zhao", reason="no kitchen")
    assert "note" in [entry["what"] for entry in (await follows(records, case))["timeline"]]


async def test_a_database_that_is_down_delays_the_row_and_not_the_case(
    open_case: Open, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S7: a row that could not be written at once is written when the database is back."""
    case = await open_case()
    await case.becomes("assessing")
    await follows(records, case)

    def down(_: object) -> bool:
        raise RecordsUnavailable("down")

    with monkeypatch.context() as outage:
        outage.setattr(records, "project", down)
        seen = await offered(case, "severe")
        before = shown(records, case)

    assert seen["status"] == "awaiting_consent"
    assert before is not None
    assert before["status"] == "assessing"
    assert (await follows(records, case))["status"] == "awaiting_consent"


async def test_a_task_whose_worker_forgot_it_before_the_row_was_written_writes_it(
    workshop: Workshop, open_case: Open, records: Records, tmp_path: Any
) -> None:
    """A write in progress when the worker stops is not lost."""
    case = await open_case()
    await case.becomes("assessing")
    await follows(records, case)
    lock = sqlite3.connect(tmp_path / "records.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")

    await case.says("mark-urgent", by="Zhao", reason="no kitchen")
    await workshop.close()
    lock.execute("COMMIT")
    lock.close()
    await workshop.open()

    assert (await follows(records, case))["urgent"]


async def test_the_row_can_be_asked_for(open_case: Open, records: Records) -> None:
    """Reconciliation reads it from the case if our database lost it."""
    case = await open_case()
    await case.becomes("assessing")
    await follows(records, case)

    row = await case.handle.query(PROJECTION_QUERY)

    assert json.loads(row["snapshot"]) == shown(records, case)
    assert row["listing"]["status"] == "assessing"
    known = records.snapshot_of(case.id)
    assert known
    assert row["seq"] > known[0]
