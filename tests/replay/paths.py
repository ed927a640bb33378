"""Ways of a case that the demonstration does not go, each played on a real server to leave golden histories.

A path is a coroutine; what it does is in its docstring. Its cases are called PATH-…: histories keep their names.
"""

import asyncio
from datetime import UTC, datetime

from cases.complaint import Complaint
from cases.entitlement.follow_up import follow_up
from cases.inbox.messages import FACTS
from cases.partner_calls import ReceiptState, Trail, TrailState
from partners.ports import OutcomeUnknown, PartnerRefused, TryAgain
from records import RecordsUnavailable
from tests.complaints import complaint
from tests.engine import eventually, step
from tests.fakes import Turn
from tests.replay import claim_paths
from tests.replay.scene import AWAY, LOST, PHOTO, Path, Scene, fails, over
from tests.workflows.conftest import agreed, offered

# Its beginning


async def records_away(scene: Scene) -> None:
    """Our records are down: a follow-up is admitted, and its id claimed, through the server."""
    content = complaint(case_id="PATH-before")
    first = await scene.workshop.take_in(content)
    await offered(first, "moderate")
    await first.says("complaint-withdrawn")
    await over(first)
    for method in ("case", "open_case"):
        fails(scene.workshop.parts.records, method, RecordsUnavailable("down"))
    again = follow_up(Complaint.model_validate(content), datetime.now(UTC)) | {"case_id": "PATH-follow-up"}
    case = await scene.workshop.take_in(again)
    await case.becomes("awaiting_consent")
    await case.says("complaint-withdrawn")
    await over(case)


async def refused_at_the_door(scene: Scene) -> None:
    """Not a complaint; and an id that was used by another case."""
    await over(await scene.case("invalid", channel="pigeon"))
    records = scene.workshop.parts.records
    content = complaint(case_id="PATH-taken")
    names = {"line": content["line"], "topic": content["topic"], "order_id": content["order"]["order_id"]}
    now = datetime.now(UTC)
    records.open_case("PATH-taken", "another run", **names, received_at=now, opened_at=now)
    await over(await scene.workshop.take_in(content))


async def partners_away(scene: Scene) -> None:
    """No partner can be asked at first; each is asked through the server then. One case stays open."""
    for partner in (scene.partners.logistics, scene.partners.warehouse, scene.partners.installation):
        partner.when_looked_up(AWAY)
    late = await scene.case("look-up", topic="transport.delay")
    unknown = await scene.case("look-up-given-up", topic="installation.defect")
    for case in (late, unknown):
        await case.becomes("assessing")
    scene.partners.installation.when_looked_up(Turn(raises=PartnerRefused("no such order")))
    for case in (late, unknown):
        await case.after(hours=1, minutes=5)
    await unknown.handle.cancel()
    await over(unknown)


# Messages


async def messages(scene: Scene) -> None:
    """Every signal, refused as it makes no sense; then facts as signals and updates that no story needs."""
    case = await scene.case("messages")
    await case.becomes("assessing")
    for name in [*FACTS, "complaint-linked", "case-closed", "hurry-up"]:
        await case.signals(name, nonsense=name)
    await case.until(lambda c: any(r["message"] == "hurry-up" for r in c["refused"]))
    await case.after(hours=49)
    await case.says("acknowledge-escalation", promise="detailed_result", by="Zhao")
    await case.says("note", text="called the depot", by="Zhao")
    await case.says("contact-made", note="called", by="Zhao")
    await case.says("assess", severity="moderate", by="Zhao")
    await case.becomes("awaiting_consent")
    await case.signals("customer-approved")
    await case.until(lambda c: step(c, "replacement")["reference"])
    await case.says("step-reported", step="replacement", state="dispatched")
    await case.until(lambda c: step(c, "collection")["reference"])
    await case.says("step-reported", step="replacement", state="done")
    await case.says("step-reported", step="collection", state="done")
    await case.becomes("following_up")
    await case.signals("satisfaction-reported", score=4)
    await over(case)


async def moved_to_another_policy(scene: Scene) -> None:
    """S18: its deadline is nearer, and rungs are due at once; again changes nothing; then it is undone."""
    case = await scene.case("moved")
    await case.becomes("assessing")
    await case.after(hours=30)
    before = scene.workshop.parts.policies["building_materials"]
    shorter = [r.model_copy(update={"within": "24h"}) if r.rule == "B4" else r for r in before.promises]
    scene.policy(version="2026-12+shorter", promises=shorter)
    await case.says("move-policy", by="Zhao", reason="24 hours for all")
    await case.until(lambda c: len(c["escalations"]) == 2)
    await case.says("move-policy", by="Zhao", reason="24 hours for all")
    scene.workshop.parts.policies["building_materials"] = before
    await case.says("move-policy", by="Zhao", reason="a mistake")
    await case.says("complaint-withdrawn")
    await over(case)


