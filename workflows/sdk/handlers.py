"""Message handlers: every message of the contract as a signal (facts) and as an update (facts and commands).

Payloads arrive undecoded (`RawValue`), so that a payload that is not JSON is rejected with a reason instead of failing
the workflow task. `workflows.sdk.hardening` handles what the SDK does with payloads before a handler runs.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from cases.contract import MAX_INPUT_BYTES
from cases.errors import InvalidInput, Problem, Refusal
from cases.inbox.examples import EXAMPLES
from cases.inbox.messages import MESSAGES, Message
from cases.input.decoding import check_size, decode
from cases.patches import Holds, always
from cases.views.need_view import YOU
from workflows.sdk.hardening import LenientPayloadConverter

Workflow = TypeVar("Workflow", bound=type)
ONE_DECODER = "one decoder"
"""The id of a patch: since then, JSON that two parsers could read differently is refused."""


def handles(*, signals: dict[str, type[Message]], updates: dict[str, type[Message]]) -> Callable[[Workflow], Workflow]:
    """Add a handler for each of these messages to a workflow class, which has `signalled`, `check` and `updated`.

    Apply it below `workflow.defn`, which then finds the handlers like any others.
    """

    def with_handlers(cls: Workflow) -> Workflow:
        for name, model in signals.items():
            defined = workflow.signal(name=name, description=_description(name, model))
            setattr(cls, f"signal_{model.__name__}", defined(_signal_handler(name)))
        for name, model in updates.items():
            setattr(cls, f"update_{model.__name__}", _update_handler(name, _description(name, model)))
        return cls

    return with_handlers


# `self` has no annotation below: otherwise the SDK counts it as an argument, and decodes the payload.


def _description(name: str, model: type[Message]) -> str:
    """Return what the Temporal UI shows of a message: what it means, and a payload to copy."""
    about = " ".join((model.__doc__ or "").split())
    if MESSAGES.get(name) is not model:  # of a claim
        return about
    return f"{about} Example: {json.dumps({**EXAMPLES[name], 'by': YOU}, ensure_ascii=False)}"


def _signal_handler(name: str) -> Callable[..., None]:
    def signal(self, payload: RawValue = None) -> None:  # type: ignore[no-untyped-def,assignment]  # noqa: ANN001
        self.signalled(name, payload)

    signal.__name__ = signal.__qualname__ = f"signal_{name}"
    return signal


def _update_handler(name: str, description: str) -> Any:
    async def update(self, payload: RawValue = None) -> dict[str, Any]:  # type: ignore[no-untyped-def,assignment]  # noqa: ANN001
        answer: dict[str, Any] = await self.updated(name, payload)
        return answer

    def validator(self, payload: RawValue = None) -> None:  # type: ignore[no-untyped-def,assignment]  # noqa: ANN001
        self.check(name, payload)

    update.__name__ = update.__qualname__ = f"update_{name}"
    defined = workflow.update(name=name, description=description)(update)
    defined.validator(validator)
    return defined


class Unreadable(Refusal):
    """A payload that is not JSON, too large, or not allowed (`cases.input.decoding`)."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        # Without the position of the error: repeated messages then have the same reason and are counted as one.
        super().__init__(
            "; ".join(
                f"the payload {p.problem.partition(':')[0]}" if p.field == "(whole)" else str(p) for p in problems
            )
        )


def decoded(payload: Any, holds: Holds = always) -> Any:
    """Return the JSON in a raw payload. Raises `Unreadable` if it is not JSON, too large, or not allowed."""
    if not isinstance(payload, RawValue):
        return payload
    encoding = payload.payload.metadata.get("encoding")
    if encoding == b"binary/null":
        return None
    if encoding != b"json/plain":
        raise Unreadable([Problem(field="(whole)", problem="is not JSON")])
    try:
        value = decode(payload.payload.data)
        check_size(value)
    except InvalidInput as fault:
        unreadable = Unreadable(fault.problems)
    else:
        return value
    with suppress(Unreadable):
        value = decoded_unchecked(payload)
        if len(payload.payload.data) <= MAX_INPUT_BYTES and not holds(ONE_DECODER):
            return value
    raise unreadable


def decoded_unchecked(payload: Any) -> Any:
    """Return the JSON without our checks, as older workers did. If a key is repeated, its last value counts."""
    if not isinstance(payload, RawValue):
        return payload
    (value,) = LenientPayloadConverter().from_payloads([payload.payload])  # raises nothing
    if not isinstance(value, dict | list | str | int | float | None):  # bytes, raw, or a protobuf message
        raise Unreadable([Problem(field="(whole)", problem="is not JSON")])
    return value


def rejection(refusal: Refusal) -> ApplicationError:
    """Return the error that the sender of an update receives."""
    return ApplicationError(str(refusal), type="Refused", non_retryable=True)
