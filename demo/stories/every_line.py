"""Stories that do not depend on the line of business."""

from demo.narrator import Narrator
from demo.play import Stage
from demo.stories.people import AGENT, LEAD, ends_after_callback


async def out_of_stock(stage: Stage, narrator: Narrator) -> None:
    """G6: a step that cannot be carried out goes to a person; the customer gets a daily update (G7)."""
    case = await stage.open(
        narrator, case_id="DEMO-10", topic="transport.damage", order_id="SO-EMPTY", description="一块岩板断了，急着用。"
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="moderate")
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved")
    await case.until("the replacement is blocked", lambda s: any(x.state == "blocked" for x in s.steps))
    await case.passes(hours=20)
    await stage.at_partners("POST", "/_sandbox/orders/SO-EMPTY", json={"stock": {"SLATE-9": 8}})
    case.narrate("[blue]the warehouse has new stock[/]")
    await case.does(AGENT, "resolve-step", step="replacement", action="retry", reason="new stock has come in")
    await ends_after_callback(case)


async def withdrawn(stage: Stage, narrator: Narrator) -> None:
    """G12: the customer withdraws the complaint."""
    case = await stage.open(
        narrator, case_id="DEMO-11", topic="goods.quality", order_id="SO-COLOUR", description="颜色好像有色差。"
    )
    await case.until_status("assessing")
    await case.does(case.customer, "complaint-withdrawn", reason="it was the light")
    await case.ends("withdrawn")


async def sent_twice(stage: Stage, narrator: Narrator) -> None:
    """G1: the same complaint sent twice is one case; a message sent twice is applied once."""
    case = await stage.open(
        narrator, case_id="DEMO-12", topic="installation.attitude", order_id="SO-RUDE", description="安装师傅态度很差。"
    )
    again = await stage.start(case.complaint)
    case.narrate(f"the upstream system sends the same complaint again: it reaches the same case ({again.id})")
    await case.until_status("assessing")
    for attempt in (1, 2):
        answer = await case.does(AGENT, "assess", upheld=True, message_id="crm-4711")
        if answer["applied"] is not (attempt == 1):
            raise AssertionError("the same message was applied twice")
    await ends_after_callback(case, paid={"coupon": "256.00"})


async def silence(stage: Stage, narrator: Narrator) -> None:
    """G5: no answer for seven days."""
    case = await stage.open(
        narrator, case_id="DEMO-13", topic="transport.damage", order_id="SO-SILENT", description="有一块板有划痕。"
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="minor")
    await case.until_status("awaiting_consent")
    await case.passes(hours=49)
    await case.passes(hours=24)
    await case.passes(hours=96)
    await case.ends("no_response")


async def not_upheld(stage: Stage, narrator: Narrator) -> None:
    """G4: an explanation without consent, closed as rejected. Over the limits another person decides (S20)."""
    case = await stage.open(
        narrator,
        case_id="DEMO-14",
        topic="goods.quality",
        order_id="SO-FAIR",
        description="我觉得太薄了，要赔一半。",
        wish="compensate",
    )
    await case.until_status("assessing")
    generous = [{"key": "goodwill", "remedies": [{"kind": "compensation", "amount": "6400.00"}]}]
    await case.does(AGENT, "propose", options=generous, note="goodwill, half the order")
    await case.is_refused(AGENT, "approve")
    await case.does(LEAD, "reject", note="the thickness is as ordered")
    await case.does(AGENT, "assess", upheld=False, cause="thickness within tolerance")
    await case.ends("rejected")


async def lost_answer(stage: Stage, narrator: Narrator) -> None:
    """S13: the payment partner pays and does not answer; it is asked, and nothing is paid again."""
    case = await stage.open(
        narrator,
        case_id="DEMO-24",
        topic="transport.damage",
        order_id="SO-PAID-ONCE",
        description="全部碎了，要求退款。",
        wish="refund",
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="severe")
    await case.until_status("awaiting_consent")
    await stage.break_partner(partner="refunds", kind="commit_then_timeout", step_kind="refund", count=1, seconds=15)
    case.narrate("[red]the payment partner will pay without answering[/]")
    await case.does(case.customer, "customer-approved")
    await case.until("the outcome is unknown", lambda s: any("unknown" in e.what for e in s.timeline))
    await ends_after_callback(case, paid={"refund": "12800.00", "compensation": "1280.00"})
    await stage.repair_partners()


async def messaging_down(stage: Stage, narrator: Narrator) -> None:
    """B1, G10: no message can be sent, so the promise is broken and escalated; nothing is lost."""
    await stage.break_partner(partner="messaging", kind="down")
    narrator.say("   [red]the messaging partner is down[/]")
    case = await stage.open(
        narrator, case_id="DEMO-25", topic="transport.damage", order_id="SO-SILENCE", description="一块岩板缺角。"
    )
    await case.until_status("assessing")
    await case.passes(minutes=21)
    await case.until("the director is due to be notified", lambda s: s.escalations[-1].role == "director")
    await stage.repair_partners()
    case.narrate("[green]the messaging partner is back: delayed messages are sent in order[/]")
    await case.passes(minutes=6)
    await case.until("all were notified", lambda s: all(e.sent_at for e in s.escalations))
    for notice in case.snapshot.escalations:
        case.narrate(f"[yellow]{notice.role:>10} notified of {notice.promise}, rung {notice.rung}[/]")
    await case.does(AGENT, "assess", severity="minor")
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved")
    await ends_after_callback(case, paid={"coupon": "640.00"}, broken=("acknowledge",))
