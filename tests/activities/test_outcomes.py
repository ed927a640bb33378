"""The meaning of a partner's answer for Temporal and for the order's ledger decides whether money can move twice."""

import dataclasses
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.outcomes import REFUSED, TRY_AGAIN, UNKNOWN
from activities.refunds import Refunds
from activities.warehouse import Warehouse
from cases.complaint import Affected
from cases.partner_calls import Contact, Payment, Receipt, ReceiptState, Shipment, StepCommand
from cases.reasons import Reason, is_approvable
from cases.vocabulary import RemedyKind
from partners.ports import OutcomeUnknown, PartnerError, PartnerRefused, TryAgain
from records import EntryState, Records, RecordsUnavailable

PAID = Decimal("12800.00")
DONE = Receipt(reference="R-1", state=ReceiptState.DONE)


class Recording:
    """A partner that records what it was asked, and gives the set answers."""

    def __init__(self, answer: Receipt | PartnerError, known: Receipt | None = None) -> None:
        self.answer, self.known = answer, known
        self.asked: list[str] = []
        self.sent: list[str] = []

    async def carry_out(self, command: StepCommand) -> Receipt:
        self.sent.append(command.key)
        if isinstance(self.answer, PartnerError):
            raise self.answer
        return self.answer

    async def find(self, key: str) -> Receipt | None:
        self.asked.append(key)
        return self.known


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(f"sqlite:///{tmp_path / 'records.db'}")


def _command(key: str = "A-1/1/o1/refund", amount: str = "12800.00") -> Payment:
    return Payment(
        key=key,
        case_id="A-1",
        step="refund",
        kind=RemedyKind.REFUND,
        order_id="SO-1",
        amount=Decimal(amount),
        contact=Contact(name="x"),
    )


def _shipment(case_id: str = "A-1", **books: Any) -> Shipment:
    one = [Affected(sku="TILE", quantity=1)]
    books = {"makes_good": one, "bought": one, "paid": PAID, **books}
    who = {"case_id": case_id, "contact": Contact(name="x"), "order_id": "SO-1"}
    return Shipment(key=f"{case_id}/1/o1/reship", step="reship", kind=RemedyKind.RESHIP, items=one, **who, **books)


def _attempt(number: int) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=number)
    return environment


@pytest.mark.parametrize(
    ("error", "type_", "final"),
    [
        (PartnerRefused("no"), REFUSED, True),
        (OutcomeUnknown("?"), UNKNOWN, True),
        (TryAgain("later"), TRY_AGAIN, False),
    ],
)
async def test_only_calls_without_effect_are_repeated(
    records: Records, error: PartnerError, type_: str, final: bool
) -> None:
    """S13."""
    with pytest.raises(ApplicationError) as raised:
        await _attempt(1).run(Warehouse(Recording(error), records).carry_out, _shipment())

    assert (raised.value.type, raised.value.non_retryable) == (type_, final)


async def test_partner_that_asks_for_time_gets_it(records: Records) -> None:
    partner = Recording(TryAgain("busy", retry_after=42))
    with pytest.raises(ApplicationError) as raised:
        await _attempt(1).run(Warehouse(partner, records).carry_out, _shipment())

    assert raised.value.next_retry_delay is not None
    assert raised.value.next_retry_delay.total_seconds() == 42


async def test_later_attempt_asks_before_it_sends(records: Records) -> None:
    """S13: the first may have arrived."""
    partner = Recording(DONE, known=DONE)

    assert await _attempt(2).run(Warehouse(partner, records).carry_out, _shipment()) == DONE
    assert (partner.asked, partner.sent) == ([_shipment().key], [])


async def test_later_attempt_sends_what_the_partner_does_not_know(records: Records) -> None:
    partner = Recording(DONE)

    await _attempt(2).run(Warehouse(partner, records).carry_out, _shipment())

    assert partner.sent == [_shipment().key]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (DONE, EntryState.COMMITTED),
        (PartnerRefused("no"), EntryState.RESERVED),
        (OutcomeUnknown("?"), EntryState.RESERVED),
        (TryAgain("later"), EntryState.RESERVED),
        (Receipt(reference="R", state=ReceiptState.FAILED), EntryState.RESERVED),
    ],
)
async def test_ledger_knows_what_moved_and_what_may_have_moved(
    records: Records, answer: Receipt | PartnerError, state: EntryState
) -> None:
    """S13, S15, S26: a call releases nothing; the case does, because it also receives reports."""
    refunds = Refunds(Recording(answer), records)
    try:
        await _attempt(1).run(refunds.carry_out, _command(), PAID)
    except ApplicationError:
        assert isinstance(answer, PartnerError)

    assert [entry["state"] for entry in records.entries(order_id="SO-1")] == [state]


