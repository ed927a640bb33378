"""An agent's offer is limited by what the order's ledger has left, unless a second person approves it (G4, S35)."""

from decimal import Decimal

import pytest

from cases.partner_calls import Shipment
from cases.vocabulary import Status
from tests.cases.entitlement.accounts import SLATE, proposes, refuses, slate, taken, with_account


def test_an_agents_offer_beyond_the_units_left_waits_for_approval_with_the_reason() -> None:
    """S35, S20."""
    world = slate(taken("refund", "3125.00", case_id="HL-5", slabs=4))
    world.says("assess", severity="moderate", by="Li")

    offer = proposes(world, {"kind": "replacement"}, {"kind": "collection"})

    assert world.status is Status.AWAITING_APPROVAL
    assert [str(why) for why in world.case.offers[-1].over_limits] == [
        "own: 1 × SLATE-9 is more than the 0 left of the 4 bought; taken by: refund in case HL-5"
    ]
    assert offer["state"] == "awaiting_approval"
    assert world.refuses("approve", by="Li") == "Li prepared offer o1: another person has to decide"
    world.says("approve", by="Wu")
    world.says("customer-approved")
    (sent,) = [c for c in world.commands if isinstance(c, Shipment)]
    assert sent.approved


def test_an_agents_offer_of_what_is_left_needs_no_approval() -> None:
    """S35: the other side."""
    world = slate(taken("refund", "3125.00", slabs=3))
    world.says("assess", severity="moderate", by="Li")

    proposes(world, {"kind": "replacement"}, {"kind": "collection"})

    assert world.status is Status.AWAITING_CONSENT
    world.says("customer-approved")
    (sent,) = [c for c in world.commands if isinstance(c, Shipment)]
    assert (sent.approved, sent.paid) == (False, Decimal("12800.00"))
    assert [(i.sku, i.quantity) for i in sent.makes_good] == [("SLATE-9", 1)]
    assert [(i.sku, i.quantity) for i in sent.bought] == [("SLATE-9", 4)]


def test_an_agents_payment_within_the_policy_and_beyond_what_is_left_waits_for_approval() -> None:
    """S35: 512.00 is what the policy grants, and 140.00 is left of the order."""
    world = slate(taken("compensation", "3700.00", case_id="HL-3"), topic="transport.delay")
    world.says("assess", days_late=4, by="Li")

    proposes(world, {"kind": "explanation"}, {"kind": "compensation", "amount": "512.00"})

    assert [str(why) for why in world.case.offers[-1].over_limits] == [
        (
            "own: 512.00 is more than the 140.00 left of what may be paid besides refunds on the order; "
            "taken by: compensation in case HL-3"
        )
    ]


def test_beyond_what_even_a_manager_may_approve_an_offer_is_refused_with_the_numbers() -> None:
    """S35, G4: 12800.00 on the whole order."""
    world = slate(taken("compensation", "12700.00"))

    assert refuses(world, {"kind": "compensation", "amount": "100.01"}) == (
        "options.own: 100.01 is more than the 100.00 that even a manager may approve"
    )
    proposes(world, {"kind": "compensation", "amount": "100.00"})


def test_a_refund_beyond_what_is_left_of_all_cases_is_refused_with_the_numbers() -> None:
    """S14, S35: this cannot be approved."""
    world = slate(taken("refund", "12000.00"))

    assert refuses(world, {"kind": "refund", "amount": "800.01"}) == (
        "options.own: a refund of 800.01 is more than the 800.00 left of what was paid, over all cases of the order"
    )


def test_what_was_taken_since_an_offer_was_made_is_approved_with_it() -> None:
    """S35, S20."""
    world = slate()
    world.says("assess", severity="moderate", by="Li")
    proposes(world, {"kind": "replacement"}, {"kind": "collection"}, {"kind": "gift"})
    with_account(world, taken("replacement", case_id="HL-9", slabs=4))

    world.says("approve", by="Wu")

    assert [str(why) for why in world.case.offers[-1].over_limits][1:] == [
        "own: 1 × SLATE-9 is more than the 0 left of the 4 bought; taken by: replacement in case HL-9"
    ]


def test_what_was_refunded_since_an_offer_was_made_is_not_approved_any_more() -> None:
    """S14, S35."""
    world = slate()
    proposes(world, {"kind": "refund", "amount": "12800.00"})
    with_account(world, taken("refund", "1.00"))

    assert "12800.00 is more than the 12799.00 left" in world.refuses("approve", by="Wu")


@pytest.mark.parametrize(
    ("amount", "items"),
    [("3125.00", 1), ("1.00", 1), ("3425.00", 1), ("3425.01", 4), ("12800.00", 4)],
)
def test_an_agents_refund_is_of_the_affected_items_or_of_all(amount: str, items: int) -> None:
    """S35: of more than the affected items and the freight cost, of all."""
    world = slate()
    proposes(world, {"kind": "refund", "amount": amount})

    (refund,) = world.case.offers[-1].options[0].remedies
    assert [(i.sku, i.quantity) for i in refund.items or []] == [("SLATE-9", items)]


def test_a_refund_that_names_fewer_items_than_it_pays_for_is_refused() -> None:
    """S35: otherwise the others could be refunded again."""
    why = refuses(slate(), {"kind": "refund", "amount": "6250.00", "items": [SLATE]})

    assert why == (
        "options.own: a refund of 6250.00 is more than the 3425.00 that its items and the freight cost: "
        "name all the items that are refunded"
    )
