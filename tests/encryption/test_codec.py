"""An encrypted payload can be decrypted only with its key and for its workflow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    ActivitySerializationContext,
    NexusSerializationContext,
    SerializationContext,
    WorkflowSerializationContext,
)

from encryption import data_converter, encrypted
from encryption.codec import Encryption, NotAuthentic, seal, unseal
from encryption.keys import KeyOutOfReach, KeyRing, new_key
from settings import Settings
from workflows.sdk.hardening import LenientPayloadConverter, hardened

KEYS = KeyRing(text=new_key("k1"))
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"the customer\'s words"')
PLACE = ("default", "case-1")
PAYLOADS = st.builds(
    Payload, metadata=st.dictionaries(st.text(max_size=20), st.binary(max_size=20), max_size=4), data=st.binary()
)
NAMES = st.text(max_size=30)


def workflow(workflow_id: str = "case-1", namespace: str = "default") -> SerializationContext:
    return WorkflowSerializationContext(namespace=namespace, workflow_id=workflow_id)


def activity(workflow_id: str | None = "case-1", namespace: str = "default") -> SerializationContext:
    return ActivitySerializationContext(
        namespace=namespace,
        activity_id="1",
        activity_type="a",
        activity_task_queue="q",
        workflow_id=workflow_id,
        workflow_type="w",
        is_local=False,
    )


@given(PAYLOADS, st.tuples(NAMES, NAMES.filter(bool)))
def test_payload_is_decrypted_for_its_workflow(payload: Payload, place: tuple[str, str]) -> None:
    assert unseal(KEYS, seal(KEYS, payload, place), place) == payload


@given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES))
def test_payload_is_decrypted_for_no_other_workflow(one: tuple[str, str], other: tuple[str, str]) -> None:
    sealed = seal(KEYS, PLAIN, one)
    if one == other:
        return

    with pytest.raises(NotAuthentic, match="another workflow"):
        unseal(KEYS, sealed, other)
    relabelled = Payload(metadata={**sealed.metadata, "namespace": other[0].encode(), "workflow": other[1].encode()})
    relabelled.data = sealed.data
    with pytest.raises(NotAuthentic, match="changed"):
        unseal(KEYS, relabelled, other)


def test_ciphertext_shows_nothing_and_no_two_are_alike() -> None:
    once, again = seal(KEYS, PLAIN, PLACE), seal(KEYS, PLAIN, PLACE)

    assert b"customer" not in once.SerializeToString()
    assert b"json" not in once.SerializeToString()
    assert once.data[:12] != again.data[:12]
    assert once.data[12:] != again.data[12:]


def test_every_bit_of_the_ciphertext_counts() -> None:
    sealed = seal(KEYS, PLAIN, PLACE)

    for bit in range(8 * len(sealed.data)):
        data = bytearray(sealed.data)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NotAuthentic):
            unseal(KEYS, Payload(metadata=sealed.metadata, data=bytes(data)), PLACE)


@pytest.mark.parametrize("name", ["version", "key", "namespace", "workflow"])
def test_every_bit_beside_the_ciphertext_counts(name: str) -> None:
    sealed = seal(KEYS, PLAIN, PLACE)

    for bit in range(8 * len(sealed.metadata[name])):
        value = bytearray(sealed.metadata[name])
        value[bit // 8] ^= 1 << bit % 8
        changed = Payload(metadata={**sealed.metadata, name: bytes(value)}, data=sealed.data)
        for place in (PLACE, None):
            with pytest.raises((NotAuthentic, KeyOutOfReach)):
                unseal(KEYS, changed, place)


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 12, b"x" * 27])
def test_too_short_ciphertext_is_not_authentic(data: bytes) -> None:
    with pytest.raises(NotAuthentic):
        unseal(KEYS, Payload(metadata=seal(KEYS, PLAIN, PLACE).metadata, data=data), PLACE)


@pytest.mark.parametrize(("seals", "opens"), [(workflow(), activity()), (activity(), workflow())])
async def test_activities_and_their_workflow_read_each_others_payloads(
    seals: SerializationContext, opens: SerializationContext
) -> None:
    codec = Encryption(KEYS)

    sealed = await codec.with_context(seals).encode([PLAIN, PLAIN])

    assert await codec.with_context(opens).decode(sealed) == [PLAIN, PLAIN]


@pytest.mark.parametrize("other", [workflow("case-2"), workflow(namespace="test"), activity("case-2")])
async def test_payload_that_is_not_authentic_stays_encrypted_and_stops_nothing(
    other: SerializationContext, caplog: pytest.LogCaptureFixture
) -> None:
    codec = Encryption(KEYS)
    sealed = await codec.with_context(workflow()).encode([PLAIN])

    assert await codec.with_context(other).decode(sealed) == sealed
    assert "sealed for another workflow" in caplog.text


async def test_key_out_of_reach_is_an_error_and_leaves_no_payload_encrypted() -> None:
    sealed = await Encryption(KeyRing(text=new_key("k2"))).with_context(workflow()).encode([PLAIN])

    with pytest.raises(KeyOutOfReach):
        await Encryption(KEYS).with_context(workflow()).decode(sealed)


async def test_without_keys_nothing_is_encrypted_and_encrypted_payloads_wait_for_a_key() -> None:
    converter = data_converter(Settings()).with_context(workflow())
    [sealed] = await encrypted(KEYS).with_context(workflow()).encode(["words"])

    [plain] = await converter.encode(["words"])

    assert plain.data == b'"words"'
    assert await converter.decode([plain]) == ["words"]
    with pytest.raises(KeyOutOfReach, match="set AFTER_SALES_ENCRYPTION_KEYS_FILE"):
        await converter.decode([sealed])


@pytest.mark.parametrize(
    "spoilt",
    [
        {"version": b"2"},
        {"version": b""},
        {"workflow": b"case-2"},
        {"namespace": b"\xff"},
        {"key": b""},
        {"key": b"k1"},
        {"key": b"\xff"},
        {"key": b"k1.0123456z"},
        {"data": b"x" * 27},
    ],
    ids=["version", "none", "workflow", "namespace", "no key", "id alone", "bytes", "fingerprint", "short"],
)
@pytest.mark.parametrize("keys", [KEYS, None], ids=["keys", "no keys"])
async def test_undecodable_payload_does_not_wait_for_a_key(keys: KeyRing | None, spoilt: dict[str, bytes]) -> None:
    """Anybody can mark bytes as encrypted: that must not block a case."""
    metadata = dict(seal(KEYS, PLAIN, PLACE).metadata)
    data = spoilt.get("data", b"x" * 40)
    payload = Payload(metadata={**metadata, **{k: v for k, v in spoilt.items() if k != "data"}}, data=data)

    assert await Encryption(keys).with_context(workflow()).decode([payload]) == [payload]


@given(PAYLOADS)
async def test_plain_payload_passes_through(payload: Payload) -> None:
    assert await Encryption(KEYS).with_context(workflow()).decode([payload]) == [payload]


@pytest.mark.parametrize("context", [None, activity(None), NexusSerializationContext("e", "s", "o")])
async def test_payload_without_a_workflow_is_decrypted_only_without_one(context: SerializationContext | None) -> None:
    codec = Encryption(KEYS) if context is None else Encryption(KEYS).with_context(context)

    sealed = await codec.encode([PLAIN])

    assert await codec.decode(sealed) == [PLAIN]
    assert await Encryption(KEYS).with_context(workflow()).decode(sealed) == sealed


async def test_failures_are_encrypted_as_well() -> None:
    converter = encrypted(KEYS).with_context(workflow())
    failure = Failure()
    try:
        int("Lotus Street")
    except ValueError as error:
        await converter.encode_failure(error, failure)

    assert b"Lotus" not in failure.SerializeToString()
    assert b"test_codec" not in failure.SerializeToString()
    assert "Lotus Street" in str(await converter.decode_failure(failure))


@pytest.mark.parametrize("settings", [Settings(), Settings(encryption_keys=new_key("k1"))], ids=["plain", "encrypted"])
def test_worker_builds_no_converter_for_each_payload(settings: Settings) -> None:
    """The SDK asks for a converter with context for every payload, and a pydantic converter is slow to build."""
    converter = hardened(data_converter(settings))

    with_context = converter.with_context(workflow())

    assert with_context.payload_converter is converter.payload_converter
    assert with_context.failure_converter is converter.failure_converter
    assert with_context.payload_codec is not converter.payload_codec
    assert LenientPayloadConverter().converters is LenientPayloadConverter().converters
