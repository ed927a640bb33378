"""The doors of a case: every message of the contract as a signal (facts) and as an update (facts and commands).

A payload arrives raw, so that it cannot fail to decode before the case has seen it, and so do several (`AsTheyCame`).
Superfluous arguments are taken off on the way in (`OneArgument`): a handler that is called with too many fails its
workflow task for ever.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self, TypeVar

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, SerializationContext, WithSerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from cases.contract import MAX_INPUT_BYTES, PREVIEW_QUERY
from cases.decoding import check_size, decode
from cases.errors import InvalidInput, Problem, Refusal
from cases.inbox.messages import FACTS, MESSAGES, Holds, Message, always

Workflow = TypeVar("Workflow", bound=type)
ONE_DECODER = "one decoder"
"""A rule that cases may be older than: what two readers could read in two ways is refused."""


def listens(cls: Workflow) -> Workflow:
    """Give a workflow class a handler for every message of a case; it offers `signalled`, `check` and `updated`.

    Applied under `workflow.defn`, which then finds the handlers like any others.
    """
    return hears(FACTS, MESSAGES)(cls)


def hears(signals: dict[str, type[Message]], updates: dict[str, type[Message]]) -> Callable[[Workflow], Workflow]:
    """As `listens`, for these messages."""

    def give(cls: Workflow) -> Workflow:
        for name, model in signals.items():
            door = workflow.signal(name=name, description=_about(model))
            setattr(cls, f"signal_{model.__name__}", door(_signal(name)))
        for name, model in updates.items():
            setattr(cls, f"update_{model.__name__}", _update(name, _about(model)))
        return cls

    return give


# `self` bears no annotation below: with one the SDK counts it as an argument, and the payload is no longer raw.


def _about(model: type[Message]) -> str:
    return (model.__doc__ or "").strip()


def _signal(name: str) -> Callable[..., None]:
    def signal(self, payload: RawValue = None) -> None:  # type: ignore[no-untyped-def,assignment]  # noqa: ANN001
        self.signalled(name, payload)

    signal.__name__ = signal.__qualname__ = f"signal_{name}"
    return signal


def _update(name: str, about: str) -> Any:
    async def update(self, payload: RawValue = None) -> dict[str, Any]:  # type: ignore[no-untyped-def,assignment]  # noqa: ANN001
        answer: dict[str, Any] = await self.updated(name, payload)
        return answer

    def validator(self, payload: RawValue = None) -> None:  # type: ignore[no-untyped-def,assignment]  # noqa: ANN001
        self.check(name, payload)

    update.__name__ = update.__qualname__ = f"update_{name}"
    door = workflow.update(name=name, description=about)(update)
    door.validator(validator)
    return door


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
        value = written(payload)
        if len(payload.payload.data) <= MAX_INPUT_BYTES and not holds(ONE_DECODER):
            return value
    raise unreadable


def written(payload: Any) -> Any:
    """What was read without question once, or was written by us: the last of two keys holds."""
    if not isinstance(payload, RawValue):
        return payload
    (value,) = AsTheyCame().from_payloads([payload.payload])  # raises nothing
    if not isinstance(value, dict | list | str | int | float | None):  # bytes, raw, or a protobuf message
        raise Unreadable([Problem(field="(whole)", problem="is not JSON")])
    return value


def rejected(refusal: Refusal) -> ApplicationError:
    """What the sender of an update gets: the sentence."""
    return ApplicationError(str(refusal), type="Refused", non_retryable=True)


_BY_ENCODING = PydanticPayloadConverter().converters


class AsTheyCame(PydanticPayloadConverter):
    """Pydantic's payload converter for workers: where no types are known, what cannot be decoded stays raw.

    Where the number of arguments is not the handler's, the SDK forgets its types and decodes them all before an
    interceptor sees them; one that cannot be decoded would drop the signal, fail the query, or fail the start's task
    for ever. Several stay raw in any case, several details of a failure too: ours carry one at most.
    """

    def __init__(self) -> None:
        # The SDK makes one for each workflow and one for each of its tasks, and each would learn our types anew.
        self.converters = _BY_ENCODING

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """The values, in order; raises where one that has a type cannot be decoded."""
        if type_hints:
            return super().from_payloads(payloads, type_hints)
        if len(payloads) == 1:
            with suppress(Exception):  # whatever a stranger sends
                return super().from_payloads(payloads)
        return [RawValue(payload) for payload in payloads]


class _ForWorkers(DataConverter):
    """Takes a payload that says it is stored elsewhere for one that is no JSON.

    The SDK would fetch it, and without a store fails the workflow task, again and again, whoever sent it.
    """

    def with_context(self, context: SerializationContext) -> Self:
        """A converter whose codec seals for one workflow.

        The SDK asks for one for every payload, and its own way builds a pydantic converter each time.
        """
        codec = self.payload_codec
        if not isinstance(codec, WithSerializationContext):
            return self
        # The class is frozen, and its constructor is what is to be spared; `copy` asks more than it copies.
        clone = object.__new__(type(self))
        vars(clone).update(vars(self), payload_codec=codec.with_context(context))
        return clone

    # There is no store. What comes back the same the SDK does not copy: 8 of 121 ms of the worker's for each case.

    async def _decode_reference_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return payloads  # type: ignore[return-value]

    async def _external_retrieve_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return payloads  # type: ignore[return-value]

    async def _external_store_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return payloads  # type: ignore[return-value]

    async def _encode_reference_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return payloads  # type: ignore[return-value]


def taking_in_all(converter: DataConverter) -> DataConverter:
    """The converter for a worker, and for a `Replayer`: no payload can fail a workflow task; it encrypts as before."""
    return _ForWorkers(
        payload_converter_class=AsTheyCame,
        payload_codec=converter.payload_codec,
        failure_converter_class=converter.failure_converter_class,
    )


class OneArgument(Interceptor):
    """Lets in the first argument of a workflow, a signal or an update, and of the one query that takes any."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 (the SDK's name)
    ) -> type[WorkflowInboundInterceptor]:
        """The inbound side."""
        return _OneArgument


class _OneArgument(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002
        input.args = (list(input.args) or [None])[:1]
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002
        # A handler for any name takes the name as well, and as many payloads as there are.
        if workflow.get_signal_handler(input.signal) is not None:
            input.args = input.args[:1]
        await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:  # noqa: A002
        if not input.query.startswith("__"):  # those are the SDK's own
            input.args = input.args[:1] if input.query == PREVIEW_QUERY else []
        return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:  # noqa: A002
        input.args = input.args[:1]
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002
        input.args = input.args[:1]
        return await super().handle_update_handler(input)
