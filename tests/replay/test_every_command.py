"""Everything that a workflow can do or receive occurs in a golden history; otherwise its replay would be untested."""

import ast
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterable, Iterator
from types import ModuleType

import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

import activities
import workflows.afterwards.improvement_measure
import workflows.afterwards.later_call
import workflows.carrier_claim
import workflows.clocks
import workflows.remedies
from activities.steps import find_of, step_of
from cases.claim.claim import FACTS as CLAIM_FACTS
from cases.contract import (
    CASE_WORKFLOW,
    CLAIM_WORKFLOW,
    DELIVER_WEBHOOKS,
    LATER_CALL_WORKFLOW,
    MEASURE_WORKFLOW,
    RECONCILE_WORKFLOW,
    REVIEW_WORKFLOW,
)
from cases.inbox.messages import FACTS, MESSAGES
from cases.inbox.same_matter import BETWEEN_CASES
from cases.later_call.later_call import ANSWERED
from cases.look_ups import ROWS
from cases.measure.measure import MESSAGES as MEASURE_MESSAGES
from cases.policy.remedy_kinds import STEP_PARTNERS
from cases.progress import alarms
from tests.replay.commands import history, names

NOBODY = "hurry-up"
"""A signal that no workflow knows."""
ACTIVITIES = (
    {
        definition.name
        for module in pkgutil.iter_modules(activities.__path__, "activities.")
        for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        for method in vars(cls).values()
        if (definition := getattr(method, "__temporal_activity_definition", None))
    }
    | {name for partner in STEP_PARTNERS for name in (step_of(partner), find_of(partner))}
    | {r.activity for r in ROWS.values()}
)
STANDALONE = {DELIVER_WEBHOOKS}
"""Activities that belong to no workflow."""
QUICK = {"admit", "look-up", "order-account", "message-customer", "notify-staff", "call-back", "project-case"}
"""Activities that are tried inside the workflow task first."""
QUICK_ONLY = {"look-up", "order-account"}
"""Of those, the ones that never go through the server: what fails in the look-up is asked for one by one."""


def timers(module: ModuleType, call: str, argument: int) -> set[str]:
    """Return the texts of a module's timers as patterns: this argument of every such call in its source."""
    found = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        name = getattr(node.func, "id", getattr(node.func, "attr", None)) if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and name == call:
            shown = node.args[argument]
            parts = shown.values if isinstance(shown, ast.JoinedStr) else [shown]
            found.add("".join(re.escape(str(p.value)) if isinstance(p, ast.Constant) else ".*" for p in parts))
    return found


PAUSES = {"then send .* again", "then the record is kept"}
"""The texts of timers of `workflows.remedies`: before a command is sent again, and before the end."""
WAITING = (workflows.carrier_claim, workflows.afterwards.improvement_measure, workflows.afterwards.later_call)
UNTIL = {text for module in WAITING for text in timers(module, "_until", 1)}
TIMERS = timers(alarms, "Alarm", 2) | UNTIL | PAUSES
POSSIBLE = {
    *(f"activity {name}" for name in ACTIVITIES - QUICK_ONLY - STANDALONE),
    *(f"local activity {name}" for name in QUICK),
    f"child workflow {CLAIM_WORKFLOW}",
    f"child workflow {LATER_CALL_WORKFLOW}",
    *(f"signal {name}" for name in BETWEEN_CASES),
    "signal evidence-received",  # facts are passed on to the case that one was merged into
    *(f"{CASE_WORKFLOW} receives signal {name}" for name in (*FACTS, *BETWEEN_CASES, NOBODY)),
    *(f"{CASE_WORKFLOW} receives update {name}" for name in MESSAGES),
    *(f"{CLAIM_WORKFLOW} receives signal {name}" for name in (*CLAIM_FACTS, NOBODY)),
    *(f"{CLAIM_WORKFLOW} receives update {name}" for name in CLAIM_FACTS),
    *(f"{MEASURE_WORKFLOW} receives signal {name}" for name in (*MEASURE_MESSAGES, NOBODY)),
    *(f"{MEASURE_WORKFLOW} receives update {name}" for name in MEASURE_MESSAGES),
    *(f"{LATER_CALL_WORKFLOW} receives signal {name}" for name in (ANSWERED, NOBODY)),
    f"{LATER_CALL_WORKFLOW} receives update {ANSWERED}",
    f"{LATER_CALL_WORKFLOW} completed",
    *(f"{CASE_WORKFLOW} {how}" for how in ("completed", "failed", "canceled", "continued as new")),
    *(f"{CLAIM_WORKFLOW} {how}" for how in ("completed", "canceled")),
    *(f"{MEASURE_WORKFLOW} {how}" for how in ("completed", "failed", "canceled", "continued as new")),
    *(f"{RECONCILE_WORKFLOW} {how}" for how in ("completed", "failed", "continued as new")),
    *(f"{REVIEW_WORKFLOW} {how}" for how in ("completed", "failed")),
}
"""Everything that the code can do or receive."""


