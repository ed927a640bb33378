"""Calls of activities: the quick way first, and what a failure means to the case."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from workflows.options import QUICK

with workflow.unsafe.imports_passed_through():
    from activities.outcomes import REFUSED, TRY_AGAIN, UNKNOWN


async def quickly(method: Any, *arguments: Any, summary: str, options: LocalActivityConfig = QUICK) -> Any:
    """One try inside the workflow task: no round trip through the server when the partner answers at once."""
    how: Any = {**options, "summary": summary}
    return await workflow.execute_local_activity_method(method, args=arguments, **how)


async def durably(method: Any, *arguments: Any, summary: str, options: ActivityConfig) -> Any:
    """Through the server, repeated as `options` say; `summary` is what the UI shows."""
    how: Any = {**options, "summary": summary}
    return await workflow.execute_activity_method(method, args=arguments, **how)


def kind_of(error: ActivityError) -> str:
    """What may be done next: `REFUSED`, `TRY_AGAIN` (nothing was done) or `UNKNOWN` (it may have been done)."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ApplicationError):
            return cause.type if cause.type in {REFUSED, TRY_AGAIN} else UNKNOWN
        cause = cause.__cause__
    return UNKNOWN


def sentence(error: ActivityError) -> str:
    """What the partner, or Temporal, says went wrong."""
    deepest: BaseException = error
    while deepest.__cause__ is not None:
        deepest = deepest.__cause__
    return str(deepest)
