"""The order ledger: money is reserved before it moves, and refunds never exceed what was paid."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from cases.vocabulary import RemedyKind
from records import (
    AlreadyCommitted,
    EntryConflict,
    EntryState,
    LedgerRefusal,
    NotReserved,
    OverLimit,
    OverPaid,
    Records,
    WrongAmount,
)
from tests.records.conftest import KEY, reserve, states


def test_reservation_is_on_record_before_money_moves(records: Records) -> None:
    """S13: intent first."""
    reserve(records, KEY, "640.5")

    (entry,) = records.entries()
    assert entry["reserved_at"].utcoffset().total_seconds() == 0
    assert {name: value for name, value in entry.items() if name != "reserved_at"} == {
        "key": KEY,
        "order_id": "SO-1",
        "case_id": "HL-1",
        "kind": RemedyKind.REFUND,
        "amount": Decimal("640.50"),
        "currency": "CNY",
        "state": EntryState.RESERVED,
        "late": False,
        "settled_at": None,
        "reference": None,
        "reason": None,
    }
    assert records.paid_out("SO-1") == {}


def test_commit_records_the_payment_under_the_partners_reference(records: Records) -> None:
    reserve(records, KEY, "640.00")

    late = records.commit(KEY, "RF-1")

    (entry,) = records.entries()
    assert late is False
    assert (entry["state"], entry["reference"], entry["late"]) == (EntryState.COMMITTED, "RF-1", False)
    assert entry["settled_at"] >= entry["reserved_at"]
    assert records.paid_out("SO-1") == {RemedyKind.REFUND: Decimal("640.00")}


def test_every_call_can_be_repeated_after_a_crash(records: Records) -> None:
    """S13: the same key on every call."""
    reserve(records, KEY, "640.00")
    reserve(records, "HL-1/1/1/freight", "60.00", RemedyKind.FREIGHT_REFUND)
    records.commit(KEY, "RF-1")
    records.release("HL-1/1/1/freight", "the partner refused")
    before = records.entries()

    reserve(records, KEY, "640.00")
    assert records.commit(KEY, "RF-1") is False
    records.release("HL-1/1/1/freight", "another reason")

    assert records.entries() == before


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"amount": Decimal("640.01")}, "amount 640.00, not 640.01"),
        ({"kind": RemedyKind.COMPENSATION}, "kind refund, not compensation"),
        ({"order_id": "SO-2"}, "order_id SO-1, not SO-2"),
        ({"case_id": "HL-2"}, "case_id HL-1, not HL-2"),
        ({"currency": "EUR"}, "order SO-1 is in CNY, not in EUR"),
    ],
    ids=lambda value: None if isinstance(value, str) else next(iter(value)),
)
def test_one_key_is_for_one_payment(records: Records, other: dict[str, Any], message: str) -> None:
    """S13: a key is never used for anything else."""
    reserve(records, KEY, "640.00")
    before = records.entries()

    with pytest.raises(EntryConflict, match=message):
        reserve(records, KEY, **{"amount": "640.00", **other})

    assert records.entries() == before


def test_second_reference_for_one_payment_is_an_error(records: Records) -> None:
    """S13: the partner may have paid twice."""
    reserve(records, KEY, "640.00")
    records.commit(KEY, "RF-1")

    with pytest.raises(EntryConflict, match="was paid as RF-1, now RF-2 is reported"):
        records.commit(KEY, "RF-2")

    assert records.entries()[0]["reference"] == "RF-1"


def test_report_does_not_settle_a_contested_payment_but_a_person_does(records: Records) -> None:
    """S27: the record of a case is not archived while its payment is being contested."""
    reserve(records, KEY, "640.00")
    records.contest(KEY, "taken back")

    records.vouch(KEY, "refunds")
    (reported,) = records.entries()
    records.vouch(KEY, "li.na", settle=True)

    assert reported["state"] == EntryState.CONTESTED
    assert records.entries()[0]["state"] == EntryState.COMMITTED


def test_answer_to_a_call_does_not_settle_a_contested_payment_but_a_look_up_does(records: Records) -> None:
    """S26, S27: reported as failed, then answered as done; the number is kept for the person who decides."""
    reserve(records, KEY, "640.00")
    records.contest(KEY, "done and failed")

    late = records.commit(KEY, "RF-1")
    (answered,) = records.entries()
    records.commit(KEY, "RF-1", settle=True)

    (settled,) = records.entries()
    assert (late, answered["state"], answered["reference"]) == (False, EntryState.CONTESTED, "RF-1")
    assert answered["reason"] == "done and failed"
    assert (settled["state"], settled["reference"]) == (EntryState.COMMITTED, "RF-1")


def test_answer_to_a_call_does_not_replace_the_number_of_a_contested_payment(records: Records) -> None:
    """S27: what was paid under one number was taken back; a person compares it with the partner's records."""
    reserve(records, KEY, "640.00")
    records.commit(KEY, "RF-1")
    records.contest(KEY, "taken back")

    records.commit(KEY, "RF-2")

    (entry,) = records.entries()
    assert (entry["state"], entry["reference"]) == (EntryState.CONTESTED, "RF-1")


