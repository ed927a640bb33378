"""Rules of single lines of business on a real server: evidence, searches, audits, urgency, working days (§3–§6)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cases.calendar import Measure, length
from cases.policy.policy import Policy
from tests.engine import OpenCase, Workshop, promise, step
from tests.workflows.conftest import Open
from workflows.sdk.options import URGENT, USUAL

PHOTO = {"kind": "photo", "uri": "s3://e/1.jpg"}
VALUE = {"kind": "proof_of_value", "uri": "s3://e/2.pdf"}
PARCEL: dict[str, Any] = {"amount": "18.00", "freight": "18.00", "goods_value": "300.00", "items": []}


async def spoiled(open_case: Open) -> OpenCase:
    case = await open_case(line="fresh_food", topic="goods.damage")
    await case.becomes("awaiting_evidence")
    return case


async def test_clock_is_paused_until_the_evidence_comes(open_case: Open) -> None:
    """G11, S1, S3: nothing breaks in the eleven hours, and the deadline moves by exactly that time."""
    case = await spoiled(open_case)
    before = promise(await case.snapshot(), "solution")
    assert (before["state"], before["due_at"]) == ("paused", None)

    await case.after(hours=11)
    await case.says("evidence-received", evidence=[PHOTO])

    after = promise(await case.snapshot(), "solution")
    [ran, runs] = after["segments"]
    stood_still = datetime.fromisoformat(runs["ran_from"]) - datetime.fromisoformat(ran["ran_until"])
    due = datetime.fromisoformat(after["started_at"]) + timedelta(hours=24) + stood_still
    assert stood_still >= timedelta(hours=11)
    assert (after["state"], datetime.fromisoformat(after["due_at"])) == ("open", due)


async def test_evidence_that_never_comes_holds_a_case_up_for_a_day(open_case: Open) -> None:
    """F10: a reminder after 12 h; the case continues without evidence after 24 h."""
    case = await spoiled(open_case)

    await case.after(hours=13)
    seen = await case.after(hours=12)

    assert [e["what"] for e in seen["timeline"] if e["what"].startswith("evidence")] == [
        "evidence asked for",
        "evidence asked for again",
        "evidence missing",
    ]
    assert (seen["status"], promise(seen, "solution")["state"]) == ("assessing", "open")


async def test_a_lost_parcel_is_searched_for_audited_and_paid(open_case: Open) -> None:
    """E3, E4, E13, S20: documents, three days of search, two people, two payments."""
    case = await open_case(line="express", topic="claim.loss", order=PARCEL, evidence=[VALUE])
    await case.until(lambda seen: step(seen, "search")["reference"], "the search")

    await case.after(days=3, minutes=1)
    await case.becomes("awaiting_approval")
    await case.says("approve", by="Qian")
    await case.becomes("awaiting_consent")
    await case.says("customer-approved", by="Wang Li")
    seen = await case.becomes("following_up")

    assert seen["finding"]["lost"] is True
    assert seen["paid"] == {"refund": "18.00", "compensation": "90.00", "coupon": "0.00"}
    assert promise(seen, "claim_decision")["state"] == promise(seen, "claim_paid")["state"] == "kept"


async def test_steps_of_an_urgent_case_have_priority(open_case: Open) -> None:
    """§3: first in every queue; the complaint itself does not say that it is urgent."""
    urgent = await open_case(line="fresh_food", topic="goods.safety", evidence=[PHOTO])
    usual = await open_case(line="fresh_food", topic="goods.damage", evidence=[PHOTO])
    await urgent.until(lambda seen: step(seen, "collection")["reference"], "the sample")
    await usual.becomes("assessing")
    await usual.says("assess", upheld=True, liable="delivery", by="Zhao")
    await usual.becomes("awaiting_consent")
    await usual.says("customer-approved", option="replace", by="Wang Li")
    await usual.until(lambda seen: step(seen, "replacement")["reference"], "the replacement")

    assert await priorities(urgent) == {(URGENT, "fresh_food")}
    assert await priorities(usual) == {(USUAL, "fresh_food")}


async def test_steps_of_a_case_marked_as_urgent_have_priority_from_then_on(open_case: Open) -> None:
    """G10."""
    case = await open_case(line="fresh_food", topic="goods.damage", evidence=[PHOTO])
    await case.becomes("assessing")
    assert (await case.says("mark-urgent", reason="a child has eaten of it", by="Zhao"))["applied"] is True
    assert (await case.says("mark-urgent", reason="again", by="Li"))["applied"] is False
    await case.says("assess", upheld=True, liable="delivery", by="Zhao")
    await case.becomes("awaiting_consent")
    await case.says("customer-approved", option="replace", by="Wang Li")
    await case.until(lambda seen: step(seen, "replacement")["reference"], "the replacement")

    assert await priorities(case) == {(URGENT, "fresh_food")}


async def priorities(case: OpenCase) -> set[tuple[int, str]]:
    """Return the priority keys and fairness keys with which its steps were scheduled."""
    scheduled = [e.activity_task_scheduled_event_attributes for e in await case.events("ACTIVITY_TASK_SCHEDULED")]
    assert scheduled
    return {(each.priority.priority_key, each.priority.fairness_key) for each in scheduled}


async def test_working_days_are_kept_over_a_years_end(closed_workshop: Workshop, open_case: Open) -> None:
    """S11, S12, S24: time travel over New Year; the breach is notified when the calendar says, not a day sooner."""
    organic = closed_workshop.parts.policies["organic_food"]
    closed_workshop.parts.policies["organic_food"] = _with_solution_within(organic, "45 working days")
    case = await open_case(line="organic_food", topic="goods.damage", evidence=[PHOTO])
    opened = datetime.fromisoformat(promise(await case.becomes("assessing"), "solution")["started_at"])
    due = organic.working_days.add(opened, length("45 working days"))
    assert due.year > opened.year

    seen = await case.after(days=(due - opened).days - 1)
    assert promise(seen, "solution")["state"] == "open"
    seen = await case.after(days=2)

    assert promise(seen, "solution")["state"] == "broken"
    [escalation] = [e for e in seen["escalations"] if (e["promise"], e["rung"]) == ("solution", 2)]
    assert abs(datetime.fromisoformat(escalation["due_at"]) - due) < timedelta(seconds=1)
    assert datetime.fromisoformat(escalation["sent_at"]) < due + timedelta(hours=1)
    elapsed = organic.working_days.between(opened, due, Measure.WORKING)
    assert elapsed == timedelta(days=45) < due.astimezone(UTC) - opened


def _with_solution_within(policy: Policy, within: str) -> Policy:
    promises = [p.model_copy(update={"within": within}) if p.name == "solution" else p for p in policy.promises]
    return policy.model_copy(update={"promises": promises})
