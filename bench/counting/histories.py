"""Count what Temporal stores of a case, and what Temporal Cloud would bill for it, from its history.

Rules: https://docs.temporal.io/cloud/actions (docs/benchmarks.md). Actions without an event (queries, heartbeats,
rejected updates) are not counted. The benchmarks send none.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

_ONE_EACH = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: "starts",
    EventType.EVENT_TYPE_TIMER_STARTED: "timers",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signals",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "updates",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "search attributes",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: "options",
    # Two are billed. The other one is in the child's history, as its start.
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: "children",
    EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED: "nexus",
}


def billable(events: Iterable[HistoryEvent]) -> Counter[str]:
    """Return the billable actions of one run, by kind."""
    found: Counter[str] = Counter()
    tasks_with_markers = set()
    for event in events:
        if event.event_type in _ONE_EACH:
            found[_ONE_EACH[event.event_type]] += 1
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            # Failed attempts have no event of their own, only this count.
            found["activities"] += event.activity_task_started_event_attributes.attempt
        elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            # All local activities of one workflow task are one action.
            tasks_with_markers.add(event.marker_recorded_event_attributes.workflow_task_completed_event_id)
    if tasks_with_markers:
        found["local activities"] = len(tasks_with_markers)
    return found


@dataclass(frozen=True)
class Kept:
    """What the server stores of one closed run."""

    events: int
    state_transitions: int
    history_bytes: int
    actions: dict[str, int]


async def kept(client: Client, workflow: str) -> Kept:
    """Return what the server stores of this workflow's latest run."""
    handle = client.get_workflow_handle(workflow)
    info = (await handle.describe()).raw_description.workflow_execution_info
    actions = billable((await handle.fetch_history()).events)
    return Kept(info.history_length, info.state_transition_count, info.history_size_bytes, dict(actions))
