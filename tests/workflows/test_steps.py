"""Steps are carried out once, for any behaviour of the partner (G6, S13), and counted in the order's ledger (S15)."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from cases.reasons import Reason
from partners.ports import OutcomeUnknown, PartnerRefused, TryAgain
from records import EntryState, Records
from tests.engine import Workshop, eventually, step
from tests.fakes import FakePartners, FakeSteps, Turn
from tests.workflows.conftest import Open, agreed, offered

REFUND, COMPENSATION = Decimal("12800.00"), Decimal("1280.00")
TWENTY_PERCENT = {"kind": "compensation", "amount": "2560.00"}


def calls(partner: FakeSteps, kind: str) -> list[str]:
    """Return the keys of the calls for steps of this kind, in order."""
    return [command.key for command in partner.commands if command.kind == kind]


async def test_refund_and_compensation_are_two_payments_each_made_once(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """B12, S14."""
    case = await open_case()
    await agreed(case)

    seen = await case.becomes("following_up")

    assert calls(partners.refunds, "refund") == [f"{case.id}/1/o1/refund"]
    assert calls(partners.refunds, "compensation") == [f"{case.id}/1/o1/compensation"]
    assert seen["paid"] == {"refund": "12800.00", "compensation": "1280.00", "coupon": "0.00"}
    assert records.paid_out(seen["order_id"]) == {"refund": REFUND, "compensation": COMPENSATION}


async def test_payment_whose_answer_got_lost_is_asked_for_and_not_made_again(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S13: a time-out means unknown, and the partner's records decide."""
    answer = asyncio.Event()
    partners.refunds.will(Turn(raises=OutcomeUnknown("no answer within 8 s"), done=True))
    partners.refunds.when_asked(Turn(until=answer))
    case = await open_case()
    await agreed(case)

    seen = await case.until(lambda c: any(s["state"] == "unknown" for s in c["steps"]))
    assert any("has not reported whether it was done" in need["text"] for need in seen["needs"])
    answer.set()
    seen = await case.becomes("following_up")

    keys = [command.key for command in partners.refunds.commands]
    assert len(keys) == len(set(keys)) == 2
    assert [key for key in partners.refunds.asked if key in keys]
    assert seen["paid"]["refund"] == "12800.00"
    assert {e["state"] for e in records.entries(case.id)} == {EntryState.COMMITTED}


