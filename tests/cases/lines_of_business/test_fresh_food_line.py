"""Fresh food: what is promised and offered follows from topic and finding, on both sides of each boundary (F1–F16)."""

from datetime import timedelta
from typing import Any

import pytest

from cases.vocabulary import KeptWhen
from tests.cases.lines import AT_ONCE, FOOD, GREENS, PHOTO, plan_of
from tests.cases.world import in_force

ALL_ITEMS = [{"sku": "BEEF", "quantity": 10}, {"sku": "GREENS", "quantity": 20}]
PRICE = {"refund": {"amount": "60.00"}}
HOUR = timedelta(hours=1)
TOPICS = sorted(in_force()["fresh_food"].topics)
LOOK_FIRST: dict[str, Any] = {"stop_use_notice": AT_ONCE, "collection": AT_ONCE}


def plan(topic: str, finding: dict[str, Any] | None = None, **fields: Any) -> Any:
    return plan_of("fresh_food", topic, finding, **fields)


# Promises


@pytest.mark.parametrize("topic", TOPICS)
def test_an_answer_is_owed_in_an_hour_or_in_ten_minutes_where_it_is_urgent(topic: str) -> None:
    """F1: safety and accidents are urgent by themselves."""
    urgent = topic in ("goods.safety", "transport.accident")

    assert plan(topic).within()["acknowledge"] == (timedelta(minutes=10) if urgent else HOUR)
    assert plan(topic, urgent=True).within()["acknowledge"] == timedelta(minutes=10)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_solution_is_owed_in_24_hours_and_can_wait_for_evidence(topic: str) -> None:
    """F2; F3's plan and result are owed only once a case is declared complex, F4 and F5 from consent on."""
    planned = plan(topic)

    assert planned.within().keys() == {"acknowledge", "solution"}
    assert planned.within()["solution"] == 24 * HOUR
    assert planned.pausable == {"solution"}


def test_a_complex_case_gets_a_plan_in_24_and_a_result_in_48_hours_in_place_of_the_solution() -> None:
    """F3."""
    rules = {p.name: p for p in in_force()["fresh_food"].promises if p.rule == "F3"}

    assert {name: (p.within, p.complex, p.pausable, p.kept_by) for name, p in rules.items()} == {
        "preliminary_plan": ("24h", True, True, KeptWhen.PLAN_DELIVERED),
        "detailed_result": ("48h", True, True, KeptWhen.OFFER_DELIVERED),
    }


def test_what_is_short_broken_or_wrong_is_made_good_within_24_hours_of_consent() -> None:
    """F4, F5."""
    fresh = in_force()["fresh_food"]
    make_good = next(p for p in fresh.promises if p.rule == "F4")

    assert (make_good.name, make_good.within, make_good.starts) == ("make_good", "24h", "consent")
    assert set(make_good.topics) == {"goods.damage", "goods.shortage", "transport.wrong_goods"}
    assert next(p for p in fresh.promises if p.rule == "F5").within == "24h"


@pytest.mark.parametrize(
    ("topic", "owner"), [("goods.safety", "quality_expert"), ("transport.accident", "logistics_manager")]
)
def test_urgent_complaint_belongs_to_an_expert_from_the_start(topic: str, owner: str) -> None:
    """§3 *Urgent*."""
    assert in_force()["fresh_food"].topics[topic].owner == owner


# Evidence


@pytest.mark.parametrize("topic", TOPICS)
def test_goods_are_shown_and_spoilage_and_safety_proven(topic: str) -> None:
    """§3 *Evidence*: photos for goods; the inspection report for spoilage or safety; nothing for transport."""
    proven = topic in ("goods.quality", "goods.safety")
    shown = ["photo"] if topic.startswith("goods.") else []

    assert plan(topic).evidence == [*shown, *(["inspection_report"] if proven else [])]


@pytest.mark.parametrize("kind", ["photo", "video"])
def test_what_was_shown_is_not_asked_for_again(kind: str) -> None:
    """§3 *Evidence*: photos or video."""
    assert plan("goods.quality", evidence=[PHOTO | {"kind": kind}]).evidence == ["inspection_report"]