def test_partners_number_replaces_the_reporters_name_and_is_never_overwritten(
    records: Records,
) -> None:
    """S26: a report may be recorded before the answer to the call arrives."""
    reserve(records, KEY, "640.00")

    records.vouch(KEY, "refunds")
    (reported,) = records.entries()
    records.commit(KEY, "RF-1")
    records.vouch(KEY, "li.na")

    (entry,) = records.entries()
    assert (reported["state"], reported["reference"]) == (EntryState.COMMITTED, "refunds")
    assert (entry["state"], entry["reference"], entry["reason"]) == (EntryState.COMMITTED, "RF-1", None)
    with pytest.raises(EntryConflict, match="was paid as RF-1, now RF-2 is reported"):
        records.commit(KEY, "RF-2")


def test_refunds_of_all_cases_together_never_exceed_what_was_paid(records: Records) -> None:
    """S15: reserved and committed money of every case of the order counts, refund and freight alike."""
    reserve(records, "HL-1/1/1/refund", "600.00")
    records.commit("HL-1/1/1/refund", "RF-1")
    reserve(records, "HL-2/1/1/freight", "300.00", RemedyKind.FREIGHT_REFUND)

    with pytest.raises(OverPaid) as refused:
        reserve(records, "HL-3/1/1/refund", "100.01")

    assert str(refused.value) == (
        "100.01 CNY cannot be refunded on order SO-1: 1000.00 was paid, 900.00 is refunded or reserved already"
    )
    reserve(records, "HL-3/1/1/refund", "100.00")
    assert len(records.entries(order_id="SO-1")) == 3


def test_money_of_another_order_does_not_count(records: Records) -> None:
    reserve(records, "HL-1/1/1/refund", "1000.00")

    reserve(records, "HL-2/1/1/refund", "1000.00", order_id="SO-2")

    assert set(states(records).values()) == {EntryState.RESERVED}


@pytest.mark.parametrize("kind", [RemedyKind.COMPENSATION, RemedyKind.COUPON, RemedyKind.CLAIM_PAYMENT])
def test_separate_payout_does_not_count_against_what_was_paid(records: Records, kind: RemedyKind) -> None:
    """S14: a full refund and 20 % on top are two payments."""
    reserve(records, "HL-1/1/1/refund", "1000.00")

    reserve(records, "HL-1/1/1/payout", "1200.00", kind)

    assert states(records)["HL-1/1/1/payout"] == EntryState.RESERVED


def test_limit_holds_over_all_cases_of_the_order_and_all_payments_beside_refunds(records: Records) -> None:
    """S15: reserved and paid alike; refunds to the source do not count."""
    limit = Decimal("300.00")
    reserve(records, "HL-1/1/1/refund", "1000.00", limit=limit)
    reserve(records, "HL-1/1/1/compensation", "200.00", RemedyKind.COMPENSATION, limit=limit)
    reserve(records, "HL-1/1/1/coupon", "50.00", RemedyKind.COUPON, limit=limit)
    records.commit("HL-1/1/1/coupon", "RF-1")

    with pytest.raises(OverLimit) as refused:
        reserve(records, "HL-2/1/1/payment", "50.01", RemedyKind.CLAIM_PAYMENT, limit=limit)

    assert str(refused.value) == (
        "claim payment of 50.01 CNY is too much on order SO-1: over all its cases 300.00 may be paid "
        "besides refunds, 250.00 is paid or reserved already"
    )
    reserve(records, "HL-2/1/1/payment", "50.00", RemedyKind.CLAIM_PAYMENT, limit=limit)
    assert len(records.entries()) == 4