def happenings(golden: Iterable[WorkflowHistory]) -> Iterator[str]:
    """Return what a history contains, under the same names."""
    for each in golden:
        workflow = each.events[0].workflow_execution_started_event_attributes.workflow_type.name
        for event in each.events:
            yield from _happened(workflow, event)


def _happened(workflow: str, event: HistoryEvent) -> Iterator[str]:
    kind = (event.WhichOneof("attributes") or "").removesuffix("_event_attributes")
    about = getattr(event, f"{kind}_event_attributes")
    ends = {f"workflow_execution_{how}": how for how in ("completed", "failed", "canceled", "continued_as_new")}
    if kind in ends:
        yield f"{workflow} {ends[kind].replace('_', ' ')}"
    elif kind == "activity_task_scheduled":
        yield f"activity {about.activity_type.name}"
    elif kind == "marker_recorded" and about.marker_name == "core_local_activity":  # not of a patch
        yield f"local activity {json.loads(about.details['data'].payloads[0].data)['activity_type']}"
    elif kind == "start_child_workflow_execution_initiated":
        yield f"child workflow {about.workflow_type.name}"
    elif kind == "signal_external_workflow_execution_initiated":
        yield f"signal {about.signal_name}"
    elif kind == "workflow_execution_signaled":
        yield f"{workflow} receives signal {about.signal_name}"
    elif kind == "workflow_execution_update_accepted" and about.HasField("accepted_request"):
        yield f"{workflow} receives update {about.accepted_request.input.name}"
    elif kind == "workflow_execution_update_admitted":  # a reset applies it again
        yield f"{workflow} receives update {about.request.input.name}"
    elif kind == "timer_started":
        # Summaries in older histories have "tell" where the code now has "notify". A replay does not compare summaries.
        yield f"timer {json.loads(event.user_metadata.summary.data)}".replace("tell ", "notify ")


def how_to_record(missing: object) -> str:
    """Return what to do about something that no golden history contains."""
    return (
        f"no golden history holds {missing}: whether cases that are open there survive a deploy would be tried by "
        "nobody. Add a path that does it to tests/replay/paths.py, and record it: "
        "python -m tests.replay.record THE_PATH"
    )


@pytest.fixture(scope="module")
def happened() -> set[str]:
    return set(happenings(map(history, names())))


@pytest.mark.parametrize("what", sorted(POSSIBLE))
def test_everything_that_can_happen_is_in_some_golden_history(happened: set[str], what: str) -> None:
    assert what in happened, how_to_record(what)


@pytest.mark.parametrize("pattern", sorted(TIMERS))
def test_every_timer_is_in_some_golden_history(happened: set[str], pattern: str) -> None:
    assert any(re.fullmatch(f"timer {pattern}", what) for what in happened), how_to_record(f"a timer “{pattern}”")


def test_nothing_else_is_in_them(happened: set[str]) -> None:
    """The histories contain nothing that is not listed above, so an outdated table is detected."""
    known = re.compile("|".join([*map(re.escape, POSSIBLE), *(f"timer {pattern}" for pattern in TIMERS)]))
    assert {what for what in happened if not known.fullmatch(what)} == set()


def test_every_source_of_timers_is_looked_through() -> None:
    """Timers are started by `wait_condition` with a time-out; other places have to be added above."""
    starting = {
        module.name
        for module in pkgutil.walk_packages(workflows.__path__, "workflows.")
        if re.search(r"timeout_summary|workflow\.sleep", inspect.getsource(importlib.import_module(module.name)))
    }
    assert starting == {module.__name__ for module in (workflows.clocks, workflows.remedies, *WAITING)}


def test_command_whose_golden_history_is_gone_is_missed() -> None:
    """The guard fails when it should, and says what to do."""
    rest = set(happenings(history(name) for name in names() if "PATH-long" not in name))

    assert POSSIBLE - rest == {f"{CASE_WORKFLOW} continued as new"}
    assert "python -m tests.replay.record" in how_to_record(*(POSSIBLE - rest))
