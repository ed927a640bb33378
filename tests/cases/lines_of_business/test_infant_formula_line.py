"""Infant formula: promises by channel, and returns that depend on seal and date (M1–M15)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.cases.lines import AT_ONCE, PHOTO, TIN, plan_of
from tests.cases.world import SECOND, START, in_force

SEALED = {"sealed": True}
TAKEN_BACK = {"refund": {"collection": {"items": TIN}, "refund": {"amount": "386.00"}}}
EXPLAINED = {"explain": {"explanation": AT_ONCE}}


def plan(topic: str, finding: dict[str, Any] | None = None, **fields: Any) -> Any:
    return plan_of("infant_formula", topic, finding, **fields)


def delivered(ago: timedelta | None) -> dict[str, Any]:
    return {"delivered_at": (START - ago).isoformat() if ago is not None else None}


@pytest.mark.parametrize(
    ("channel", "rule", "within"),
    [
        ("hotline", "M1", timedelta(seconds=30)),
        ("chat", "M2", timedelta(seconds=10)),
        ("email", "M3", timedelta(hours=24)),
        *((other, "M4", timedelta(minutes=30)) for other in ("sms", "wechat", "weibo", "website", "app")),
    ],
)
def test_how_soon_an_answer_is_owed_depends_on_the_channel(channel: str, rule: str, within: timedelta) -> None:
    """M1–M4: a call that was picked up is one already, and so is a chat."""
    assert plan("return.quality", channel=channel).within()["acknowledge"] == within

    made = [p for p in in_force()["infant_formula"].promises if channel in p.channels]
    assert [(p.rule, p.picking_up_counts) for p in made] == [(rule, True)]


@pytest.mark.parametrize("topic", sorted(in_force()["infant_formula"].topics))
def test_a_detailed_result_is_owed_in_48_hours_but_not_to_an_inquiry(topic: str) -> None:
    """M5."""
    planned = plan(topic)

    owed = {"acknowledge"} if topic == "inquiry" else {"acknowledge", "detailed_result"}
    assert planned.within().keys() == owed
    assert planned.pausable == owed - {"acknowledge"}
    assert planned.within().get("detailed_result", timedelta(hours=48)) == timedelta(hours=48)


def test_a_faulty_tin_is_exchanged_or_refunded_in_full() -> None:
    """M10: freight ours, so nothing is taken off."""
    planned = plan("return.quality", {"upheld": True})

    collected = {"collection": {"items": TIN}}
    assert planned.options == {
        "exchange": {"replacement": {"items": TIN}, **collected},
        "refund": {**collected, "refund": {"amount": "398.00"}},
    }
    assert planned.consent
    assert plan("return.quality").missing == ["upheld"]


def test_a_faulty_tin_is_shown_with_its_batch() -> None:
    """M10."""
    assert plan("return.quality").evidence == ["photo", "batch_number"]
    assert plan("return.quality", evidence=[PHOTO]).evidence == ["batch_number"]


@pytest.mark.parametrize("ago", [timedelta(), timedelta(days=4), timedelta(days=7)])
def test_a_sealed_tin_is_taken_back_within_seven_days_less_the_return_freight(ago: timedelta) -> None:
    """M11: up to the last second of the seventh day; 398.00 less 12.00."""
    planned = plan("return.unwanted", SEALED, order=delivered(ago))

    assert planned.options == TAKEN_BACK
    assert (planned.consent, planned.outcome) == (True, None)


@pytest.mark.parametrize("ago", [timedelta(days=7) + SECOND, timedelta(days=30)])
@pytest.mark.parametrize("finding", [SEALED, {"sealed": False}, {}])
def test_late_is_late_whether_it_was_opened_or_not(ago: timedelta, finding: dict[str, Any]) -> None:
    """M12: the seal need not be checked."""
    planned = plan("return.unwanted", finding, order=delivered(ago))

    assert (planned.options, planned.outcome) == (EXPLAINED, "rejected")
    assert not planned.consent


@pytest.mark.parametrize("ago", [timedelta(days=1), None])
def test_an_opened_tin_is_not_taken_back_whenever_it_was_delivered(ago: timedelta | None) -> None:
    """M12: no date is needed."""
    planned = plan("return.unwanted", {"sealed": False}, order=delivered(ago))

    assert (planned.options, planned.outcome) == (EXPLAINED, "rejected")


def test_what_is_missing_for_a_return_is_named_as_a_person_knows_it() -> None:
    """M11: an agent can ask about the seal; the date is in the order."""
    assert plan("return.unwanted").missing == ["sealed"]
    assert plan("return.unwanted", SEALED, order=delivered(None)).missing == ["order.delivered_at"]


def test_return_freight_is_never_more_than_the_item_costs() -> None:
    """M11: a sample of 10.00 pays back nothing, and nothing is demanded."""
    item = {"sku": "IF-3", "quantity": 3, "unit_price": "10.00"}

    assert "refund" not in plan("return.unwanted", SEALED, order={"items": [item]}).options["refund"]


def test_what_is_out_of_stock_is_transferred_substituted_or_refunded() -> None:
    """M13: without any finding."""
    planned = plan("stock.shortage")

    assert planned.options == {
        "transfer": {"transfer": {"items": TIN}},
        "substitute": {"substitute": {"items": TIN}},
        "refund": {"refund": {"amount": "398.00"}},
    }
    assert planned.consent


def test_an_inquiry_is_answered_and_needs_no_order() -> None:
    """M14."""
    planned = plan("inquiry", order={"items": []}, description="")

    assert (planned.options, planned.outcome) == ({"answer": {"answer": AT_ONCE}}, "informed")
    assert not planned.consent
    assert in_force()["infant_formula"].topics["inquiry"].answered_from == "agent"


@pytest.mark.parametrize(("liable", "compensation"), [("supplier", {"amount": "39.80", "max_amount": "119.40"})])
def test_a_suspected_tin_is_stopped_and_sampled_at_once(liable: str, compensation: dict[str, str]) -> None:
    """M15: as F11, and urgent."""
    planned = plan("goods.safety", {"upheld": True, "liable": liable})

    at_once = {"stop_use_notice": AT_ONCE, "collection": AT_ONCE}
    assert planned.options == {
        "replace": {**at_once, "replacement": {"items": TIN}, "compensation": compensation},
        "refund": {**at_once, "refund": {"amount": "398.00"}, "compensation": compensation},
    }
    assert planned.consent
    formula = in_force()["infant_formula"]
    assert formula.topics["goods.safety"].urgent
    assert {p.do for p in formula.precautions} == {"stop_use_notice", "collection"}


def test_a_tin_that_the_customer_spoiled_pays_nothing_on_top() -> None:
    """M15, as F10."""
    planned = plan("goods.safety", {"upheld": True, "liable": "customer"})

    assert all("compensation" not in remedies for remedies in planned.options.values())
