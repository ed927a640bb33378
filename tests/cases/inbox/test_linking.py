"""Two complaints about one matter are merged or linked (G12, S19, S22)."""

from datetime import timedelta
from typing import Any

import pytest

from cases.errors import Refusal
from cases.inbox import same_matter as linking
from cases.inbox.same_matter import CaseClosed
from cases.policy.policy import Policy
from cases.state.second_complaint import ComplaintLinked
from cases.views.needs import needs
from cases.vocabulary import Outcome, Status
from tests.cases.world import (
    ACK,
    DETAIL,
    START,
    World,
    a_trail,
    building_materials,
    moved,
    open_case,
)

PHOTO = {"kind": "photo", "uri": "https://files.example.org/1.jpg"}


def merged(**complaint: Any) -> World:
    """A later case that was merged into HL-0."""
    world = open_case(**complaint)
    linking.merge(world.case, "HL-0", world.now)
    world.attend()
    return world


def merging() -> Policy:
    """A policy that merges a second complaint."""
    return building_materials().model_copy(update={"second_complaint": "merge"})


def later(**fields: Any) -> ComplaintLinked:
    return ComplaintLinked.model_validate({"case": "HL-9", "merges": True, **fields})


# The older case


def test_the_older_case_takes_over_the_evidence_of_a_later_complaint() -> None:
    """G12: what the case itself still waits for may be among it (G11)."""
    world = open_case("goods.damage", line="fresh_food")
    assert world.status is Status.AWAITING_EVIDENCE

    assert linking.link(world.case, later(evidence=[PHOTO]), world.now)
    world.attend()

    assert [e.model_dump() for e in world.case.evidence] == [PHOTO]
    assert world.case.awaited == []
    assert world.case.links == [{"kind": "merged", "case": "HL-9"}]


def test_the_same_complaint_linked_twice_is_linked_once() -> None:
    world = open_case()

    for _ in range(2):
        assert linking.link(world.case, later(), world.now)

    assert linking.merged(world.case) == ["HL-9"]
    assert [e.what for e in world.case.timeline].count("linked") == 1


def test_complaint_that_is_handled_separately_is_no_longer_merged() -> None:
    world = open_case()
    linking.link(world.case, later(), world.now)

    linking.link(world.case, later(merges=False), world.now)

    assert world.case.links == [{"kind": "related", "case": "HL-9"}]


def test_a_case_that_is_over_or_merged_takes_nothing_in() -> None:
    over, resting = open_case(), merged()
    over.says("complaint-withdrawn")

    assert not linking.link(over.case, later(), over.now)
    assert not linking.link(resting.case, later(), resting.now)
    assert linking.merged(over.case) == linking.merged(resting.case) == []


def test_a_case_is_never_linked_to_itself() -> None:
    world = open_case()

    with pytest.raises(Refusal, match="cannot be linked to itself"):
        linking.link(world.case, later(case=world.case.id), world.now)


# The later case


def test_a_merged_case_offers_nothing_escalates_nothing_and_needs_nobody() -> None:
    """G12: what was promised is promised in the older case; only the acknowledgement is owed to this complaint."""
    world = merged()

    world.after(days=30)

    assert (world.state(ACK), world.state(DETAIL)) == ("kept", "void")
    assert (world.ladder, needs(world.case), world.case.offers) == ([], [], [])
    assert [letter.facts["other_case_id"] for letter in world.letters("linked")] == ["HL-0"]


def test_a_look_up_that_answers_late_offers_nothing_in_a_merged_case() -> None:
    world = open_case("transport.delay", looked_up=False)
    linking.merge(world.case, "HL-0", world.now)

    for what in list(world.case.looking_up):
        world.finds(what, None)

    assert (world.status, world.case.offers) == (Status.RECEIVED, [])


def test_a_case_in_which_something_was_agreed_or_begun_is_not_merged() -> None:
    agreed, holding = open_case(policy=merging()), open_case(policy=merging())
    assert linking.can_merge(agreed.case)
    assert not linking.can_merge(open_case().case), "when the policy links"
    agreed.says("assess", severity="minor")
    assert linking.can_merge(agreed.case)
    agreed.says("customer-approved")
    linking.link(holding.case, later(), holding.now)

    assert not linking.can_merge(agreed.case)
    assert not linking.can_merge(holding.case)
    assert not linking.can_merge(merged().case)


