"""A closed case is taken up again as a case that follows it (G12, S10)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cases.complaint import Complaint
from cases.entitlement.follow_up import Earlier, follow_up, follow_up_id, follow_up_problems
from cases.errors import InvalidInput
from cases.inbox import same_matter as linking
from cases.progress.opening import open_case as opened
from cases.views.needs import needs
from cases.vocabulary import Outcome, RemedyKind, Status
from tests.cases.world import (
    DETAIL,
    START,
    World,
    a_complaint,
    building_materials,
    in_force,
    open_case,
    snapshot,
)
from tests.complaints import check_complaint

PHOTO = {"kind": "photo", "uri": "https://files.example.org/1.jpg"}
REPORT = {"kind": "inspection_report", "uri": "https://files.example.org/2.pdf"}


def following(old: World, **changes: Any) -> Complaint:
    raw = follow_up(old.case.complaint, old.now, **changes)
    return check_complaint(raw, old.now)


def taken_up(old: World, paid: dict[str, Decimal] | None = None, **changes: Any) -> World:
    """The case that follows `old`, once the partners have answered."""
    complaint = following(old, **changes)
    earlier = Earlier.of(snapshot(old.case), paid)
    assert follow_up_problems(complaint, earlier, old.case.policy) == []
    world = World(opened(complaint, in_force()[complaint.line], old.now, earlier), old.now)
    world.attend()
    for what in list(world.case.looking_up):
        world.finds(what, None)
    return world


def silent() -> World:
    """A case whose customer never answered the offer."""
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


def test_follow_up_has_new_deadlines_and_the_old_breach_stays() -> None:
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
    assert any("HL-1 closed as satisfied" in need.text for need in needs(world.case))
    assert len(world.letters("needs_offer")) == 1
    world.says("assess", upheld=True, by="Zhao")
    assert world.status is Status.AWAITING_CONSENT


def test_follow_up_that_was_merged_and_continues_alone_is_still_judged_first() -> None:
    world = taken_up(satisfied())
    linking.merge(world.case, "HL-0", world.now)

    linking.continue_alone(world.case, world.now, "is gone")

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

    found = follow_up_problems(following(old), Earlier.of(snapshot(old.case)), old.case.policy)

    assert [p.field for p in found] == ([] if may else ["follows"])


def test_a_case_that_is_unknown_open_or_about_another_order_is_not_followed_and_says_what_to_do() -> None:
    """G12."""
    old, policy = silent(), building_materials()
    complaint = following(old)
    still_open = Earlier.of({**snapshot(old.case), "closed_at": None})
    other = Earlier.of({**snapshot(old.case), "order_id": "SO-2"})

    ended = still_open.model_copy(update={"ended": "terminated"})
    said = [str(follow_up_problems(complaint, earlier, policy)[0]) for earlier in (None, still_open, other, ended)]

    assert "there is no case HL-1" in said[0]
    assert said[1] == "follows: HL-1 is open: send the message to it"
    why = "the workflow of HL-1 was ended in Temporal (terminated), so it never closed"
    assert said[3] == f"follows: {why}: open a new complaint, without follows"
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
