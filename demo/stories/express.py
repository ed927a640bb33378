"""Stories of parcel delivery (E1-E14)."""

from demo.narrator import Narrator
from demo.play import Stage
from demo.stories.people import AGENT, CLAIMS, ends_after_callback


async def where_is_it(stage: Stage, narrator: Narrator) -> None:
    """G3: answered from the tracking history, without an agent."""
    case = await stage.open(
        narrator,
        case_id="DEMO-22",
        line="express",
        topic="tracking",
        channel="website",
        order_id="EX-TODAY",
        description="我的快递到哪里了？",
        wish="information",
    )
    await case.ends("informed", kept=("acknowledge",))
    await case.show_message("answer")


async def claim_for_loss(stage: Stage, narrator: Narrator) -> None:
    """E3, E4, E13: the search starts at once, the 7 days start with the documents, and two people decide."""
    case = await stage.open(
        narrator,
        case_id="DEMO-23",
        line="express",
        topic="claim.loss",
        channel="app",
        order_id="EX-LOST",
        order={"declared_value": "3000.00", "goods_value": "3000.00"},
        description="保价的快递五天没有动静，申请理赔。",
        wish="compensate",
    )
    await case.until("the search has started", lambda s: any(x.reference for x in s.steps))
    await case.passes(hours=26)
    await case.does(case.customer, "evidence-received", evidence=[{"kind": "proof_of_value", "uri": "s3://c/invoice"}])
    await case.passes(hours=47)
    await case.until_status("awaiting_approval")
    await case.does(AGENT, "assess", cause="中转途中遗失")
    await case.is_refused(AGENT, "approve")
    await case.does(CLAIMS, "approve", note="保价有效，单据齐全")
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved")
    money = {"compensation": "3000.00", "refund": "28.00"}
    await ends_after_callback(case, paid=money, kept=("acknowledge", "claim_decision", "claim_paid"))
