"""Cases under the same terms share one policy in memory; under other terms none."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

import policies
from cases.complaint import Complaint
from cases.policy import pinned
from cases.policy.pinned import PinnedPolicy
from cases.policy.policy import Policy
from settings import ROOT
from tests.complaints import complaint

READER: TypeAdapter[Policy] = TypeAdapter(PinnedPolicy)
LATE = Complaint.model_validate(complaint(topic="transport.delay"))
"""Of this topic some rules have several options."""


@pytest.fixture
def recorded() -> dict[str, Any]:
    """The policy that the complaint of a case was admitted under, as its history holds it."""
    policy = policies.load(ROOT / "policies")["building_materials"].slice_for(LATE)
    decoded: dict[str, Any] = json.loads(policy.model_dump_json())
    return decoded


def test_policies_of_the_same_terms_are_one_in_memory(recorded: dict[str, Any]) -> None:
    """S18."""
    read = READER.validate_json(json.dumps(recorded))

    assert READER.validate_json(json.dumps(recorded)) is read
    assert READER.validate_python(recorded) is read
    assert read == Policy.model_validate_json(json.dumps(recorded))


def test_a_slice_of_a_pinned_policy_is_that_policy(recorded: dict[str, Any]) -> None:
    read = READER.validate_python(recorded)

    assert read.slice_for(LATE) is read


def test_a_policy_that_differs_anywhere_is_another(recorded: dict[str, Any]) -> None:
    """Also where only the order of its options differs: it is the order in which they are offered."""
    read = READER.validate_python(recorded)
    rule = next(rule for rule in recorded["remedies"] if len(rule["options"]) > 1)
    rule["options"] = dict(reversed(rule["options"].items()))

    other = READER.validate_python(recorded)

    assert other is not read
    assert other.model_dump_json() == json.dumps(recorded, ensure_ascii=False, separators=(",", ":"))


def test_faults_of_a_record_are_reported_as_the_policy_reports_them(recorded: dict[str, Any]) -> None:
    recorded |= {"topics": {}, "unknown": 1}
    with pytest.raises(ValidationError) as expected:
        Policy.model_validate(recorded)

    with pytest.raises(ValidationError) as given:
        READER.validate_python(recorded)

    assert [(e["loc"], e["msg"]) for e in given.value.errors()] == [
        (e["loc"], e["msg"]) for e in expected.value.errors()
    ]


def test_no_more_policies_are_kept_than_said(recorded: dict[str, Any]) -> None:
    for number in range(pinned.SHARED + 5):
        READER.validate_python(recorded | {"version": str(number)})

    assert pinned._read.cache_info().currsize == pinned.SHARED  # noqa: SLF001 (what bounds the memory)
