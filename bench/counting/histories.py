"""What Temporal keeps of a case and what Temporal Cloud would bill for it, counted from its history.

Rules: https://docs.temporal.io/cloud/actions (docs/benchmarks.md). What leaves no event (queries, heartbeats, refused
updates) is not counted here; the bench sends none.
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
    # Two are billed; the other one stands in the child's own history, as its start.
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: "children",
    EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED: "nexus",
}


def billable(events: Iterable[HistoryEvent]) -> Counter[str]:
    """Billable actions of one run, by what they are for."""
    found: Counter[str] = Counter()
    tasks_with_markers = set()
    for event in events:
        if event.event_type in _ONE_EACH:
            found[_ONE_EACH[event.event_type]] += 1
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            # Attempts that failed before leave no event of their own.
            found["activities"] += event.activity_task_started_event_attributes.attempt
        elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            # However many local activities one workflow task ran, they are one action.
            tasks_with_markers.add(event.marker_recorded_event_attributes.workflow_task_completed_event_id)
    if tasks_with_markers:
        found["local activities"] = len(tasks_with_markers)
    return found


@dataclass(frozen=True)
class Kept:
    """What one closed run left on the server."""

    events: int
    state_transitions: int
    history_bytes: int
    actions: dict[str, int]


async def kept(client: Client, workflow: str) -> Kept:
    """What the server has of this workflow's latest run."""
    handle = client.get_workflow_handle(workflow)
    info = (await handle.describe()).raw_description.workflow_execution_info
    actions = billable((await handle.fetch_history()).events)
    return Kept(info.history_length, info.state_transition_count, info.history_size_bytes, dict(actions))
