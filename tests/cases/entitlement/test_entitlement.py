"""No offer of the policy promises what the order's ledger will not pay or make good (G4, S35)."""

from typing import Any

import pytest

from cases.entitlement.plan import plan
from cases.partner_calls import Payment
from cases.state.account import Booking
from cases.views.needs import needs
from cases.vocabulary import RemedyKind, Status
from tests.cases.entitlement.accounts import SLATE, food, proposes, slate, taken, with_account
from tests.cases.lines import FOOD, PHOTO
from tests.cases.world import World, in_force, open_case

GREENS = [{"sku": "GREENS", "quantity": 1}]


def options(world: World) -> dict[str, list[tuple[str, str | None]]]:
    offer = world.case.offers[-1]
    return {o.key: [(r.kind.value, str(r.amount) if r.amount else None) for r in o.remedies] for o in offer.options}


GREENS_BOUGHT = next(i["quantity"] for i in FOOD["items"] if i["sku"] == "GREENS")


# What the policy grants


@pytest.mark.parametrize("kind", ["refund", "replacement", "reship", "transfer", "substitute"])
def test_what_another_case_has_made_good_is_not_offered_again_and_a_person_is_asked(kind: str) -> None:
    """S35: for every way of making good; compensation for the same units goes with it."""
    world = food(taken(kind, case_id="HL-7", greens=GREENS_BOUGHT))

    answer = world.says("assess", upheld=True, liable="delivery", by="Li")

    assert answer["offer"] is None
    assert (world.status, world.case.offers) == (Status.ASSESSING, [])
    (need,) = needs(world.case)
    assert (need.what, need.message, need.instead[0].message) == ("order_exhausted", "propose", "assess")
    assert f"GREENS is more than the 0 left of the {GREENS_BOUGHT} bought; taken by: {kind} in case HL-7" in need.text
    assert [letter.facts["reason"]["code"] for letter in world.letters("needs_offer")] == ["order_exhausted"]


def test_only_what_is_left_of_the_affected_units_is_offered() -> None:
    """S35: two of the greens are affected and only one is left; all that follows from them follows from one."""
    world = food(taken("reship", greens=GREENS_BOUGHT - 1), quantity=2)
    alone = food(quantity=1)
    for each in (world, alone):
        each.says("assess", upheld=True, liable="delivery", by="Li")

    assert options(world) == options(alone)
    assert [i.quantity for i in world.case.offers[-1].options[0].remedies[0].items or []] == [1]
    assert any("only 1 can still be made good" in entry.text for entry in world.case.timeline)


def test_the_last_unit_that_is_left_is_offered() -> None:
    """S35: the other side of the limit."""
    world = slate(taken("replacement", slabs=3))
    world.says("assess", severity="moderate", by="Li")

    assert options(world) == {"replace": [("replacement", None), ("collection", None)]}


def test_a_full_refund_needs_all_units_to_be_left() -> None:
    """S35, B12: one slab of the four was replaced; all their price is not refunded beside that."""
    world = slate(taken("replacement", slabs=1))
    world.says("assess", severity="severe", by="Li")

    assert (world.status, world.case.offers) == (Status.ASSESSING, [])
    assert "4 × SLATE-9 is more than the 3 left of the 4 bought" in str(world.case.exhausted)


def test_the_smallest_quantity_that_any_case_stated_counts() -> None:
    """S35."""
    world = with_account(
        open_case("transport.damage", looked_up=False, affected=[SLATE]),
        taken("replacement", slabs=1),
        bought={"SLATE-9": 1},
    )
    world.says("assess", severity="moderate", by="Li")

    assert "1 × SLATE-9 is more than the 0 left of the 1 bought" in str(world.case.exhausted)


