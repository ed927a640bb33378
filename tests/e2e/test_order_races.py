"""Two cases of one order agree at the same time: two workers, HTTP partners, one ledger, one payment (S15)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

import policies
from records import EntryState, Records
from settings import ROOT
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, eventually, step
from tests.partners.running import Gate, RunningSandbox, talk_to
from worker import Parts

pytestmark = pytest.mark.e2e
WORKERS = 2
TOPICS = ("transport.damage", "goods.quality")
PAYMENTS: dict[str, tuple[str, str]] = {
    "refund": ("12800.00", "12800.00 was paid, 12800.00 is refunded or reserved already"),
    "compensation": ("2560.00", "3840.00 may be paid besides refunds, 2560.00 is paid or reserved already"),
}
"""The whole order, or 20 % of it when 30 % may be paid; and why the second payment is refused."""


@pytest.fixture
async def workers(engine: str, sandbox: RunningSandbox, url: str) -> AsyncIterator[list[Workshop]]:
    """Two workers on one task queue, each with its own connections to server, partners and database."""
    queue, opened = f"test-{uuid4().hex[:8]}", []
    async with AsyncExitStack() as stack:
        for _ in range(WORKERS):
            client = await Client.connect(engine, data_converter=pydantic_data_converter)
            partners = await stack.enter_async_context(talk_to(sandbox.url, timeout=25))
            records = Records(url)
            stack.callback(records.close)
            workshop = Workshop(client, Parts(policies.load(ROOT / "policies"), partners, records), queue)
            await workshop.open()
            stack.push_async_callback(workshop.close)
            opened.append(workshop)
        yield opened
        await opened[0].replay()


async def offered(workshop: Workshop, topic: str, order_id: str, remedy: dict[str, Any]) -> OpenCase:
    """A case about the order, with an offer of that remedy."""
    case = await workshop.take_in(complaint(topic=topic, order={"order_id": order_id}))
    await case.becomes("assessing")
    await case.says("assess", severity="severe", by="Zhao")
    await case.says("propose", options=[{"key": "pay", "remedies": [remedy]}], by="Zhao")
    await case.becomes("awaiting_consent")
    return case


@pytest.mark.parametrize("kind", PAYMENTS)
async def test_of_two_cases_that_agree_at_the_same_time_one_is_paid_and_the_other_shows_why_not(
    workers: list[Workshop], sandbox: RunningSandbox, gate: Gate, kind: str
) -> None:
    """S15: the first is not refused and the second is not paid, although nothing has been paid when it asks."""
    (amount, why), order_id = PAYMENTS[kind], f"SO-{uuid4().hex[:8]}"
    records = workers[0].parts.records
    remedy = {"kind": kind, "amount": amount}
    cases = [await offered(workers[0], topic, order_id, remedy) for topic in TOPICS]
    gate.hold(2)

    await asyncio.gather(*(case.signals("customer-approved", by="Wang Li") for case in cases))
    loser = await eventually(lambda: _blocked(cases, kind), "the refusal of one")
    paid_by_then = await sandbox.money(order_id)
    gate.open()
    (winner,) = (case for case in cases if case is not loser)
    await winner.becomes("following_up")

    refused = step(await loser.snapshot(), kind)
    assert why in refused["reason"]
    assert paid_by_then == {}
    assert gate.held == 1
    assert await sandbox.money(order_id) == {kind: amount}
    assert {k: str(paid) for k, paid in records.paid_out(order_id).items()} == {kind: amount}
    assert [(e["case_id"], e["state"]) for e in records.entries(order_id=order_id)] == [
        (winner.id, EntryState.COMMITTED)
    ]
    assert (await winner.snapshot())["paid"][kind] == amount
    assert (await loser.snapshot())["paid"][kind] == "0.00"


async def test_payment_beyond_the_limit_is_paid_once_a_second_person_approves_it(
    workers: list[Workshop], sandbox: RunningSandbox
) -> None:
    """S15, S20: our ledger and the partner agree on the sum."""
    order_id, remedy = f"SO-{uuid4().hex[:8]}", {"kind": "compensation", "amount": "2560.00"}
    first, second = [await offered(workers[0], topic, order_id, remedy) for topic in TOPICS]
    await first.says("customer-approved", by="Wang Li")
    await first.becomes("following_up")
    await second.says("customer-approved", by="Wang Li")
    await second.until(lambda c: step(c, "compensation")["state"] == "blocked")

    await second.says("resolve-step", step="compensation", action="retry", reason="both are right", by="Chen")
    await second.becomes("following_up")

    assert await sandbox.money(order_id) == {"compensation": "5120.00"}
    paid = workers[1].parts.records.paid_out(order_id)
    assert {kind: str(amount) for kind, amount in paid.items()} == {"compensation": "5120.00"}


FOOD_TOPICS = ("goods.damage", "goods.quality", "goods.shortage", "transport.wrong_goods", "transport.accident")
PHOTO = {"kind": "photo", "uri": "https://files.example.org/1.jpg"}
REPORT = {"kind": "inspection_report", "uri": "https://files.example.org/2.pdf"}


async def test_of_five_complaints_about_one_unit_one_is_made_good_and_the_others_go_to_a_person(
    workers: list[Workshop], sandbox: RunningSandbox
) -> None:
    """S35: five topics, one box; the first is refunded, and the others name its case."""
    order_id, kept = f"SO-{uuid4().hex[:8]}", []
    box = [{"sku": "BOX", "name": "Greens", "quantity": 1, "unit_price": "940.00"}]
    order = {"order_id": order_id, "amount": "1000.00", "freight": "60.00", "items": box}
    for topic in FOOD_TOPICS:
        content = complaint(line="fresh_food", topic=topic, order=order, evidence=[PHOTO, REPORT])
        case = await workers[0].take_in(content)
        await case.until(lambda c: c["status"] in ("assessing", "awaiting_evidence"))
        answer = await case.says("assess", upheld=True, liable="delivery", by="Zhao")
        kept.append((case, answer))
        if answer["offer"]:
            await case.says("customer-approved", option="refund", by="Wang Li")
            await case.becomes("following_up")

    first, *others = kept
    assert [bool(answer["offer"]) for _, answer in kept] == [True, False, False, False, False]
    for case, answer in others:
        assert all(f"refund in case {first[0].id}" in why for why in answer["withheld"])
        (need,) = (await case.snapshot())["needs"]
        assert need["what"] == "order_exhausted"
    account = workers[1].parts.records.account(order_id, "nobody")
    assert [booking.units for booking in account.bookings if booking.units] == [{"BOX": 1}]
    assert (await sandbox.money(order_id))["refund"] == "940.00"


async def test_nothing_is_offered_when_a_manager_has_approved_more_than_the_order_has_left(
    workers: list[Workshop], sandbox: RunningSandbox
) -> None:
    """S35: 500.00 is paid of 450.00; the next case offers nothing that would be refused later."""
    order = {"order_id": f"SO-{uuid4().hex[:8]}", "amount": "1500.00", "freight": "40.00", "items": []}
    first = await workers[0].take_in(complaint(topic="transport.damage", order=order))
    await first.becomes("assessing")
    pay = [{"key": "own", "remedies": [{"kind": "compensation", "amount": "500.00"}]}]
    await first.says("propose", options=pay, by="Zhao")
    await first.says("approve", by="Chen")
    await first.says("customer-approved", by="Wang Li")
    await first.becomes("following_up")
    second = await workers[0].take_in(complaint(topic="goods.quality", order=order))
    await second.becomes("assessing")

    more = [{"key": "own", "remedies": [{"kind": "compensation", "amount": "29.20"}]}]
    answer = await second.says("propose", options=more, by="Zhao")

    assert answer["offer"]["state"] == "awaiting_approval"
    reason = "29.20 is more than the 0.00 left of what may be paid besides refunds on the order; taken by: compensation"
    assert any(f"{reason} in case {first.id}" in why for why in (await second.snapshot())["offers"][0]["over_limits"])
    assert await sandbox.money(str(order["order_id"])) == {"compensation": "500.00"}


async def _blocked(cases: list[OpenCase], kind: str) -> OpenCase | None:
    """Return the case whose payment was refused, if any."""
    for case in cases:
        if step(await case.snapshot(), kind)["state"] == "blocked":
            return case
    return None
