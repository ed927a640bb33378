"""Counters for Prometheus of events that may need a person. Each event is counted once; a replay counts nothing.

Labels contain no ids and no free text: each value would create a separate time series, and text may be personal data.
"""

from typing import NamedTuple

from temporalio import workflow

from cases.state.case import Case
from cases.vocabulary import StepState

COUNTERS: dict[str, str] = {
    "after_sales_steps_unknown_total": "Steps with an unknown outcome at the partner",
    "after_sales_steps_blocked_total": "Steps that wait for a person",
    "after_sales_escalations_total": "Escalations that were notified",
    "after_sales_letters_undeliverable_total": "Notifications that could not be delivered",
}
"""The metrics that a worker exports in addition to those of Temporal's SDK, with their help texts."""

_STEPS = {
    StepState.UNKNOWN: "after_sales_steps_unknown_total",
    StepState.BLOCKED: "after_sales_steps_blocked_total",
}


class Event(NamedTuple):
    """An event of a case that is counted. `which` distinguishes it from others of the same kind."""

    counter: str
    which: str
    label: str
    value: str


class Counts:
    """The events of one case that have been counted."""

    def __init__(self) -> None:
        self._counted: set[Event] = set()

    def skip(self, case: Case) -> None:
        """Mark all events so far as counted: the case continues in a new run, and the last run counted them."""
        self._counted.update(_events(case))

    def count(self, case: Case) -> None:
        """Count new events. Called after every change."""
        for event in _events(case):
            if event not in self._counted:
                self._counted.add(event)
                counter = workflow.metric_meter().create_counter(event.counter, COUNTERS[event.counter])
                counter.add(1, {"line": case.complaint.line, event.label: event.value})


def _events(case: Case) -> list[Event]:
    """Return all counted events of the case, in a fixed order."""
    found = [
        Event(_STEPS[step.state], f"{step.id} {step.since}", "partner", step.partner)
        for step in case.steps
        if step.state in _STEPS
    ]
    found += [
        Event("after_sales_escalations_total", str(number), "rung", str(escalation.rung))
        for number, escalation in enumerate(case.escalations)
    ]
    found += [
        Event("after_sales_letters_undeliverable_total", str(number), "letter", entry.text.partition(":")[0])
        for number, entry in enumerate(case.timeline)
        if entry.what == "undeliverable"
    ]
    return found
