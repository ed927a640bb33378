"""G13: a case about infant formula closes, and a month later an agent is asked to call its customer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from cases.contract import LATER_CALL_QUERY, later_call_workflow_id
from cases.errors import Refusal
from client.afterwards.later_calls import answer
from client.cases import Engine
from records import Records, RecordsUnavailable
from tests.engine import OpenCase, Workshop
from tests.fakes import FakePartners
from tests.replay.scene import fails
from tests.workflows.conftest import Open

FORMULA: dict[str, Any] = {
    "line": "infant_formula",
    "topic": "return.quality",
    "order": {
        "amount": "398.00",
        "freight": "0.00",
        "items": [{"sku": "TIN-2", "name": "Formula", "quantity": 2, "unit_price": "199.00"}],
    },
    "evidence": [{"kind": "photo", "uri": "s3://p"}, {"kind": "batch_number", "uri": "b-1"}],
}
ANSWER = {"score": 5, "comment": "the child takes it well", "by": "li.na"}


async def close(case: OpenCase) -> dict[str, Any]:
    """Let the customer be refunded and be satisfied."""
    await case.becomes("assessing")
    await case.says("assess", upheld=True, by="Zhao")
    await case.becomes("awaiting_consent")
    await case.says("customer-approved", option="refund")
    await case.until(lambda c: any(s["reference"] for s in c["steps"]))
    await case.says("step-reported", step="collection", state="done")
    await case.becomes("following_up")
    await case.says("satisfaction-reported", score=5)
    return await case.result()


@pytest.fixture
async def call(open_case: Open, workshop: Workshop, client: Client) -> OpenCase:
    """The later call of a case that has closed."""
    case = await open_case(**FORMULA)
    await close(case)
    handle = client.get_workflow_handle(later_call_workflow_id(case.id))
    workshop.taken_in.add(handle.id)
    return OpenCase(case.id, client, handle)


def asked(partners: FakePartners) -> list[int]:
    """Return the attempts for which an agent was asked to call, in order."""
    return [n.facts["attempt"] for n in partners.messaging.notices.values() if n.event == "later_call"]


async def passes(call: OpenCase, **time: float) -> None:
    await TimeSkipper(call.client).fast_forward(call.handle, timedelta(**time))
    await call.at_rest()


def kept(records: Records, call: OpenCase) -> dict[str, Any]:
    case = records.case(call.id)
    assert case is not None
    found: dict[str, Any] = case["later_call"]
    return found


async def test_agent_is_asked_after_a_month_and_the_answer_is_kept_with_the_case(
    call: OpenCase, partners: FakePartners, records: Records
) -> None:
    """G13: and is there for the review."""
    await passes(call, days=29)
    assert asked(partners) == []
    await passes(call, days=9)
    assert asked(partners) == [1, 2]

    assert await answer(Engine(call.client, ""), call.id, ANSWER) == {"applied": True}
    result = await call.result()

    assert (result["score"], result["comment"], result["asked"]) == (5, ANSWER["comment"], 2)
    assert kept(records, call).items() >= {"score": 5, "comment": ANSWER["comment"], "by": "li.na"}.items()
    year = timedelta(days=365)
    [known] = records.later_calls(datetime.now(UTC) - year, datetime.now(UTC) + year)
    assert (known.case_id, known.line, known.score) == (call.id, "infant_formula", 5)
    with pytest.raises(Refusal, match=rf"the later call of {call.id} was answered on .*, entered by li.na"):
        await answer(Engine(call.client, ""), call.id, ANSWER)


async def test_call_that_nobody_makes_is_given_up(call: OpenCase, partners: FakePartners, records: Records) -> None:
    """G13: after three requests."""
    await TimeSkipper(call.client).fast_forward(call.handle, timedelta(days=52))
    result = await call.result()

    assert asked(partners) == [1, 2, 3]
    assert result["given_up_at"] is not None
    assert (kept(records, call)["reached"], kept(records, call)["score"]) == (None, None)
    with pytest.raises(Refusal, match="was given up, because nobody entered an answer"):
        await answer(Engine(call.client, ""), call.id, ANSWER)


async def test_answer_as_a_signal_counts_while_channel_and_database_are_down(
    call: OpenCase, workshop: Workshop, partners: FakePartners, records: Records
) -> None:
    """G13: a worker is replaced meanwhile; signals that make no sense are kept."""
    partners.messaging.down = True
    fails(records, "keep_later_call", RecordsUnavailable("down"))
    due_at = datetime.fromisoformat((await call.asks(LATER_CALL_QUERY))["due_at"])
    await TimeSkipper(call.client).fast_forward(call.handle, due_at - await call.now())
    await workshop.close()
    await workshop.open()
    await call.signals("hurry-up")
    await call.signals("later-call-answered", by="li.na")
    seen = await call.asks(LATER_CALL_QUERY)
    assert seen["answered_at"] is None

    await call.signals("later-call-answered", **ANSWER)

    result = await call.result()
    assert (result["score"], asked(partners)) == (5, [])
    assert kept(records, call)["score"] == 5


async def test_case_that_is_not_called_about_has_no_later_call(open_case: Open, client: Client) -> None:
    """G13."""
    case = await open_case(line="infant_formula", topic="inquiry", order=FORMULA["order"])
    await case.becomes("assessing")
    await case.says("complaint-withdrawn")
    await case.result()

    with pytest.raises(Refusal, match=rf"{case.id} has no later call: it is not closed, nothing was carried out"):
        await answer(Engine(client, ""), case.id, ANSWER)
