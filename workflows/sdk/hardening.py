"""Changes to Temporal's SDK in a worker, so that no input can fail a workflow task (docs/findings.md).

A failed workflow task is retried indefinitely, and its case is stuck. Three changes are here, and one is in
`workflows.sdk.runner`:

* a payload that cannot be decoded stays raw (`LenientPayloadConverter`);
* nothing is fetched from external storage, because there is none (`HardenedDataConverter`);
* superfluous arguments are dropped (`FirstArgumentOnly`).

They use these private names of temporalio. The tests fail if the SDK changes them:

* `DataConverter._…_payload_sequence`, all four of `HardenedDataConverter`: tests/workflows/sdk/test_hardening.py
* `DataConverter`'s fields, which `HardenedDataConverter.with_context` copies: tests/encryption/test_codec.py
* `workflow._Definition` and `WorkflowInstance.activate`, in `workflows.sdk.runner`: tests/workflows/sdk/test_runner.py
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, SerializationContext, WithSerializationContext
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from cases.contract import PREVIEW_QUERY

_CONVERTERS = PydanticPayloadConverter().converters


class LenientPayloadConverter(PydanticPayloadConverter):
    """Pydantic's payload converter for workers: without type hints, a payload that cannot be decoded stays raw.

    If a message has more or fewer arguments than its handler, the SDK ignores the type hints and decodes all arguments
    before an interceptor sees them. One that cannot be decoded would drop the signal, fail the query, or fail the first
    workflow task on every attempt. Several payloads always stay raw, even details of a failure: ours have at most one.
    """

    def __init__(self) -> None:
        # The SDK creates a converter for each workflow and each task; each would build our validators again.
        self.converters = _CONVERTERS

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Return the values, in order. Raises if a payload with a type hint cannot be decoded."""
        if type_hints:
            return super().from_payloads(payloads, type_hints)
        if len(payloads) == 1:
            with suppress(Exception):  # any client may have sent it
                return super().from_payloads(payloads)
        return [RawValue(payload) for payload in payloads]


class HardenedDataConverter(DataConverter):
    """Treats a payload that refers to external storage like any payload that is not JSON.

    The SDK would try to fetch it, and because there is no external storage, it would fail the workflow task repeatedly.
    """

    def with_context(self, context: SerializationContext) -> Self:
        """Return a converter whose codec encrypts for one workflow.

        The SDK calls this for every payload, and its own implementation builds a pydantic converter each time.
        """
        codec = self.payload_codec
        if not isinstance(codec, WithSerializationContext):
            return self
        # The class is frozen, and its constructor is what costs time; `copy.copy` is slow too.
        clone = object.__new__(type(self))
        vars(clone).update(vars(self), payload_codec=codec.with_context(context))
        return clone

    # There is no external storage. The SDK does not copy a sequence that is returned unchanged, which saves the worker
    # 8 of 121 ms per case.

    async def _decode_reference_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return payloads  # type: ignore[return-value]

    async def _external_retrieve_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return payloads  # type: ignore[return-value]

    async def _external_store_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return payloads  # type: ignore[return-value]

    async def _encode_reference_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return payloads  # type: ignore[return-value]


def hardened(converter: DataConverter) -> DataConverter:
    """Return the converter for a worker or a `Replayer`, with the same encryption: no payload can fail a task."""
    return HardenedDataConverter(
        payload_converter_class=LenientPayloadConverter,
        payload_codec=converter.payload_codec,
        failure_converter_class=converter.failure_converter_class,
    )


class FirstArgumentOnly(Interceptor):
    """Passes on only the first argument of a workflow, signal, update, or the one query that takes an argument.

    A handler that is called with too many arguments fails its workflow task on every attempt.
    """

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 (the SDK's name)
    ) -> type[WorkflowInboundInterceptor]:
        """Return the class that intercepts inbound calls."""
        return _FirstArgumentOnly


class _FirstArgumentOnly(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002
        input.args = (list(input.args) or [None])[:1]
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002
        # The dynamic handler takes the name, and any number of payloads.
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