def test_an_order_without_items_counts_money_only() -> None:
    """S35."""
    order = {**FOOD, "items": []}
    world = open_case("goods.damage", line="fresh_food", order=order, affected=None, evidence=[PHOTO])
    with_account(world, taken("reship"), paid="860.00")
    world.says("assess", upheld=True, liable="delivery", by="Li")

    assert world.status is Status.AWAITING_CONSENT


def test_what_the_case_itself_has_made_good_counts_as_well() -> None:
    """S35, G8: a second slab for the same one needs approval."""
    world = with_account(open_case("transport.damage", looked_up=False, order={"items": [_slab(1)]}, affected=[SLATE]))
    world.says("assess", severity="moderate", by="Li")
    world.says("customer-approved")
    for step in ("replacement", "collection"):
        world.says("step-reported", step=step, state="done")
    world.says("satisfaction-reported", score=1)

    world.says("assess", severity="moderate", by="Li")

    assert "taken by: replacement in case HL-1" in str(world.case.exhausted)


def _slab(quantity: int) -> dict[str, Any]:
    return {"sku": "SLATE-9", "name": "Slate", "quantity": quantity, "unit_price": "3125.00"}


def test_compensation_is_cut_to_what_is_left_beside_refunds() -> None:
    """S35, B14: 3840.00 may be paid on the order, and another case has been paid 3700.00."""
    world = slate(taken("compensation", "3700.00"), topic="transport.delay")
    world.says("assess", days_late=4, by="Li")

    assert ("compensation", "140.00") in options(world)["wait"]
    assert any("512.00 is more than the 140.00 left" in entry.text for entry in world.case.timeline)


def test_500_paid_where_450_may_be_paid_leaves_nothing_to_promise() -> None:
    """S35: a manager approved 500.00 in another case; 29.20 more would be agreed and then refused."""
    order = {"amount": "1500.00", "freight": "40.00", "items": [{**_slab(1), "unit_price": "1460.00"}]}
    world = open_case("transport.delay", looked_up=False, order=order, affected=None)
    with_account(world, taken("compensation", "500.00", case_id="HL-3"), paid="1500.00")

    world.says("assess", days_late=3, by="Li")

    assert world.case.offers == []
    reason = "wait: 45.00 is more than the 0.00 left of what may be paid besides refunds on the order"
    assert f"{reason}; taken by: compensation in case HL-3" in str(world.case.exhausted)


@pytest.mark.parametrize(("gone", "left"), [("12799.99", "0.01"), ("12700.00", "100.00")])
def test_a_refund_is_cut_to_what_is_left_of_what_was_paid(gone: str, left: str) -> None:
    """S14, S35: of an order that lists no items."""
    world = open_case("transport.damage", looked_up=False, order={"items": []})
    with_account(world, taken("freight_refund", gone))
    world.says("assess", severity="severe", by="Li")

    assert ("refund", left) in options(world)["refund"]


def test_where_nothing_is_left_to_refund_the_compensation_beside_it_is_not_offered_alone() -> None:
    """S35: it would be paid for the same goods again."""
    world = open_case("transport.damage", looked_up=False, order={"items": []})
    with_account(world, taken("refund", "12800.00", case_id="HL-3"))
    world.says("assess", severity="severe", by="Li")

    assert world.case.offers == []
    assert "refund 12800.00 is more than the 0.00 left of what was paid; taken by: refund in case HL-3" in str(
        world.case.exhausted
    )


def test_of_several_statements_of_what_was_paid_the_smallest_counts_for_an_offer() -> None:
    """S14, S35."""
    world = open_case("transport.damage", looked_up=False, order={"items": []})
    with_account(world, paid="10000.00")
    world.says("assess", severity="severe", by="Li")

    assert ("refund", "10000.00") in options(world)["refund"]


