"""Compare the rows of our database with the cases that Temporal has, page by page, and heal the rows that are wrong.

A row is wrong if a case could not write it (the database was down), if its workflow was ended in Temporal (none of our
code runs then), or if the database was changed or restored. Search attributes lag behind, so they only show which cases
to query. The corrected row comes from the answer of the case, or from the state of its workflow on the server.
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel
from temporalio.client import WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from cases.contract import CASE_WORKFLOW, PROJECTION_QUERY, workflow_id
from cases.views.listing import Projected
from cases.views.snapshot import Snapshot
from client.cases import ANSWER_WITHIN, Engine
from client.connection import Unreachable
from client.lists import Json, row_of

if TYPE_CHECKING:
    from records import Known, Records

PAGE = 200
"""Cases that are compared in one activity."""
AT_A_TIME = 10
"""Cases that are queried at the same time; more would keep workers busy."""
BATCH_SECONDS = 0.5
"""Minimum time for `AT_A_TIME` cases: 20 a second. A case that is in no worker's cache has to be replayed first."""
ASK_WITHIN = 7
"""Seconds for one case: two attempts. One that does not answer is compared again in the next run."""
SETTLED = timedelta(minutes=1)
"""More recent changes are left for the next run, because search attributes lag behind."""
MAX_NAMED = 100
"""Maximum number of healed cases that a result lists; the others are only counted."""
CLOSED = (WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.CANCELED)
"""How the workflow of a closed case ends. A cancelled case is closed and archived too."""


class Wrong(StrEnum):
    """What was wrong with a row."""

    MISSING = "missing"
    DIFFERS = "differs"
    CLOSED = "closed"
    ENDED = "ended"


class Healed(BaseModel):
    """A case whose row was healed."""

    case_id: str
    what: Wrong


class Progress(BaseModel):
    """How far a comparison has come, and what it has healed."""

    token: str | None = None
    """Where the next page of open workflows begins (base64)."""
    listed: bool = False
    """Whether all open workflows have been compared. The rows that are open in our database come next."""
    after: str | None = None
    """The last case whose row was compared."""
    done: bool = False
    compared: int = 0
    """Open cases that have been compared."""
    counts: dict[Wrong, int] = {}
    """Healed rows, by what was wrong."""
    cases: list[Healed] = []
    """The first healed cases."""
    unanswered: int = 0
    """Cases that differ and did not answer."""

    def as_json(self) -> Json:
        """Return what programs read: `compared`, `healed` by what was wrong, `cases`, `unanswered`."""
        cases = [each.model_dump(mode="json") for each in self.cases]
        healed = {what.value: self.counts.get(what, 0) for what in Wrong}
        return {"compared": self.compared, "healed": healed, "cases": cases, "unanswered": self.unanswered}

    def heal(self, case_id: str, what: Wrong) -> None:
        """Count a healed row."""
        self.counts[what] = self.counts.get(what, 0) + 1
        if len(self.cases) < MAX_NAMED:
            self.cases.append(Healed(case_id=case_id, what=what))


