"""Paths of several cases of one order that the demo does not take; see `paths.py`."""

from cases.partner_calls import Trail, TrailState
from partners.ports import PartnerRefused
from tests.engine import step
from tests.fakes import Turn
from tests.replay.scene import PHOTO, Scene, over
from tests.workflows.conftest import agreed, offered


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
    """G10, G12: marked as urgent; a second complaint claims more than was found, and its customer withdraws it."""
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
    """S35: what the first case made good is not offered again; a second person approves what it proposes.

    The second case's shipment is waived, and its reservation is released at its end.
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
    """S35: evidence comes when another case of the order has been paid; the remainder is offered.

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