def test_released_amount_makes_room_below_the_limit(records: Records) -> None:
    """S15."""
    limit = Decimal("300.00")
    reserve(records, "HL-1/1/1/compensation", "300.00", RemedyKind.COMPENSATION, limit=limit)
    with pytest.raises(OverLimit):
        reserve(records, "HL-2/1/1/compensation", "0.01", RemedyKind.COMPENSATION, limit=limit)

    records.release("HL-1/1/1/compensation", "waived")
    reserve(records, "HL-2/1/1/compensation", "300.00", RemedyKind.COMPENSATION, limit=limit)

    assert states(records)["HL-2/1/1/compensation"] == EntryState.RESERVED


def test_each_payment_is_checked_against_the_limit_of_its_case(records: Records) -> None:
    """S15, S18: cases of one order may have different policies; payments of one without a limit count as well."""
    reserve(records, "HL-1/1/1/compensation", "250.00", RemedyKind.COMPENSATION, limit=None)
    with pytest.raises(OverLimit, match=r"200\.00 may be paid besides refunds, 250\.00 is paid or reserved"):
        reserve(records, "HL-2/1/1/compensation", "0.01", RemedyKind.COMPENSATION, limit=Decimal("200.00"))

    reserve(records, "HL-3/1/1/compensation", "50.00", RemedyKind.COMPENSATION, limit=Decimal("300.00"))

    assert set(states(records)) == {"HL-1/1/1/compensation", "HL-3/1/1/compensation"}


def test_released_amount_is_free_again(records: Records) -> None:
    reserve(records, "HL-1/1/1/refund", "1000.00")
    records.release("HL-1/1/1/refund", "the partner refused:\0no such card")

    reserve(records, "HL-2/1/1/refund", "1000.00")

    assert states(records) == {"HL-1/1/1/refund": "released", "HL-2/1/1/refund": "reserved"}
    assert records.entries(case_id="HL-1")[0]["reason"] == "the partner refused:\ufffdno such card"


def test_released_entry_can_be_reserved_again_only_while_there_is_room(records: Records) -> None:
    reserve(records, KEY, "600.00")
    records.release(KEY, "the partner refused")
    reserve(records, "HL-2/1/1/refund", "500.00")
    with pytest.raises(OverPaid, match=r"500\.00 is refunded or reserved"):
        reserve(records, KEY, "600.00")
    assert states(records)[KEY] == EntryState.RELEASED

    records.release("HL-2/1/1/refund", "waived")
    reserve(records, KEY, "600.00")

    (entry,) = records.entries(case_id="HL-1")
    assert (entry["state"], entry["reason"], entry["settled_at"]) == (EntryState.RESERVED, None, None)


def test_committed_money_is_never_released(records: Records) -> None:
    """S17."""
    reserve(records, KEY, "640.00")
    records.commit(KEY, "RF-1")

    with pytest.raises(AlreadyCommitted, match="was paid as RF-1 and cannot be released"):
        records.release(KEY, "the customer withdrew")

    assert states(records) == {KEY: EntryState.COMMITTED}


def test_payment_after_its_release_is_recorded_and_marked_late(records: Records) -> None:
    """S13: the partner has paid after all; the ledger records it even if the total exceeds what was paid."""
    reserve(records, KEY, "1000.00")
    records.release(KEY, "the partner does not know the key")
    reserve(records, "HL-2/1/1/refund", "1000.00")
    records.commit("HL-2/1/1/refund", "RF-2")

    assert records.commit(KEY, "RF-1") is True
    assert records.commit(KEY, "RF-1") is True

    (entry,) = records.entries(case_id="HL-1")
    assert (entry["state"], entry["late"]) == (EntryState.COMMITTED, True)
    assert entry["reason"] == "the partner does not know the key"
    assert records.paid_out("SO-1") == {RemedyKind.REFUND: Decimal("2000.00")}
    with pytest.raises(OverPaid, match=r"1000\.00 was paid, 2000\.00 is refunded"):
        reserve(records, "HL-3/1/1/refund", "0.01")