async def channels_away(scene: Scene) -> None:
    """Messages, notices and callbacks go through the server; the customer never answers and is given up."""
    for port, method in (
        (scene.partners.messaging, "to_customer"),
        (scene.partners.messaging, "to_staff"),
        (scene.partners.callbacks, "ask"),
    ):
        fails(port, method, TryAgain("busy", retry_after=1))
    case = await scene.case("channels")
    await agreed(case)
    await case.becomes("following_up")
    await case.at_rest()
    await case.after(hours=73)
    await over(case)


async def unreachable_by_letter(scene: Scene) -> None:
    """No channel will ever take a letter; somebody calls, and the case is withdrawn."""
    scene.partners.messaging.unreachable = PartnerRefused("no channel has an address for them")
    case = await scene.case("undeliverable")
    await case.until(lambda c: any(e["what"] == "undeliverable" for e in c["timeline"]))
    await case.signals("contact-made", note="met at the depot")
    await case.becomes("assessing")
    await case.signals("complaint-withdrawn", reason="settled")
    await over(case)


# Steps


async def answers_lost(scene: Scene) -> None:
    """S13: each partner's answer gets lost, and it is asked; its owner is told; reports are asked after daily."""
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
    """A refused payment is tried again, another waived: what was reserved for it is released (S15)."""
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


async def sent_again(scene: Scene) -> None:
    """S25: a partner answers nothing clear and knows of nothing; before the third time the command waits a little."""
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


# Its end


async def cancelled(scene: Scene) -> None:
    """An operator cancels: a case that waits, and one in which a payment is under way."""
    case = await scene.case("cancelled")
    await case.becomes("assessing")
    await case.handle.cancel()
    await over(case)
    answer = asyncio.Event()
    scene.partners.refunds.will(Turn(until=answer), Turn(until=answer))
    paying = await scene.case("cancelled-paying")
    await agreed(paying)

    async def under_way() -> bool:
        return len(scene.partners.refunds.commands) == 2

    await eventually(under_way)
    await paying.handle.cancel()

    async def heard() -> bool:
        asked = await paying.events("WORKFLOW_EXECUTION_CANCEL_REQUESTED")
        return bool(asked) and not (await paying.handle.describe()).raw_description.HasField("pending_workflow_task")

    await eventually(heard)
    answer.set()
    await over(paying)


async def long_life(scene: Scene) -> None:
    """A case that continues as new, once and again, and then ends."""
    case = await scene.case("long")
    await agreed(case, "minor")
    await case.until(lambda c: step(c, "onsite_repair")["reference"])
    await case.after(days=5)
    await case.signals("step-reported", step="onsite_repair", state="done")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await over(case)


# Several cases


async def merged(scene: Scene) -> None:
    """G12, S22: a second complaint is handled by the first case, which gets its facts, and closes with it."""
    scene.policy(second_complaint="merge")
    order = {"order_id": "SO-PATH-merged"}
    first = await scene.case("merging", order=order)
    await first.becomes("assessing")
    second = await scene.case("merged", order=order, evidence=[PHOTO])
    await second.until(lambda c: c["links"])
    await second.signals("evidence-received", evidence=[{**PHOTO, "uri": "https://files.example.org/2.jpg"}])
    await first.until(lambda c: len(c["evidence"]) == 2)
    await first.says("complaint-withdrawn")
    await over(first)
    await over(second)


async def taken_over(scene: Scene) -> None:
    """G10, G12: marked as urgent; a second complaint claims more than was found, and its customer takes it back."""
    scene.policy(second_complaint="merge")
    order = {"order_id": "SO-PATH-taken-over"}
    first = await scene.case("taking-over", order=order)
    await first.becomes("assessing")
    await first.says("mark-urgent", reason="a child was hurt", by="Zhao")
    await offered(first, "moderate")
    second = await scene.case("taken-over", order=order, description="and the sill is cracked", wish="refund")
    await second.until(lambda c: c["links"])
    await first.until(lambda c: any(need["what"] == "second_complaint" for need in c["needs"]))
    await second.signals("complaint-withdrawn", reason="it was the same one")
    await first.until(lambda c: c["second_complaints"][0]["withdrawn"])
    await first.says("assess", severity="moderate", by="Zhao")
    await first.until(lambda c: c["status"] == "awaiting_consent" and not c["offers"][1]["accepted"])
    await first.says("complaint-withdrawn")
    await over(first)
    await over(second)