class Reconciling:
    """Compares one page at a time. `beat` is called after each batch, with the progress so far."""

    def __init__(self, engine: Engine, records: "Records", beat: Callable[[Progress], None]) -> None:
        self._engine, self._records, self._beat = engine, records, beat
        self._unanswered = 0

    async def page(self, progress: Progress) -> None:
        """Compare the next page and move `progress` on. Raises `RecordsUnavailable`, or what the SDK raises."""
        if progress.listed:
            await self._compare_rows(progress)
        else:
            await self._compare_workflows(progress)

    # Open workflows: is there a row, and is it up to date?

    async def _compare_workflows(self, progress: Progress) -> None:
        query = f"WorkflowType = '{CASE_WORKFLOW}' AND ExecutionStatus = 'Running'"
        token = b64decode(progress.token) if progress.token else None
        pages = self._engine.client.list_workflows(
            query, page_size=PAGE, next_page_token=token, rpc_timeout=ANSWER_WITHIN
        )
        await pages.fetch_next_page()
        shown = {row["case_id"]: row for row in map(row_of, pages.current_page or []) if _is_settled(row)}
        known = await asyncio.to_thread(self._records.rows_of, shown)
        wrong = [case_id for case_id, row in shown.items() if _is_wrong(row, known.get(case_id))]
        await self._in_batches(wrong, self._rewrite, progress)
        await asyncio.to_thread(self._records.runs_again, shown)
        progress.compared += len(shown)
        progress.token = b64encode(pages.next_page_token).decode() if pages.next_page_token else None
        progress.listed = progress.token is None

    async def _rewrite(self, case_id: str, progress: Progress) -> None:
        """Query an open case, and write its row if the answer differs from it."""
        there = await self._describe(case_id)
        if there is None or there.status is not WorkflowExecutionStatus.RUNNING:
            return  # it ended meanwhile: its row is compared below
        found = await self._ask(there)
        if found is None:
            progress.unanswered += 1
        elif what := await asyncio.to_thread(self._replace, found):
            progress.heal(case_id, what)

    def _replace(self, found: Projected) -> Wrong | None:
        """Write the row, and return what was wrong with it. None: nothing, or the case has written it meanwhile."""
        case_id = found.listing.case_id
        seen = self._records.rows_of([case_id]).get(case_id)
        if seen is None:
            return Wrong.MISSING if self._records.replace(found, None) else None
        if _is_recent(seen) or (seen.ended is None and seen.row == found.listing and self._has_snapshot(found)):
            return None
        return Wrong.DIFFERS if self._records.replace(found, seen.seq) else None

    def _has_snapshot(self, found: Projected) -> bool:
        kept = self._records.snapshot_of(found.listing.case_id)
        return kept is not None and json.loads(kept[1]) == json.loads(found.snapshot)

    # Rows that are open in our database: is there an open workflow?

    async def _compare_rows(self, progress: Progress) -> None:
        case_ids = await asyncio.to_thread(self._records.unfinished, progress.after, PAGE)
        running = await self._running(case_ids)
        await self._in_batches([each for each in case_ids if each not in running], self._finish, progress)
        progress.after = case_ids[-1] if case_ids else progress.after
        progress.done = len(case_ids) < PAGE

    async def _running(self, case_ids: list[str]) -> set[str]:
        if not case_ids:
            return set()
        ids = ", ".join(f"'{workflow_id(case_id)}'" for case_id in case_ids)
        query = f"WorkflowType = '{CASE_WORKFLOW}' AND ExecutionStatus = 'Running' AND WorkflowId IN ({ids})"
        found = self._engine.client.list_workflows(query, page_size=PAGE, rpc_timeout=ANSWER_WITHIN)
        return {execution.id.removeprefix(workflow_id("")) async for execution in found}

    async def _finish(self, case_id: str, progress: Progress) -> None:
        """Write the end of a case whose row is open, and whose workflow does not appear to be running."""
        there = await self._describe(case_id)
        if there and (there.close_time is None or datetime.now(UTC) - there.close_time < SETTLED):
            return  # it runs, or has closed just now
        status = there.status if there else None
        closed = status in CLOSED
        found = await self._ask(there) if there and closed else None
        if found and found.listing.closed_at and found.listing.outcome:
            what = await asyncio.to_thread(self._close, found.listing.closed_at, found.listing.outcome, found)
        else:
            how = status.name.lower() if status else "gone"
            what = await asyncio.to_thread(self._end, case_id, None if closed else how)
            progress.unanswered += closed and what is None
        if what:
            progress.heal(case_id, what)

    def _close(self, closed_at: datetime, outcome: str, found: Projected) -> Wrong | None:
        """Write the last row of a closed case, and its record if our database has lost that."""
        case_id = found.listing.case_id
        kept = self._records.case(case_id)
        lost = kept is not None and kept["closed_at"] is None
        if lost:
            self._records.archive_case(case_id, closed_at, outcome, json.loads(found.snapshot))
        return Wrong.CLOSED if self._replace(found) or lost else None

    def _end(self, case_id: str, how: str | None) -> Wrong | None:
        """Write the end of a case that cannot be queried: from our archive, else `how` its workflow ended."""
        seen, kept = self._records.rows_of([case_id]).get(case_id), self._records.case(case_id)
        if kept and kept["record"]:
            last = Snapshot.model_validate(kept["record"])
            row = seen and Projected(
                seq=seen.seq + 1, listing=seen.row.at_the_end(last), snapshot=last.model_dump_json()
            )
            return Wrong.CLOSED if seen and row and self._records.replace(row, seen.seq) else None
        if how is None:
            return None
        ended = self._records.end_case(case_id, how)
        marked = seen is not None and seen.ended is None and self._records.mark_ended(case_id, how, seen.seq)
        return Wrong.ENDED if ended or marked else None

    # Shared by both

    async def _in_batches(
        self, case_ids: list[str], heal: Callable[[str, Progress], Awaitable[None]], progress: Progress
    ) -> None:
        """Call `heal` for each case, in batches, at a limited rate."""
        for start in range(0, len(case_ids), AT_A_TIME):
            batch = case_ids[start : start + AT_A_TIME]
            await asyncio.gather(*(heal(case_id, progress) for case_id in batch), asyncio.sleep(BATCH_SECONDS))
            self._beat(progress)

    async def _describe(self, case_id: str) -> WorkflowExecutionDescription | None:
        """Return the server's description of the latest run of a case; None if the server has no such workflow."""
        try:
            handle = self._engine.client.get_workflow_handle(workflow_id(case_id))
            return await handle.describe(rpc_timeout=ANSWER_WITHIN)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and "amespace" not in error.message:
                return None
            raise

    async def _ask(self, there: WorkflowExecutionDescription) -> Projected | None:
        """Return the row that the case would write now; None if it does not answer.

        A case with a pending workflow task is not asked: that could corrupt its history (docs/findings.md). After
        several that did not answer no more are asked, because each costs seconds.
        """
        if there.raw_description.HasField("pending_workflow_task") or self._unanswered >= AT_A_TIME:
            return None
        handle = self._engine.client.get_workflow_handle(there.id, run_id=there.run_id)
        try:
            async with asyncio.timeout(ASK_WITHIN):
                found = await self._engine.ask(handle, PROJECTION_QUERY)
        except (TimeoutError, Unreachable, WorkflowQueryFailedError, RPCError) as error:
            if isinstance(error, RPCError) and error.status is RPCStatusCode.UNAVAILABLE:
                raise
            self._unanswered += 1
            return None
        return Projected.model_validate(found) if found else None


def _is_settled(shown: Json) -> bool:
    """Return whether a worker has accepted the complaint, and not just now."""
    return bool(shown["status"]) and datetime.now(UTC) - datetime.fromisoformat(shown["opened_at"]) > SETTLED


def _is_recent(known: "Known") -> bool:
    """Return whether the case has written its row just now."""
    return datetime.now(UTC) - known.written_at < SETTLED


def _is_wrong(shown: Json, known: "Known | None") -> bool:
    if known is None:
        return True
    if _is_recent(known):
        return False
    row = known.row
    same = ("line", "topic", "status", "team", "order_id", "urgent", "escalation_rung")
    return (
        known.ended is not None
        or any(shown[name] != getattr(row, name) for name in same)
        or sorted(shown["broken_promises"]) != sorted(row.broken)
        or not _is_same_time(shown["next_due_at"], row.next_due_at)
    )


def _is_same_time(shown: str | None, written: datetime | None) -> bool:
    """Return whether both are the same to a second; servers keep search attributes with different precision."""
    if shown is None or written is None:
        return shown is None and written is None
    return abs(datetime.fromisoformat(shown) - written) < timedelta(seconds=1)