@pytest.mark.parametrize("topic", [t for t in TOPICS if t.startswith("goods.")])
def test_warehouse_and_driver_are_both_asked(topic: str) -> None:
    """§3 *Source*."""
    assert in_force()["fresh_food"].topics[topic].look_up == ["trail", "dispatch"]


# Goods


@pytest.mark.parametrize("topic", ["goods.damage", "goods.quality"])
@pytest.mark.parametrize("liable", ["warehouse", "delivery", "supplier"])
def test_broken_or_spoiled_goods_are_replaced_or_refunded_with_5_to_10_percent_of_their_price(
    topic: str, liable: str
) -> None:
    """F10: the customer chooses."""
    planned = plan(topic, {"upheld": True, "liable": liable})

    extra = {"compensation": {"amount": "3.00", "max_amount": "6.00"}}
    assert planned.options == {"replace": {"replacement": {"items": GREENS}, **extra}, "refund": {**PRICE, **extra}}
    assert planned.consent


@pytest.mark.parametrize("topic", ["goods.damage", "goods.quality"])
def test_nothing_is_paid_on_top_where_the_customer_is_liable(topic: str) -> None:
    """F10."""
    planned = plan(topic, {"upheld": True, "liable": "customer"})

    assert planned.options == {"replace": {"replacement": {"items": GREENS}}, "refund": PRICE}


@pytest.mark.parametrize(
    ("affected", "freight"),
    [
        (ALL_ITEMS, {"amount": "60.00"}),
        (None, {"amount": "60.00"}),
        ([ALL_ITEMS[0], {"sku": "GREENS", "quantity": 19}], None),
        ([ALL_ITEMS[0]], None),
    ],
)
def test_the_freight_goes_back_when_every_item_is_affected(affected: Any, freight: Any) -> None:
    """F10: and one piece less is not every item."""
    planned = plan("goods.damage", {"upheld": True, "liable": "delivery"}, affected=affected)

    assert planned.options["refund"].get("freight_refund") == freight


def test_parts_of_a_refund_together_are_never_more_than_was_paid() -> None:
    """F10, S16: 30.00 off the order; the price goes back first, and the freight takes what is left."""
    order = {"amount": "830.00"}
    planned = plan("goods.damage", {"upheld": True, "liable": "delivery"}, affected=ALL_ITEMS, order=order)

    assert planned.options["refund"]["refund"] == {"amount": "800.00"}
    assert planned.options["refund"]["freight_refund"] == {"amount": "30.00"}


def test_a_finding_says_that_every_item_is_affected_over_the_complaint() -> None:
    """F10, G3."""
    planned = plan("goods.damage", {"upheld": True, "liable": "delivery", "affected": ALL_ITEMS})

    assert planned.options["refund"]["refund"] == {"amount": "800.00"}
    assert planned.options["refund"]["freight_refund"] == {"amount": "60.00"}


def test_an_order_that_lists_no_items_is_refunded_as_a_whole() -> None:
    """F10, contract: `affected` absent means every item; their price is what was paid beside the freight."""
    planned = plan("goods.damage", {"upheld": True, "liable": "delivery"}, order={"items": []})

    assert planned.options["refund"]["refund"] == {"amount": "800.00"}
    assert planned.options["refund"]["compensation"] == {"amount": "40.00", "max_amount": "80.00"}


@pytest.mark.parametrize("topic", ["goods.damage", "goods.quality", "goods.safety", "transport.accident"])
def test_who_is_liable_has_to_be_established_before_anything_is_offered(topic: str) -> None:
    """F10, F11, F16: it decides about money."""
    assert plan(topic, {"upheld": True}).missing == ["liable"]
    assert plan(topic).missing == ["upheld", "liable"]


def test_suspected_food_is_stopped_and_sampled_at_once_and_pays_10_to_30_percent() -> None:
    """F11: then as F10."""
    planned = plan("goods.safety", {"upheld": True, "liable": "supplier"})

    extra = {"compensation": {"amount": "6.00", "max_amount": "18.00"}}
    assert planned.options == {
        "replace": {**LOOK_FIRST, "replacement": {"items": GREENS}, **extra},
        "refund": {**LOOK_FIRST, **PRICE, **extra},
    }
    assert planned.consent


