"""What a worker changes in Temporal's SDK, so that no input fails a workflow task (docs/findings.md).

A failed workflow task is repeated for ever, and its case stands still. Three things are changed here, and one in
`workflows.sdk.runner`:

* what cannot be decoded stays raw (`LenientPayloadConverter`);
* nothing is fetched from a store that does not exist (`HardenedDataConverter`);
* superfluous arguments are dropped (`FirstArgumentOnly`).

Private names of temporalio that are touched, and the tests that fail when the SDK moves:

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
    """Pydantic's payload converter for workers: where no types are known, what cannot be decoded stays raw.

    Where the number of arguments is not the handler's, the SDK forgets its types and decodes them all before an
    interceptor sees them; one that cannot be decoded would drop the signal, fail the query, or fail the start's task
    for ever. Several stay raw in any case, several details of a failure too: ours carry one at most.
    """

    def __init__(self) -> None:
        # The SDK makes one for each workflow and for each of its tasks, and each would build our validators again.
        self.converters = _CONVERTERS

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """The values, in order; raises where one that has a type cannot be decoded."""
        if type_hints:
            return super().from_payloads(payloads, type_hints)
        if len(payloads) == 1:
            with suppress(Exception):  # anybody may have sent it
                return super().from_payloads(payloads)
        return [RawValue(payload) for payload in payloads]


class HardenedDataConverter(DataConverter):
    """Treats a payload that says it is stored elsewhere as one that is no JSON.

    The SDK would fetch it, and without a store fails the workflow task, again and again.
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


def hardened(converter: DataConverter) -> DataConverter:
    """The converter for a worker, and for a `Replayer`: no payload can fail a workflow task; it encrypts as before."""
    return HardenedDataConverter(
        payload_converter_class=LenientPayloadConverter,
        payload_codec=converter.payload_codec,
        failure_converter_class=converter.failure_converter_class,
    )


class FirstArgumentOnly(Interceptor):
    """Passes on the first argument of a workflow, a signal or an update, and of the one query that takes any.

    A handler that is called with too many arguments fails its workflow task for ever.
    """

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 (the SDK's name)
    ) -> type[WorkflowInboundInterceptor]:
        """The inbound side."""
        return _FirstArgumentOnly


class _FirstArgumentOnly(WorkflowInboundInterceptor):
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
