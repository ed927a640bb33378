"""Two complaints about one matter, and a closed case that is taken up again (G12, S10, S19, S22)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cases.complaint import Complaint, check_complaint
from cases.entitlement.follow_up import Earlier, follow_up, follow_up_id, hindrances
from cases.errors import InvalidInput, Refusal
from cases.inbox import same_matter as linking
from cases.inbox.same_matter import CaseClosed
from cases.policy.policy import Policy
from cases.progress.opening import open_case as opened
from cases.state.second_complaint import ComplaintLinked
from cases.views.needs import needs
from cases.views.snapshot import snapshot
from cases.vocabulary import Outcome, RemedyKind, Status
from tests.cases.world import (
    ACK,
    DETAIL,
    START,
    World,
    a_complaint,
    a_trail,
    building_materials,
    in_force,
    moved,
    open_case,
)

PHOTO = {"kind": "photo", "uri": "https://files.example.org/1.jpg"}
REPORT = {"kind": "inspection_report", "uri": "https://files.example.org/2.pdf"}


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


def test_a_complaint_that_is_handled_apart_after_all_is_no_longer_a_merged_one() -> None:
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
    assert [letter.facts["other_case_id"] for letter in world.told("linked")] == ["HL-0"]


def test_a_look_up_that_answers_late_offers_nothing_in_a_merged_case() -> None:
    world = open_case("transport.delay", looked_up=False)
    linking.merge(world.case, "HL-0", world.now)

    for what in list(world.case.looking_up):
        world.finds(what, None)

    assert (world.status, world.case.offers) == (Status.RECEIVED, [])


def test_a_case_in_which_something_was_agreed_or_begun_is_not_merged() -> None:
    agreed, holding = open_case(policy=merging()), open_case(policy=merging())
    assert linking.can_merge(agreed.case)
    assert not linking.can_merge(open_case().case), "where the policy links"
    agreed.says("assess", severity="minor")
    assert linking.can_merge(agreed.case)
    agreed.says("customer-approved")
    linking.link(holding.case, later(), holding.now)

    assert not linking.can_merge(agreed.case)
    assert not linking.can_merge(holding.case)
    assert not linking.can_merge(merged().case)


def test_a_related_case_waits_for_an_agent_before_the_same_is_granted_twice() -> None:
    """G12: what the trail shows would be offered by itself in both."""
    trail = a_trail(promised_at=START - timedelta(days=4), events=moved(START))
    world = open_case("transport.delay", looked_up=False)
    linking.relate(world.case, "HL-0", world.now, told=True)
    for what, answer in (("trail", trail), ("dispatch", None)):
        world.finds(what, answer)

    assert (world.status, world.case.offers) == (Status.ASSESSING, [])
    assert [letter.facts["reason"]["code"] for letter in world.told("needs_offer")] == ["contested_open"]
    world.says("assess", days_late=4, by="Zhao")
    assert world.status is Status.AWAITING_CONSENT


def test_a_related_case_that_has_made_its_offer_goes_on() -> None:
    world = open_case()
    world.says("assess", severity="minor")

    linking.relate(world.case, "HL-0", world.now, told=True)
    world.says("customer-approved")

    assert world.status is Status.EXECUTING


def test_a_flood_of_complaints_about_one_order_does_not_fill_a_case() -> None:
    """G12: links are kept, up to a bound; a case that it handles as well is always kept."""
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
    """S19: in the older case it would be a yes to another offer."""
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
    assert world.told("report") == []
    assert "HL-1 is closed as satisfied: send it to HL-0" in world.refuses("contact-made")


def test_a_case_closes_with_no_other_than_the_one_it_was_merged_into() -> None:
    alone, resting = open_case(), merged()

    for world, other in ((alone, "HL-0"), (resting, "HL-7")):
        with pytest.raises(Refusal, match=f"HL-1 is not merged into {other}"):
            linking.close_with(world.case, CaseClosed(case=other, outcome=Outcome.SATISFIED), world.now)
        assert not world.case.closing


def test_a_merged_case_whose_older_case_is_gone_goes_on_in_a_new_cycle() -> None:
    """S10: with promises of its own from then; what was void stays on record."""
    world = merged().after(days=3)

    linking.go_on_alone(world.case, world.now, "is gone")
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


# A closed case is taken up again


def following(old: World, **changes: Any) -> Complaint:
    raw = follow_up(old.case.complaint, old.now, **changes)
    return check_complaint(raw, old.now)


def taken_up(old: World, paid: dict[str, Decimal] | None = None, **changes: Any) -> World:
    """The case that follows `old`, once the partners have answered."""
    told = following(old, **changes)
    earlier = Earlier.of(snapshot(old.case), paid)
    assert hindrances(told, earlier, old.case.policy) == []
    world = World(opened(told, in_force()[told.line], old.now, earlier), old.now)
    world.attend()
    for what in list(world.case.looking_up):
        world.finds(what, None)
    return world


def silent() -> World:
    """A case whose offer nobody answered."""
    world = open_case(evidence=[PHOTO])
    world.says("assess", severity="severe", by="Zhao")
    return world.after(days=8)


def satisfied() -> World:
    world = open_case()
    world.says("assess", severity="severe", by="Zhao")
    world.says("customer-approved")
    world.says("satisfaction-reported", score=5)
    return world


def test_a_case_that_ended_in_silence_is_offered_the_same_anew_with_what_was_found_and_shown() -> None:
    """G12, S19."""
    old = silent()
    assert old.case.outcome is Outcome.NO_RESPONSE

    world = taken_up(old)

    assert (world.status, world.offer.id) == (Status.AWAITING_CONSENT, "o1")
    assert [(f.field, f.value, f.source, f.by) for f in world.case.finding.facts] == [
        ("severity", "severe", "earlier case", "Zhao")
    ]
    assert [e.model_dump() for e in world.case.evidence] == [PHOTO]
    assert world.case.links == [{"kind": "follows", "case": "HL-1"}]


def test_a_follow_up_has_a_clock_of_its_own_and_the_old_breach_stays_where_it_was() -> None:
    """S10."""
    old = open_case().after(days=3)
    assert old.state(DETAIL) == "broken"
    old.says("complaint-withdrawn")

    world = taken_up(old)

    assert world.due(DETAIL) == old.now + timedelta(hours=48)
    assert (world.state(DETAIL), world.ladder) == ("open", [])
    assert old.state(DETAIL) == "broken"


def test_what_was_settled_is_judged_by_an_agent_before_anything_is_offered_again() -> None:
    """G12: or the compensation would be paid twice."""
    world = taken_up(satisfied())

    assert (world.status, world.case.offers) == (Status.ASSESSING, [])
    assert any("HL-1 closed as satisfied" in need["text"] for need in needs(world.case))
    assert len(world.told("needs_offer")) == 1
    world.says("assess", upheld=True, by="Zhao")
    assert world.status is Status.AWAITING_CONSENT


def test_a_follow_up_that_was_merged_and_goes_on_alone_is_still_judged_first() -> None:
    world = taken_up(satisfied())
    linking.merge(world.case, "HL-0", world.now)

    linking.go_on_alone(world.case, world.now, "is gone")

    assert (world.status, world.case.offers) == (Status.ASSESSING, [])


def test_a_late_evidence_of_a_rejected_case_is_judged_and_not_rejected_again_by_itself() -> None:
    old = open_case()
    old.says("assess", upheld=False, by="Zhao")
    assert old.case.outcome is Outcome.REJECTED

    world = taken_up(old, evidence=[REPORT])

    assert (world.status, world.case.offers) == (Status.ASSESSING, [])
    world.says("assess", upheld=True, severity="minor")
    assert world.status is Status.AWAITING_CONSENT


def test_money_refunded_before_bounds_what_is_offered_again() -> None:
    """S14: over all cases of the order."""
    world = taken_up(silent(), {RemedyKind.REFUND: Decimal("12000.00")})

    refund = world.options["refund"]["refund"]
    assert refund["amount"] == "800.00"


def test_what_partners_said_is_asked_anew_and_what_people_said_still_overrides_it() -> None:
    """G3."""
    finding = {
        "severity": "minor",
        "days_late": 4,
        "facts": [
            {"field": "days_late", "value": 4, "source": "trail", "at": START.isoformat()},
            {"field": "severity", "value": "severe", "source": "agent", "at": START.isoformat(), "by": "Li"},
            {"field": "severity", "value": "minor", "source": "agent", "at": START.isoformat(), "by": "Zhao"},
        ],
    }

    earlier = Earlier.of({"case_id": "HL-1", "line": "x", "topic": "y", "finding": finding})

    assert earlier.finding.known() == {"severity": "minor"}
    assert [(fact.source, fact.by) for fact in earlier.finding.facts] == [("earlier case", "Zhao")]


def test_a_finding_about_another_topic_is_not_taken_over() -> None:
    world = taken_up(silent(), topic="transport.loss")

    assert world.case.finding.facts == []


@pytest.mark.parametrize(("late_by", "may"), [(-1, True), (1, False)])
def test_a_case_may_be_taken_up_again_within_30_days(late_by: int, may: bool) -> None:
    """G12, by when the complaint was received (S9)."""
    old = silent()
    closed_at = old.case.closed_at
    assert closed_at is not None
    old.now = closed_at + timedelta(days=30, seconds=late_by)

    found = hindrances(following(old), Earlier.of(snapshot(old.case)), old.case.policy)

    assert [p.field for p in found] == ([] if may else ["follows"])


def test_a_case_that_is_unknown_open_or_about_another_order_is_not_followed_and_says_what_to_do() -> None:
    """G12."""
    old, policy = silent(), building_materials()
    told = following(old)
    still_open = Earlier.of({**snapshot(old.case), "closed_at": None})
    other = Earlier.of({**snapshot(old.case), "order_id": "SO-2"})

    said = [str(hindrances(told, earlier, policy)[0]) for earlier in (None, still_open, other)]

    assert "there is no case HL-1" in said[0]
    assert said[1] == "follows: HL-1 is open: send the message to it"
    assert "was about order SO-2 of building_materials: open a new complaint" in said[2]


def test_a_complaint_does_not_follow_itself() -> None:
    with pytest.raises(InvalidInput, match="follows: names the case itself"):
        check_complaint(a_complaint(follows="HL-1"), START)


@pytest.mark.parametrize(
    ("case_id", "follows", "expected"),
    [
        ("HL-1", None, "HL-1.2"),
        ("HL-1.2", "HL-1", "HL-1.3"),
        ("HL-1.3", "HL-1.2", "HL-1.4"),
        ("HL.7", None, "HL.7.2"),
        ("HL.7", "QX-1", "HL.7.2"),
    ],
)
def test_follow_ups_are_numbered_on_and_other_numbers_left_alone(
    case_id: str, follows: str | None, expected: str
) -> None:
    old = check_complaint(a_complaint(case_id=case_id, **({"follows": follows} if follows else {})), START)

    assert follow_up_id(old) == expected
