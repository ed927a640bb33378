"""A second complaint about one order and topic is merged into the first case, or linked to it (G12, S22)."""

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from cases.policy.policy import Policy
from records import Records
from tests.engine import OpenCase, Workshop, promise
from tests.fakes import FakePartners
from tests.workflows.conftest import Open, links, offered

PHOTO = {"kind": "photo", "uri": "https://files.example.org/1.jpg"}


@pytest.fixture(scope="session")
def written_policies(written_policies: dict[str, Policy]) -> dict[str, Policy]:
    """Policies that merge a second complaint."""
    return {line: p.model_copy(update={"second_complaint": "merge"}) for line, p in written_policies.items()}


@pytest.fixture
async def pair(open_case: Open) -> tuple[OpenCase, OpenCase]:
    """A case, and a second case about its order and topic that was merged into it."""
    first = await open_case(order={"order_id": "SO-ONE"})
    await first.becomes("assessing")
    second = await open_case(order={"order_id": "SO-ONE"}, evidence=[PHOTO])
    await second.until(lambda c: c["links"])
    return first, second


async def test_second_complaint_about_an_order_and_topic_is_handled_by_the_first_case(
    pair: tuple[OpenCase, OpenCase], partners: FakePartners
) -> None:
    """G12: its customer is informed, and its evidence is passed on to the first case."""
    first, second = pair

    await second.at_rest()

    one, two = await first.snapshot(), await second.snapshot()
    assert links(one) == [("merged", second.id)]
    assert links(two) == [("merged_into", first.id)]
    assert one["evidence"] == [PHOTO]
    assert {p["name"]: p["state"] for p in two["promises"]} == {"acknowledge": "kept", "detailed_result": "void"}
    assert two["needs"] == []
    letters = [m for m in partners.messaging.to_customers.values() if m.event == "linked"]
    assert [(m.case_id, m.facts["other_case_id"]) for m in letters] == [(second.id, first.id)]


async def test_first_case_offers_what_both_claim_and_is_as_urgent_as_the_second(open_case: Open) -> None:
    """G12, G10: what is new afterwards waits for a person, and the second closes with all of it handled."""
    items = [{"sku": sku, "name": sku, "quantity": 2, "unit_price": "1000.00"} for sku in ("A", "B")]
    order = {"order_id": "SO-BOTH", "items": items}
    first = await open_case(order=order, affected=[{"sku": "A", "quantity": 1}])
    await first.becomes("assessing")
    second = await open_case(
        order=order, affected=[{"sku": "B", "quantity": 1}], description="the sill, too", wish="refund", urgent=True
    )

    seen = await first.until(lambda c: c["second_complaints"])
    assert (seen["urgent"], seen["second_complaints"][0]["case"]) == (True, second.id)
    assert seen["second_complaints"][0]["wish"] == "refund"
    answer = await first.says("assess", severity="moderate", by="Zhao")
    (option,) = answer["offer"]["options"]
    assert [item["sku"] for item in option["remedies"][0]["items"]] == ["A", "B"]


async def test_who_takes_back_the_second_complaint_leaves_the_first_to_a_person(
    pair: tuple[OpenCase, OpenCase],
) -> None:
    """G12, S22."""
    first, second = pair

    await second.signals("complaint-withdrawn", reason="it was the same one")

    seen = await first.until(lambda c: any(need["what"] == "second_complaint" for need in c["needs"]))
    assert (seen["outcome"], seen["second_complaints"][0]["withdrawn"]) == (None, "it was the same one")


async def test_linked_cases_both_continue_and_a_person_decides_on_the_second(
    closed_workshop: Workshop, open_case: Open, partners: FakePartners
) -> None:
    """G12: linked, its customer informed, and nothing granted twice automatically; an agent can let it continue."""
    policies = closed_workshop.parts.policies
    policies["building_materials"] = policies["building_materials"].model_copy(update={"second_complaint": "link"})
    first = await open_case(order={"order_id": "SO-TWO"})
    await first.becomes("assessing")
    second = await open_case(order={"order_id": "SO-TWO"})

    seen = await second.until(lambda c: c["links"] and c["status"] == "assessing")
    assert links(seen) == [("related", first.id)]
    assert links(await first.snapshot()) == [("related", second.id)]
    assert [need["text"] for need in seen["needs"]] == [
        f"{first.id} about the same order and topic is still open: propose another offer, or assess again"
    ]
    await offered(second, "minor")
    await second.at_rest()
    letters = [m for m in partners.messaging.to_customers.values() if m.event == "linked"]
    assert [(m.case_id, m.facts["other_case_id"]) for m in letters] == [(second.id, first.id)]


async def test_merged_case_closes_with_the_first_and_sends_no_report(
    pair: tuple[OpenCase, OpenCase], partners: FakePartners, records: Records
) -> None:
    """G12, G9."""
    first, second = pair

    await first.says("complaint-withdrawn", reason="all is well")

    assert (await first.result())["outcome"] == "withdrawn"
    closed = await second.result()
    assert (closed["status"], closed["outcome"]) == ("closed", "withdrawn")
    archived = records.case(second.id)
    assert archived is not None
    assert archived["record"] == closed
    assert [m.case_id for m in partners.messaging.to_customers.values() if m.event == "report"] == [first.id]


