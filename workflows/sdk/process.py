"""The part that small workflows share: a state that messages change, each as a signal and as an update."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from cases.errors import Refusal
from cases.inbox.messages import Message, read
from workflows.sdk.activity_calls import Result
from workflows.sdk.handlers import decoded, rejection

State = TypeVar("State", bound=BaseModel)
Arguments = ParamSpec("Arguments")


class Process(Generic[State]):
    """A workflow that has a state, or gets it from its first activity. `workflows.sdk.handlers.handles` adds handlers.

    A subclass sets `messages`, `receive` and `keep_refused`, which are those of its domain module.
    """

    messages: ClassVar[dict[str, type[Message]]]
    whose: ClassVar[str]
    """What accepts the messages, such as `a measure`."""
    receive: ClassVar[Callable[..., dict[str, Any]]]
    keep_refused: ClassVar[Callable[..., bool]]

    def __init__(self) -> None:
        self._state: State | None = None
        self._missing: ApplicationError | None = None
        """Why there is no state."""
        self._early: list[tuple[str, Any]] = []
        """Signals that arrived before there was a state."""

    @property
    def state(self) -> State:
        """The state. Raises `RuntimeError` while there is none."""
        if self._state is None:
            raise RuntimeError("there is no state yet")
        return self._state

    def apply(
        self,
        change: Callable[Concatenate[State, Arguments], Result],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Result:
        """Call `change(state, …)` and return the result."""
        return change(self.state, *arguments, **named)

    def take_early(self) -> None:
        """Apply the signals that arrived before there was a state."""
        for name, payload in self._early:
            self.signalled(name, payload)
        self._early.clear()

    @workflow.signal(dynamic=True)
    def unknown_signal(self, name: str, payloads: Sequence[RawValue]) -> None:
        """Record a signal with an unknown name under `refused`."""
        self.signalled(name, payloads[0] if payloads else None)

    def signalled(self, name: str, payload: Any) -> None:
        """Apply a signal, or record it under `refused` with the reason. No signal is dropped."""
        if self._state is None:
            self._early.append((name, payload))
            return
        message: Any = None
        try:
            message = decoded(payload)
            self.apply(type(self).receive, name, message, workflow.now())
        except Refusal as refusal:
            if self.apply(type(self).keep_refused, name, message, refusal, workflow.now()):
                workflow.logger.warning("signal refused", extra={"by": workflow.info().workflow_id})

    def check(self, name: str, payload: Any) -> None:
        """Validate an update by applying it to a copy; a rejected update adds no event to the history."""
        try:
            message = decoded(payload)
            if self._state is None:
                read(name, message, self.messages, self.whose)
            else:
                type(self).receive(self._state.model_copy(deep=True), name, message, workflow.now())
        except Refusal as refusal:
            raise rejection(refusal) from None

    async def updated(self, name: str, payload: Any) -> dict[str, Any]:
        """Apply an update and return its answer. Raises `ApplicationError` with the reason if it is rejected."""
        await workflow.wait_condition(lambda: self._state is not None or self._missing is not None)
        if self._missing is not None:
            raise self._missing
        try:
            return self.apply(type(self).receive, name, decoded(payload), workflow.now())
        except Refusal as refusal:
            raise rejection(refusal) from None
