"""Stories of infant formula (M1-M15)."""

from demo.narrator import Narrator
from demo.play import Stage
from demo.stories.people import AGENT, ends_after_callback


async def opened(stage: Stage, narrator: Narrator) -> None:
    """M1, M12: the complaint says that the call was answered. Nothing is due for an opened tin; this is explained."""
    case = await stage.open(
        narrator,
        case_id="DEMO-18",
        line="infant_formula",
        topic="return.unwanted",
        picked_up_after=12,
        order_id="IF-OPENED",
        delivered_days_ago=3,
        description="宝宝不爱喝，开了一罐，想退两罐。",
        wish="refund",
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", sealed=False, cause="奶粉开封后不能退回再售")
    await case.ends("rejected", kept=("acknowledge", "detailed_result"))
    await case.show_message("explanation")


async def sealed(stage: Stage, narrator: Narrator) -> None:
    """M11: 2 × 234.00 less 12.00."""
    case = await stage.open(
        narrator,
        case_id="DEMO-19",
        line="infant_formula",
        topic="return.unwanted",
        channel="wechat",
        order_id="IF-SEALED",
        delivered_days_ago=3,
        description="买多了，没拆封，想退两罐。",
        wish="refund",
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", sealed=True)
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved")
    await ends_after_callback(case, paid={"refund": "456.00"})


async def question(stage: Stage, narrator: Narrator) -> None:
    """M2, M14: an agent answers; the customer gets the agent's text."""
    case = await stage.open(
        narrator,
        case_id="DEMO-20",
        line="infant_formula",
        topic="inquiry",
        channel="chat",
        picked_up_after=4,
        order_id="IF-QUESTION",
        description="宝宝十个月，应该喝几段？",
        wish="information",
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", cause="6–12 月龄适用 2 段（较大婴儿配方奶粉）；转奶请在一周内逐步替换。")
    await case.ends("informed", kept=("acknowledge",))
    await case.show_message("answer")