async def test_fact_that_reaches_a_merged_case_is_applied_to_the_first(pair: tuple[OpenCase, OpenCase]) -> None:
    """S22."""
    first, second = pair
    more = {"kind": "document", "uri": "https://files.example.org/2.pdf"}

    await second.signals("evidence-received", evidence=[more], message_id="m-1")
    await second.signals("evidence-received", evidence=[more], message_id="m-1")

    seen = await first.until(lambda c: more in c["evidence"])
    assert [e["what"] for e in seen["timeline"]].count("evidence") == 2
    assert more not in (await second.snapshot())["evidence"]


async def test_update_to_a_merged_case_is_rejected_with_the_case_that_takes_it(
    pair: tuple[OpenCase, OpenCase],
) -> None:
    """S22."""
    first, second = pair

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await second.says("assess", severity="severe", by="Zhao")

    assert f"was merged into {first.id}: send it there" in str(refused.value.cause)


async def test_merged_case_continues_alone_when_the_first_case_is_gone(
    pair: tuple[OpenCase, OpenCase],
) -> None:
    """S22: nothing is lost, and its promises start anew (S10)."""
    first, second = pair
    await first.handle.terminate()

    await second.signals("contact-made", note="called")

    seen = await second.until(lambda c: c["cycle"] == 2)
    assert links(seen) == [("related", first.id)]
    assert promise(seen, "detailed_result", cycle=2)["state"] == "open"
    assert any(e["what"] == "contact" for e in seen["timeline"])
    await second.becomes("assessing")
    answer = await second.says("assess", severity="moderate", by="Zhao")
    assert answer["offer"]["id"]


async def test_second_complaint_continues_alone_if_the_first_case_is_gone(open_case: Open) -> None:
    first = await open_case(order={"order_id": "SO-GONE"})
    await first.becomes("assessing")
    await first.handle.terminate()

    second = await open_case(order={"order_id": "SO-GONE"})

    seen = await second.until(lambda c: c["links"])
    assert links(seen) == [("related", first.id)]
    await offered(second, "moderate")


async def test_of_two_complaints_that_come_at_once_exactly_one_is_handled_by_the_other(open_case: Open) -> None:
    """G12."""
    order = {"order_id": "SO-AT-ONCE"}

    cases = await asyncio.gather(open_case(order=order), open_case(order=order))

    seen = [await case.until(lambda c: c["links"]) for case in cases]
    assert sorted(link["kind"] for c in seen for link in c["links"]) == ["merged", "merged_into"]


async def test_third_complaint_finds_the_second_if_the_first_case_is_gone(open_case: Open) -> None:
    first = await open_case(order={"order_id": "SO-THREE"})
    await first.becomes("assessing")
    await first.handle.terminate()
    second = await open_case(order={"order_id": "SO-THREE"})
    await second.until(lambda c: c["links"])

    third = await open_case(order={"order_id": "SO-THREE"})

    seen = await third.until(lambda c: len(c["links"]) == 2)
    assert links(seen) == [("related", first.id), ("merged_into", second.id)]


async def test_second_case_in_which_something_has_begun_is_only_related(
    open_case: Open, partners: FakePartners
) -> None:
    """G12: the sample is collected and the notice sent as soon as such a complaint arrives (M15)."""
    first = await open_case(line="infant_formula", topic="goods.safety", order={"order_id": "SO-TIN"})
    await first.until(lambda c: c["steps"])

    second = await open_case(line="infant_formula", topic="goods.safety", order={"order_id": "SO-TIN"})

    two = await second.until(lambda c: c["links"])
    one = await first.until(lambda c: c["links"])
    assert (links(one), links(two)) == ([("related", second.id)], [("related", first.id)])
    await second.at_rest()
    assert "linked" in partners.messaging.events


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("complaint-linked", {"case": "two words", "merges": True}),
        ("complaint-linked", ["HL-2"]),
        ("complaint-linked", None),
        ("case-closed", {"case": "HL-2", "outcome": "rich"}),
        ("case-closed", {"case": "HL-2", "outcome": "satisfied"}),
    ],
)
async def test_stranger_cannot_link_or_close_a_case(open_case: Open, name: str, payload: Any) -> None:
    case = await open_case()
    await case.becomes("assessing")

    await case.handle.signal(name, payload)

    seen = await case.until(lambda c: c["refused"])
    assert [r["message"] for r in seen["refused"]] == [name]
    assert (seen["status"], seen["links"]) == ("assessing", [])


async def test_complaint_that_a_closing_case_refuses_continues_alone(
    pair: tuple[OpenCase, OpenCase],
) -> None:
    """Lets the first case refuse the merge, as if it were closing at that time."""
    first, second = pair

    await second.handle.signal("case-closed", {"case": first.id})

    seen = await second.until(lambda c: c["cycle"] == 2)
    assert links(seen) == [("related", first.id)]
