"""The doors of a case: every message of the contract as a signal (facts) and as an update (facts and commands).

A payload arrives raw, so that it cannot fail to decode before the case has seen it. Superfluous arguments are
taken off on the way in (`OneArgument`): a handler that is called with too many fails its workflow task for ever.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from cases.errors import Refusal
from cases.messages import FACTS, MESSAGES, Message
from cases.names import CLAIM_SETTLED, MAX_INPUT_BYTES

Workflow = TypeVar("Workflow", bound=type)
NAMED = frozenset({*FACTS, CLAIM_SETTLED})
"""Signals with a handler of their own; the others reach one that takes any number of arguments."""


def listens(cls: Workflow) -> Workflow:
    """Give a workflow class a handler for every message; it offers `signalled`, `check` and `updated`.

    Applied under `workflow.defn`, which then finds the handlers like any others.
    """
    for name, model in FACTS.items():
        setattr(cls, f"signal_{model.__name__}", workflow.signal(name=name, description=_about(model))(_signal(name)))
    for name, model in MESSAGES.items():
        setattr(cls, f"update_{model.__name__}", _update(name, _about(model)))
    return cls


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


def decoded(payload: Any) -> Any:
    """The JSON in a raw payload; raises `Refusal` for what is too large or no JSON."""
    if not isinstance(payload, RawValue):
        return payload
    if len(payload.payload.data) > MAX_INPUT_BYTES:
        raise Refusal(f"the payload is larger than {MAX_INPUT_BYTES} bytes: send references, not the things themselves")
    try:
        value = workflow.payload_converter().from_payload(payload.payload)
    except Exception:  # noqa: BLE001 (whatever a stranger sends must not fail the workflow task)
        raise Refusal("the payload is not JSON") from None
    if isinstance(value, bytes):
        raise Refusal("the payload is not JSON")
    return value


class OneArgument(Interceptor):
    """Lets the first argument of a workflow, a signal or an update in, and no other."""

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
        if input.signal in NAMED:
            input.args = input.args[:1]
        await super().handle_signal(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:  # noqa: A002
        input.args = input.args[:1]
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002
        input.args = input.args[:1]
        return await super().handle_update_handler(input)
