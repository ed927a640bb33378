"""Payments and the order's ledger when database, worker or answer fail in between (S13)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.outcomes import REFUSED, TRY_AGAIN, UNKNOWN
from activities.refunds import Refunds
from cases.partner_calls import Contact, Payment, ReceiptState
from cases.vocabulary import Partner, RemedyKind
from records import EntryState, Records
from tests.fakes import FakeSteps, Turn
from tests.partners.running import RunningSandbox, sandbox_in, talk_to

PAID = Decimal("12800.00")
REFUND = Payment(
    key="HL-1/1/o1/refund",
    case_id="HL-1",
    step="refund",
    kind=RemedyKind.REFUND,
    order_id="SO-1",
    amount=PAID,
    contact=Contact(name="Wang Li", phone="+86 130 0000 0000"),
)


@pytest.fixture
def environment() -> ActivityEnvironment:
    """The environment of an activity; first attempt, unless a test changes it."""
    return ActivityEnvironment()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Our records, empty."""
    opened = Records(f"sqlite:///{tmp_path / 'records' / 'records.db'}")
    yield opened
    opened.close()


@pytest.fixture
def partner() -> FakeSteps:
    """A refunds partner that pays at once."""
    return FakeSteps(ReceiptState.DONE)


def states(records: Records) -> list[EntryState]:
    """Return the states of the ledger's entries for the order."""
    return [entry["state"] for entry in records.entries(order_id="SO-1")]


async def paying(environment: ActivityEnvironment, refunds: Refunds, partner: FakeSteps) -> asyncio.Task[Any]:
    """Start the payment; continue once its partner has been asked."""
    task = asyncio.create_task(environment.run(refunds.carry_out, REFUND, PAID))
    while not partner.commands:
        await asyncio.sleep(0)
    return task


async def test_payment_is_reserved_before_the_partner_is_asked(
    environment: ActivityEnvironment, partner: FakeSteps, records: Records
) -> None:
    """S13: intent first."""
    answer = asyncio.Event()
    partner.will(Turn(until=answer))

    payment = await paying(environment, Refunds(partner, records), partner)

    assert states(records) == [EntryState.RESERVED]
    answer.set()
    await payment
    assert states(records) == [EntryState.COMMITTED]


async def test_nothing_is_paid_while_the_ledger_cannot_be_written(
    environment: ActivityEnvironment, partner: FakeSteps, records: Records, tmp_path: Path
) -> None:
    """S13."""
    records.close()
    (tmp_path / "records").rename(tmp_path / "away")

    with pytest.raises(ApplicationError) as raised:
        await environment.run(Refunds(partner, records).carry_out, REFUND, PAID)

    assert (raised.value.type, raised.value.non_retryable) == (TRY_AGAIN, False)
    assert partner.commands == []


async def test_payment_that_could_not_be_recorded_is_recorded_by_the_next_attempt(
    environment: ActivityEnvironment, partner: FakeSteps, records: Records, tmp_path: Path
) -> None:
    """The money has moved; only the recording is repeated."""
    refunds, answer = Refunds(partner, records), asyncio.Event()
    partner.will(Turn(until=answer))
    payment = await paying(environment, refunds, partner)
    records.close()
    (tmp_path / "records").rename(tmp_path / "away")
    answer.set()
    with pytest.raises(Exception, match="cannot be used"):
        await payment
    (tmp_path / "away").rename(tmp_path / "records")
    environment.info = replace(environment.info, attempt=2)

    await environment.run(refunds.carry_out, REFUND, PAID)

    assert len(partner.commands) == 1
    assert states(records) == [EntryState.COMMITTED]


async def test_worker_that_stops_waits_for_a_payment_in_progress(
    environment: ActivityEnvironment, partner: FakeSteps, records: Records
) -> None:
    """A deployment must not interrupt a payment."""
    answer = asyncio.Event()
    partner.will(Turn(until=answer))
    payment = await paying(environment, Refunds(partner, records), partner)

    environment.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not payment.done(), "given up on while the partner was paying"
    answer.set()
    await asyncio.gather(payment, return_exceptions=True)

    assert states(records) == [EntryState.COMMITTED]


