"""Paths of a carrier claim that the demo does not take (B16); see `paths.py`."""

from datetime import timedelta

from partners.ports import OutcomeUnknown, TryAgain
from tests.fakes import Turn
from tests.replay.scene import DISPATCHED, FOUR_DAYS, LOST, NO, Scene, over, passes


async def claim_expires(scene: Scene) -> None:
    """Its window has closed; another claim is refused daily until its window closes."""
    await over(await scene.claim("claim-late", timedelta(days=31), DISPATCHED))
    scene.partners.logistics.will(*[NO] * 20)
    case = await scene.claim("claim-refused", timedelta(days=28), DISPATCHED)
    await case.at_rest()
    await passes(case, days=4)
    await over(case)


async def claim_asked_before(scene: Scene) -> None:
    """S25: it was refused; before it is filed under a new key, the carrier is asked for the old one."""
    scene.partners.logistics.will(NO)
    claim = await scene.claim("claim-asked-before", FOUR_DAYS, DISPATCHED)
    await claim.at_rest()
    await passes(claim, hours=25)
    await claim.says("step-reported", step="carrier_claim", state="done")
    await over(claim)


async def claim_reset(scene: Scene) -> None:
    """S25: it was refused, then filed under a new key; after a reset our database supplies that key."""
    scene.partners.logistics.will(NO)
    claim = await scene.claim("claim-reset", FOUR_DAYS, DISPATCHED)
    await claim.at_rest()
    await passes(claim, hours=25)
    await claim.reset("logistics-step")
    await claim.at_rest()
    await claim.says("step-reported", step="carrier_claim", state="done")
    await over(claim)


async def claim_waits(scene: Scene) -> None:
    """It waits for its window, for documents, for the carrier's answer from a person; invalid messages."""
    claim = await scene.claim("claim-waits", timedelta(days=1), None)
    await claim.at_rest()
    await passes(claim, days=3)
    for name in ("evidence-received", "step-reported", "claim-settled", "hurry-up"):
        await claim.signals(name)
    await claim.says("evidence-received", evidence=[{"kind": "document", "uri": "s3://claims/note.pdf"}], by="Zhao")
    await claim.at_rest()
    await passes(claim, days=31)
    await claim.says("claim-settled", recovered="9000.00", by="Zhao")
    await over(claim)


async def claim_lost(scene: Scene) -> None:
    """S13: the answer to its filing was lost twice; the carrier is asked; then it reports by update."""
    scene.partners.logistics.will(LOST, Turn(raises=OutcomeUnknown("no answer"), done=True))
    claim = await scene.claim("claim-lost", FOUR_DAYS, DISPATCHED)
    await claim.at_rest()
    await claim.says("step-reported", step="carrier_claim", state="done")
    await over(claim)
    scene.partners.logistics.will(LOST)
    scene.partners.logistics.when_asked(Turn(raises=TryAgain("down", retry_after=24 * 3_600)))
    never = await scene.claim("claim-never-known", FOUR_DAYS, DISPATCHED)
    await never.at_rest()
    await passes(never, hours=25)
    await never.signals("claim-settled", recovered="0.00")
    await over(never)


async def claim_cancelled(scene: Scene) -> None:
    """An operator cancels it."""
    claim = await scene.claim("claim-cancelled", FOUR_DAYS, DISPATCHED)
    await claim.at_rest()
    await claim.handle.cancel()
    await over(claim)
