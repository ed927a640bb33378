"""A closed case is reopened by a new case that follows it (G12, S10, S22)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from cases.complaint import Complaint
from cases.entitlement.follow_up import follow_up
from records import Records, RecordsUnavailable
from tests.complaints import complaint
from tests.engine import OpenCase, Workshop, promise
from tests.workflows.conftest import agreed, links, offered

PHOTO = {"kind": "photo", "uri": "https://files.example.org/1.jpg"}


async def withdrawn(workshop: Workshop, content: dict[str, Any]) -> OpenCase:
    """A case that closed before anything was done."""
    case = await workshop.take_in(content)
    await case.becomes("assessing")
    await case.says("complaint-withdrawn")
    await case.result()
    return case


def following(old: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return follow_up(Complaint.model_validate(old), datetime.now(UTC)) | changes


async def failed(case: OpenCase) -> list[dict[str, str]]:
    """Return the problems with which the case was refused."""
    with pytest.raises(WorkflowFailureError) as raised:
        await case.result()
    assert isinstance(raised.value.cause, ApplicationError)
    problems: list[dict[str, str]] = raised.value.cause.details[0]
    return problems


async def test_follow_up_of_a_case_in_which_nothing_was_agreed_is_offered_the_same_anew(workshop: Workshop) -> None:
    """G12, S19: consent is asked again, the finding is kept; S10: with new promises."""
    content = complaint(evidence=[PHOTO])
    first = await workshop.take_in(content)
    await offered(first, "moderate")
    await first.says("complaint-withdrawn", reason="not now")
    await first.result()

    case = await workshop.take_in(following(content))

    seen = await case.becomes("awaiting_consent")
    assert case.id == f"{first.id}.2"
    assert links(seen) == [("follows", first.id)]
    assert (seen["finding"]["severity"], seen["evidence"]) == ("moderate", [PHOTO])
    assert {(f["field"], f["source"], f["by"]) for f in seen["finding"]["facts"]} >= {
        ("severity", "earlier case", "Zhao")
    }
    assert promise(seen, "detailed_result")["state"] == "kept"
    assert seen["offers"][0]["id"] == "o1"


async def test_follow_up_of_a_case_that_was_settled_waits_for_an_agent(workshop: Workshop) -> None:
    """G12, S35: what the first case made good is not offered again, and the reason names it."""
    content = complaint()
    first = await workshop.take_in(content)
    await agreed(first)
    await first.becomes("following_up")
    await first.says("satisfaction-reported", score=5)
    await first.result()

    case = await workshop.take_in(following(content))

    seen = await case.becomes("assessing")
    assert seen["offers"] == []
    assert any("closed as satisfied" in need["text"] for need in seen["needs"])
    answer = await case.says("assess", upheld=True, by="Zhao")
    assert answer["offer"] is None
    assert any(f"refund in case {first.id}" in why for why in answer["withheld"])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"follows": "HL-nobody"}, "there is no case HL-nobody"),
        ({"order": {"order_id": "SO-OTHER", "amount": "10.00"}}, "was about order SO-"),
    ],
)
async def test_follow_up_of_nothing_or_of_another_order_is_refused(
    workshop: Workshop, change: dict[str, Any], problem: str
) -> None:
    """G12."""
    content = complaint()
    await withdrawn(workshop, content)

    case = await workshop.take_in(following(content, **change))

    (found,) = await failed(case)
    assert found["field"] == "follows"
    assert problem in found["problem"]


async def test_follow_up_of_an_open_case_is_sent_to_it(workshop: Workshop) -> None:
    """S22."""
    content = complaint()
    first = await workshop.take_in(content)
    await first.becomes("assessing")

    case = await workshop.take_in(following(content))

    assert await failed(case) == [{"field": "follows", "problem": f"{first.id} is open: send the message to it"}]


async def test_case_that_closed_more_than_30_days_ago_is_not_taken_up_again(
    workshop: Workshop, records: Records
) -> None:
    """G12."""
    content = complaint()
    closed = datetime.now(UTC) - timedelta(days=30, minutes=1)
    records.open_case(
        content["case_id"],
        "a-run",
        line=content["line"],
        topic=content["topic"],
        order_id=content["order"]["order_id"],
        received_at=closed,
        opened_at=closed,
    )
    records.archive_case(content["case_id"], closed, "satisfied", {})

    case = await workshop.take_in(following(content))

    (found,) = await failed(case)
    assert f"closed on {closed:%Y-%m-%d}" in found["problem"]
    assert "within 30 days: open a new complaint" in found["problem"]


async def test_records_that_are_down_hold_a_follow_up_back_and_do_not_refuse_it(
    workshop: Workshop, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G12: until then nobody knows whether it may be reopened."""
    content = complaint()
    first = await withdrawn(workshop, content)
    known, tries = records.case, []

    def down_twice(case_id: str) -> dict[str, Any] | None:
        tries.append(case_id)
        if len(tries) <= 2:
            raise RecordsUnavailable("down")
        return known(case_id)

    monkeypatch.setattr(records, "case", down_twice)
    case = await workshop.take_in(following(content))

    seen = await case.becomes("assessing")
    assert len(tries) == 3
    assert links(seen) == [("follows", first.id)]