def test_case_that_older_workers_admitted_continues_as_before() -> None:
    """S18: it has no account; the ledger still limits its payments."""
    world = open_case("transport.damage", looked_up=False, affected=[SLATE])
    world.says("assess", severity="severe", by="Li")

    assert options(world) == {"refund": [("refund", "12800.00"), ("compensation", "1280.00")]}
    world.says("customer-approved")
    (refund,) = [c for c in world.commands if c.kind is RemedyKind.REFUND]
    assert isinstance(refund, Payment)
    assert [(i.sku, i.quantity) for i in refund.makes_good] == [("SLATE-9", 4)]


def test_what_is_left_is_offered_again_once_the_other_case_has_released_it() -> None:
    """S35: a new assessment reads it again."""
    world = slate(taken("replacement", slabs=4))
    world.says("assess", severity="moderate", by="Li")
    assert world.case.exhausted

    with_account(world)
    world.says("assess", severity="moderate", by="Li")

    assert world.status is Status.AWAITING_CONSENT
    assert (needs(world.case)[0].what, list(options(world))) == ("consent", ["replace"])


def test_a_plan_knows_no_ledger() -> None:
    """S35: `starter.py plan` shows what the policy grants, and no items of a refund."""
    world = open_case("transport.damage", looked_up=False)
    given = {"complaint": world.case.complaint.model_dump(mode="json"), "finding": {"severity": "severe"}}

    (option,) = plan(given, in_force(), world.now)["offer"]["options"]

    assert option["remedies"][0] == {"kind": "refund", "amount": "12800.00", "at_once": False}


# Reported units


def test_a_shipment_reported_as_failed_is_released_and_one_that_left_is_booked() -> None:
    """S35: as payments are."""
    world = slate()
    world.says("assess", severity="moderate", by="Li")
    world.says("customer-approved")
    world.says("step-reported", step="replacement", state="failed", detail="out of stock", by="WH")

    assert world.released == ["HL-1/1/o1/replacement"]
    world.says("resolve-step", step="replacement", action="retry", reason="found some", by="Wu")
    world.says("step-reported", step="replacement", state="done", by="WH")
    assert list(world.case.vouched) == ["HL-1/1/o1/replacement/2"]


@pytest.mark.parametrize("severity", ["moderate", "severe"])
def test_what_the_policy_grants_an_agent_may_propose_alone(severity: str) -> None:
    """G4: with the ledger at hand as without it."""
    world = slate()
    world.says("assess", severity=severity, by="Li")
    granted = [
        {"kind": r.kind, **({"amount": str(r.amount)} if r.amount else {})}
        for r in world.case.offers[-1].options[0].remedies
    ]

    offer = proposes(world, *granted)

    assert (offer["state"], offer["over_limits"]) == ("open", [])


FREIGHT = "60.00"


def late(*bookings: Booking) -> World:
    """Greens that come over a day late: all the freight of 60.00 goes back, and a gift (F14)."""
    world = with_account(
        open_case("transport.delay", line="fresh_food", order=FOOD, affected=GREENS), *bookings, paid="860.00"
    )
    world.says("assess", hours_late=30, upheld=True, by="Li")
    return world


def test_freight_that_went_back_in_another_case_does_not_go_back_again() -> None:
    """S35: of an order its freight is refunded once, as its units are made good once."""
    alone, again, partly = late(), late(taken("freight_refund", FREIGHT)), late(taken("freight_refund", "20.00"))

    assert ("freight_refund", FREIGHT) in options(alone)["wait"]
    assert "freight_refund" not in [kind for kind, _ in options(again)["wait"]]
    assert ("freight_refund", "40.00") in options(partly)["wait"]


def test_freight_beyond_what_was_paid_for_it_takes_somebody_elses_approval() -> None:
    """S35, S20."""
    world = late(taken("freight_refund", FREIGHT))

    offer = proposes(world, {"kind": "freight_refund", "amount": "6.00"})

    assert offer["state"] == "awaiting_approval"
    assert any(
        "6.00 is more than the 0.00 left of the order's freight; taken by: freight refund in case HL-0" in str(why)
        for why in world.case.offers[-1].over_limits
    )
