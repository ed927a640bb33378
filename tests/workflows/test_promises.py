"""The promises of a case on a server: kept, broken, escalated, late, and no events in between."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from cases.policy.policy import Policy
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, eventually, promise
from tests.fakes import FakePartners
from tests.workflows.conftest import Open

LADDER = ["owner", "team_lead", "manager", "director"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_acknowledgement_is_kept_when_the_message_has_been_handed_over(
    open_case: Open, partners: FakePartners
) -> None:
    """B1, G2."""
    case = await open_case()

    seen = await case.until(lambda c: c["promises"] and promise(c, "acknowledge")["state"] == "kept")

    kept = promise(seen, "acknowledge")
    assert at(kept["kept_at"]) <= at(kept["due_at"])
    assert at(kept["due_at"]) - at(kept["started_at"]) == timedelta(minutes=10)
    assert partners.messaging.events == ["acknowledged"]


@pytest.mark.parametrize(("minutes", "state"), [(9.9, "open"), (10.1, "broken")])
async def test_acknowledgement_breaks_after_ten_minutes_without_a_message(
    open_case: Open, partners: FakePartners, minutes: float, state: str
) -> None:
    """B1, from both sides."""
    partners.messaging.down = True
    case = await open_case()
    await case.becomes("assessing")

    seen = await case.after(minutes=minutes)

    assert promise(seen, "acknowledge")["state"] == state


async def test_each_role_is_notified_once_and_all_notices_are_delivered_when_messaging_is_back(
    open_case: Open, partners: FakePartners
) -> None:
    """G10, S6, S7, S8."""
    partners.messaging.down = True
    case = await open_case()
    await case.becomes("assessing")

    seen = await case.after(minutes=25)
    assert [e["role"] for e in seen["escalations"]] == LADDER
    assert [e["sent_at"] for e in seen["escalations"]] == [None] * 4
    received = at(promise(seen, "acknowledge")["started_at"])
    assert [at(e["due_at"]) - received for e in seen["escalations"]] == [timedelta(minutes=m) for m in (8, 10, 15, 20)]

    partners.messaging.down = False
    await case.after(minutes=6)
    seen = await case.until(lambda c: all(e["sent_at"] for e in c["escalations"]))

    notices = [n for n in partners.messaging.notices.values() if n.facts.get("promise") == "acknowledge"]
    assert [n.role for n in notices] == LADDER
    assert [n.event for n in notices] == ["promise_warning", "promise_broken", "escalation", "escalation"]
    sent = [at(e["sent_at"]) for e in seen["escalations"]]
    assert sent == sorted(sent)
    assert all(at(e["sent_at"]) > at(e["due_at"]) for e in seen["escalations"])
    assert promise(seen, "acknowledge")["state"] == "broken", "kept late stays broken"
    assert promise(seen, "acknowledge")["kept_at"] is not None


async def test_kept_promise_escalates_no_further(open_case: Open, partners: FakePartners) -> None:
    """G10, S5."""
    case = await open_case()
    await case.until(lambda c: c["promises"] and promise(c, "acknowledge")["state"] == "kept")

    seen = await case.after(hours=1)

    assert seen["escalations"] == []
    assert all(n.event == "needs_assessment" for n in partners.messaging.notices.values())


async def test_urgent_case_warns_its_owner_at_half_of_the_time(open_case: Open) -> None:
    """G10."""
    case = await open_case(urgent=True)
    await case.becomes("assessing")

    assert (await case.after(hours=23, minutes=55))["escalations"] == []
    seen = await case.after(minutes=10)

    assert [(e["promise"], e["role"]) for e in seen["escalations"]] == [("detailed_result", "owner")]


async def test_rung_that_was_due_before_the_case_arrived_is_notified_and_marked_late(
    open_case: Open, partners: FakePartners
) -> None:
    """S8: the warning at 80 % was due hours ago; the promise itself can still be kept."""
    case = await open_case(age=timedelta(hours=47))

    seen = await case.until(lambda c: any(e["sent_at"] and e["promise"] == "detailed_result" for e in c["escalations"]))

    mine = [e for e in seen["escalations"] if e["promise"] == "detailed_result"]
    assert [e["role"] for e in mine] == ["owner"]
    assert at(mine[0]["sent_at"]) - at(mine[0]["due_at"]) > timedelta(hours=8)
    notice = next(n for n in partners.messaging.notices.values() if n.facts.get("promise") == "detailed_result")
    assert notice.facts["late"] == "registered_late"
    assert promise(seen, "detailed_result")["state"] == "open"


async def test_case_that_is_older_than_its_whole_time_starts_broken_and_is_escalated_once(open_case: Open) -> None:
    """G10: once, not once a rung; rungs that are not due yet are notified in time."""
    case = await open_case(age=timedelta(minutes=60))

    seen = await case.until(lambda c: c["escalations"] and all(e["sent_at"] for e in c["escalations"]))

    assert promise(seen, "acknowledge")["state"] == "broken"
    assert [(e["promise"], e["role"]) for e in seen["escalations"]] == [("acknowledge", "team_lead")]


@pytest.mark.parametrize("meanwhile", ["nothing is said", "the customer withdraws"])
async def test_rungs_that_came_due_while_no_worker_ran_are_each_notified_once_and_in_order(
    closed_workshop: Workshop, written_policies: dict[str, Policy], partners: FakePartners, meanwhile: str
) -> None:
    """S8. The rungs are close together here, because a case's clock does not skip while no worker runs."""
    policy = written_policies["building_materials"]
    shares = dict(zip(LADDER, (0.999999, 1.0, 1.000001, 1.000002), strict=True))
    ladder = [rung.model_copy(update={"at": shares[rung.role]}) for rung in policy.escalation]
    closed_workshop.parts.policies["building_materials"] = policy.model_copy(update={"escalation": ladder})
    await closed_workshop.open()
    case = await closed_workshop.take_in(complaint())
    due = at(promise(await case.becomes("assessing"), "detailed_result")["due_at"])
    await case.at_rest()
    await closed_workshop.close()

    skipping = asyncio.create_task(case.after(hours=48, minutes=1))
    await eventually(lambda: _is_past(case.now, due + timedelta(seconds=1)))
    if meanwhile == "the customer withdraws":
        await case.handle.signal("complaint-withdrawn", {"by": "customer", "reason": "it was found"})
    await closed_workshop.open()
    await skipping
    seen = await case.until(lambda c: len(c["escalations"]) == 4 and all(e["sent_at"] for e in c["escalations"]))

    assert [e["role"] for e in seen["escalations"]] == LADDER
    notices = [n.role for n in partners.messaging.notices.values() if n.facts.get("promise") == "detailed_result"]
    assert notices == LADDER
    assert all(at(e["sent_at"]) > due for e in seen["escalations"])


