"""Activity calls, checked against the signatures of the activities, and what a failed call means to the case."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, TypeVarTuple, overload

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.workflow import ActivityConfig

from cases.contract import partner_queue
from cases.progress.call_outcomes import Refused, TryAgain, Unknown
from cases.reasons import Reason, Why, is_approvable

with workflow.unsafe.imports_passed_through():
    from activities.outcomes import OVER_LIMIT, REFUSED, RESERVED, TRY_AGAIN, UNKNOWN


Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Call(Generic[Result]):
    """An activity with its arguments. Create it with `call`, which checks them."""

    method: Any
    arguments: tuple[Any, ...]
    answer: Any = None
    """The type of the result, if `method` is a name."""
    partner: str | None = None
    """The partner that is called; None: only our database is used."""


# The SDK accepts several arguments as `Sequence[Any]`, so that a wrong one would be noticed only at run time.


@overload
def call(method: Callable[[Any, *Arguments], Awaitable[Result]], *arguments: *Arguments) -> Call[Result]: ...
@overload
def call(method: Callable[[Any, *Arguments], Result], *arguments: *Arguments) -> Call[Result]: ...
def call(method: Any, *arguments: Any) -> Call[Any]:  # type: ignore[misc]  # mypy cannot compare `*Arguments` with `*Any`
    """Return a call of an activity's `method`. mypy checks the arguments against its signature."""
    return Call(method, arguments)


def at(partner: str, call: Call[Result]) -> Call[Result]:
    """Return the same call as one to a partner. It runs on the partner's task queue, unless it is a local activity."""
    return replace(call, partner=partner)


def named(name: str, answer: Any, *arguments: Any) -> Call[Any]:
    """Return a call of an activity by its name, for activities that share one method. `answer` is the result type."""
    return Call(name, arguments, answer)


async def durably(call: Call[Result], *, summary: str, options: ActivityConfig) -> Result:
    """Run an activity, retried as `options` say, and return its result. The UI shows `summary`."""
    how: ActivityConfig = {**options, "summary": summary}
    if call.partner is not None:
        # The SDK does not compare task queues in a replay, so cases that were opened on others replay too.
        how["task_queue"] = partner_queue(workflow.info().task_queue, call.partner)
    result: Result = await workflow.execute_activity(call.method, args=call.arguments, result_type=call.answer, **how)
    return result


def kind_of(error: FailureError) -> str:
    """Return the kind of failure: `REFUSED`, `TRY_AGAIN` (nothing was done) or `UNKNOWN` (it may have been done)."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ApplicationError):
            return cause.type if cause.type in {REFUSED, TRY_AGAIN} else UNKNOWN
        cause = cause.__cause__
    return UNKNOWN


def outcome_of(error: FailureError) -> Refused | TryAgain | Unknown:
    """Return what a failed call means to a step."""
    why, kind = reason_of(error), kind_of(error)
    if kind == TRY_AGAIN:
        return TryAgain(why)
    if kind != REFUSED:
        return Unknown(why)
    cause = error.__cause__
    details = cause.details if isinstance(cause, ApplicationError) else ()
    return Refused(
        why,
        over_limit=OVER_LIMIT in details or is_approvable(why),
        # Absent if an older worker released it (S26).
        reserved=any(isinstance(detail, dict) and detail.get(RESERVED) is True for detail in details),
        later_try=why.params.get("number") if isinstance(why, Reason) and why.code == "later_try" else None,
    )


def reason_of(error: FailureError) -> Why:
    """Return why a call failed: the activity's reason if it gave one, else the message of the partner or Temporal."""
    cause: BaseException | None = error
    while cause is not None:
        for detail in cause.details if isinstance(cause, ApplicationError) else ():
            if isinstance(detail, dict) and "code" in detail:
                with suppress(ValidationError):
                    return Reason.model_validate(detail)
        cause = cause.__cause__
    return sentence(error)


def sentence(error: FailureError) -> str:
    """Return the message of the partner, or of Temporal, that says what went wrong."""
    deepest: BaseException = error
    while deepest.__cause__ is not None:
        deepest = deepest.__cause__
    return deepest.message if isinstance(deepest, FailureError) else str(deepest)
