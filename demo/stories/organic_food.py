"""Stories of organic food delivery (O1-O6)."""

from demo.narrator import Narrator
from demo.play import Stage
from demo.stories.people import LEAD, ends_after_callback


async def returned_in_the_app(stage: Stage, narrator: Narrator) -> None:
    """O2-O5, M10: decided within 24 hours, carried out within 5 working days; weekends do not count."""
    case = await stage.open(
        narrator,
        case_id="DEMO-21",
        line="organic_food",
        topic="return.quality",
        channel="app",
        order_id="OF-RICE",
        delivered_days_ago=1,
        description="大米里有小虫，申请换货。",
        wish="replace",
        evidence=[
            {"kind": "photo", "uri": "s3://complaints/rice.jpg"},
            {"kind": "batch_number", "uri": "urn:batch:20261101-7"},
        ],
    )
    await case.until_status("assessing")
    await case.passes(hours=3)
    await case.does(LEAD, "assign", owner="孙丽")
    await case.does("agent 孙丽", "assess", upheld=True, cause="该批次储存受潮")
    await case.until_status("awaiting_consent")
    await case.passes(hours=16)
    await case.does(case.customer, "customer-approved", option="exchange")
    await ends_after_callback(case, kept=("acknowledge", "assign", "return_decision", "return_done", "solution"))