def test_money_cannot_be_committed_without_a_reservation(records: Records) -> None:
    """S13."""
    with pytest.raises(NotReserved, match=f"{KEY} was never reserved"):
        records.commit(KEY, "RF-1")
    with pytest.raises(NotReserved, match=f"{KEY} was never reserved"):
        records.release(KEY, "never mind")

    assert records.entries() == []


@pytest.mark.parametrize("amount", ["-0.01", "0.005", "1000000000.00", "NaN", "Infinity"])
def test_amount_is_exact_in_minor_units_and_never_negative(records: Records, amount: str) -> None:
    """S16: nothing is rounded here; a negative refund would make room for another."""
    with pytest.raises(WrongAmount, match=f"{KEY}: the amount is {amount}"):
        reserve(records, KEY, amount)
    with pytest.raises(WrongAmount, match=f"{KEY}: what was paid is {amount}"):
        reserve(records, KEY, "1.00", paid=Decimal(amount))

    assert records.entries() == []


def test_only_money_and_goods_are_reserved(records: Records) -> None:
    with pytest.raises(LedgerRefusal, match="gift moves no money and no goods; expected one of claim_payment, comp"):
        reserve(records, KEY, "1.00", RemedyKind.GIFT)

    assert records.entries() == []


def test_smaller_of_two_statements_of_what_was_paid_counts_and_both_are_kept(records: Records, url: str) -> None:
    """S15: a refused case has still stated an amount; one in another currency states nothing about this order."""
    reserve(records, "HL-1/1/1/refund", "500.00", paid=Decimal("1000.00"))
    with pytest.raises(OverPaid, match=r"800\.00 was paid"):
        reserve(records, "HL-2/1/1/refund", "300.01", paid=Decimal("800.00"))
    with pytest.raises(OverPaid, match=r"800\.00 was paid"):
        reserve(records, "HL-3/1/1/refund", "300.01", paid=Decimal("2000.00"))
    with pytest.raises(EntryConflict):
        reserve(records, "HL-4/1/1/refund", "1.00", paid=Decimal("7.00"), currency="EUR")

    reserve(records, "HL-3/1/1/refund", "300.00", paid=Decimal("2000.00"))

    engine = create_engine(url)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT case_id, paid FROM paid_statements ORDER BY case_id")).all()
    engine.dispose()
    assert [tuple(row) for row in kept] == [("HL-1", 100_000), ("HL-2", 80_000), ("HL-3", 200_000)]


def test_entries_are_found_by_case_and_by_order(records: Records) -> None:
    reserve(records, "HL-1/1/1/refund", "1.00")
    reserve(records, "HL-1/1/1/coupon", "2.00", RemedyKind.COUPON, order_id="SO-2")
    reserve(records, "HL-2/1/1/refund", "3.00")

    found = {
        "all": [entry["key"] for entry in records.entries()],
        "case": [entry["key"] for entry in records.entries(case_id="HL-1")],
        "order": [entry["key"] for entry in records.entries(order_id="SO-1")],
        "both": [entry["key"] for entry in records.entries(case_id="HL-1", order_id="SO-1")],
    }

    assert found == {
        "all": ["HL-1/1/1/refund", "HL-1/1/1/coupon", "HL-2/1/1/refund"],
        "case": ["HL-1/1/1/refund", "HL-1/1/1/coupon"],
        "order": ["HL-1/1/1/refund", "HL-2/1/1/refund"],
        "both": ["HL-1/1/1/refund"],
    }


def test_freight_is_refunded_once_over_all_cases_of_an_order(records: Records) -> None:
    """S35: other refunds are limited only by what was paid."""
    freight = Decimal("60.00")
    reserve(records, "HL-1/1/o1/freight_refund", "40.00", RemedyKind.FREIGHT_REFUND, limit=freight)

    with pytest.raises(OverLimit, match=r"40\.00 is paid or reserved already"):
        reserve(records, "HL-2/1/o1/freight_refund", "20.01", RemedyKind.FREIGHT_REFUND, limit=freight)
    reserve(records, "HL-2/1/o1/freight_refund", "20.00", RemedyKind.FREIGHT_REFUND, limit=freight)
    reserve(records, "HL-3/1/o1/refund", "100.00", limit=freight)
