"""Paths of a case that the demo does not take, each played on a real server to record golden histories.

A path is a coroutine; its docstring says what it does. Its cases are called PATH-…, and histories keep their names.
"""

import asyncio
from datetime import UTC, datetime

from cases.complaint import Complaint
from cases.entitlement.follow_up import follow_up
from cases.inbox.messages import FACTS
from partners.ports import PartnerRefused, TryAgain
from records import RecordsUnavailable
from tests.complaints import complaint
from tests.engine import eventually, step
from tests.fakes import Turn
from tests.replay import (
    claim_paths,
    later_call_paths,
    measure_paths,
    order_paths,
    reconcile_paths,
    review_paths,
    step_paths,
)
from tests.replay.scene import AWAY, Path, Scene, fails, over
from tests.workflows.conftest import agreed, offered

# Beginning


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


async def row_written(scene: Scene) -> None:
    """The case writes its row for lists; one time our database is down, and the row is written through the server."""
    case = await scene.case("row")
    fails(scene.workshop.parts.records, "project", RecordsUnavailable("down"))
    await agreed(case, "severe")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
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
    """No partner can be asked at first, so each is asked through the server. One case stays open."""
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
    """Every signal, refused because it is invalid; then facts as signals and updates that no story needs."""
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
    """S18: a nearer deadline makes rungs due at once; the same move again changes nothing; then it is undone."""
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
    """Messages, notices and callbacks go through the server; the customer never answers."""
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
    """Every channel refuses a letter; an agent calls, and the case is withdrawn."""
    scene.partners.messaging.unreachable = PartnerRefused("no channel has an address for them")
    case = await scene.case("undeliverable")
    await case.until(lambda c: any(e["what"] == "undeliverable" for e in c["timeline"]))
    await case.signals("contact-made", note="met at the depot")
    await case.becomes("assessing")
    await case.signals("complaint-withdrawn", reason="settled")
    await over(case)


# End


async def cancelled(scene: Scene) -> None:
    """An operator cancels a case that waits, and one with a payment in progress."""
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

    async def received() -> bool:
        asked = await paying.events("WORKFLOW_EXECUTION_CANCEL_REQUESTED")
        return bool(asked) and not (await paying.handle.describe()).raw_description.HasField("pending_workflow_task")

    await eventually(received)
    answer.set()
    await over(paying)


async def long_life(scene: Scene) -> None:
    """A case continues as new twice, and then ends."""
    case = await scene.case("long")
    await agreed(case, "minor")
    await case.until(lambda c: step(c, "onsite_repair")["reference"])
    await case.after(days=5)
    await case.signals("step-reported", step="onsite_repair", state="done")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    await over(case)


ALL: dict[str, Path] = {
    path.__name__: path
    for path in (
        records_away,
        row_written,
        refused_at_the_door,
        partners_away,
        messages,
        moved_to_another_policy,
        channels_away,
        unreachable_by_letter,
        step_paths.answers_lost,
        step_paths.payment_waived,
        step_paths.waived_by_an_older_build,
        step_paths.reset,
        step_paths.taken_back,
        step_paths.reported_both_ways,
        step_paths.reported_first,
        step_paths.answered_last,
        step_paths.sent_again,
        cancelled,
        long_life,
        order_paths.merged,
        order_paths.taken_over,
        order_paths.left_alone,
        order_paths.units_of_an_order,
        order_paths.account_read_again,
        claim_paths.claim_expires,
        claim_paths.claim_asked_before,
        claim_paths.claim_reset,
        claim_paths.claim_waits,
        claim_paths.claim_lost,
        claim_paths.claim_cancelled,
        later_call_paths.later_call,
        measure_paths.measure_overdue,
        measure_paths.measure_messages,
        reconcile_paths.rows_compared,
        review_paths.review_made,
    )
}
"""What the recorder plays besides the demo."""
OF_SEVERAL_RUNS = (long_life, measure_paths.measure_overdue, reconcile_paths.rows_compared)
"""Paths on a server that finds a short history long."""