async def test_partner_is_asked_before_a_key_that_the_ledger_knows_is_sent_again(
    environment: ActivityEnvironment, partner: FakeSteps, records: Records
) -> None:
    """S25: for a case that was reset it is the first try."""
    refunds = Refunds(partner, records)
    first = await environment.run(refunds.carry_out, REFUND, PAID)

    again = await environment.run(refunds.carry_out, REFUND, PAID)

    assert again == first
    assert partner.asked == [REFUND.key]
    assert len(partner.commands) == 1


async def test_answer_to_a_call_leaves_a_contested_payment_to_the_question_by_key(
    environment: ActivityEnvironment, partner: FakeSteps, records: Records
) -> None:
    """S26, S27: while the call runs, the payment is reported both as done and as failed."""
    refunds, answer = Refunds(partner, records), asyncio.Event()
    partner.will(Turn(until=answer))
    payment = await paying(environment, refunds, partner)
    await environment.run(refunds.contest, REFUND.key, "done and failed")

    answer.set()
    await payment
    answered = states(records)
    await environment.run(refunds.find, REFUND.key)

    assert (answered, states(records)) == ([EntryState.CONTESTED], [EntryState.COMMITTED])


async def test_partner_is_not_asked_for_more_than_other_cases_of_the_order_leave(
    environment: ActivityEnvironment, partner: FakeSteps, records: Records
) -> None:
    """S15: the limit covers all cases, and differs from a partner's refusal."""
    refunds = Refunds(partner, records)
    await environment.run(refunds.carry_out, _compensation("HL-1"), PAID)

    with pytest.raises(ApplicationError) as raised:
        await environment.run(refunds.carry_out, _compensation("HL-2"), PAID)

    [reason] = raised.value.details
    assert (raised.value.type, raised.value.non_retryable) == (REFUSED, True)
    assert (reason["code"], reason["params"]["limit"]) == ("over_limit", "3840.00")
    assert "over all its cases 3840.00 may be paid besides refunds, 2560.00 is paid" in str(raised.value)
    assert [command.key for command in partner.commands] == ["HL-1/1/o1/compensation"]
    assert len(records.entries()) == 1


async def test_partner_never_sees_our_limit(
    environment: ActivityEnvironment, partner: FakeSteps, records: Records
) -> None:
    """S13: the content under a key must not change with our policy."""
    await environment.run(Refunds(partner, records).carry_out, _compensation("HL-1"), PAID)

    (asked,) = partner.commands
    assert "limit" not in asked.model_dump()


def _compensation(case_id: str) -> Payment:
    payment = {"key": f"{case_id}/1/o1/compensation", "case_id": case_id, "kind": RemedyKind.COMPENSATION}
    return REFUND.model_copy(update={**payment, "amount": Decimal("2560.00"), "limit": Decimal("3840.00")})


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[RunningSandbox]:
    """A real sandbox."""
    async with sandbox_in(tmp_path) as running:
        yield running


async def test_time_out_after_the_partner_has_paid_is_settled_by_asking(
    environment: ActivityEnvironment, sandbox: RunningSandbox, records: Records
) -> None:
    """S13, over HTTP: unknown, asked by key, recorded once, paid once."""
    await sandbox.fault("commit_then_timeout", partner="refunds", count=1, seconds=30)
    async with talk_to(sandbox.url, timeout=2) as partners:
        refunds = Refunds(partners.steps[Partner.REFUNDS], records)

        with pytest.raises(ApplicationError) as raised:
            await environment.run(refunds.carry_out, REFUND, PAID)
        before = states(records)
        await environment.run(refunds.find, REFUND.key)

    assert raised.value.type == UNKNOWN
    assert (before, states(records)) == ([EntryState.RESERVED], [EntryState.COMMITTED])
    assert await sandbox.money() == {"refund": "12800.00"}
