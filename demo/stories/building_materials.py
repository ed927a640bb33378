"""Stories of slate and other heavy building materials (B10-B18)."""

from decimal import Decimal

from cases.claim.view import ClaimView
from cases.contract import claim_workflow_id
from demo.narrator import Narrator
from demo.play import Stage
from demo.stories.people import AGENT, ends_after_callback


async def minor_damage(stage: Stage, narrator: Narrator) -> None:
    """B10."""
    case = await stage.open(
        narrator,
        case_id="DEMO-01",
        topic="transport.damage",
        order_id="SO-SCRATCH",
        description="有一块岩板边角擦伤，还能用。",
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="minor")
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved")
    await ends_after_callback(case, paid={"coupon": "640.00"})


async def moderate_damage(stage: Stage, narrator: Narrator) -> None:
    """B11."""
    case = await stage.open(
        narrator, case_id="DEMO-02", topic="transport.damage", order_id="SO-CRACK", description="一块岩板裂了一道缝。"
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="moderate")
    await case.until_status("awaiting_consent")
    stage.crash_now()
    case.narrate("[bold red]the worker process is killed and started again[/]")
    await case.until("the worker is back", lambda s: s.status == "awaiting_consent")
    await case.does(case.customer, "customer-approved", option="replace")
    await ends_after_callback(case)


async def severe_damage(stage: Stage, narrator: Narrator) -> None:
    """B12, G4: declined, then raised to the high end of the range by the agent alone."""
    case = await stage.open(
        narrator,
        case_id="DEMO-03",
        topic="transport.damage",
        order_id="SO-SMASH",
        description="到货时整批碎裂，无法使用。",
        wish="refund",
    )
    await case.until_status("assessing")
    await case.does(AGENT, "assess", severity="severe")
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-declined", reason="10% does not cover the delay at the building site")
    refund = {"kind": "refund", "amount": "12800.00"}
    more = {"kind": "compensation", "amount": "2560.00"}
    case.narrate("[blue]the agent raises the compensation to 20 %, the most without approval[/]")
    await case.does(AGENT, "propose", options=[{"key": "refund", "remedies": [refund, more]}])
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved", offer="o2")
    await ends_after_callback(case, paid={"refund": "12800.00", "compensation": "2560.00"})


async def short_delay(stage: Stage, narrator: Narrator) -> None:
    """B13: done at once, without consent."""
    case = await stage.open(
        narrator,
        case_id="DEMO-04",
        topic="transport.delay",
        order_id="SO-DELAY-2",
        promised_days_ago=2,
        description="说好前天到，还没到。",
    )
    await ends_after_callback(case, "neutral", score=3)


async def delay(stage: Stage, narrator: Narrator) -> None:
    """B14, G5: the customer answers only after the first reminder."""
    case = await stage.open(
        narrator,
        case_id="DEMO-05",
        topic="transport.delay",
        order_id="SO-DELAY-4",
        promised_days_ago=4,
        description="晚了四天，工人都在等。",
    )
    await case.until_status("awaiting_consent")
    await case.passes(hours=25)
    await case.does(case.customer, "customer-approved")
    await ends_after_callback(case, paid={"compensation": "512.00"})


async def long_delay(stage: Stage, narrator: Narrator) -> None:
    """B15: the customer chooses to cancel."""
    case = await stage.open(
        narrator,
        case_id="DEMO-06",
        topic="transport.delay",
        order_id="SO-DELAY-7",
        promised_days_ago=7,
        description="一周了还没到，不想要了。",
        wish="cancel",
    )
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved", option="cancel")
    await ends_after_callback(case, paid={"refund": "12800.00", "compensation": "640.00"})


async def loss(stage: Stage, narrator: Narrator) -> None:
    """B16: the claim against the carrier continues after the case has closed."""
    case = await stage.open(
        narrator,
        case_id="DEMO-07",
        topic="transport.loss",
        order_id="SO-LOST",
        promised_days_ago=9,
        description="物流十多天没有更新，货是不是丢了？",
    )
    await case.until_status("awaiting_consent")
    await case.does(case.customer, "customer-approved")
    await ends_after_callback(case, paid={"refund": "12800.00", "compensation": "2560.00"})
    claim = stage.client.get_workflow_handle(claim_workflow_id(case.id))
    settled = ClaimView.model_validate(await case.result_of(claim))
    claimed, recovered = settled.claimed, settled.recovered
    case.narrate(f"the claim against the carrier is a separate workflow: claimed {claimed}, recovered {recovered}")
    if recovered != Decimal("12800.00"):
        raise AssertionError(f"recovered {recovered}, not 12800.00")


async def loose_screws(stage: Stage, narrator: Narrator) -> None:
    """B17, G8: inspected first; after the first visit the customer is dissatisfied, and the crew goes again."""
    case = await stage.open(
        narrator,
        case_id="DEMO-08",
        topic="installation.defect",
        order_id="SO-LOOSE",
        description="台面接缝大，螺丝松了。",
    )
    await case.until_status("following_up")
    await case.does(case.customer, "satisfaction-reported", score=2, comment="still a gap")
    await case.until("the second visit is done", lambda s: s.status == "following_up" and s.cycle > 1)
    await ends_after_callback(case)


async def unsafe_installation(stage: Stage, narrator: Narrator) -> None:
    """B18: the crew is sent at once; the compensation waits for consent."""
    case = await stage.open(
        narrator,
        case_id="DEMO-09",
        topic="installation.defect",
        order_id="SO-UNSAFE",
        description="墙面岩板在晃，怕掉下来。",
        urgent=True,
    )
    await case.until_status("awaiting_consent")
    await case.until(
        "a crew was dispatched", lambda s: any(p.name == "dispatch" and p.state == "kept" for p in s.promises)
    )
    await case.does(case.customer, "customer-approved")
    await ends_after_callback(case, paid={"compensation": "640.00"})
