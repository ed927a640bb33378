"""What would we promise and offer? The same as a case does; and the worst input is answered with a list of errors."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases.entitlement.plans import NOW, plan, planned
from tests.cases.lines import complaint_of, plan_of
from tests.cases.world import START, World, a_complaint, building_materials, open_case, remedies_of

# What is answered


def test_a_plan_says_what_would_be_promised_and_offered() -> None:
    """Contract, `plan`."""
    answer = plan({"severity": "severe"})

    assert answer["policy"] == {"line": "building_materials", "version": building_materials().version}
    assert [(p["name"], p["due_at"], p["pausable"], p["provisional"]) for p in answer["promises"]] == [
        ("acknowledge", "2026-11-18T09:10:00+08:00", False, False),
        ("detailed_result", "2026-11-20T09:00:00+08:00", True, False),
    ]
    assert answer["offer"]["options"] == [
        {
            "key": "refund",
            "remedies": [
                {"kind": "refund", "amount": "12800.00", "at_once": False},
                {"kind": "compensation", "amount": "1280.00", "max_amount": "2560.00", "at_once": False},
            ],
        }
    ]
    assert (answer["consent_required"], answer["outcome"], answer["missing"], answer["evidence_needed"]) == (
        True,
        None,
        [],
        [],
    )


def test_a_plan_without_a_finding_says_what_is_missing() -> None:
    """Contract."""
    answer = plan()

    assert (answer["offer"], answer["missing"], answer["consent_required"]) == (None, ["severity"], False)


def test_a_plan_says_when_the_rule_would_close_the_case() -> None:
    """Contract, G4: and promises no crew for what was not upheld."""
    answer = plan({"upheld": False}, topic="installation.defect")

    assert answer["outcome"] == "rejected"
    assert [p["name"] for p in answer["promises"]] == ["acknowledge", "detailed_result"]


def test_promises_that_start_with_the_finding_count_from_now() -> None:
    """Contract, B3: those that start with consent are left out."""
    answer = plan({"severity": "minor"}, topic="installation.defect")

    due = {p["name"]: p["due_at"] for p in answer["promises"]}
    assert due["dispatch"] == (NOW + timedelta(hours=24)).isoformat()
    assert "progress_update" not in due


def test_now_is_the_clock_where_the_line_does_not_say() -> None:
    """Contract: `finding` and `now` are optional."""
    answer = planned(json.dumps({"complaint": a_complaint(topic="installation.defect")}))

    due = {p["name"]: p["due_at"] for p in answer["promises"]}
    assert due["dispatch"] == (NOW + timedelta(hours=24)).isoformat()


@pytest.mark.parametrize(
    ("topic", "finding"),
    [
        ("transport.damage", {"severity": "minor"}),
        ("transport.damage", {"severity": "moderate"}),
        ("transport.delay", {"days_late": 6}),
        ("transport.loss", {"lost": True}),
        ("installation.defect", {"severity": "severe"}),
        ("goods.quality", {"upheld": False}),
    ],
)
def test_a_case_does_what_the_plan_says(topic: str, finding: dict[str, Any]) -> None:
    """Contract: it computes with the same code as the cases."""
    answer = plan(finding, topic=topic)
    world: World = open_case(topic, looked_up=False)
    world.after(hours=1).says("assess", **finding)

    options = [o.model_dump(mode="json", exclude_none=True) for o in world.offer.options]
    due = {p.name.value: p.due_at() for p in world.case.promises if p.name != "progress_update"}
    assert answer["offer"]["options"] == options
    assert answer["consent_required"] == world.offer.consent_required
    assert {p["name"]: datetime.fromisoformat(p["due_at"]) for p in answer["promises"]} == due


EVIDENCE = [
    {"kind": kind, "uri": "s3://1"} for kind in ("photo", "inspection_report", "batch_number", "proof_of_value")
]


@pytest.mark.parametrize(
    ("line", "topic", "finding"),
    [
        ("fresh_food", "goods.damage", {"upheld": True, "liable": "delivery"}),
        ("fresh_food", "goods.safety", {"upheld": True, "liable": "customer"}),
        ("fresh_food", "transport.delay", {"hours_late": 25}),
        ("infant_formula", "return.quality", {"upheld": True}),
        ("infant_formula", "return.unwanted", {"sealed": True}),
        ("organic_food", "goods.shortage", {"upheld": True}),
        ("organic_food", "return.unwanted", {"sealed": False}),
        ("express", "transport.damage", {"severity": "minor"}),
        ("express", "transport.loss", {"lost": True}),
    ],
)
def test_a_case_of_any_line_offers_what_the_plan_says(line: str, topic: str, finding: dict[str, Any]) -> None:
    """Contract: it computes with the same code as the cases."""
    order = {"goods_value": "300.00"} if line == "express" else {}
    planned = plan_of(line, topic, finding, order=order, evidence=EVIDENCE)
    filed = complaint_of(line, topic, order=order, evidence=EVIDENCE)
    world = open_case(**{key: filed[key] for key in ("topic", "line", "order", "affected", "evidence")})

    world.says("assess", **finding)

    assert remedies_of(world.offer.options) == planned.options
    assert (world.offer.outcome, world.offer.consent_required) == (planned.outcome, planned.consent)


def test_a_call_that_was_picked_up_changes_nothing_in_the_plan() -> None:
    """M1: what was promised is the same, however it was kept."""
    asked, answered = (plan_of("infant_formula", "return.quality", answered_at=at) for at in (None, START.isoformat()))

    assert asked.answer == answered.answer


# Arbitrary input


NUMBERS = st.integers(-(10**30), 10**30) | st.floats()
VALUES = (
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20) | st.sampled_from(["2026-11-18T09:00:00+08:00", "1.00"])
)


ANYTHING = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(line=st.text(max_size=60))
def test_no_text_raises(line: str) -> None:
    assert "errors" in planned(line)


@given(given_=ANYTHING)
def test_no_json_raises(given_: Any) -> None:
    assert "errors" in planned(json.dumps(given_))


@given(data=st.data(), value=ANYTHING)
def test_any_value_in_any_place_of_a_complaint_is_answered(data: st.DataObject, value: Any) -> None:
    """Contract: wrong types everywhere."""
    whole: dict[str, Any] = {
        "complaint": a_complaint(),
        "finding": {"severity": "minor", "days_late": 3},
        "now": NOW.isoformat(),
    }
    place: Any = whole
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value

    assert planned(json.dumps(whole))