async def test_payment_unknown_to_the_partner_is_sent_again_under_the_same_key(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S13."""
    lost = Turn(raises=OutcomeUnknown("connection reset"), done=False)
    partners.refunds.will(lost, lost)
    case = await open_case()
    await agreed(case)

    seen = await case.becomes("following_up")

    assert calls(partners.refunds, "refund") == [f"{case.id}/1/o1/refund"] * 2
    assert calls(partners.refunds, "compensation") == [f"{case.id}/1/o1/compensation"] * 2
    assert len(partners.refunds.receipts) == 2
    assert step(seen, "refund")["state"] == "done"
    assert len(records.entries(case.id)) == 2


async def test_nothing_is_sent_again_once_the_partner_may_have_forgotten_the_key(
    workshop: Workshop, open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S13: an hour before keys expire it is too late to send again; a person decides."""
    forgetful = workshop.parts.policies["building_materials"].model_copy(update={"key_lifetime": "1h"})
    workshop.parts.policies["building_materials"] = forgetful
    lost = Turn(raises=OutcomeUnknown("connection reset"), done=False)
    partners.refunds.will(lost, lost)
    case = await open_case()
    await agreed(case)

    seen = await case.until(lambda c: [s["state"] for s in c["steps"]] == ["blocked", "blocked"])

    assert "check there before you retry" in step(seen, "refund")["reason"]
    assert len(calls(partners.refunds, "refund")) == 1
    assert {e["state"] for e in records.entries(case.id)} == {EntryState.RESERVED}, (
        "reserved until the outcome is known"
    )


async def test_refused_step_is_blocked_and_tried_again_under_a_new_key_when_a_person_says_so(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """G6, S17: what has been paid stays paid."""
    partners.refunds.will(Turn(raises=PartnerRefused("card closed")), Turn(raises=PartnerRefused("card closed")))
    case = await open_case()
    await agreed(case)
    seen = await case.until(lambda c: [s["state"] for s in c["steps"]] == ["blocked", "blocked"])
    assert step(seen, "refund")["reason"] == "card closed"
    assert step(seen, "refund")["team"] == "logistics"
    await case.at_rest()
    assert {e["state"] for e in records.entries(case.id)} == {EntryState.RELEASED}

    await case.says("resolve-step", step="refund", action="retry", reason="new card", by="Zhao")
    await case.says("resolve-step", step="compensation", action="waive", reason="goodwill voucher instead", by="Zhao")
    seen = await case.becomes("following_up")

    assert calls(partners.refunds, "refund") == [f"{case.id}/1/o1/refund", f"{case.id}/1/o1/refund/2"]
    assert step(seen, "compensation")["state"] == "waived"
    assert seen["paid"] == {"refund": "12800.00", "compensation": "0.00", "coupon": "0.00"}
    assert records.paid_out(seen["order_id"]) == {"refund": REFUND}


async def test_busy_partner_is_asked_again_after_as_long_as_it_wants(open_case: Open, partners: FakePartners) -> None:
    """A later attempt asks by key before it sends, because the first may have arrived."""
    partners.warehouse.will(Turn(raises=TryAgain("busy", retry_after=600)))
    case = await open_case()
    await agreed(case, "moderate")

    async def backs_off() -> Any:
        pending = (await case.handle.describe()).raw_description.pending_activities
        return next((a.current_retry_interval.ToTimedelta() for a in pending if a.attempt == 2), None)

    assert await eventually(backs_off) == pytest.approx(timedelta(minutes=10), abs=timedelta(seconds=1))
    assert len(partners.warehouse.commands) == 1

    await case.after(minutes=11)
    seen = await case.until(lambda c: step(c, "replacement")["reference"])

    assert calls(partners.warehouse, "replacement") == [f"{case.id}/1/o1/replacement"] * 2
    assert partners.warehouse.asked == [f"{case.id}/1/o1/replacement"]
    assert step(seen, "replacement")["attempts"] == 1


async def test_step_goes_to_a_person_when_its_partner_is_down_for_half_a_day(
    open_case: Open, partners: FakePartners
) -> None:
    """G6: nothing was done, so the same key may be used again."""
    partners.warehouse.will(*[Turn(raises=TryAgain("down", retry_after=3_600))] * 20)
    partners.warehouse.when_asked(*[Turn(raises=TryAgain("down", retry_after=3_600))] * 20)
    case = await open_case()
    await agreed(case, "moderate")
    await eventually(lambda: _is_true(partners.warehouse.commands))

    await case.after(hours=13)
    seen = await case.until(lambda c: step(c, "replacement")["state"] == "blocked")
    assert any("replacement is blocked" in need["text"] for need in seen["needs"])

    partners.warehouse.recovers()
    await case.says("resolve-step", step="replacement", action="retry", reason="they are back", by="Zhao")
    await case.until(lambda c: step(c, "replacement")["reference"])
    assert set(calls(partners.warehouse, "replacement")) == {f"{case.id}/1/o1/replacement"}


async def test_report_that_overtakes_the_answer_to_the_call_counts(open_case: Open, partners: FakePartners) -> None:
    """A later state is never undone."""
    answer = asyncio.Event()
    partners.warehouse.will(Turn(until=answer))
    case = await open_case()
    await agreed(case, "moderate")
    await eventually(lambda: _is_true(partners.warehouse.commands))

    await case.signals("step-reported", step="replacement", state="done", by="warehouse", message_id="w-1")
    await case.until(lambda c: step(c, "replacement")["state"] == "done")
    answer.set()
    await case.until(lambda c: step(c, "collection")["state"] == "running")
    await case.at_rest()

    seen = await case.snapshot()
    assert step(seen, "replacement")["state"] == "done"
    assert [e["what"] for e in seen["timeline"]].count("step done") == 1
    assert seen["refused"] == []


async def test_goods_are_shipped_before_the_old_ones_are_collected(open_case: Open, partners: FakePartners) -> None:
    """G6."""
    case = await open_case()
    await agreed(case, "moderate")
    seen = await case.until(lambda c: step(c, "replacement")["reference"])
    assert step(seen, "collection")["state"] == "waiting"
    assert partners.logistics.commands == []

    await case.signals("step-reported", step="replacement", state="dispatched")
    seen = await case.until(lambda c: step(c, "collection")["reference"])

    assert calls(partners.logistics, "collection") == [f"{case.id}/1/o1/collection"]


@pytest.mark.parametrize("how", ["call", "report"])
async def test_step_that_the_partner_cannot_do_goes_to_a_person(
    open_case: Open, partners: FakePartners, how: str
) -> None:
    """G6: its team is notified, with the reason in structured form."""
    why = Reason.of("partner_says", who="warehouse", words="out of stock: SLATE-9")
    if how == "call":
        partners.warehouse.will(Turn(raises=PartnerRefused(why)))
    case = await open_case()
    await agreed(case, "moderate")
    if how == "report":
        await case.until(lambda c: step(c, "replacement")["reference"])
        await case.signals("step-reported", step="replacement", state="failed", detail="out of stock: SLATE-9")

    seen = await case.until(lambda c: step(c, "replacement")["state"] == "blocked")
    await eventually(lambda: _is_true([n for n in partners.messaging.notices.values() if n.event == "step_blocked"]))

    assert step(seen, "replacement")["reason"] == str(why)
    notice = next(n for n in partners.messaging.notices.values() if n.event == "step_blocked")
    assert notice.facts["reason"] == why.model_dump()
    assert step(seen, "collection")["state"] == "waiting"


async def test_two_cases_of_one_order_never_refund_more_than_was_paid(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S15."""
    order = {"order_id": "SO-SHARED"}
    first, second = await open_case(order=order), await open_case(order=order, topic="goods.quality")

    await asyncio.gather(agreed(first), agreed(second))
    seen = [await case.until(lambda c: step(c, "refund")["state"] in ("done", "blocked")) for case in (first, second)]

    assert sorted(step(c, "refund")["state"] for c in seen) == ["blocked", "done"]
    blocked = next(step(c, "refund") for c in seen if step(c, "refund")["state"] == "blocked")
    assert "12800.00 is refunded or reserved already" in blocked["reason"]
    await eventually(lambda: _is_true(len(partners.refunds.receipts) == 3))
    assert records.paid_out("SO-SHARED")["refund"] == REFUND


async def test_two_cases_of_one_order_get_no_more_than_its_limit_without_approval(
    open_case: Open, partners: FakePartners, records: Records
) -> None:
    """S15, S20: 20 % each is more than 30 % of the order; the agent who made the offer cannot approve the second."""
    order = {"order_id": "SO-LIMITED"}
    cases = [await open_case(order=order, topic=topic) for topic in ("transport.damage", "goods.quality")]
    for case in cases:
        await offered(case, "severe")
        await case.says("propose", options=[{"key": "more", "remedies": [TWENTY_PERCENT]}], by="Zhao")
        await case.becomes("awaiting_consent")

    await asyncio.gather(*(case.says("customer-approved", by="Wang Li") for case in cases))
    for case in cases:
        await case.until(lambda c: step(c, "compensation")["state"] in ("done", "blocked"))
    [blocked] = [c for c in cases if step(await c.snapshot(), "compensation")["state"] == "blocked"]
    reason = step(await blocked.snapshot(), "compensation")["reason"]
    with pytest.raises(WorkflowUpdateFailedError, match="update failed") as refused:
        await blocked.says("resolve-step", step="compensation", action="retry", reason="both are right", by="Zhao")
    before = records.paid_out("SO-LIMITED")
    await blocked.says("resolve-step", step="compensation", action="retry", reason="both are right", by="Chen")
    await blocked.becomes("following_up")

    assert "over all its cases 3840.00 may be paid besides refunds, 2560.00 is paid or reserved already" in reason
    assert "a person who did not prepare it can approve it" in reason
    assert "Zhao prepared compensation" in str(refused.value.cause)
    assert before == {"compensation": Decimal("2560.00")}
    assert records.paid_out("SO-LIMITED") == {"compensation": Decimal("5120.00")}
    assert len(partners.refunds.receipts) == 2


async def test_replaced_step_brings_another_offer(open_case: Open, partners: FakePartners) -> None:
    """G6: `replace` waives it, and an agent makes another offer."""
    partners.warehouse.will(Turn(raises=PartnerRefused("out of stock")))
    case = await open_case()
    await agreed(case, "moderate")
    await case.until(lambda c: step(c, "replacement")["state"] == "blocked")

    await case.says("resolve-step", step="replacement", action="replace", reason="no more of them", by="Zhao")
    seen = await case.becomes("assessing")

    assert step(seen, "collection")["state"] == "waived"
    assert any("to be replaced" in need["text"] for need in seen["needs"])
    answer = await case.says("assess", severity="severe", by="Zhao")
    assert answer["offer"]["id"] == "o2"


async def _is_true(value: object) -> bool:
    return bool(value)
