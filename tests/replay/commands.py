"""The commands of a workflow by name, in order, without ids, times and payloads."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from itertools import groupby
from pathlib import Path
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker import WorkflowRunner as Runner
from temporalio.workflow import _Definition

from cases.state.case import Case
from tests.engine import replayer
from workflows.desk import Desk

HISTORIES = Path(__file__).with_name("histories")
FINGERPRINTS = Path(__file__).with_name("fingerprints")
NAMES = {
    "schedule_activity": "activity",
    "schedule_local_activity": "local activity",
    "start_timer": "timer",
    "cancel_timer": "cancel timer",
    "upsert_workflow_search_attributes": "search attributes",
    "start_child_workflow_execution": "child workflow",
    "signal_external_workflow_execution": "signal",
    "request_cancel_activity": "cancel activity",
    "update_response": "update",
    "set_patch_marker": "patch",
    "complete_workflow_execution": "complete",
    "fail_workflow_execution": "fail",
    "cancel_workflow_execution": "end as cancelled",
    "continue_as_new_workflow_execution": "continue as new",
}
"""Our names of the SDK's commands; others keep the SDK's name."""
WHAT_TO_DO = """\
A case that is open at this place would stop after a deploy, and wait. One of:
- the change was not meant to do that: give the old commands again, in the old order;
- it was: deploy it as a build of its own, and let the old one drain (docs/deploying.md);
- no case can be open that is like this: no more is needed.
In the latter two cases record anew:  python -m tests.replay.record"""


def history(name: str) -> WorkflowHistory:
    """Return the golden history of this name."""
    return WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text(encoding="utf-8"))


def names() -> list[str]:
    """Return the names of all golden histories."""
    return sorted(path.stem for path in HISTORIES.glob("*.json"))


class _Recording(Runner):
    """Runs workflows without the sandbox, and records the names of their commands."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self._runner = UnsandboxedWorkflowRunner()

    def prepare_workflow(self, defn: _Definition) -> None:
        self._runner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = self._runner.create_instance(det)
        activate = instance.activate

        def recording(act):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            completion = activate(act)
            self.commands += map(_name, completion.successful.commands)
            return completion

        instance.activate = recording  # type: ignore[method-assign]
        return instance


UNANNOUNCED = "the case was changed, and not by Desk.apply: whoever waits for the change is not woken"


@contextmanager
def changes_are_announced() -> Iterator[None]:
    """Fails a workflow task if anything but `Desk.apply` has changed the case."""
    known: WeakKeyDictionary[Desk, str] = WeakKeyDictionary()

    def check(desk: Desk) -> None:
        if desk.admitted and desk.case.model_dump_json() != known[desk]:
            raise AssertionError(UNANNOUNCED)

    def remember(desk: Desk) -> None:
        known[desk] = desk.case.model_dump_json()

    opening, applying, resting = Desk.open, Desk.apply, Desk.at_rest

    def open_case(desk: Desk, case: Case) -> None:
        opening(desk, case)
        remember(desk)

    def apply(desk: Desk, *change: Any, **named: Any) -> Any:
        check(desk)
        try:
            return applying(desk, *change, **named)
        finally:
            remember(desk)

    def at_rest(desk: Desk, revision: int) -> bool:
        check(desk)
        return resting(desk, revision)

    with patch.multiple(Desk, open=open_case, apply=apply, at_rest=at_rest):
        yield


async def replayed(golden: WorkflowHistory) -> tuple[list[str], str | None]:
    """Return the commands that the current code gives for a history, and its failure or None."""
    config, runner = replayer().config(), _Recording()
    config["workflow_runner"] = runner
    with changes_are_announced():
        failure = (await Replayer(**config).replay_workflow(golden, raise_on_replay_failure=False)).replay_failure
    return runner.commands, None if failure is None else str(failure)


def _name(command: WorkflowCommand) -> str:
    variant = command.WhichOneof("variant") or ""
    given = getattr(command, variant)
    # The first of these fields that exists has the name.
    about = [getattr(given, f, "") for f in ("activity_type", "workflow_type", "signal_name", "patch_id")]
    if variant == "update_response":
        about = [given.WhichOneof("response")]
    return " ".join([NAMES.get(variant, variant), *filter(None, about)])


def difference(name: str, expected: list[str], given: list[str], failure: str | None) -> str:
    """Return a message if a history does not replay or gives other commands; empty if nothing changed."""
    if failure is None and expected == given:
        return ""
    if failure is not None:
        expected = expected[: len(given) + 1]  # the replay ended where it failed
    lines = unified_diff(expected, given, "in the history", "by the present code", lineterm="", n=4)
    changes = "\n".join(lines) or "the same commands, but it does not replay"
    why = failure or "its history replays all the same"
    return "\n".join([f"{name}: other commands than recorded", changes, "", WHAT_TO_DO, "", why])


# A fingerprint is a file with a line for each command; repeated commands share a line.


def fingerprint(name: str) -> list[str]:
    """Return the commands of a golden history as they were when it was recorded."""
    commands = []
    for line in (FINGERPRINTS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        command, _, times = line.partition(" x ")
        commands += [command] * int(times or 1)
    return commands


def write_fingerprint(name: str, commands: list[str]) -> None:
    """Write the fingerprint of a golden history."""
    counted = [(command, len(list(same))) for command, same in groupby(commands)]
    text = "".join(f"{command}\n" if times == 1 else f"{command} x {times}\n" for command, times in counted)
    (FINGERPRINTS / f"{name}.txt").write_text(text, encoding="utf-8")
