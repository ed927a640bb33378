"""Every fault of a complaint or a finding to be planned is named by its field, all at once."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cases.vocabulary import Channel
from tests.cases.entitlement.plans import NOW, plan, planned
from tests.cases.world import START, a_complaint


def faults(**complaint: Any) -> list[str]:
    """The fields that are at fault."""
    answer = plan(**complaint)
    assert set(answer) == {"errors"}, answer
    assert all(error["problem"] for error in answer["errors"])
    return [error["field"] for error in answer["errors"]]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("{'a': 1}", "is not JSON"),
        ("\ufeff{}", "must be a JSON object, a complaint"),
        ("null", "must be a JSON object"),
        ("[1]", "must be a JSON object"),
        ('"x"', "must be a JSON object"),
        ("[" * 1_000_000, "nested too deeply"),
        ('{"complaint":' * 1_000_000, "nested too deeply"),
        ("{}", "must be a JSON object, a complaint"),
        ('{"complaint": []}', "must be a JSON object, a complaint"),
        ('{"complaint": null}', "must be a JSON object, a complaint"),
    ],
)
def test_invalid_complaint_is_reported(line: str, says: str) -> None:
    """Contract: `errors`, no traceback."""
    (error,) = planned(line)["errors"]

    assert says in error["problem"]
    assert error["field"]


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"line": "unknown"}, "line"),
        ({"topic": "transport.magic"}, "topic"),
        ({"topic": "Transport Damage"}, "topic"),
        ({"channel": "fax"}, "channel"),
        ({"case_id": ""}, "case_id"),
        ({"case_id": "a b"}, "case_id"),
        ({"case_id": "x" * 101}, "case_id"),
        ({"case_id": 7}, "case_id"),
        ({"customer": {"name": "x"}}, "customer"),
        ({"customer": {"phone": "1"}}, "customer.name"),
        ({"customer": {"name": "x", "email": "no"}}, "customer.email"),
        ({"customer": "x"}, "customer"),
        ({"description": " "}, "description"),
        ({"wish": "revenge"}, "wish"),
        ({"urgent": "very"}, "urgent"),
        ({"evidence": [{"kind": "selfie", "uri": "x"}]}, "evidence.0.kind"),
        ({"order": {"amount": "-0.01"}}, "order.amount"),
        ({"order": {"amount": "1.001"}}, "order.amount"),
        ({"order": {"amount": "1e12"}}, "order.amount"),
        ({"order": {"amount": "NaN"}}, "order.amount"),
        ({"order": {"amount": "Infinity"}}, "order.amount"),
        ({"order": {"amount": float("nan")}}, "order.amount"),
        ({"order": {"amount": float("inf")}}, "order.amount"),
        ({"order": {"amount": True}}, "order.amount"),
        ({"order": {"amount": "many"}}, "order.amount"),
        ({"order": {"amount": None}}, "order.amount"),
        ({"order": {"currency": "yuan"}}, "order.currency"),
        ({"order": {"freight": "12800.01"}}, "order.freight"),
        ({"order": {"amount": "12499.99"}}, "order.items"),
        ({"order": {"items": [{"sku": "A", "quantity": 0, "unit_price": "1.00"}]}}, "order.items.0.quantity"),
        (
            {"order": {"items": [{"sku": "A", "quantity": 1, "unit_price": "1.00"}] * 2}, "affected": None},
            "order.items",
        ),
        ({"affected": [{"sku": "OTHER", "quantity": 1}]}, "affected.0.sku"),
        ({"affected": [{"sku": "SLATE-9", "quantity": 5}]}, "affected.0.quantity"),
        ({"affected": [{"sku": "SLATE-9", "quantity": 1}] * 2}, "affected.1.sku"),
        ({"received_at": "2026-11-18T09:00:00"}, "received_at"),
        ({"received_at": "yesterday"}, "received_at"),
        ({"received_at": (NOW + timedelta(seconds=61)).isoformat()}, "received_at"),
        ({"answered_at": (NOW + timedelta(seconds=61)).isoformat()}, "answered_at"),
        ({"answered_at": (START - timedelta(seconds=1)).isoformat()}, "answered_at"),
        ({"order": {"delivered_at": (NOW + timedelta(seconds=61)).isoformat()}}, "order.delivered_at"),
        ({"order": {"promised_at": "2026-11-18"}}, "order.promised_at"),
        ({"colour": "red"}, "colour"),
        ({"order": {"colour": "red"}}, "order.colour"),
        ({"customer": {"name": "x", "phone": "1", "age": 3}}, "customer.age"),
    ],
)
def test_each_fault_of_a_complaint_is_named_by_its_field(fields: dict[str, Any], at_fault: str) -> None:
    """Contract, *A complaint*."""
    assert at_fault in faults(**fields)


@pytest.mark.parametrize("channel", list(Channel))
def test_what_came_by_a_channel_on_which_nobody_picks_up_has_no_time_of_that(channel: Channel) -> None:
    """G2, S32: a call or a chat is picked up; what has no meaning is refused by its field."""
    answer = planned(json.dumps({"complaint": a_complaint(channel=channel, answered_at=START.isoformat())}))

    refused = [error["field"] for error in answer.get("errors", [])]
    assert refused == ([] if channel in ("hotline", "chat") else ["answered_at"])


def test_every_fault_is_reported_at_once() -> None:
    """Contract: every problem, so that it is mended in one go."""
    assert set(faults(channel="fax", order={"amount": "-1"}, colour="red")) == {"channel", "order.amount", "colour"}


def test_an_order_is_needed_to_complain_about() -> None:
    complaint = {k: v for k, v in a_complaint().items() if k != "order"}

    errors = planned(json.dumps({"complaint": complaint}))["errors"]

    assert "order" in [error["field"] for error in errors]


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_clock_a_minute_ahead_is_borne_with(seconds: int) -> None:
    """Both sides: 61 seconds are refused above."""
    assert "errors" not in plan(received_at=(NOW + timedelta(seconds=seconds)).isoformat())


@pytest.mark.parametrize("amount", ["12800", "12800.0", 12800])
def test_an_amount_is_a_decimal_string_and_whole_numbers_are_taken(amount: Any) -> None:
    assert (
        plan({"severity": "severe"}, order={"amount": amount})["offer"]["options"][0]["remedies"][0]["amount"]
        == "12800.00"
    )


def test_a_float_is_no_amount_even_where_it_looks_like_one() -> None:
    """Money is decimal: 0.1 has no exact binary value, so it is read as written."""
    answer = plan({"severity": "minor"}, order={"amount": 12800.1})

    assert answer.get("errors") or answer["offer"]["options"][0]["remedies"][0]["amount"] == "640.01"


@pytest.mark.parametrize(
    ("finding", "at_fault"),
    [
        ({"severity": "awful"}, "finding.severity"),
        ({"days_late": -1}, "finding.days_late"),
        ({"days_late": True}, "finding.days_late"),
        ({"affected": []}, "finding.affected"),
        ({"days_late": 36_501}, "finding.days_late"),
        ({"hours_late": float("nan")}, "finding.hours_late"),
        ({"hours_late": float("inf")}, "finding.hours_late"),
        ({"lost": "perhaps"}, "finding.lost"),
        ({"colour": "red"}, "finding.colour"),
        ({"affected": [{"sku": "SLATE-9", "quantity": 5}]}, "finding.affected"),
        ("severe", "finding"),
        ([1], "finding"),
    ],
)
def test_each_fault_of_a_finding_is_named_by_its_field(finding: Any, at_fault: str) -> None:
    """Contract."""
    assert at_fault in [error["field"] for error in plan(finding)["errors"]]


def test_a_finding_that_its_topic_does_not_know_is_refused() -> None:
    """§2: for installations `minor` or `severe`."""
    answer = plan({"severity": "moderate"}, topic="installation.defect")

    assert [error["field"] for error in answer["errors"]] == ["finding.severity"]


@pytest.mark.parametrize("now", ["today", "2026-11-18T09:00:00", {}, [], "", True])
def test_a_wrong_now_is_named(now: Any) -> None:
    answer = planned(json.dumps({"complaint": a_complaint(), "now": now}))

    assert [error["field"] for error in answer["errors"]] == ["now"]


def test_an_unknown_key_beside_the_complaint_is_named() -> None:
    answer = planned(json.dumps({"complaint": a_complaint(), "findings": {}}))

    assert [error["field"] for error in answer["errors"]] == ["findings"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"complaint":' + "9" * 5_000 + "}", id="a number of 5,000 digits"),
        pytest.param(
            json.dumps({"complaint": a_complaint(order={"amount": "1e1000000"})}), id="an amount of a million digits"
        ),
        pytest.param(
            json.dumps({"complaint": a_complaint(order={"amount": "@"})}).replace('"@"', "1e99999999999999999999"),
            id="a number beyond all exponents",
        ),
        pytest.param(
            json.dumps({"complaint": a_complaint(received_at="0001-01-01T00:00:00+08:00")}), id="received in the year 1"
        ),
        pytest.param(
            json.dumps({"complaint": a_complaint(), "now": "9999-12-31T23:59:59Z"}), id="now at the end of time"
        ),
    ],
)
def test_numbers_and_times_out_of_all_reason_are_faults_like_others(line: str) -> None:
    """Contract: no traceback for anything a user can cause."""
    assert planned(line)["errors"]


@pytest.mark.parametrize("finding", [[], "", 0, False])
def test_an_empty_thing_is_no_finding(finding: Any) -> None:
    """Contract: by its field."""
    assert [error["field"] for error in plan(finding)["errors"]] == ["finding"]


@pytest.mark.parametrize("amount", ["1_000", " 12800.00 ", "1e4", "١٢٨٠٠", "+12800", "-0.01", ".5", "5."])
def test_an_amount_is_written_as_the_schema_says(amount: str) -> None:
    """Contract: digits, a point, two digits."""
    assert "order.amount" in faults(order={"amount": amount, "freight": "0.00", "items": []})


def test_a_time_is_written_as_text() -> None:
    """Contract: RFC 3339 with an offset."""
    assert "received_at" in faults(received_at=int(START.timestamp()))


def test_a_number_in_quotes_is_no_time() -> None:
    """Contract: RFC 3339 with an offset."""
    assert "received_at" in faults(received_at=str(int(START.timestamp())))