async def test_acknowledged_escalation_lets_one_rung_pass(open_case: Open) -> None:
    """S23: an agent acknowledges; if nothing follows, the next rungs are notified."""
    case = await open_case()
    await case.becomes("assessing")
    await case.after(hours=49)

    await case.says("acknowledge-escalation", promise="detailed_result", by="Zhao")
    seen = await case.after(days=3)

    assert [e["role"] for e in seen["escalations"]] == ["owner", "team_lead", "director"]
    assert seen["escalations"][1]["acknowledged_by"] == "Zhao"


async def timers(case: OpenCase) -> list[str]:
    """Return the texts of a case's timers in the UI."""
    return [event.user_metadata.summary.data.decode() for event in await case.events("TIMER_STARTED")]


async def test_timer_shows_in_the_ui_what_the_case_waits_for_next(open_case: Open, partners: FakePartners) -> None:
    partners.messaging.down = True
    case = await open_case()
    await case.becomes("assessing")
    await case.until(lambda c: c["promises"])
    [first] = await timers(case)

    await case.after(minutes=9)

    assert "acknowledge due" in first
    assert "then notify owner" in first
    assert [text.partition("then notify ")[2].strip('"') for text in await timers(case)] == ["owner", "team_lead"]


async def test_timer_is_started_anew_only_for_something_sooner(open_case: Open) -> None:
    """A timer that is no longer needed still fires, and is ignored then (S5)."""
    case = await open_case()
    await case.becomes("assessing")
    await case.says("assess", severity="moderate")
    await case.becomes("awaiting_consent")
    offered = await timers(case)

    await case.says("customer-declined", reason="no")
    await case.becomes("assessing")

    assert ["detailed_result due" in text or "no answer to o1" in text for text in offered] == [True, True]
    assert await timers(case) == offered
    assert not await case.events("TIMER_FIRED")


async def test_nothing_polls_while_a_case_waits(open_case: Open) -> None:
    """S4: six silent days leave a handful of events, one or two for each thing that happened."""
    case = await open_case()
    await case.becomes("assessing")
    await case.says("assess", severity="moderate")
    await case.becomes("awaiting_consent")
    before = len(await case.events())

    seen = await case.after(days=6)

    assert seen["status"] == "awaiting_consent"
    assert [e["what"] for e in seen["timeline"]].count("reminded") == 2
    assert len(await case.events()) - before < 40


async def _is_past(clock: Any, when: datetime) -> bool:
    return bool(await clock() > when)
