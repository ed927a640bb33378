"""Goods that a remedy moves are items of the order, and no more of them than were affected (G4, S35)."""

from typing import Any

import pytest

from cases.partner_calls import Shipment
from tests.cases.entitlement.accounts import SLATE, food, proposes, refuses, slate
from tests.cases.world import in_force, open_case


@pytest.mark.parametrize("kind", ["replacement", "reship", "transfer", "substitute", "collection"])
def test_goods_without_items_are_the_affected_ones(kind: str) -> None:
    """S35, G4: the items found, otherwise those of the complaint, otherwise all."""
    named = open_case("transport.damage", looked_up=False, affected=[SLATE])
    found = open_case("transport.damage", looked_up=False, affected=[SLATE])
    found.says("assess", affected=[{"sku": "SLATE-9", "quantity": 2}], by="Li")
    every = open_case("transport.damage", looked_up=False, affected=None)
    for world in (named, found, every):
        proposes(world, {"kind": kind})

    moved = [w.case.offers[-1].options[0].remedies[0].items or [] for w in (named, found, every)]
    assert [[i.quantity for i in items] for items in moved] == [[1], [2], [4]]


def test_goods_that_name_nothing_are_refused() -> None:
    """S35."""
    why = refuses(slate(), {"kind": "replacement", "items": []})

    assert why.startswith("options.own: replacement names no items: leave items out for those that are affected")


def test_one_item_named_twice_is_refused() -> None:
    """S35."""
    assert "reship names SLATE-9 twice" in refuses(slate(), {"kind": "reship", "items": [SLATE, SLATE]})


def test_one_item_found_twice_counts_together_and_what_is_offered_may_be_proposed() -> None:
    """S35: a finding holds each sku once, and so does every remedy that follows from it."""
    world = slate()
    world.says("assess", severity="moderate", affected=[SLATE, SLATE], by="Li")

    granted = [option.model_dump(mode="json", exclude_defaults=True) for option in world.offer.options]

    assert [r["items"] for r in granted[0]["remedies"]] == [[{"sku": "SLATE-9", "quantity": 2}]] * 2
    assert world.says("propose", by="Li", options=granted)["offer"]["state"] == "open"


@pytest.mark.parametrize("kind", ["replacement", "reship", "transfer", "collection"])
def test_what_was_not_ordered_is_not_sent(kind: str) -> None:
    """G4."""
    why = refuses(slate(), {"kind": kind, "items": [{"sku": "OAK", "quantity": 1}]})

    assert why == f"options.own: {kind} of 1 of OAK is more than was ordered"


@pytest.mark.parametrize("beside", [[], [SLATE]])
def test_what_was_not_ordered_is_not_refunded(beside: list[dict[str, Any]]) -> None:
    """G4, S35: nor is it taken for the affected items."""
    items = [*beside, {"sku": "OAK", "quantity": 1}]

    why = refuses(slate(), {"kind": "refund", "amount": "100.00", "items": items})

    assert why == "options.own: refund of 1 of OAK is more than was ordered"


def test_a_substitute_may_be_of_another_product_and_stands_for_the_affected_items() -> None:
    """M13, S35."""
    world = slate()
    proposes(world, {"kind": "substitute", "items": [{"sku": "OAK", "quantity": 1}]})
    world.says("approve", by="Wu")
    world.says("customer-approved")

    (sent,) = [c for c in world.commands if isinstance(c, Shipment)]
    assert [(i.sku, i.quantity) for i in sent.items] == [("OAK", 1)]
    assert [(i.sku, i.quantity) for i in sent.makes_good] == [("SLATE-9", 1)]


def test_goods_of_an_order_that_lists_no_items_are_asked_for_in_words() -> None:
    """G4: there are no items, so the warehouse gets the customer's description."""
    world = open_case("transport.damage", looked_up=False, order={"items": []}, description="Two slabs cracked.")
    world.says("assess", severity="moderate", by="Li")
    world.says("customer-approved")

    (sent,) = [c for c in world.commands if isinstance(c, Shipment)]
    assert (sent.items, sent.makes_good) == ([], [])
    assert "lists no items" in sent.note
    assert "Two slabs cracked." in sent.note


def test_a_policy_that_names_no_items_of_goods_sends_the_affected_ones() -> None:
    """S35: of any line's rules."""
    policy = in_force()["building_materials"]
    rules = [
        r.model_copy(
            update={"options": {k: [x.model_copy(update={"items": None}) for x in o] for k, o in r.options.items()}}
        )
        for r in policy.remedies
    ]
    world = slate(policy=policy.model_copy(update={"remedies": rules}))
    world.says("assess", severity="moderate", by="Li")

    assert [i.quantity for i in world.case.offers[-1].options[0].remedies[0].items or []] == [1]


def test_a_sample_is_still_collected_without_items() -> None:
    """F11: a collection that names no items is of a sample, and an agent may offer the same again."""
    world = food(topic="goods.safety")
    world.says("assess", upheld=True, liable="supplier", by="Li")
    offered = world.case.offers[-1].options[0]

    proposes(world, *[r.model_dump(mode="json", exclude={"max_amount"}, exclude_none=True) for r in offered.remedies])

    assert [str(why) for why in world.case.offers[-1].over_limits] == []