async def test_two_cases_of_one_order_never_refund_more_than_was_paid(records: Records) -> None:
    """S15: the second is refused before the partner is asked."""
    partner = Recording(DONE)
    refunds = Refunds(partner, records)
    await _attempt(1).run(refunds.carry_out, _command(), PAID)

    with pytest.raises(ApplicationError) as raised:
        await _attempt(1).run(refunds.carry_out, _command("A-2/1/o1/refund", "0.01"), PAID)

    assert raised.value.type == REFUSED
    assert partner.sent == [_command().key]


async def test_unknown_payment_that_was_made_is_recorded_when_the_partner_is_asked(records: Records) -> None:
    """S13."""
    unsure = Refunds(Recording(OutcomeUnknown("?"), known=DONE), records)
    with pytest.raises(ApplicationError):
        await _attempt(1).run(unsure.carry_out, _command(), PAID)

    assert await _attempt(1).run(unsure.find, _command().key) == DONE
    assert [entry["state"] for entry in records.entries(order_id="SO-1")] == [EntryState.COMMITTED]


async def test_waived_amount_is_free_again(records: Records) -> None:
    """S15."""
    refunds = Refunds(Recording(TryAgain("down")), records)
    with pytest.raises(ApplicationError):
        await _attempt(1).run(refunds.carry_out, _command(), PAID)

    await _attempt(1).run(refunds.release, _command().key, "waived")

    assert [entry["state"] for entry in records.entries(order_id="SO-1")] == [EntryState.RELEASED]


# Units


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (DONE, EntryState.COMMITTED),
        (Receipt(reference="W", state=ReceiptState.DISPATCHED), EntryState.COMMITTED),
        (Receipt(reference="W", state=ReceiptState.ACCEPTED), EntryState.RESERVED),
        (Receipt(reference="W", state=ReceiptState.FAILED), EntryState.RESERVED),
        (PartnerRefused("no stock"), EntryState.RESERVED),
        (OutcomeUnknown("?"), EntryState.RESERVED),
        (TryAgain("later"), EntryState.RESERVED),
    ],
)
async def test_ledger_knows_which_goods_have_left_and_which_may_have_left(
    records: Records, answer: Receipt | PartnerError, state: EntryState
) -> None:
    """S35, S13: a shipment that is only accepted may still fail."""
    warehouse = Warehouse(Recording(answer), records)
    try:
        await _attempt(1).run(warehouse.carry_out, _shipment())
    except ApplicationError:
        assert isinstance(answer, PartnerError)

    assert [entry["state"] for entry in records.entries(order_id="SO-1")] == [state]


async def test_unit_that_another_case_has_made_good_is_sent_only_with_approval(records: Records) -> None:
    """S35, S20: refused as a payment beyond the limit is."""
    warehouse, partner = Warehouse(Recording(DONE), records), Recording(DONE)
    await _attempt(1).run(warehouse.carry_out, _shipment("A-1"))
    second = Warehouse(partner, records)

    with pytest.raises(ApplicationError) as refused:
        await _attempt(1).run(second.carry_out, _shipment("A-2"))

    assert (refused.value.type, is_approvable(Reason.model_validate(refused.value.details[0])), partner.sent) == (
        REFUSED,
        True,
        [],
    )
    assert refused.value.details[0]["code"] == "taken_by"
    await _attempt(1).run(second.carry_out, _shipment("A-2", approved=True))
    assert partner.sent == ["A-2/1/o1/reship"]


async def test_command_of_an_older_worker_is_sent_and_not_counted(records: Records) -> None:
    """S35: it says nothing about units; a later look-up of it works all the same."""
    warehouse = Warehouse(Recording(DONE, known=DONE), records)

    await _attempt(1).run(warehouse.carry_out, _shipment(makes_good=[], paid=None))

    assert await _attempt(1).run(warehouse.find, "A-1/1/o1/reship") == DONE
    assert records.entries() == []


async def test_goods_whose_answer_was_lost_are_recorded_when_the_warehouse_says_that_they_left(
    records: Records,
) -> None:
    """S35, S13."""
    unsure = Warehouse(Recording(OutcomeUnknown("?"), known=DONE), records)
    with pytest.raises(ApplicationError):
        await _attempt(1).run(unsure.carry_out, _shipment())

    await _attempt(1).run(unsure.find, "A-1/1/o1/reship")

    assert [entry["state"] for entry in records.entries()] == [EntryState.COMMITTED]


async def test_unavailable_records_delay_a_shipment(tmp_path: Path) -> None:
    """S35: nothing is sent that was not recorded."""
    records, partner = Records(f"sqlite:///{tmp_path / 'records.db'}"), Recording(DONE)

    def away(*_: object, **__: object) -> bool:
        raise RecordsUnavailable("down")

    records.reserve = away  # type: ignore[method-assign]
    with pytest.raises(ApplicationError) as raised:
        await _attempt(1).run(Warehouse(partner, records).carry_out, _shipment())

    assert (raised.value.type, partner.sent) == (TRY_AGAIN, [])
