"""Stories of fresh food for canteens and kitchens (F1-F16)."""

from cases.views.snapshot import Snapshot
from demo.narrator import Narrator
from demo.play import Stage
from demo.stories.people import AGENT, ends_after_callback

PHOTO = {"kind": "photo", "uri": "s3://complaints/eggs.jpg"}
REPORT = {"kind": "inspection_report", "uri": "s3://complaints/laboratory.pdf"}


async def no_photo(stage: Stage, narrator: Narrator) -> None:
    """G11, F10, F4: the clock of the solution resumes when the photo arrives."""
    case = await stage.open(
        narrator,
        case_id="DEMO-15",
        line="fresh_food",
        topic="goods.damage",
        channel="wechat",
        order_id="FF-EGGS",
        description="今早送来的鸡蛋碎了两箱。",
    )
    await case.until_status("awaiting_evidence")
    await case.passes(hours=13)
    await case.does(case.customer, "evidence-received", evidence=[PHOTO])
    await case.until_status("assessing")
    await case.does(AGENT, "assess", upheld=True, liable="delivery", cause="装车时堆压")
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved", option="replace")
    await ends_after_callback(case, paid={"compensation": "23.00"}, kept=("acknowledge", "solution", "make_good"))


async def unsafe(stage: Stage, narrator: Narrator) -> None:
    """F11: safety measures do not wait for a finding; the money waits for consent."""
    case = await stage.open(
        narrator,
        case_id="DEMO-16",
        line="fresh_food",
        topic="goods.safety",
        order_id="FF-UNSAFE",
        description="鸡蛋有异味，有人吃了不舒服。",
        evidence=[PHOTO, REPORT],
    )
    at_once = {"stop_use_notice", "collection"}
    await case.until("the stop-use notice and the pick-up have begun", lambda s: at_once == {x.id for x in s.steps})
    await case.show_message("stop_use_notice")
    await case.until_status("assessing")
    case.narrate(f"it is assigned to {case.snapshot.owner.name} from the start, and is first in every queue")
    await case.does(AGENT, "assess", upheld=True, liable="supplier", cause="冷链中断")
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved", option="refund")
    await ends_after_callback(
        case, paid={"refund": "460.00", "compensation": "46.00"}, kept=("acknowledge", "solution")
    )


async def complex_accident(stage: Stage, narrator: Narrator) -> None:
    """F3, F16: the plan within 24 hours, the result within 48, both counted from receipt."""
    case = await stage.open(
        narrator,
        case_id="DEMO-17",
        line="fresh_food",
        topic="transport.accident",
        order_id="FF-CRASH",
        description="送货车出了事故，整车食材都没到。",
    )
    await case.until_status("assessing")
    plan = "先从备用库存补发鸡蛋；车上其余食材清点后逐项处理。"
    await case.does(AGENT, "declare-complex", reason="事故责任待交警认定", plan=plan)
    await case.until("the plan is delivered", lambda s: "preliminary_plan" in _kept(s))
    await case.passes(hours=30)
    await case.does(AGENT, "assess", upheld=True, liable="delivery", cause="运输车辆追尾")
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved", option="reship")
    await ends_after_callback(case, kept=("preliminary_plan", "detailed_result"))


def _kept(snapshot: Snapshot) -> set[str]:
    return {promise.name for promise in snapshot.promises if promise.state == "kept"}