async def left_alone(scene: Scene) -> None:
    """S22: the first case is gone when a fact is passed on to it; a third complaint cannot reach it either."""
    scene.policy(second_complaint="merge")
    order = {"order_id": "SO-PATH-alone"}
    first = await scene.case("gone", order=order)
    await first.becomes("assessing")
    second = await scene.case("left-alone", order=order)
    await second.until(lambda c: c["links"])
    await first.handle.terminate()
    scene.workshop.taken_in.remove(first.handle.id)
    await second.signals("evidence-received", evidence=[PHOTO])
    await second.until(lambda c: c["cycle"] == 2)
    await second.becomes("assessing")
    await second.says("complaint-withdrawn")
    await over(second)


async def units_of_an_order(scene: Scene) -> None:
    """S35: what the first case made good the second is not offered; what it proposes somebody approves.

    Of the second, the shipment is waived, so that what was reserved for it is released at its end.
    """
    order, all_of_it = {"order_id": "SO-PATH-units"}, [{"sku": "SLATE-9", "quantity": 4}]
    first = await scene.case("units-first", order=order, affected=all_of_it)
    await agreed(first, "moderate")
    await first.until(lambda c: step(c, "replacement")["reference"])
    second = await scene.case("units-second", order=order, topic="goods.quality", affected=all_of_it)
    await second.becomes("assessing")
    await second.says("assess", severity="moderate", by="Zhao")
    own = [{"key": "own", "remedies": [{"kind": "replacement"}]}]
    await second.says("propose", options=own, by="Zhao")
    scene.partners.warehouse.will(Turn(raises=PartnerRefused("out of stock")))
    await second.says("approve", by="Chen")
    await second.becomes("awaiting_consent")
    await second.signals("customer-approved")
    await second.until(lambda c: step(c, "replacement")["state"] == "blocked")
    await second.says("resolve-step", step="replacement", action="waive", reason="settled by phone", by="Chen")
    await second.at_rest()
    await second.handle.cancel()
    await over(second)
    for name in ("replacement", "collection"):
        await first.until(lambda c, name=name: step(c, name)["reference"])  # type: ignore[misc]
        await first.says("step-reported", step=name, state="done")
    await first.becomes("following_up")
    await first.says("satisfaction-reported", score=5)
    await over(first)


async def account_read_again(scene: Scene) -> None:
    """S35: evidence comes when another case of the order has been paid; what is left is offered.

    It comes as a signal; to a case of another order it comes as an update.
    """
    scene.partners.logistics.knows = Trail(state=TrailState.LOST)
    order = {"order_id": "SO-PATH-again", "amount": "18.00", "freight": "18.00", "goods_value": "90.00", "items": []}
    second = await scene.case("again-second", line="express", topic="claim.loss", order=order)
    await second.becomes("awaiting_evidence")
    first = await scene.case("again-first", line="express", topic="transport.loss", order=order)
    await first.becomes("awaiting_consent")
    await first.says("customer-approved", by="Wang Li")
    await first.becomes("following_up")
    proof = [{"kind": "proof_of_value", "uri": "https://files.example.org/1.pdf"}]
    await second.signals("evidence-received", evidence=proof)
    await second.until(lambda c: any(e["what"] == "not offered" for e in c["timeline"]))
    alone = order | {"order_id": "SO-PATH-again-alone"}
    third = await scene.case("again-alone", line="express", topic="claim.loss", order=alone)
    await third.becomes("awaiting_evidence")
    await third.says("evidence-received", evidence=proof)
    await third.becomes("awaiting_approval")
    for case in (second, third):
        await case.says("complaint-withdrawn")
        await over(case)
    await first.says("satisfaction-reported", score=5)
    await over(first)


ALL: dict[str, Path] = {
    path.__name__: path
    for path in (
        records_away,
        refused_at_the_door,
        partners_away,
        messages,
        moved_to_another_policy,
        channels_away,
        unreachable_by_letter,
        answers_lost,
        payment_waived,
        reset,
        taken_back,
        reported_first,
        answered_last,
        sent_again,
        cancelled,
        long_life,
        merged,
        taken_over,
        left_alone,
        units_of_an_order,
        account_read_again,
        claim_paths.claim_expires,
        claim_paths.claim_asked_before,
        claim_paths.claim_waits,
        claim_paths.claim_lost,
        claim_paths.claim_cancelled,
    )
}
"""What the recorder plays besides the demonstration."""