def test_a_related_case_waits_for_an_agent_before_the_same_is_granted_twice() -> None:
    """G12: both cases would automatically offer what the tracking history shows."""
    trail = a_trail(promised_at=START - timedelta(days=4), events=moved(START))
    world = open_case("transport.delay", looked_up=False)
    linking.relate(world.case, "HL-0", world.now, running=True)
    for what, answer in (("trail", trail), ("dispatch", None)):
        world.finds(what, answer)

    assert (world.status, world.case.offers) == (Status.ASSESSING, [])
    assert [letter.facts["reason"]["code"] for letter in world.letters("needs_offer")] == ["contested_open"]
    world.says("assess", days_late=4, by="Zhao")
    assert world.status is Status.AWAITING_CONSENT


def test_related_case_that_has_made_its_offer_continues() -> None:
    world = open_case()
    world.says("assess", severity="minor")

    linking.relate(world.case, "HL-0", world.now, running=True)
    world.says("customer-approved")

    assert world.status is Status.EXECUTING


def test_a_flood_of_complaints_about_one_order_does_not_fill_a_case() -> None:
    """G12: links are kept up to a limit; a case that it also handles is always kept."""
    world = open_case()
    for number in range(2 * linking.MAX_LINKS):
        assert linking.link(world.case, later(case=f"HL-{number + 100}", merges=False), world.now)
    linking.link(world.case, later(), world.now)

    assert len(world.case.links) == linking.MAX_LINKS + 1
    assert linking.merged(world.case) == ["HL-9"]


def test_messages_to_a_merged_case_are_refused_with_the_case_that_takes_them() -> None:
    """S22."""
    world = merged()

    for message in ("note", "assess", "contact-made"):
        assert "HL-1 was merged into HL-0: send it there" in world.refuses(
            message, **({"text": "x"} if message == "note" else {})
        )


def test_an_answer_to_an_offer_of_the_merged_case_is_never_passed_on() -> None:
    """S19: in the older case it would accept another offer."""
    world = open_case()
    world.says("assess", severity="minor")
    linking.merge(world.case, "HL-0", world.now)

    with pytest.raises(Refusal, match="answer the offer of HL-0"):
        linking.pass_on(world.case, "customer-approved", {"offer": "o1"}, world.now)
    linking.pass_on(merged().case, "customer-approved", {}, world.now)


def test_a_malformed_fact_is_not_passed_on() -> None:
    with pytest.raises(Refusal, match="evidence: is required"):
        linking.pass_on(merged().case, "evidence-received", {}, START)


def test_a_merged_case_closes_as_the_older_one_without_a_report() -> None:
    """G12, G9."""
    world = merged()

    linking.close_with(world.case, CaseClosed(case="HL-0", outcome=Outcome.SATISFIED), world.now)
    world.attend()

    assert (world.status, world.case.outcome, world.case.closed_at) == (Status.CLOSED, Outcome.SATISFIED, world.now)
    assert world.letters("report") == []
    assert "HL-1 is closed as satisfied: send it to HL-0" in world.refuses("contact-made")


def test_a_case_closes_with_no_other_than_the_one_it_was_merged_into() -> None:
    alone, resting = open_case(), merged()

    for world, other in ((alone, "HL-0"), (resting, "HL-7")):
        with pytest.raises(Refusal, match=f"HL-1 is not merged into {other}"):
            linking.close_with(world.case, CaseClosed(case=other, outcome=Outcome.SATISFIED), world.now)
        assert not world.case.closing


def test_merged_case_whose_older_case_is_gone_continues_in_a_new_cycle() -> None:
    """S10: with new promises from then on; void ones stay on record."""
    world = merged().after(days=3)

    linking.continue_alone(world.case, world.now, "is gone")
    world.attend()

    assert (world.status, world.case.merged_into) == (Status.ASSESSING, None)
    assert [(p.name, p.cycle, p.state) for p in world.case.promises if p.name == DETAIL] == [
        (DETAIL, 1, "void"),
        (DETAIL, 2, "open"),
    ]
    assert world.due(DETAIL) == world.now + timedelta(hours=48)
    world.says("assess", severity="minor")
    assert world.status is Status.AWAITING_CONSENT


def test_a_merged_case_travels_through_a_continued_run() -> None:
    world = merged().continues_as_new()

    assert world.case.merged_into == "HL-0"
    assert "was merged into HL-0" in world.refuses("note", text="x")
