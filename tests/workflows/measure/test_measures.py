"""G13: an improvement measure on a real server: messages, the ladder under skipped time, a worker that is killed."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

from cases.contract import MEASURE_QUERY, MEASURE_WORKFLOW, measure_workflow_id
from cases.errors import Refusal
from cases.measure.proposed import Dimension, KnownMeasure, MeasureState, Proposal, Proposed
from client.afterwards import measures
from client.cases import Engine
from records import Records, RecordsUnavailable
from tests.engine import OpenCase, Workshop, eventually
from tests.fakes import FakePartners
from tests.replay.scene import fails

IN_TEN_DAYS = (datetime.now(UTC) + timedelta(days=10)).date()
ADOPT = {"owner": "li.na", "due": IN_TEN_DAYS.isoformat(), "by": "chen"}
DONE = {"result": "all parcels go with Hare", "by": "li.na"}
DROP = {"reason": "Swift has closed", "by": "li.na"}

Pursue = Callable[[], Awaitable[OpenCase]]


@pytest.fixture
def proposed(workshop: Workshop, records: Records, client: Client, monkeypatch: pytest.MonkeyPatch) -> OpenCase:
    """A measure that a review has proposed; its workflow begins with its first message."""
    monkeypatch.setattr(measures, "TASK_QUEUE", workshop.task_queue)
    about = Proposed(
        line="building_materials",
        dimension=Dimension.CARRIER,
        subject=f"Swift {uuid4().hex}",  # all tests share the server
        proposal=Proposal.CHANGE_CARRIER,
        figure="complaints",
        reason="25 % of its parcels arrive damaged",
    )
    measure_id = records.propose(about, datetime.now(UTC))
    return OpenCase(measure_id, client, client.get_workflow_handle(measure_workflow_id(measure_id)))


async def says(measure: OpenCase, name: str, **payload: Any) -> dict[str, Any]:
    """Send a message as `starter.py measure` does."""
    return await measures.send(Engine(measure.client, ""), measure.id, name, payload)


@pytest.fixture
async def adopted(proposed: OpenCase, workshop: Workshop, records: Records) -> OpenCase:
    """A measure that was adopted, and is due in ten days."""
    workshop.taken_in.add(proposed.handle.id)
    assert await says(proposed, "adopt", **ADOPT) == {"applied": True, "state": "adopted"}
    await recorded(records, proposed, MeasureState.ADOPTED)
    return proposed


async def recorded(records: Records, measure: OpenCase, state: MeasureState) -> KnownMeasure:
    """Return the measure once our database has this state."""

    async def written() -> bool:
        known = records.measure(measure.id)
        return known is not None and known.state is state

    await eventually(written, f"{measure.id} is {state}")
    known = records.measure(measure.id)
    assert known is not None
    return known


async def passes(measure: OpenCase, **by: float) -> None:
    """Move its clock, and let everything happen that became due."""
    await TimeSkipper(measure.client).fast_forward(measure.handle, timedelta(**by))
    await measure.at_rest()


async def reminder_fails(measure: OpenCase, partners: FakePartners) -> None:
    """Let the reminder become due while the channel is down."""
    partners.messaging.down = True
    remind_at = datetime.combine(IN_TEN_DAYS - timedelta(days=2), time(), ZoneInfo("Asia/Shanghai"))
    await TimeSkipper(measure.client).fast_forward(measure.handle, remind_at - await measure.now())

    async def tried() -> bool:
        return partners.messaging.attempts > 0

    await eventually(tried, "an attempt to notify the owner")


def notified(partners: FakePartners) -> list[tuple[str, str]]:
    """Return the event and the role of each notice, in order."""
    return [(notice.event, notice.role) for notice in partners.messaging.notices.values()]


async def test_overdue_measure_climbs_the_ladder_until_it_is_done(
    adopted: OpenCase, partners: FakePartners, records: Records
) -> None:
    """G13: first a reminder, then the ladder of the policy, again and again; in the end all of them are notified."""
    await passes(adopted, days=6)
    assert notified(partners) == []
    await passes(adopted, days=2)
    reminded = notified(partners)
    await passes(adopted, days=16)
    late = notified(partners)[1:]

    assert reminded == [("measure_due", "owner")]
    assert late == [("measure_overdue", role) for role in ("team_lead", "manager", "director", "director", "director")]
    assert await says(adopted, "done", **DONE) == {"applied": True, "state": "done"}
    result = await adopted.result()
    ended = notified(partners)[6:]
    assert ended == [("measure_closed", role) for role in ("team_lead", "manager", "director")]
    assert (result["state"], result["result"], result["owner"]) == ("done", DONE["result"], "li.na")
    known = await recorded(records, adopted, MeasureState.DONE)
    assert (known.result, known.due_on, known.owner) == (DONE["result"], IN_TEN_DAYS, "li.na")
    assert len({*partners.messaging.notices}) == len(notified(partners)) == partners.messaging.attempts


async def test_measure_takes_signals_and_keeps_those_that_it_refuses(
    proposed: OpenCase, workshop: Workshop, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    """G13: adopted by a signal that also starts it, and dropped by one."""
    caplog.set_level(logging.INFO)
    workshop.taken_in.add(proposed.handle.id)
    await proposed.client.start_workflow(
        MEASURE_WORKFLOW,
        id=proposed.handle.id,
        task_queue=workshop.task_queue,
        start_signal="adopt",
        start_signal_args=[ADOPT],
    )
    await recorded(records, proposed, MeasureState.ADOPTED)
    await proposed.handle.signal("hurry-up", args=["Swift", 7])
    await proposed.signals("adopt", **{**ADOPT, "owner": "zhao"})
    await proposed.signals("done", by="li.na")

    await proposed.signals("drop", **DROP)

    result = await proposed.result()
    assert (result["state"], result["result"]) == ("dropped", DROP["reason"])
    assert [(line["message"], line["by"]) for line in result["refused"]] == [
        ("hurry-up", None),
        ("adopt", "chen"),
        ("done", "li.na"),
    ]
    assert "is responsible, until" in result["refused"][1]["why"]
    assert "result: is required" in result["refused"][2]["why"]
    assert "signal refused" in caplog.text
    assert "zhao" not in caplog.text


async def test_message_that_cannot_be_applied_is_answered_with_a_sentence(adopted: OpenCase, records: Records) -> None:
    """G13: also after the end, when the workflow is started once more to answer."""
    again = await says(adopted, "adopt", **ADOPT)
    assert (again["applied"], again["state"]) == (False, "adopted")
    assert "li.na is responsible, until" in again["why"]
    with pytest.raises(Refusal, match="result: is required"):
        await says(adopted, "done", by="li.na")

    await says(adopted, "drop", **DROP)
    await adopted.result()

    with pytest.raises(Refusal, match=r"was dropped on \d{4}-\d\d-\d\d: Swift has closed; nothing changes it"):
        await says(adopted, "done", **DONE)
    twice = await says(adopted, "drop", **DROP)
    assert (twice["applied"], twice["state"]) == (False, "dropped")
    assert (await adopted.result())["state"] == "dropped"
    known = records.measure(adopted.id)
    assert known is not None
    assert known.result == DROP["reason"]


async def test_measure_whose_adoption_is_refused_is_not_kept_running(proposed: OpenCase, records: Records) -> None:
    """G13: it can be adopted afterwards."""
    yesterday = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()

    with pytest.raises(Refusal, match="must be from today"):
        await says(proposed, "adopt", **{**ADOPT, "due": yesterday})

    assert (await proposed.result())["state"] == "proposed"
    assert (await says(proposed, "adopt", **ADOPT))["applied"]
    await recorded(records, proposed, MeasureState.ADOPTED)
    await says(proposed, "drop", **DROP)
    assert (await proposed.result())["state"] == "dropped"


async def test_measure_that_nobody_proposed_is_refused_with_a_sentence(proposed: OpenCase) -> None:
    unknown = OpenCase("carrier-00000000", proposed.client, proposed.handle)

    with pytest.raises(Refusal, match="there is no measure carrier-00000000: no review has proposed it"):
        await says(unknown, "adopt", **ADOPT)


async def test_notice_is_neither_lost_nor_repeated_when_the_worker_is_killed_while_it_sends(
    adopted: OpenCase, workshop: Workshop, partners: FakePartners
) -> None:
    """G13: the channel is down, the worker goes away with the notice unsent, and another one takes over."""
    await reminder_fails(adopted, partners)
    await workshop.close()
    partners.messaging.down = False
    await workshop.open()

    async def sent() -> bool:
        return notified(partners) == [("measure_due", "owner")]

    await eventually(sent, "the notice to the owner")
    await passes(adopted, days=4)
    assert notified(partners) == [("measure_due", "owner"), ("measure_overdue", "team_lead")]


async def test_message_is_answered_while_our_database_and_the_channel_are_down(
    adopted: OpenCase, workshop: Workshop, partners: FakePartners, records: Records
) -> None:
    """G13: the notice that was not sent is pointless once the measure is done."""
    await reminder_fails(adopted, partners)
    fails(workshop.parts.records, "record_measure", RecordsUnavailable("down"))

    assert (await says(adopted, "done", **DONE))["applied"]
    assert (await adopted.result())["state"] == "done"
    assert (await recorded(records, adopted, MeasureState.DONE)).result == DONE["result"]
    assert notified(partners) == []


async def test_cancelled_workflow_drops_its_measure(adopted: OpenCase, records: Records) -> None:
    await adopted.handle.cancel()

    with pytest.raises(WorkflowFailureError) as ended:
        await adopted.handle.result()
    assert isinstance(ended.value.cause, CancelledError)
    assert (await recorded(records, adopted, MeasureState.DROPPED)).result == "its workflow was cancelled"


async def test_query_and_page_show_the_measure(adopted: OpenCase) -> None:
    seen = await adopted.asks(MEASURE_QUERY)

    assert (seen["state"], seen["owner"], date.fromisoformat(seen["due_on"])) == ("adopted", "li.na", IN_TEN_DAYS)
    with pytest.raises(RPCError):
        await adopted.client.get_workflow_handle("measure-carrier-ffffffff").describe()
