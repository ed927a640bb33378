"""Paths of steps that the demo does not take: lost answers, refusals, late reports; see `paths.py`."""

import asyncio
from unittest.mock import patch

from cases.inbox import receiving
from cases.partner_calls import ReceiptState
from partners.ports import OutcomeUnknown, PartnerRefused
from tests.engine import eventually, step
from tests.fakes import Turn
from tests.replay.scene import AWAY, LOST, PHOTO, Scene, over
from tests.workflows.conftest import agreed


async def answers_lost(scene: Scene) -> None:
    """S13: each partner's answer is lost, and it is asked; the owner is notified; then it is asked daily."""
    moderate, minor = await scene.case("unknown-goods"), await scene.case("unknown-visit")
    for partner in (scene.partners.warehouse, scene.partners.logistics, scene.partners.installation):
        partner.will(LOST)
        partner.when_asked(AWAY)
    await agreed(moderate, "moderate")
    await agreed(minor, "minor")
    for case, steps in ((moderate, ("replacement", "collection")), (minor, ("onsite_repair",))):
        for name in steps:
            await case.until(lambda c, name=name: step(c, name)["state"] == "unknown")  # type: ignore[misc]
            await case.after(hours=2)
            await case.until(lambda c, name=name: step(c, name)["reference"])  # type: ignore[misc]
            await case.after(days=1)
            await case.signals("step-reported", step=name, state="done")
        await case.becomes("following_up")
        await case.says("satisfaction-reported", score=5)
        await over(case)


async def payment_waived(scene: Scene) -> None:
    """A refused payment is retried, another waived: its reservation is released (S15)."""
    refused = Turn(raises=PartnerRefused("card closed"))
    scene.partners.refunds.will(refused, refused)
    case = await scene.case("blocked")
    await agreed(case)
    await case.until(lambda c: [s["state"] for s in c["steps"]] == ["blocked", "blocked"])
    await case.says("resolve-step", step="refund", action="retry", reason="new card", by="Zhao")
    await case.says("resolve-step", step="compensation", action="waive", reason="a voucher", by="Zhao")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await over(case)


async def waived_by_an_older_build(scene: Scene) -> None:
    """S28: an older build accepted waiving a refund while its goods are collected; this is refused now."""
    scene.partners.refunds.will(Turn(raises=PartnerRefused("account closed")))
    tin = {"sku": "IF-900", "quantity": 1}
    items = [{**tin, "name": "Formula 900 g", "unit_price": "298.00"}]
    order = {"amount": "298.00", "freight": "0.00", "items": items}
    with patch.object(receiving, "check_returns"):
        case = await scene.case("waived", line="infant_formula", topic="return.quality", order=order, affected=[tin])
        await case.becomes("awaiting_evidence")
        batch = {"kind": "batch_number", "uri": "L2026-11"}
        await case.says("evidence-received", evidence=[PHOTO, batch], by="Zhao")
        await case.becomes("assessing")
        await case.says("assess", upheld=True, by="Zhao")
        await case.becomes("awaiting_consent")
        await case.says("customer-approved", option="refund", by="Wang Li")
        await case.until(lambda c: step(c, "refund")["state"] == "blocked" and step(c, "collection")["reference"])
        await case.says("resolve-step", step="refund", action="waive", reason="paid in cash", by="Zhao")
    await case.says("step-reported", step="collection", state="done")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=3)
    await over(case)


async def sent_again(scene: Scene) -> None:
    """S25: a partner gives no clear answer and knows nothing; the third command is delayed a little."""
    scene.partners.installation.will(LOST, LOST)
    case = await scene.case("sent-again")
    await agreed(case, "minor")
    await case.until(lambda c: step(c, "onsite_repair")["state"] == "unknown")
    await case.until(lambda c: step(c, "onsite_repair")["reference"])
    await case.signals("step-reported", step="onsite_repair", state="done")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await over(case)


async def reset(scene: Scene) -> None:
    """S25: a retry asks by the old key; after a reset, the ledger names the key that the case has forgotten."""
    scene.partners.refunds.will(Turn(raises=PartnerRefused("declined")))
    case = await scene.case("reset")
    await agreed(case)
    await case.until(lambda c: step(c, "refund")["state"] == "blocked")
    await case.says("resolve-step", step="refund", action="retry", reason="new account", by="Zhao")
    await case.becomes("following_up")
    await case.reset("refunds-step")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await over(case)


async def taken_back(scene: Scene) -> None:
    """S25, S27: a payment is taken back after it was done; a retry asks by the old key, then pays under a new one."""
    case = await scene.case("taken-back")
    await agreed(case)
    await case.becomes("following_up")
    await case.signals("step-reported", step="refund", state="failed", detail="account closed")
    await case.until(lambda c: step(c, "refund")["state"] == "blocked")
    scene.partners.refunds.will_find(f"{case.id}/1/o1/refund", ReceiptState.FAILED)
    await case.says("resolve-step", step="refund", action="retry", reason="new account", by="Zhao")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await over(case)


async def reported_both_ways(scene: Scene) -> None:
    """S26, S27: reported as failed, then as done: the partner is asked. A payment taken back is not asked daily."""
    failed = Turn(state=ReceiptState.FAILED)
    scene.partners.refunds.will(failed, failed)
    case = await scene.case("contradicted")
    await agreed(case)
    await case.until(lambda c: [s["state"] for s in c["steps"]] == ["blocked", "blocked"])
    for name in ("refund", "compensation"):
        scene.partners.refunds.will_find(f"{case.id}/1/o1/{name}", ReceiptState.DONE)
        await case.signals("step-reported", step=name, state="done", by="refunds")
        await case.until(lambda c, name=name: step(c, name)["state"] == "done")  # type: ignore[misc]
    await case.becomes("following_up")
    await case.signals("step-reported", step="refund", state="failed", detail="account closed")
    await case.until(lambda c: step(c, "refund")["state"] == "blocked")
    await case.after(days=1)
    await case.says("resolve-step", step="refund", action="waive", reason="paid in cash", by="Zhao")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await over(case)


async def reported_first(scene: Scene) -> None:
    """S26: a payment is reported as done, then its answer is lost; the partner is asked for its number."""
    lost = asyncio.Event()
    scene.partners.refunds.will(Turn(until=lost, raises=OutcomeUnknown("no answer within 8 s"), done=True))
    case = await scene.case("reported-first")
    await agreed(case)

    async def asked() -> bool:
        return bool(scene.partners.refunds.commands)

    await eventually(asked)
    await case.signals("step-reported", step="refund", state="done", by="refunds")
    await case.until(lambda c: step(c, "refund")["state"] == "done")
    lost.set()
    await case.until(lambda c: step(c, "refund")["reference"] != "refunds")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await over(case)


async def answered_last(scene: Scene) -> None:
    """S26: a payment was reported as done, and the case closes before its call has been answered."""
    late = asyncio.Event()
    scene.partners.refunds.will(Turn(until=late))
    case = await scene.case("answered-last")
    await agreed(case)

    async def asked() -> bool:
        return bool(scene.partners.refunds.commands)

    await eventually(asked)
    await case.signals("step-reported", step="refund", state="done", by="refunds")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await case.becomes("closed")
    late.set()
    await over(case)
