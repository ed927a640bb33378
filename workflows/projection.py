"""The row that our database holds of a case, so that lists and searches need not ask each case.

The row is derived: no case reads it. It is written in a local activity at the end of each workflow task that changed
the case, so a task whose worker dies before writing it is repeated with it. A database that is down delays the row,
never the case.
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
        """The number of changes that the row has."""
        self._writing = False
        self._seq = 0

    @property
    def _is_due(self) -> bool:
        return self._desk.case.projects and self._written < self._desk.changes

    def write(self) -> None:
        """Begin to write the row, if the case has changed since; called when the case is at rest."""
        if self._is_due and not self._writing:
            self._writing = True
            self._desk.begin(self._write())

    async def _write(self) -> None:
        self._written = self._desk.changes
        # What a replay passes to a local activity goes nowhere, and a snapshot costs time.
        row = None if workflow.unsafe.is_replaying() else self.projected()
        if not await self._quickly(row):
            self._written = self._desk.changes
            with suppress(ActivityError):  # given up after an hour; reconciling will find the difference
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

    async def finished(self) -> None:
        """Wait until the row shows the case as it is."""
        await self._desk.until(lambda: not self._writing and not self._is_due)
