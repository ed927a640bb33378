"""The sandbox treats keys as payment providers do, and its ledger shows double payments."""

import asyncio
from datetime import timedelta

import pytest

from cases.partner_calls import ReceiptState
from partners.http import Partners
from partners.ports import OutcomeUnknown, PartnerRefused
from tests.partners.running import RunningSandbox, Start, command, talk_to


async def test_same_key_pays_once(partners: Partners, sandbox: RunningSandbox) -> None:
    """S13."""
    first = await partners.steps["refunds"].carry_out(command())
    again = await partners.steps["refunds"].carry_out(command())

    assert again == first
    assert await sandbox.money() == {"refund": "640.00"}
    assert len(await sandbox.rows("calls")) == 2, "both calls are on record"


async def test_same_key_at_the_same_time_pays_once(partners: Partners, sandbox: RunningSandbox) -> None:
    receipts = await asyncio.gather(*(partners.steps["refunds"].carry_out(command()) for _ in range(8)))

    assert len({receipt.reference for receipt in receipts}) == 1
    assert await sandbox.money() == {"refund": "640.00"}


async def test_repeated_call_is_marked_as_a_replay(sandbox: RunningSandbox) -> None:
    async def post() -> str | None:
        body = command().model_dump(mode="json")
        headers = {"Idempotency-Key": command().key}
        answer = await sandbox.admin.post("/refunds/steps", json=body, headers=headers)
        mark: str | None = answer.headers.get("Idempotent-Replayed")
        return mark

    assert await post() is None
    assert await post() == "true"


async def test_replay_returns_the_first_answer(partners: Partners, sandbox: RunningSandbox) -> None:
    """As payment providers do; a look-up returns the current state."""
    await sandbox.order(reports=[{"state": "done", "after": 0}])
    first = await partners.steps["warehouse"].carry_out(command("gift"))
    await sandbox.reports.get()

    assert await partners.steps["warehouse"].carry_out(command("gift")) == first
    found = await partners.steps["warehouse"].find(command("gift").key)
    assert first.state is ReceiptState.ACCEPTED
    assert found is not None
    assert found.state is ReceiptState.DONE


@pytest.mark.parametrize("change", [{"amount": "640.01"}, {"order_id": "SO-2"}, {"currency": "EUR"}])
async def test_same_key_with_other_content_pays_nothing_and_proves_nothing(
    partners: Partners, sandbox: RunningSandbox, change: dict[str, str]
) -> None:
    """S25: something was done under the key, so the partner is asked; it does not count as a refusal."""
    await partners.steps["refunds"].carry_out(command())

    with pytest.raises(OutcomeUnknown, match="the key was used before with other content"):
        await partners.steps["refunds"].carry_out(command(**change))
    assert await sandbox.money() == {"refund": "640.00"}


async def test_other_keys_pay_again(partners: Partners, sandbox: RunningSandbox) -> None:
    """A second, legitimate payment is not lost."""
    await partners.steps["refunds"].carry_out(command())
    await partners.steps["refunds"].carry_out(command(key="HL-1/1/2/refund", amount="0.10"))
    await partners.steps["refunds"].carry_out(command("compensation", amount="128.00"))

    assert await sandbox.money() == {"refund": "640.10", "compensation": "128.00"}
    assert await sandbox.money("SO-2") == {}


async def test_expired_key_pays_twice(partners: Partners, sandbox: RunningSandbox) -> None:
    """S13, control arm: real partners forget keys, and the ledger shows the double payment."""
    first = await partners.steps["refunds"].carry_out(command())
    await sandbox.admin.delete("/_sandbox/keys")
    second = await partners.steps["refunds"].carry_out(command())

    assert second.reference != first.reference
    assert await sandbox.money() == {"refund": "1280.00"}


async def test_expired_key_can_still_be_looked_up(partners: Partners, sandbox: RunningSandbox) -> None:
    """S13: stop retrying before that, then ask."""
    first = await partners.steps["refunds"].carry_out(command())
    await sandbox.admin.delete("/_sandbox/keys")

    assert await partners.steps["refunds"].find(command().key) == first


async def test_lifetime_of_keys_is_a_setting(start_sandbox: Start) -> None:
    async with start_sandbox(key_life=timedelta(0)) as sandbox, talk_to(sandbox.url) as partners:
        await partners.steps["refunds"].carry_out(command())
        await partners.steps["refunds"].carry_out(command())

        assert await sandbox.money() == {"refund": "1280.00"}


async def test_refusal_does_not_use_a_key_up(partners: Partners, sandbox: RunningSandbox) -> None:
    """A blocked step can be retried under the same key once the reason is gone (G6)."""
    goods = command("replacement", items=[{"sku": "SLATE-9", "quantity": 1}])
    await sandbox.order(stock={"SLATE-9": 0})
    with pytest.raises(PartnerRefused, match=r"^warehouse says: “out of stock: SLATE-9 \(0 left\)”$"):
        await partners.steps["warehouse"].carry_out(goods)
    assert await partners.steps["warehouse"].find(goods.key) is None

    await sandbox.order(stock={"SLATE-9": 1})

    assert (await partners.steps["warehouse"].carry_out(goods)).state is ReceiptState.ACCEPTED


@pytest.mark.parametrize(
    ("partner", "kind", "sentence"),
    [
        ("refunds", "gift", "refunds does not do gift, warehouse does"),
        ("warehouse", "refund", "warehouse does not do refund, refunds does"),
    ],
)
async def test_step_sent_to_the_wrong_partner_is_refused(
    partners: Partners, partner: str, kind: str, sentence: str
) -> None:
    with pytest.raises(PartnerRefused, match=sentence):
        await partners.steps[partner].carry_out(command(kind))


@pytest.mark.parametrize("amount", [None, "0.00"])
async def test_money_needs_an_amount(partners: Partners, sandbox: RunningSandbox, amount: str | None) -> None:
    with pytest.raises(PartnerRefused, match=r"refund needs an amount above 0\.00"):
        await partners.steps["refunds"].carry_out(command(amount=amount))
    assert await sandbox.money() == {}


async def test_without_a_crew_there_is_no_visit(partners: Partners, sandbox: RunningSandbox) -> None:
    await sandbox.order(crew="none")

    with pytest.raises(PartnerRefused, match=r"^installation says: “no crew”$"):
        await partners.steps["installation"].carry_out(command("rectification"))


async def test_key_in_the_header_that_differs_from_the_body_is_refused(sandbox: RunningSandbox) -> None:
    answer = await sandbox.admin.post(
        "/refunds/steps", json=command().model_dump(mode="json"), headers={"Idempotency-Key": "other"}
    )

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert await sandbox.money() == {}


async def test_invalid_answer_hides_a_payment_that_was_made(partners: Partners, sandbox: RunningSandbox) -> None:
    await sandbox.fault("nonsense", partner="refunds", count=1)

    with pytest.raises(OutcomeUnknown, match="refunds sent an invalid answer"):
        await partners.steps["refunds"].carry_out(command())
    assert await partners.steps["refunds"].find(command().key) is not None
    assert await sandbox.money() == {"refund": "640.00"}
