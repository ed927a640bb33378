"""What happens in the demonstration: each story with the ending that it must have."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from temporalio.client import WorkflowUpdateFailedError

from cases.names import claim_workflow_id
from demo.play import Played, Stage, Teller


@dataclass(frozen=True)
class Story:
    """A title, and how it is played."""

    title: str
    play: Callable[[Stage, Teller], Awaitable[None]]


AGENT, CUSTOMER, LEAD = "agent 李娜", "customer 王芳", "team lead 陈强"


async def _contented(case: Played, outcome: str = "satisfied", score: int = 5, **ending: Any) -> None:
    await case.until_status("following_up")
    await case.does(CUSTOMER, "satisfaction-reported", score=score)
    await case.ends(outcome, **ending)


async def minor_damage(stage: Stage, teller: Teller) -> None:
    """B10."""
    case = await stage.open(
        teller,
        case_id="DEMO-01",
        topic="transport.damage",
        order_id="SO-SCRATCH",
        description="有一块岩板边角擦伤，还能用。",
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="minor")
    await case.until_status("awaiting_consent")
    await case.does(CUSTOMER, "customer-approved")
    await _contented(case, paid={"coupon": "640.00"})


async def moderate_damage(stage: Stage, teller: Teller) -> None:
    """B11."""
    case = await stage.open(
        teller, case_id="DEMO-02", topic="transport.damage", order_id="SO-CRACK", description="一块岩板裂了一道缝。"
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="moderate")
    await case.until_status("awaiting_consent")
    stage.crash_now()
    case.tell("[bold red]the worker process is killed in the middle of its work, and started again[/]")
    await case.until("the worker is back", lambda s: s["status"] == "awaiting_consent")
    await case.does(CUSTOMER, "customer-approved", option="replace")
    await _contented(case)


async def severe_damage(stage: Stage, teller: Teller) -> None:
    """B12, G4: declined, then raised to the high end of the range by the agent alone."""
    case = await stage.open(
        teller,
        case_id="DEMO-03",
        topic="transport.damage",
        order_id="SO-SMASH",
        description="到货时整批碎裂，无法使用。",
        wish="refund",
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="severe")
    await case.until_status("awaiting_consent")
    await case.does(CUSTOMER, "customer-declined", reason="10% does not cover the delay of the building site")
    refund = {"kind": "refund", "amount": "12800.00"}
    more = {"kind": "compensation", "amount": "2560.00"}
    case.tell("[blue]the agent raises the compensation to 20 %, the most that an agent may give alone[/]")
    await case.does(AGENT, "propose", options=[{"key": "refund", "remedies": [refund, more]}])
    await case.until_status("awaiting_consent")
    await case.does(CUSTOMER, "customer-approved", offer="o2")
    await _contented(case, paid={"refund": "12800.00", "compensation": "2560.00"})


async def short_delay(stage: Stage, teller: Teller) -> None:
    """B13: done at once, nobody has to ask."""
    case = await stage.open(
        teller,
        case_id="DEMO-04",
        topic="transport.delay",
        order_id="SO-DELAY-2",
        promised_days_ago=2,
        description="说好前天到，还没到。",
    )
    await _contented(case, "neutral", score=3)


async def delay(stage: Stage, teller: Teller) -> None:
    """B14, G5: the customer answers only after the first reminder."""
    case = await stage.open(
        teller,
        case_id="DEMO-05",
        topic="transport.delay",
        order_id="SO-DELAY-4",
        promised_days_ago=4,
        description="晚了四天，工人都在等。",
    )
    await case.until_status("awaiting_consent")
    await case.passes(hours=25)
    await case.does(CUSTOMER, "customer-approved")
    await _contented(case, paid={"compensation": "512.00"})


async def long_delay(stage: Stage, teller: Teller) -> None:
    """B15: the customer chooses to cancel."""
    case = await stage.open(
        teller,
        case_id="DEMO-06",
        topic="transport.delay",
        order_id="SO-DELAY-7",
        promised_days_ago=7,
        description="一周了还没到，不想要了。",
        wish="cancel",
    )
    await case.until_status("awaiting_consent")
    await case.does(CUSTOMER, "customer-approved", option="cancel")
    await _contented(case, paid={"refund": "12800.00", "compensation": "640.00"})


async def loss(stage: Stage, teller: Teller) -> None:
    """B16: the carrier claim goes on when the case is closed."""
    case = await stage.open(
        teller,
        case_id="DEMO-07",
        topic="transport.loss",
        order_id="SO-LOST",
        promised_days_ago=9,
        description="物流十多天没有更新，货是不是丢了？",
    )
    await case.until_status("awaiting_consent")
    await case.does(CUSTOMER, "customer-approved")
    await _contented(case, paid={"refund": "12800.00", "compensation": "2560.00"})
    claim = stage.client.get_workflow_handle(claim_workflow_id(case.id))
    settled = await case.result_of(claim)
    claimed, recovered = settled["claimed"], settled["recovered"]
    case.tell(f"the claim against the carrier had its own process: claimed {claimed}, recovered {recovered}")
    if settled["recovered"] != "12800.00":
        raise AssertionError(f"recovered {settled['recovered']}, not 12800.00")


async def loose_screws(stage: Stage, teller: Teller) -> None:
    """B17, G8: inspected first; after the first visit the customer is dissatisfied, and the crew goes again."""
    case = await stage.open(
        teller,
        case_id="DEMO-08",
        topic="installation.defect",
        order_id="SO-LOOSE",
        description="台面接缝大，螺丝松了。",
    )
    await case.until_status("following_up")
    await case.does(CUSTOMER, "satisfaction-reported", score=2, comment="still a gap")
    await case.until("the second visit is done", lambda s: s["status"] == "following_up" and s["cycle"] > 1)
    await _contented(case)


async def unsafe_installation(stage: Stage, teller: Teller) -> None:
    """B18: the crew goes at once, the money waits for consent."""
    case = await stage.open(
        teller,
        case_id="DEMO-09",
        topic="installation.defect",
        order_id="SO-UNSAFE",
        description="墙面岩板在晃，怕掉下来。",
        urgent=True,
    )
    await case.until_status("awaiting_consent")
    await case.until(
        "a crew was dispatched", lambda s: any(p["name"] == "dispatch" and p["state"] == "kept" for p in s["promises"])
    )
    await case.does(CUSTOMER, "customer-approved")
    await _contented(case, paid={"compensation": "640.00"})


async def out_of_stock(stage: Stage, teller: Teller) -> None:
    """G6: a step that cannot be done goes to a person; the customer hears how it stands every day (G7)."""
    case = await stage.open(
        teller, case_id="DEMO-10", topic="transport.damage", order_id="SO-EMPTY", description="一块岩板断了，急着用。"
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="moderate")
    await case.until_status("awaiting_consent")
    await case.does(CUSTOMER, "customer-approved")
    await case.until("the replacement is blocked", lambda s: any(x["state"] == "blocked" for x in s["steps"]))
    await case.passes(hours=20)
    (await stage.partners.post("/_sandbox/orders/SO-EMPTY", json={"stock": {"SLATE-9": 8}})).raise_for_status()
    case.tell("[blue]the warehouse has new stock[/]")
    await case.does(AGENT, "resolve-step", step="replacement", action="retry", reason="new stock has come in")
    await _contented(case)


async def withdrawn(stage: Stage, teller: Teller) -> None:
    """G12."""
    case = await stage.open(
        teller, case_id="DEMO-11", topic="goods.quality", order_id="SO-COLOUR", description="颜色好像有色差。"
    )
    await case.until_status("assessing")
    await case.does(CUSTOMER, "complaint-withdrawn", reason="it was the light")
    await case.ends("withdrawn")


async def sent_twice(stage: Stage, teller: Teller) -> None:
    """G1: the same complaint sent twice is one case; a message sent twice is applied once."""
    case = await stage.open(
        teller, case_id="DEMO-12", topic="installation.attitude", order_id="SO-RUDE", description="安装师傅态度很差。"
    )
    again = await stage.start(case.complaint)
    case.tell(f"the upstream system sends the same complaint again: it reaches the same case ({again.id})")
    await case.until_status("assessing")
    for attempt in (1, 2):
        answer = await case.does(AGENT, "assess", upheld=True, message_id="crm-4711")
        if answer["applied"] is not (attempt == 1):
            raise AssertionError("the same message was applied twice")
    await _contented(case, paid={"coupon": "256.00"})


async def silence(stage: Stage, teller: Teller) -> None:
    """G5: seven days without a word."""
    case = await stage.open(
        teller, case_id="DEMO-13", topic="transport.damage", order_id="SO-SILENT", description="有一块板有划痕。"
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="minor")
    await case.until_status("awaiting_consent")
    await case.passes(hours=49)
    await case.passes(hours=24)
    await case.passes(hours=96)
    await case.ends("no_response")


async def not_upheld(stage: Stage, teller: Teller) -> None:
    """G4: an explanation, no consent, closed as rejected; over the limits a manager decides, another person (S20)."""
    case = await stage.open(
        teller,
        case_id="DEMO-14",
        topic="goods.quality",
        order_id="SO-FAIR",
        description="我觉得太薄了，要赔一半。",
        wish="compensate",
    )
    await case.until_status("assessing")
    generous = [{"key": "goodwill", "remedies": [{"kind": "compensation", "amount": "6400.00"}]}]
    await case.does(AGENT, "propose", options=generous, note="goodwill, half the order")
    try:
        await case.does(AGENT, "approve")
    except WorkflowUpdateFailedError as refused:
        case.tell(f"[dim]refused: {refused.cause}[/]")
    else:
        raise AssertionError("the agent approved their own offer")
    await case.does(LEAD, "reject", note="the thickness is as ordered")
    await case.does(AGENT, "assess", upheld=False, cause="thickness within tolerance")
    await case.ends("rejected")


async def lost_answer(stage: Stage, teller: Teller) -> None:
    """S13: the payment partner pays and never answers; it is asked, not paid again."""
    case = await stage.open(
        teller,
        case_id="DEMO-15",
        topic="transport.damage",
        order_id="SO-PAID-ONCE",
        description="全部碎了，要求退款。",
        wish="refund",
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="severe")
    await case.until_status("awaiting_consent")
    await stage.switch(partner="refunds", kind="commit_then_timeout", step_kind="refund", count=1, seconds=15)
    case.tell("[red]the payment partner will pay, and then not answer[/]")
    await case.does(CUSTOMER, "customer-approved")
    await case.until("the outcome is unknown", lambda s: any("unknown" in e["what"] for e in s["timeline"]))
    await _contented(case, paid={"refund": "12800.00", "compensation": "1280.00"})
    await stage.mend()


async def messaging_down(stage: Stage, teller: Teller) -> None:
    """B1, G10: nobody can be told, so the promise breaks and climbs the ladder; nothing is lost."""
    await stage.switch(partner="messaging", kind="down")
    teller.say("   [red]the messaging partner is down[/]")
    case = await stage.open(
        teller, case_id="DEMO-16", topic="transport.damage", order_id="SO-SILENCE", description="一块岩板缺角。"
    )
    await case.until_status("assessing")
    await case.passes(minutes=21)
    await case.until("the director is told", lambda s: s["escalations"][-1]["role"] == "director")
    await stage.mend()
    case.tell("[green]the messaging partner is back: what was held up goes out, in order[/]")
    await case.passes(minutes=6)
    await case.until("all were told", lambda s: all(e["sent_at"] for e in s["escalations"]))
    for told in case.snapshot["escalations"]:
        case.tell(f"[yellow]{told['role']:>10} told of {told['promise']}, rung {told['rung']}[/]")
    await case.does(AGENT, "assess", severity="minor")
    await case.until_status("awaiting_consent")
    await case.does(CUSTOMER, "customer-approved")
    await _contented(case, paid={"coupon": "640.00"}, broken=("acknowledge",))


TOGETHER = [
    Story("1  Scratched in transit (minor): a coupon and a repair on site", minor_damage),
    Story("2  Cracked in transit (moderate): replaced; the worker crashes on the way", moderate_damage),
    Story("3  Smashed in transit (severe): the first offer declined, a second accepted", severe_damage),
    Story("4  Two days late: explained, and a gift, at once", short_delay),
    Story("5  Four days late: 1 % a day; the customer answers after a reminder", delay),
    Story("6  Seven days late: the customer chooses to cancel", long_delay),
    Story("7  Lost: refunded and compensated; the carrier is pursued", loss),
    Story("8  Loose screws: inspected, put right, dissatisfied, put right again", loose_screws),
    Story("9  An unsafe installation (urgent): inspected, the crew goes at once", unsafe_installation),
    Story("10 Out of stock: the step blocks, a person resolves it", out_of_stock),
    Story("11 Withdrawn", withdrawn),
    Story("12 The same complaint, and the same message, sent twice", sent_twice),
    Story("13 Seven days of silence", silence),
    Story("14 Not upheld; and nobody approves their own offer", not_upheld),
]
ALONE = [
    Story("15 The payment partner pays and does not answer: asked, not paid twice", lost_answer),
    Story("16 The messaging partner is down: the acknowledgement breaks and climbs the ladder", messaging_down),
]
"""Played one at a time, because a partner's fault would reach the other stories."""
