"""All problems are named at once: a wrong field hides no other problem (G1)."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cases.complaint import Complaint
from cases.errors import MAX_PROBLEMS, InvalidInput
from cases.input.drafts import collect_problems, read_draft
from cases.policy.admission import admitted
from tests.cases.lines import plan_line
from tests.cases.world import START, a_complaint, in_force

DEAR = {"amount": "100.00", "freight": "0.00"}
"""The items cost 12,500.00."""
LATER = (START + timedelta(days=1)).isoformat()


def faults(**fields: Any) -> set[str]:
    """The fields at fault."""
    try:
        admitted(a_complaint(**fields), START, in_force())
    except InvalidInput as error:
        return {problem.field for problem in error.problems}
    return set()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"channel": "pigeon", "order": DEAR}, {"channel", "order.items"}),
        ({"line": "slate", "channel": "pigeon"}, {"line", "channel"}),
        ({"topic": "transport.magic", "wish": "revenge"}, {"topic", "wish"}),
        ({"topic": "transport.magic", "order": DEAR}, {"topic", "order.items"}),
        ({"topic": "Transport Magic", "order": DEAR}, {"topic", "order.items"}),
        ({"received_at": "yesterday", "order": {"freight": "99999.00"}}, {"received_at", "order.freight"}),
        ({"received_at": LATER, "urgent": "very"}, {"received_at", "urgent"}),
        ({"customer": {"name": ""}, "description": ""}, {"customer.name", "customer", "description"}),
        ({"customer": {"name": "Li", "age": 3}}, {"customer.age", "customer"}),
        ({"customer": "Li", "order": DEAR}, {"customer", "order.items"}),
        ({"order": {**DEAR, "colour": 1, "promised_at": "x"}}, {"order.colour", "order.promised_at", "order.items"}),
        ({"order": {"currency": "yuan", "freight": "99999.00"}}, {"order.currency", "order.freight"}),
        ({"order": {"currency": "KWD", "freight": "99999.00"}}, {"order.currency", "order.freight"}),
        ({"order": {"currency": "JPY", "amount": "100.50"}}, {"order.amount", "order.freight", "order.items"}),
        ({"order": {"amount": "-1"}, "affected": [{"sku": "NO", "quantity": 1}]}, {"order.amount", "affected.0.sku"}),
        ({"wish": 7, "affected": [{"sku": "OTHER", "quantity": 0}]}, {"wish", "affected.0.sku", "affected.0.quantity"}),
        ({"wish": 7, "affected": [{"quantity": 1}, {"sku": "OTHER", "quantity": 1}]},
         {"wish", "affected.0.sku", "affected.1.sku"}),
        ({"evidence": [{"kind": "selfie", "uri": "x"}], "order": DEAR}, {"evidence.0.kind", "order.items"}),
        ({"answered_at": LATER, "line": "slate", "follows": "HL-1"}, {"answered_at", "line", "follows"}),
        ({"case_id": "a b", "answered_at": LATER}, {"case_id", "answered_at"}),
        ({}, set()),
    ],
)  # fmt: skip
def test_what_is_wrong_with_one_field_hides_nothing_that_is_wrong_with_another(
    fields: dict[str, Any], expected: set[str]
) -> None:
    """G1: exactly these, so that it is mended in one go."""
    assert faults(**fields) == expected


def an_order(*items: Any) -> dict[str, Any]:
    return {"order": {"amount": "100.00", "freight": "0.00", "items": list(items)}, "affected": None}


DEAR_ITEM = {"sku": "A", "quantity": 1, "unit_price": "100.01"}


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ("no item", "order.items.0"),
        ({"sku": "B", "quantity": 1, "unit_price": "many"}, "order.items.0.unit_price"),
        ({"sku": "B", "unit_price": "1.00"}, "order.items.0.quantity"),
    ],
)
def test_items_that_cost_more_without_the_faulty_one_cost_more_with_it(bad: Any, field: str) -> None:
    """G1: each item counts that has a price and a number."""
    assert faults(**an_order(bad, DEAR_ITEM)) == {field, "order.items"}
    assert faults(**an_order(bad, {**DEAR_ITEM, "unit_price": "100.00"})) == {field}


def test_what_needs_a_faulty_field_is_not_guessed() -> None:
    """G1: a parcel's items may be worth more than the order; for an unknown line this is unknown."""
    assert faults(line="slate", order=DEAR) == {"line"}
    assert faults(order={"amount": "many", "freight": "99.00"}) == {"order.amount"}


def test_the_complaint_the_finding_and_the_time_of_a_plan_are_judged_together() -> None:
    """Contract, `plan`."""
    finding = {"severity": "awful", "goods_value": 1.5, "affected": [{"sku": "SLATE-9", "quantity": 9}]}
    asked = {"complaint": a_complaint(channel="pigeon"), "finding": finding, "now": "today", "findings": {}}

    answer = plan_line(json.dumps(asked), in_force(), START)

    assert [error["field"] for error in answer["errors"]] == [
        *("findings", "now", "channel", "finding.severity", "finding.goods_value", "finding.affected")
    ]


def test_of_very_many_problems_the_rest_is_counted() -> None:
    """Contract, *A complaint*: of both kinds together."""
    odd = [{"sku": f"S-{i}", "quantity": 0, "unit_price": "1.00"} for i in range(MAX_PROBLEMS - 1)]
    raw = a_complaint(channel="pigeon", description="", order={"items": odd}, affected=None)

    with pytest.raises(InvalidInput) as refused:
        admitted(raw, START, in_force())

    assert len(refused.value.problems) == MAX_PROBLEMS + 1
    assert str(refused.value.problems[-1]) == "(whole): has 1 more faults"


def test_a_draft_has_its_sound_fields_and_no_others() -> None:
    raw = a_complaint(channel="pigeon", order={"amount": "many"}, affected=["x", {"sku": "SLATE-9", "quantity": 1}])

    draft, problems = read_draft(Complaint, raw)

    assert {problem.field for problem in problems} == {"channel", "order.amount", "affected.0"}
    assert draft.order is not None
    assert draft.order.order_id == "SO-88121"
    assert draft.affected is not None
    assert draft.affected[1].sku == "SLATE-9"
    for model, name in ((draft, "channel"), (draft.order, "amount"), (draft.affected[0], "sku")):
        with pytest.raises(AttributeError):
            getattr(model, name)


def test_a_check_that_is_wrong_itself_is_not_passed_over() -> None:
    def check(complaint: Complaint) -> list[Any]:
        return [complaint.nobody]  # type: ignore[attr-defined]

    with pytest.raises(AttributeError):
        collect_problems([check], read_draft(Complaint, a_complaint())[0])
