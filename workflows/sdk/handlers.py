"""Message handlers: every message of the contract as a signal (facts) and as an update (facts and commands).

A payload arrives undecoded (`RawValue`), so that one that is no JSON is refused with a sentence and fails no workflow
task. What the SDK would do with a payload or an argument before a handler runs: `workflows.sdk.hardening`.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from cases.contract import MAX_INPUT_BYTES
from cases.errors import InvalidInput, Problem, Refusal
from cases.inbox.messages import Message
from cases.input.decoding import check_size, decode
from cases.patches import Holds, always
from workflows.sdk.hardening import LenientPayloadConverter

Workflow = TypeVar("Workflow", bound=type)
ONE_DECODER = "one decoder"
"""A rule that cases may be older than: what two readers could read in two ways is refused."""


def handles(*, signals: dict[str, type[Message]], updates: dict[str, type[Message]]) -> Callable[[Workflow], Workflow]:
    """Give a workflow class a handler for each of these messages; it offers `signalled`, `check` and `updated`.

    Applied under `workflow.defn`, which then finds the handlers like any others.
    """

    def with_handlers(cls: Workflow) -> Workflow:
        for name, model in signals.items():
            defined = workflow.signal(name=name, description=_description(model))
            setattr(cls, f"signal_{model.__name__}", defined(_signal_handler(name)))
        for name, model in updates.items():
            setattr(cls, f"update_{model.__name__}", _update_handler(name, _description(model)))
        return cls

    return with_handlers


# `self` bears no annotation below: with one the SDK counts it as an argument, and the payload is no longer raw.


def _description(model: type[Message]) -> str:
    return (model.__doc__ or "").strip()


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
    """A payload that is no JSON, or not ours to take in."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        # Not where it stops being JSON: of a flood every message has the same sentence, and is counted on one line.
        super().__init__(
            "; ".join(
                f"the payload {p.problem.partition(':')[0]}" if p.field == "(whole)" else str(p) for p in problems
            )
        )


def decoded(payload: Any, holds: Holds = always) -> Any:
    """The JSON in a raw payload, read by the one decoder; raises `Unreadable` for what is none, or too large."""
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
    """What older workers accepted, or what the engine wrote itself: of a repeated key the last value holds."""
    if not isinstance(payload, RawValue):
        return payload
    (value,) = LenientPayloadConverter().from_payloads([payload.payload])  # raises nothing
    if not isinstance(value, dict | list | str | int | float | None):  # bytes, raw, or a protobuf message
        raise Unreadable([Problem(field="(whole)", problem="is not JSON")])
    return value


def rejection(refusal: Refusal) -> ApplicationError:
    """What the sender of an update gets: the sentence."""
    return ApplicationError(str(refusal), type="Refused", non_retryable=True)
