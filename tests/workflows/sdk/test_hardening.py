"""The SDK still calls the private methods that `workflows.sdk.hardening` overrides; otherwise they would be dead."""

from collections.abc import Sequence

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.bridge.worker import decode_activation, encode_completion
from temporalio.converter import DataConverter

from workflows.sdk.hardening import HardenedDataConverter

OVERRIDDEN = sorted(name for name in vars(HardenedDataConverter) if name.endswith("_payload_sequence"))
ELSEWHERE = Payload(
    metadata={"encoding": b"json/external-storage-reference", "__temporal_external_storage_reference": b"true"},
    data=b"{}",
)


async def travel(converter: DataConverter) -> None:
    """A payload comes in with a workflow task, and goes out with its completion."""
    came, goes = WorkflowActivation(run_id="r"), WorkflowActivationCompletion(run_id="r")
    came.jobs.add().resolve_activity.result.completed.result.CopyFrom(ELSEWHERE)
    goes.successful.commands.add().schedule_activity.arguments.append(ELSEWHERE)
    await decode_activation(came, converter, decode_headers=False, storage_concurrency_limit=3)
    await encode_completion(goes, converter, encode_headers=False, storage_concurrency_limit=3)


@pytest.mark.parametrize("name", OVERRIDDEN)
async def test_sdk_calls_each_method_that_is_overridden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overriding a method that a newer SDK has renamed or no longer calls would have no effect, silently."""
    calls: list[Sequence[Payload]] = []

    async def noted(_: DataConverter, payloads: Sequence[Payload]) -> Sequence[Payload]:
        calls.append(payloads)
        return payloads

    assert callable(getattr(DataConverter, name, None))
    monkeypatch.setattr(HardenedDataConverter, name, noted)
    await travel(HardenedDataConverter())

    assert [list(payloads) for payloads in calls] == [[ELSEWHERE]]


async def test_sdk_alone_fails_on_what_is_stored_elsewhere() -> None:
    """The overrides are still needed."""
    assert len(OVERRIDDEN) == 4
    await travel(HardenedDataConverter())
    with pytest.raises(RuntimeError, match="TMPRL1105"):
        await travel(DataConverter())
