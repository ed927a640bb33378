"""Calls of activities through the server, and what a failure means to the case."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.workflow import ActivityConfig

with workflow.unsafe.imports_passed_through():
    from activities.outcomes import OVER_LIMIT, REFUSED, TRY_AGAIN, UNKNOWN


async def durably(method: Any, *arguments: Any, summary: str, options: ActivityConfig) -> Any:
    """Through the server, repeated as `options` say; `summary` is what the UI shows."""
    how: Any = {**options, "summary": summary}
    return await workflow.execute_activity_method(method, args=arguments, **how)


def kind_of(error: FailureError) -> str:
    """What may be done next: `REFUSED`, `TRY_AGAIN` (nothing was done) or `UNKNOWN` (it may have been done)."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ApplicationError):
            return cause.type if cause.type in {REFUSED, TRY_AGAIN} else UNKNOWN
        cause = cause.__cause__
    return UNKNOWN


def is_over_limit(error: FailureError) -> bool:
    """Whether it was the order's limit that refused a payment (S15)."""
    cause = error.__cause__
    return isinstance(cause, ApplicationError) and OVER_LIMIT in cause.details


def sentence(error: FailureError) -> str:
    """What the partner, or Temporal, says went wrong."""
    deepest: BaseException = error
    while deepest.__cause__ is not None:
        deepest = deepest.__cause__
    return deepest.message if isinstance(deepest, FailureError) else str(deepest)