def test_suspected_food_that_the_customer_spoiled_pays_nothing_on_top() -> None:
    """F11, as F10; and the freight goes back with all of the food."""
    planned = plan("goods.safety", {"upheld": True, "liable": "customer"}, affected=None)

    assert planned.options["refund"] == {
        **LOOK_FIRST,
        "refund": {"amount": "800.00"},
        "freight_refund": {"amount": "60.00"},
    }


def test_stop_use_and_sample_wait_for_no_finding() -> None:
    """F11: precautions, taken when such a complaint arrives; for no other topic."""
    precautions = in_force()["fresh_food"].precautions

    assert [(p.rule, p.topics, p.do) for p in precautions] == [
        ("F11", ["goods.safety"], "stop_use_notice"),
        ("F11", ["goods.safety"], "collection"),
    ]


def test_missing_items_are_reshipped_or_refunded() -> None:
    """F12: liability is not asked for."""
    planned = plan("goods.shortage", {"upheld": True})

    assert planned.options == {"reship": {"reship": {"items": GREENS}}, "refund": PRICE}
    assert planned.consent


# Transport


def test_wrong_goods_are_collected_and_the_right_ones_sent() -> None:
    """F13."""
    planned = plan("transport.wrong_goods", {"upheld": True})

    assert planned.options == {"reship": {"reship": {"items": GREENS}, "collection": {"items": GREENS}}}
    assert planned.consent


@pytest.mark.parametrize("hours", [0, 0.5, 2])
def test_up_to_two_hours_late_is_explained(hours: float) -> None:
    """F14."""
    planned = plan("transport.delay", {"hours_late": hours})

    assert planned.options == {"wait": {"explanation": AT_ONCE}}
    assert not planned.consent


@pytest.mark.parametrize("hours", [2.01, 5, 24])
def test_over_two_hours_late_half_the_freight_goes_back(hours: float) -> None:
    """F14: the explanation at once, the money with consent."""
    planned = plan("transport.delay", {"hours_late": hours})

    assert planned.options == {"wait": {"explanation": AT_ONCE, "freight_refund": {"amount": "30.00"}}}
    assert planned.consent


@pytest.mark.parametrize("hours", [24.01, 100])
def test_over_a_day_late_all_the_freight_goes_back_with_a_gift(hours: float) -> None:
    """F14."""
    planned = plan("transport.delay", {"hours_late": hours})

    wait = {"explanation": AT_ONCE, "freight_refund": {"amount": "60.00"}, "gift": {}}
    assert planned.options == {"wait": wait}
    assert planned.consent


def test_no_freight_no_freight_refund() -> None:
    """F14: an explanation alone then needs no consent."""
    planned = plan("transport.delay", {"hours_late": 5}, order=FOOD | {"freight": "0.00"})

    assert planned.options == {"wait": {"explanation": AT_ONCE}}
    assert not planned.consent


def test_a_rude_driver_is_apologised_for_with_a_coupon_of_2_percent_at_once() -> None:
    """F15."""
    planned = plan("transport.attitude", {"upheld": True})

    assert planned.options == {"apology": {"apology": AT_ONCE, "coupon": {"amount": "17.20", "at_once": True}}}
    assert not planned.consent


def test_after_an_accident_goods_come_from_reserve_stock_or_their_price_goes_back() -> None:
    """F16: the refund as F10."""
    found = {"upheld": True, "liable": "delivery"}
    extra = {"compensation": {"amount": "3.00", "max_amount": "6.00"}}

    assert plan("transport.accident", found).options == {
        "reship": {"reship": {"items": GREENS}},
        "refund": {**PRICE, **extra},
    }
    assert "freight_refund" in plan("transport.accident", found, affected=None).options["refund"]


@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_not_upheld_is_explained(topic: str) -> None:
    """G4, on every topic of this line."""
    planned = plan(topic, {"upheld": False})

    assert (planned.options, planned.outcome) == ({"explain": {"explanation": AT_ONCE}}, "rejected")


@pytest.mark.parametrize("topic", [t for t in TOPICS if t != "transport.delay"])
def test_nothing_is_offered_before_it_is_upheld(topic: str) -> None:
    """F10–F13, F15, F16."""
    planned = plan(topic, {"liable": "warehouse", "severity": "severe", "lost": True})

    assert planned.missing == ["upheld"]
    assert planned.options == {}
