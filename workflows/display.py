"""What operators see of a case: its page, search attributes, log lines, metrics, and the answers to queries."""

from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

from cases.contract import workflow_id
from cases.errors import Refusal
from cases.inbox.policy_move import previewed
from cases.views.search_attributes import search_attributes
from cases.views.snapshot import Snapshot
from cases.views.ui_page import case_page
from workflows.counts import Counts
from workflows.desk import Desk
from workflows.sdk.handlers import decoded, rejection
from workflows.sdk.search import KEYS


class Display:
    """Shows the case, and what is new of it since it was last shown."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._refreshed = 0
        """The number of changes that are shown."""
        self._shown: dict[str, Any] = {}
        self._logged = 0
        self._counts = Counts()

    def skip_what_was_shown(self) -> None:
        """The case continues as new: its log lines have been written, and its metrics counted."""
        self._logged = len(self._desk.case.timeline)
        self._counts.skip(self._desk.case)

    def refresh(self) -> None:
        """Bring all of it up to date; once a workflow task."""
        if self._refreshed == self._desk.changes:
            return
        self._refreshed = self._desk.changes
        self._show()
        self._log()
        self._counts.count(self._desk.case)

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

    def _log(self) -> None:
        """One line for each new entry of the timeline; its `text` and `by` may hold personal data and stay out."""
        case = self._desk.case
        extra = {"case_id": case.id, "line": case.complaint.line, "topic": case.complaint.topic, "status": case.status}
        for entry in case.timeline[self._logged :]:
            workflow.logger.info(entry.what, extra=extra)
        self._logged = len(case.timeline)

    def page(self) -> str:
        """The page of the case; empty while its complaint is being admitted."""
        return case_page(self._desk.case) if self._desk.admitted else ""

    def snapshot(self) -> Snapshot:
        """The snapshot (contract); of a complaint that is still being admitted, what can be said of it."""
        if self._desk.admitted:
            return Snapshot.of(self._desk.case)
        return Snapshot.being_admitted(workflow.info().workflow_id.removeprefix(workflow_id("")))

    def preview(self, asked: RawValue) -> dict[str, Any] | None:
        """What a move to another policy would change (S18); None: nothing."""
        try:
            return previewed(self._desk.case, decoded(asked)) if self._desk.admitted else None
        except Refusal as refusal:
            raise rejection(refusal) from None
