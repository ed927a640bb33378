"""The state that the parts of a case's workflow share: the case, background tasks, and notification of changes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec

from temporalio import workflow
from temporalio.common import Priority
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from cases.state.case import Case
from workflows.sdk.activity_calls import Call, Result, durably
from workflows.sdk.options import QUICK, priority

Arguments = ParamSpec("Arguments")


class Desk:
    """Holds the case. Only `apply` changes it, so that every change is noticed."""

    def __init__(self) -> None:
        self.revision = 0
        """Incremented when the case changes, and when a background task starts or ends."""
        self.changes = 0
        """Incremented when the case changes."""
        self.local_calls = 0
        """Incremented when a local activity is called."""
        self._case: Case | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._waits: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._one_at_a_time = asyncio.Lock()
        self._local_activities = 0

    @property
    def case(self) -> Case:
        """The case. Raises `RuntimeError` before the complaint has been admitted."""
        if self._case is None:
            raise RuntimeError("the complaint has not been admitted yet")
        return self._case

    @property
    def admitted(self) -> bool:
        """Whether the complaint has been admitted."""
        return self._case is not None

    @property
    def busy(self) -> bool:
        """Whether background work is running, so that the case cannot continue as new yet."""
        return bool(self._work)

    def at_rest(self, revision: int) -> bool:
        """Return whether the workflow task is about to end: no local activity runs, and `revision` is the latest.

        Timers and search attributes wait for this, so that each is sent at most once per workflow task.
        """
        return not self._local_activities and self.revision == revision

    def open(self, case: Case) -> None:
        """Set the case: the complaint has been admitted, or the case continues from an earlier run."""
        self._case = case
        self.changes += 1
        self._changed()

    def apply(
        self,
        change: Callable[Concatenate[Case, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Call `change(case, …)`, wake every coroutine that waits for a change, and return the result of the call."""
        result = change(self.case, *arguments, **named)
        self.changes += 1
        self._changed()
        return result

    def _changed(self) -> None:
        """Wake every coroutine that waits for a change."""
        self.revision += 1

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in the background. If it raises, `until` raises the same exception."""
        self._run(work, self._work)
        self._changed()

    def watch(self, wait: Coroutine[Any, Any, None]) -> None:
        """Run `wait` in the background. It does not make the case busy: a new run starts it again."""
        self._run(wait, self._waits)

    def _run(self, coroutine: Coroutine[Any, Any, None], kept: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(coroutine)
        kept.add(task)
        task.add_done_callback(self._done)

    async def quickly(self, call: Call[Result], *, summary: str, options: LocalActivityConfig = QUICK) -> Result:
        """Run a local activity, once: if the partner answers at once, this saves a round trip to the server.

        One at a time: on replay, the results of concurrent local activities can be grouped differently, and what the
        case does between them would then differ (docs/findings.md). Raises `FailureError`: the exception of the
        activity itself, not an `ActivityError` as `durably` does.
        """
        how: LocalActivityConfig = {**options, "summary": summary}
        self._local_activities += 1
        self.local_calls += 1
        try:
            async with self._one_at_a_time:
                result: Result = await workflow.execute_local_activity_method(call.method, args=call.arguments, **how)
                return result
        finally:
            self._local_activities -= 1
            self._changed()

    async def durably(self, call: Call[Result], *, summary: str, options: ActivityConfig) -> Result:
        """Run an activity, retried as `options` say, with the priority of the case (§3)."""
        return await durably(call, summary=summary, options={**options, "priority": self.priority})

    @property
    def priority(self) -> Priority:
        """The priority of activities and child workflows that the case starts now."""
        if self._case is None:
            return Priority.default  # inherited from the workflow's start
        return priority(self._case.complaint.line, urgent=self._case.urgent)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds. Raises the exception of background work that has failed."""
        await workflow.wait_condition(lambda: self._failure is not None or condition())
        if self._failure is not None:
            raise self._failure

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        self._waits.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
        self._changed()
