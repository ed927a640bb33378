"""The case on its desk: what the parts of the workflow share, and how one waits for another's change."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec

from temporalio import workflow
from temporalio.common import Priority
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from cases.state.case import Case
from workflows.sdk.activity_calls import Call, Result, durably
from workflows.sdk.options import QUICK, URGENT

Arguments = ParamSpec("Arguments")


class Desk:
    """Holds the case, which is changed by `apply` alone: no change goes unnoticed."""

    def __init__(self) -> None:
        self.revision = 0
        """Grows whenever something is changed, begun or finished."""
        self.changes = 0
        """Grows with every change of the case."""
        self._case: Case | None = None
        self._errands: set[asyncio.Task[None]] = set()
        self._watches: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._lane = asyncio.Lock()
        self._quick = 0

    @property
    def case(self) -> Case:
        """The case; there is one once the complaint has been admitted."""
        if self._case is None:
            raise RuntimeError("the complaint has not been admitted yet")
        return self._case

    @property
    def admitted(self) -> bool:
        """Whether the complaint has been admitted."""
        return self._case is not None

    @property
    def busy(self) -> bool:
        """Whether something is being carried out, so that the case cannot continue as new just now."""
        return bool(self._errands)

    def at_rest(self, revision: int) -> bool:
        """Whether the workflow task is about to end: nothing was begun since, and nothing runs inside it.

        Commands to the server (timers, search attributes) wait for that, so that each is sent once per task.
        """
        return not self._quick and self.revision == revision

    def open(self, case: Case) -> None:
        """The complaint has been admitted, or the case continues as new."""
        self._case = case
        self.changes += 1
        self._changed()

    def apply(
        self,
        change: Callable[Concatenate[Case, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Call `change(case, …)`, wake every coroutine that waits for a change, and return the result."""
        result = change(self.case, *arguments, **named)
        self.changes += 1
        self._changed()
        return result

    def _changed(self) -> None:
        """Wake every coroutine that waits for a change."""
        self.revision += 1

    def begin(self, errand: Coroutine[Any, Any, None]) -> None:
        """Run an errand in the background; `until` raises what goes wrong in it."""
        self._run(errand, self._errands)
        self._changed()

    def watch(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Run a wait in the background; it is derived again when the case continues as new."""
        self._run(waiting, self._watches)

    def _run(self, coroutine: Coroutine[Any, Any, None], kept: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(coroutine)
        kept.add(task)
        task.add_done_callback(self._done)

    async def quickly(self, call: Call[Result], *, summary: str, options: LocalActivityConfig = QUICK) -> Result:
        """One try inside the workflow task: no round trip through the server when the partner answers at once.

        One at a time: results of local activities that ran side by side can come in other groups on replay than
        they first did, and what the case does in between would then differ (docs/findings.md). Raises `FailureError`:
        what the activity raised, where one through the server raises `ActivityError`.
        """
        how: LocalActivityConfig = {**options, "summary": summary}
        self._quick += 1
        try:
            async with self._lane:
                result: Result = await workflow.execute_local_activity_method(call.method, args=call.arguments, **how)
                return result
        finally:
            self._quick -= 1
            self._changed()

    async def durably(self, call: Call[Result], *, summary: str, options: ActivityConfig) -> Result:
        """Through the server, repeated as `options` say; what an urgent case needs goes before the rest (§3)."""
        return await durably(call, summary=summary, options={**options, "priority": self.priority})

    @property
    def priority(self) -> Priority:
        """Where in the queues stands what is begun for the case from now on."""
        return URGENT if self._case is not None and self._case.urgent else Priority.default

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds; raises what an errand raised."""
        await workflow.wait_condition(lambda: self._failure is not None or condition())
        if self._failure is not None:
            raise self._failure

    def _done(self, task: asyncio.Task[None]) -> None:
        self._errands.discard(task)
        self._watches.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
        self._changed()
