"""What operators see of a case: its page in the UI, search attributes, log lines, metrics, and answers to queries."""

from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

from cases.contract import workflow_id
from cases.errors import Refusal
from cases.inbox.policy_move import answer_preview
from cases.views.search_attributes import search_attributes
from cases.views.snapshot import Snapshot
from cases.views.ui_page import case_page
from workflows.counts import Counts
from workflows.desk import Desk
from workflows.sdk.handlers import decoded, rejection
from workflows.sdk.search import KEYS


class Display:
    """Shows the case, and what has changed since it was last shown."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._refreshed = 0
        """The number of changes (`Desk.changes`) that have been shown."""
        self._shown: dict[str, Any] = {}
        self._logged = 0
        self._counts = Counts()

    def skip_shown(self) -> None:
        """Skip what an earlier run of the case has logged and counted."""
        self._logged = len(self._desk.case.timeline)
        self._counts.skip(self._desk.case)

    def refresh(self) -> None:
        """Show all changes since the last call. Called once per workflow task."""
        if self._refreshed == self._desk.changes:
            return
        self._refreshed = self._desk.changes
        self._show()
        self.log()

    def _show(self) -> None:
        case = self._desk.case
        now_shown = search_attributes(case)
        updates = [
            key.value_unset() if value is None else key.value_set(value)
            for name, key in KEYS.items()
            if (value := now_shown[name]) != self._shown.get(name)
        ]
        if updates:
            workflow.upsert_search_attributes(updates)
            self._shown = now_shown

    def log(self) -> None:
        """Count what is new, and log one line for each new timeline entry.

        The lines have no `text` and `by`, which may contain personal data.
        """
        case = self._desk.case
        extra = {"case_id": case.id, "line": case.complaint.line, "topic": case.complaint.topic, "status": case.status}
        for entry in case.timeline[self._logged :]:
            workflow.logger.info(entry.what, extra=extra)
        self._logged = len(case.timeline)
        self._counts.count(case)

    def page(self) -> str:
        """Return the page of the case; empty while its complaint is being admitted."""
        return case_page(self._desk.case) if self._desk.admitted else ""

    def snapshot(self) -> Snapshot:
        """Return the snapshot (docs/contract.md), which is almost empty while the complaint is being admitted."""
        if self._desk.admitted:
            return Snapshot.of(self._desk.case)
        return Snapshot.being_admitted(workflow.info().workflow_id.removeprefix(workflow_id("")))

    def preview(self, asked: RawValue) -> dict[str, Any] | None:
        """Return what a move to another policy would change (S18); None: nothing."""
        try:
            return answer_preview(self._desk.case, decoded(asked)) if self._desk.admitted else None
        except Refusal as refusal:
            raise rejection(refusal) from None
