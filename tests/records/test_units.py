"""The order ledger counts units: over all cases of an order none is made good more often than it was bought (S35)."""

from decimal import Decimal
from typing import Any

import pytest

from cases.policy.remedy_kinds import MAKE_GOOD
from cases.state.account import Account, Booking
from cases.vocabulary import RemedyKind
from records import EntryState, OverPaid, OverUnits, Records, Units

PAID = Decimal("1000.00")


def make_good(  # noqa: PLR0913 (what a reservation is)
    records: Records,
    case_id: str,
    count: int = 1,
    kind: RemedyKind = RemedyKind.REPLACEMENT,
    *,
    bought: int = 2,
    approved: bool = False,
    **other: Any,
) -> str:
    """Reserve `count` tiles of order SO-1 for one case, which states how many were bought; return the key."""
    key = f"{case_id}/1/o1/{kind}"
    how: dict[str, Any] = {"amount": Decimal("0.00"), "currency": "CNY", "paid": PAID, "order_id": "SO-1", **other}
    units = Units({"TILE": count}, {"TILE": bought}, approved=approved)
    records.reserve(key, case_id=case_id, kind=kind, units=units, **how)
    return key


@pytest.mark.parametrize("kind", sorted(MAKE_GOOD))
def test_last_unit_is_made_good_and_one_more_is_refused(records: Records, kind: RemedyKind) -> None:
    """S35: for every way of making good, over all cases; the reason names who has taken it."""
    make_good(records, "HL-1")
    make_good(records, "HL-2", kind=kind)

    with pytest.raises(OverUnits) as refused:
        make_good(records, "HL-3", kind=RemedyKind.RESHIP)

    assert str(refused.value) == (
        "1 × TILE cannot be made good on order SO-1: 2 bought, 2 made good or reserved already; "
        f"taken by: replacement in case HL-1, {kind.replace('_', ' ')} in case HL-2"
    )
    assert [entry["case_id"] for entry in records.entries()] == ["HL-1", "HL-2"]


def test_released_units_are_free_again(records: Records) -> None:
    """S35: as money is; reserved again under the same key they are counted once."""
    key = make_good(records, "HL-1", 2)
    records.release(key, "out of stock")

    make_good(records, "HL-2", 1)
    with pytest.raises(OverUnits):
        make_good(records, "HL-1", 2)
    records.release("HL-2/1/o1/replacement", "waived")
    make_good(records, "HL-1", 2)

    assert [b.units for b in records.account("SO-1", "HL-9").bookings] == [{"TILE": 2}]


def test_dispatched_units_stay_counted(records: Records) -> None:
    """S35."""
    records.commit(make_good(records, "HL-1", 2), "WH-1")

    with pytest.raises(OverUnits):
        make_good(records, "HL-2")


def test_same_reservation_again_takes_nothing_more(records: Records) -> None:
    """S13, S35: after a crash."""
    make_good(records, "HL-1", 2)

    make_good(records, "HL-1", 2)

    assert len(records.account("SO-1", "HL-9").bookings) == 1


def test_smaller_of_two_statements_of_what_was_bought_counts(records: Records) -> None:
    """S35: and is kept, even if the case that made it was refused."""
    with pytest.raises(OverUnits):
        make_good(records, "HL-1", 3, bought=2)

    with pytest.raises(OverUnits, match="2 bought, 0 made good"):
        make_good(records, "HL-2", 3, bought=5)


def test_approved_units_are_made_good_once_more_but_one_step_never_exceeds_what_was_bought(
    records: Records,
) -> None:
    """S35, S20."""
    make_good(records, "HL-1", 2)

    make_good(records, "HL-2", 2, approved=True)
    with pytest.raises(OverUnits):
        make_good(records, "HL-3", 3, approved=True)


def test_refund_is_limited_by_money_and_units(records: Records) -> None:
    """S14, S35."""
    make_good(records, "HL-1", 1, RemedyKind.REFUND, amount=Decimal("600.00"))

    with pytest.raises(OverPaid):
        make_good(records, "HL-2", 1, RemedyKind.REFUND, amount=Decimal("400.01"))
    make_good(records, "HL-2", 1, RemedyKind.REFUND, amount=Decimal("400.00"))


def test_units_of_another_order_do_not_count(records: Records) -> None:
    """S35."""
    make_good(records, "HL-1", 2)

    make_good(records, "HL-2", 2, order_id="SO-2")


def test_goods_that_were_sent_are_not_paid_money(records: Records) -> None:
    records.commit(make_good(records, "HL-1"), "WH-1")

    assert records.paid_out("SO-1") == {}


def test_account_holds_what_the_other_cases_have_taken(records: Records) -> None:
    """S35: money and units, reserved or moved, but not released."""
    assert records.account("SO-1", "HL-2") == Account()
    records.commit(make_good(records, "HL-1", amount=Decimal("500.00"), kind=RemedyKind.REFUND), "RF-1")
    make_good(records, "HL-2")
    records.release("HL-2/1/o1/replacement", "waived")
    make_good(records, "HL-3", paid=Decimal("900.00"), approved=True)

    booked = Booking(case_id="HL-1", kind=RemedyKind.REFUND, amount=Decimal("500.00"), units={"TILE": 1})
    sent = Booking(case_id="HL-3", kind=RemedyKind.REPLACEMENT, amount=Decimal("0.00"), units={"TILE": 1})
    assert records.account("SO-1", "HL-2") == Account(
        paid=Decimal("900.00"), bought={"TILE": 2}, bookings=[booked, sent]
    )
    assert records.account("SO-1", "HL-1").bookings == [sent]
    assert {e["state"] for e in records.entries(case_id="HL-2")} == {EntryState.RELEASED}
