"""The row of a case in our database, so that lists and searches need not ask each case.

The row is derived: no case reads it. It is written in a local activity at the end of a workflow task, so if the worker
crashes before writing it, the task is repeated and writes it. A task that calls other local activities writes the row
as well. Any other task writes it only for a change that lists show, because the local activities of a task are billed
as one action. A database that is down delays the row, never the case.
"""

from contextlib import suppress
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError

from cases.views.listing import Listing, Projected, listed_state
from cases.views.snapshot import Snapshot
from workflows.desk import Desk
from workflows.sdk.activity_calls import call
from workflows.sdk.options import PROJECTION

with workflow.unsafe.imports_passed_through():
    from activities.records import Records

ROW = "row for lists"


class Projection:
    """Writes the row of the case."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._written = 0
        """The number of changes (`Desk.changes`) that the row contains."""
        self._local_calls = 0
        """The number of local activities (`Desk.local_calls`) up to the one that wrote the row."""
        self._listed: tuple[Any, ...] | None = None
        """The `listed_state` that the row shows."""
        self._writing = self._in_task = False
        """Whether the row is being written, and whether a local activity is doing so."""
        self._seq = 0

    @property
    def _is_due(self) -> bool:
        desk = self._desk
        if not desk.case.projects or self._written == desk.changes:
            return False
        return desk.local_calls > self._local_calls or listed_state(desk.case) != self._listed

    def writes_now(self) -> bool:
        """Start to write the row if it is due, once the case is at rest. Return whether this task is writing it."""
        if self._is_due and not self._writing:
            self._writing = self._in_task = True
            self._desk.begin(self._write())
        return self._in_task

    async def _write(self) -> None:
        self._note_state()
        # A replay does not run local activities, so do not spend time on the row.
        row = None if workflow.unsafe.is_replaying() else self._next_row()
        written = await self._quickly(row)
        self._in_task = False
        if not written:
            self._note_state()
            with suppress(ActivityError):  # gives up after an hour; reconciling will find the difference
                await self._desk.durably(call(Records.project, self._next_row()), summary=ROW, options=PROJECTION)
        self._local_calls = self._desk.local_calls
        self._writing = False

    def _note_state(self) -> None:
        self._written, self._listed = self._desk.changes, listed_state(self._desk.case)

    async def _quickly(self, row: Projected | None) -> bool:
        try:
            return await self._desk.quickly(call(Records.project, row), summary=ROW)
        except FailureError:
            return False

    def _next_row(self) -> Projected:
        row = self.projected()
        self._seq = row.seq
        return row

    def projected(self) -> Projected:
        """Return the row as the case is now. This changes nothing, because queries call it too."""
        case = self._desk.case
        snapshot = Snapshot.of(case)
        seq = max(self._seq + 1, int(workflow.now().timestamp() * 1_000_000))
        return Projected(seq=seq, listing=Listing.of(case, snapshot), snapshot=snapshot.model_dump_json())

    async def wait_until_written(self) -> None:
        """Wait until the row is up to date."""
        await self._desk.until(lambda: not self._writing and not self._is_due)
