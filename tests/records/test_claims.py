"""Carrier claims: what the carrier pays is compared with what we paid out (B16)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cases.vocabulary import RemedyKind
from records import LaterTry, Records, WrongAmount

FILED = datetime(2026, 11, 25, 9, tzinfo=UTC)
PAID = datetime(2026, 12, 20, 9, tzinfo=UTC)


def claimed(records: Records, state: str, **other: Any) -> Decimal:
    return records.record_claim("HL-1", "SO-1", "Swift", state, claimed=Decimal("900.00"), currency="CNY", **other)


def paid(records: Records, key: str, case_id: str, kind: RemedyKind, amount: str) -> None:
    order: dict[str, Any] = {"order_id": "SO-1", "currency": "CNY", "paid": Decimal("1000.00")}
    records.reserve(key, case_id=case_id, kind=kind, amount=Decimal(amount), **order)
    records.commit(key, f"R-{key}")


def test_claim_is_compared_with_what_its_case_paid_out(records: Records) -> None:
    """B16: committed money of that case counts, all kinds; reservations and other cases do not."""
    paid(records, "HL-1/1/1/refund", "HL-1", RemedyKind.REFUND, "700.00")
    paid(records, "HL-1/1/1/compensation", "HL-1", RemedyKind.COMPENSATION, "140.01")
    paid(records, "HL-2/1/1/refund", "HL-2", RemedyKind.REFUND, "5.00")
    order: dict[str, Any] = {"order_id": "SO-1", "currency": "CNY", "paid": Decimal("1000.00")}
    records.reserve("HL-1/1/1/coupon", case_id="HL-1", kind=RemedyKind.COUPON, amount=Decimal("9.00"), **order)

    paid_out = claimed(records, "paid", recovered=Decimal("500.00"), filed_at=FILED, closed_at=PAID)

    assert paid_out == Decimal("840.01")
    assert records.claims() == [
        {
            "case_id": "HL-1",
            "order_id": "SO-1",
            "carrier": "Swift",
            "state": "paid",
            "currency": "CNY",
            "claimed": Decimal("900.00"),
            "recovered": Decimal("500.00"),
            "filed_at": FILED,
            "closed_at": PAID,
            "sent": None,
            "paid_out": Decimal("840.01"),
            "net": Decimal("-340.01"),
        }
    ]


def test_claim_without_a_payment_is_compared_with_nothing(records: Records) -> None:
    assert claimed(records, "waiting") == Decimal("0.00")

    (claim,) = records.claims()

    assert (claim["paid_out"], claim["recovered"], claim["net"]) == (Decimal(0), Decimal(0), Decimal(0))


def test_payments_after_the_claim_has_closed_still_count(records: Records) -> None:
    """B16: the carrier may be quicker than the customer's consent."""
    claimed(records, "paid", recovered=Decimal("500.00"), filed_at=FILED, closed_at=PAID)

    paid(records, "HL-1/1/1/refund", "HL-1", RemedyKind.REFUND, "700.00")

    (claim,) = records.claims()
    assert (claim["paid_out"], claim["net"]) == (Decimal("700.00"), Decimal("-200.00"))


def test_recording_a_claim_again_replaces_its_state(records: Records) -> None:
    claimed(records, "waiting")

    claimed(records, "filed", filed_at=FILED)
    claimed(records, "filed", filed_at=FILED)

    (claim,) = records.claims()
    assert (claim["state"], claim["filed_at"]) == ("filed", FILED)


def test_closed_claim_does_not_change(records: Records) -> None:
    """An attempt that timed out may still arrive after the claim has ended."""
    claimed(records, "paid", recovered=Decimal("500.00"), filed_at=FILED, closed_at=PAID)
    before = records.claims()

    claimed(records, "filed", filed_at=FILED)

    assert records.claims() == before


def test_key_that_a_claim_has_moved_past_is_refused(records: Records) -> None:
    """S25: a claim that was reset forgets its later keys; the key that is in use may have been sent before."""
    claimed(records, "waiting")
    key = "HL-1/carrier_claim"

    sent = [records.send_claim("HL-1", name, number) for name, number in ((key, 1), (key, 1), (f"{key}/2", 2))]
    claimed(records, "filed", filed_at=FILED)

    assert sent == [False, True, False]
    with pytest.raises(LaterTry) as refused:
        records.send_claim("HL-1", key, 1)
    assert refused.value.args[0].params == {"key": key, "number": 2}
    assert records.send_claim("HL-1", f"{key}/2", 2)


def test_claim_is_exact_in_minor_units(records: Records) -> None:
    """S16: an amount that would have to be rounded is refused."""
    with pytest.raises(WrongAmount, match=r"the amount recovered is 0\.005"):
        claimed(records, "paid", recovered=Decimal("0.005"))

    assert records.claims() == []
