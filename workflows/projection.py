"""The row of a case in our database, so that lists and searches need not ask each case.

The row is derived: no case reads it. It is written in a local activity at the end of each workflow task that changed
the case, so if the worker crashes before writing it, the task is repeated and writes it. A database that is down
delays the row, never the case.
"""

from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError

from cases.views.listing import Listing, Projected
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
        self._writing = False
        self._seq = 0

    @property
    def _is_due(self) -> bool:
        return self._desk.case.projects and self._written < self._desk.changes

    def write(self) -> None:
        """Start to write the row if the case has changed since. Called when the case is at rest."""
        if self._is_due and not self._writing:
            self._writing = True
            self._desk.begin(self._write())

    async def _write(self) -> None:
        self._written = self._desk.changes
        # A replay does not run local activities, so do not spend time on the row.
        row = None if workflow.unsafe.is_replaying() else self.projected()
        if not await self._quickly(row):
            self._written = self._desk.changes
            with suppress(ActivityError):  # gives up after an hour; reconciling will find the difference
                await self._desk.durably(call(Records.project, self.projected()), summary=ROW, options=PROJECTION)
        self._writing = False

    async def _quickly(self, row: Projected | None) -> bool:
        try:
            return await self._desk.quickly(call(Records.project, row), summary=ROW)
        except FailureError:
            return False

    def projected(self) -> Projected:
        """Return the row as the case is now."""
        case = self._desk.case
        snapshot = Snapshot.of(case)
        self._seq = max(self._seq + 1, int(workflow.now().timestamp() * 1_000_000))
        return Projected(seq=self._seq, listing=Listing.of(case, snapshot), snapshot=snapshot.model_dump_json())

    async def wait_until_written(self) -> None:
        """Wait until the row is up to date."""
        await self._desk.until(lambda: not self._writing and not self._is_due)
