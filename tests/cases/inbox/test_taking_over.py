"""The first case takes over all that a second complaint claims: items, evidence, urgency and promises (G12)."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from cases.inbox import same_matter as linking
from cases.inbox.same_matter import link_message
from cases.policy.policy import Policy
from cases.state.letter import Audience
from cases.state.second_complaint import ComplaintLinked
from cases.views.ui_page import case_page
from cases.vocabulary import PromiseName, PromiseState, Status
from tests.cases.inbox.merging import PHOTO, affected, first, judged, merge, merging, offered, second
from tests.cases.world import ACK, DETAIL, START, building_materials, in_force, open_case, snapshot

VIDEO = {"kind": "video", "uri": "https://files.example.org/2.mp4"}
HOUR = timedelta(hours=1)


# Items


def test_what_both_claim_is_offered_together() -> None:
    """G12: the first claims A, the second B."""
    one = first(("A", 1))
    merge(one, second(("B", 1)))

    one.says("assess", severity="moderate", by="li")

    assert one.options["replace"]["replacement"]["items"] == [
        {"sku": "A", "quantity": 1},
        {"sku": "B", "quantity": 1},
    ]
    assert judged(one) == []


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        ([("A", 1)], [("A", 2)], {"A": 3}),
        ([("A", 3)], [("A", 3)], {"A": 4}),
        ([("A", 1), ("B", 2)], [("B", 1)], {"A": 1, "B": 2}),
        ([("A", 1)], [], {"A": 4, "B": 2}),
        ([], [("B", 1)], {"A": 4, "B": 2}),
    ],
    ids=["added up", "no more than was ordered", "all of one", "the second names none", "the first names none"],
)
def test_items_are_added_up_to_what_was_ordered(mine: Any, theirs: Any, both: dict[str, int]) -> None:
    """G12: a complaint without items is about all of them."""
    one = first(*mine)
    merge(one, second(*theirs))

    one.says("assess", severity="moderate", by="li")

    offered = one.options["replace"]["replacement"]["items"]
    assert {item["sku"]: item["quantity"] for item in offered} == both


def test_pieces_of_one_kind_may_be_the_same_ones_so_a_person_looks_first() -> None:
    """G12: nothing is granted twice automatically, and nothing is lost."""
    one = first(("A", 1))
    merge(one, second(("A", 1)))

    assert judged(one)[0].startswith(
        "HL-2 is a second complaint about the same matter; still to be judged: 1 × A as well, or is it the same?"
    )
    one.says("assess", severity="moderate", affected=[{"sku": "A", "quantity": 1}], by="li")
    assert judged(one) == []
    assert one.options["replace"]["replacement"]["items"] == [{"sku": "A", "quantity": 1}]


def test_the_same_complaint_under_another_id_adds_nothing() -> None:
    one = first(("A", 1), description="broken", wish="refund")
    one.says("assess", severity="moderate", by="li")
    offer = one.offer.id

    merge(one, second(("A", 1), description=" broken ", wish="refund"))

    assert (affected(one), judged(one), one.offer.id) == ({}, [], offer)


def test_an_item_that_is_none_of_the_order_goes_to_a_person() -> None:
    """G12: the second system may know another list of the same order."""
    one = open_case(policy=merging())
    one.says("assess", severity="moderate", by="li")

    merge(one, second(("B", 1)))

    assert "1 × B, which is not an item of the order" in judged(one)[0]


def test_complaint_never_changes_and_the_finding_names_its_sources() -> None:
    """G1, G3."""
    one = first(("A", 1))
    merge(one, second(("B", 1)))

    assert [(a.sku, a.quantity) for a in one.case.complaint.affected or []] == [("A", 1)]
    assert [(f.field, f.source, f.by) for f in one.case.finding.facts] == [("affected", "second complaint", "HL-2")]


# What people see


def test_wish_words_and_customer_of_the_second_stay_where_people_see_them() -> None:
    one = first(("A", 1), wish="replace")
    customer = {"name": "王芳", "phone": "13900000000"}
    merge(one, second(("B", 1), wish="refund", customer=customer, channel="wechat"))

    (shown,) = json.loads(json.dumps(snapshot(one.case)))["second_complaints"]

    assert (shown["case"], shown["wish"], shown["description"]) == ("HL-2", "refund", "the sill is cracked, too")
    assert (shown["customer"]["name"], shown["customer"]["phone"], shown["channel"]) == (
        "王芳",
        "13900000000",
        "wechat",
    )
    assert (shown["affected"], shown["judged"]) == ([{"sku": "B", "quantity": 1}], True)
    assert "**And HL-2**" in case_page(one.case)


# Urgency


@pytest.mark.parametrize(("complaint", "marked"), [({"urgent": True}, False), ({}, True)])
def test_the_urgency_of_the_second_is_the_firsts(complaint: dict[str, Any], marked: bool) -> None:
    """G10, G12."""
    one, two = first(("A", 1)), second(("B", 1), **complaint)
    if marked:
        two.says("mark-urgent", reason="a child is hurt")

    merge(one, two)

    assert one.case.urgent
    assert one.until(START + 24 * HOUR).rungs(DETAIL) == [1]


def test_an_urgent_first_stays_urgent() -> None:
    one = first(("A", 1), urgent=True)

    merge(one, second(("B", 1)))

    assert one.case.urgent


# Promises


def with_detail(within: str) -> Policy:
    policy = building_materials()
    rules = [r.model_copy(update={"within": within}) if r.name is DETAIL else r for r in policy.promises]
    return merging(policy, promises=rules)


@pytest.mark.parametrize(
    ("within", "due"), [("6h", START + 10 * HOUR), ("90h", START + 48 * HOUR), ("44h", START + 48 * HOUR)]
)
def test_of_both_promises_the_one_that_falls_due_first_is_owed(within: str, due: datetime) -> None:
    """G12: from when each was received, and by the terms that each was made under."""
    one = first(("A", 1)).after(hours=4)
    merge(one, second(("B", 1), at=START + 4 * HOUR, policy=with_detail(within)))

    assert one.due(DETAIL) == due
    states = [p.state for p in one.case.promises if p.name is DETAIL]
    assert states == (["void", "open"] if within == "6h" else ["open"])


def test_a_complaint_that_came_earlier_and_was_entered_later_brings_its_deadline() -> None:
    """S9, G12."""
    one = first(("A", 1)).after(hours=1)
    merge(one, second(("B", 1), at=START + HOUR, received=START - 5 * HOUR))

    assert one.due(DETAIL) == START + 43 * HOUR


def test_roles_notified_of_the_promise_are_not_notified_again() -> None:
    """S6, G12."""
    one = first(("A", 1)).after(hours=39)
    assert one.rungs(DETAIL) == [1]
    merge(one, second(("B", 1), at=START + 39 * HOUR, policy=with_detail("6h")))

    assert one.after(hours=6).rungs(DETAIL) == [1, 2]


def test_the_first_answer_to_the_second_complaint_is_owed_by_its_own_case() -> None:
    """G2, G12."""
    one = first(("A", 1)).after(hours=1)
    two = second(("B", 1), at=START + HOUR, down={Audience.CUSTOMER})

    merge(one, two)

    assert [p.state for p in one.case.promises if p.name is ACK] == ["kept"]
    assert two.promise(ACK).live


def test_acknowledgement_of_the_second_complaint_is_not_passed_to_the_first() -> None:
    """G2: otherwise each would be notified twice."""
    two = second(("B", 1), down={Audience.CUSTOMER})
    before = link_message(two.case, merges=True)

    two.comes_back(Audience.CUSTOMER)

    assert link_message(two.case, merges=True) == before


def test_a_broken_promise_stays_broken() -> None:
    one = first(("A", 1)).after(hours=49)

    merge(one, second(("B", 1), at=START + 49 * HOUR, policy=with_detail("1h")))

    assert [p.state for p in one.case.promises if p.name is DETAIL] == ["broken"]


def test_a_promise_that_waits_for_evidence_waits_in_the_first_case_too() -> None:
    """G11, G12: and what arrives there lets it run on."""
    food = merging(in_force()["fresh_food"])
    hasty = [r.model_copy(update={"within": "10h"}) if r.name == "solution" else r for r in food.promises]
    one = open_case("goods.damage", line="fresh_food", policy=food)
    two = open_case("goods.damage", line="fresh_food", policy=merging(food, promises=hasty), case_id="HL-2")

    merge(one, two)
    assert one.state(PromiseName.SOLUTION) is PromiseState.PAUSED
    one.after(hours=2).says("evidence-received", evidence=[PHOTO])

    assert one.due(PromiseName.SOLUTION) == START + 12 * HOUR


def test_a_detailed_result_is_owed_again_where_the_second_claims_what_it_did_not_cover() -> None:
    """G12: the customer was promised one within 48 h of the second complaint."""
    one = first(("A", 1))
    one.says("assess", severity="moderate", by="li")
    assert one.state(DETAIL) is PromiseState.KEPT

    merge(one.after(hours=5), second(("B", 1), at=START + 5 * HOUR))

    assert (one.state(DETAIL), one.due(DETAIL)) == (PromiseState.OPEN, START + 53 * HOUR)
    one.says("assess", severity="moderate", by="li")
    assert one.state(DETAIL) is PromiseState.KEPT


# What the second says later


def test_evidence_that_the_second_shows_later_goes_to_a_person() -> None:
    """S22, G12."""
    one = first(("A", 1))
    merge(one, second(("B", 1)))
    one.says("assess", severity="moderate", by="li")
    assert judged(one) == []

    one.says("evidence-received", evidence=[VIDEO])

    assert "shows video" in judged(one)[0]


def test_evidence_for_a_case_that_handles_no_other_needs_nobody() -> None:
    one = offered()

    one.says("evidence-received", evidence=[VIDEO])

    assert one.status is Status.AWAITING_CONSENT
    assert judged(one) == []


def test_who_takes_back_the_second_complaint_does_not_take_back_the_first() -> None:
    """G12, S22: a person judges what is still owed."""
    one, two = first(("A", 1)), second(("B", 1))
    merge(one, two)

    assert linking.pass_on(two.case, "complaint-withdrawn", {"reason": "found it"}, two.now)
    message = linking.withdrawal_message(two.case, "complaint-withdrawn", {"reason": "found it"})
    assert message is not None
    linking.link(one.case, message, one.now)
    one.attend()

    assert one.case.outcome is None
    assert "HL-2" in judged(one)[0]
    assert "is withdrawn" in judged(one)[0]
    assert snapshot(one.case)["second_complaints"][0]["withdrawn"] == "found it"


def test_repeated_link_adds_only_what_is_new() -> None:
    """G12: an agent added evidence and marked it as urgent while it was being merged."""
    one, two = first(("A", 1)), second(("B", 1))
    linking.link(one.case, link_message(two.case, merges=True), one.now)
    two.says("evidence-received", evidence=[PHOTO])
    two.says("mark-urgent", reason="a child is hurt")

    merge(one, two)

    assert affected(one) == {"A": 1, "B": 1}
    assert [e.uri for e in one.case.evidence] == [PHOTO["uri"]]
    assert one.case.urgent
    assert len(one.case.second_complaints) == 1


# Builds, and bounds


def test_an_earlier_build_that_sends_only_evidence_is_still_understood() -> None:
    one = first(("A", 1))

    assert linking.link(
        one.case, ComplaintLinked.model_validate({"case": "HL-2", "merges": True, "evidence": [PHOTO]}), one.now
    )

    assert [e.uri for e in one.case.evidence] == [PHOTO["uri"]]


def test_a_later_build_may_say_more() -> None:
    two = second(("B", 1))
    message = link_message(two.case, merges=True).model_dump(mode="json")
    message["complaint"] |= {"mood": "angry", "found": {"colour": "red"}}

    assert linking.link(first(("A", 1)).case, ComplaintLinked.model_validate({**message, "new": 1}), START)


def test_complaint_that_is_too_large_to_pass_on_stays_a_separate_case() -> None:
    """G12: the first case refuses larger messages, and nothing of it must be lost."""
    shown = [{"kind": "document", "uri": f"https://files.example.org/{'x' * 1900}/{n}"} for n in range(30)]
    two = second(("B", 1), evidence=shown)
    assert linking.can_merge(two.case)

    two.says("evidence-received", evidence=[{**e, "uri": e["uri"] + "more"} for e in shown])

    assert not linking.can_merge(two.case)


def test_all_of_it_travels_through_a_continued_run() -> None:
    one = offered()
    merge(one, second(("B", 1), wish="refund", urgent=True))
    before = snapshot(one.case)

    assert snapshot(one.continues_as_new().case) == before
