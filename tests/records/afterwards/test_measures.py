"""G13: the measures that reviews propose, and what becomes of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from cases.measure.proposed import Dimension, MeasureState, Proposal, Proposed
from records import Records

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
ADOPTED: dict[str, Any] = {"owner": "li.na", "due_on": date(2026, 12, 15), "adopted_at": NOW + timedelta(hours=1)}


def proposed(subject: str = "Swift", **other: Any) -> Proposed:
    known: dict[str, Any] = {
        "line": "building_materials",
        "dimension": Dimension.CARRIER,
        "subject": subject,
        "proposal": Proposal.CHANGE_CARRIER,
        "figure": "complaints",
        "filters": {"topic": "transport.damage"},
        "value": 0.25,
        "reason": "25 % of its parcels arrive damaged",
    }
    return Proposed(**known | other)


def test_measure_that_is_proposed_again_is_the_same_with_the_latest_value(records: Records) -> None:
    """G13: each review proposes what still stands out."""
    first = records.propose(proposed(), NOW)
    again = records.propose(proposed(value=0.3, reason="30 %"), NOW + WEEK)
    records.propose(proposed("Tortoise"), NOW + 2 * WEEK)

    assert first == again
    other, same = records.measures()
    assert (same.measure_id, same.state, same.proposed_at) == (first, MeasureState.PROPOSED, NOW)
    assert (same.value, same.reason, same.filters) == (0.3, "30 %", {"topic": "transport.damage"})
    assert (other.subject, other.dimension, other.proposal) == ("Tortoise", Dimension.CARRIER, Proposal.CHANGE_CARRIER)


def test_adopted_measure_keeps_the_value_that_it_was_adopted_with(records: Records) -> None:
    """G13: the figure is compared with its value at adoption."""
    measure = records.propose(proposed(), NOW)
    records.record_measure(measure, MeasureState.ADOPTED, **ADOPTED)

    records.propose(proposed(value=0.5), NOW + WEEK)

    [known] = records.measures("building_materials")
    assert (known.value, known.owner, known.due_on) == (0.25, "li.na", ADOPTED["due_on"])
    assert records.measures("fresh_food") == []


def test_measure_that_has_ended_does_not_change_and_the_next_proposal_is_a_new_one(records: Records) -> None:
    """G13: a delayed attempt of an earlier call may still arrive."""
    measure = records.propose(proposed(), NOW)
    records.record_measure(measure, MeasureState.DONE, **ADOPTED, closed_at=NOW + WEEK, result="all go with Hare")

    records.record_measure(measure, MeasureState.ADOPTED, **ADOPTED)
    new = records.propose(proposed(), NOW + 2 * WEEK)

    assert new != measure
    [ended] = records.measures(states=[MeasureState.DONE])
    assert ended == records.measure(measure)
    assert (ended.result, ended.closed_at) == ("all go with Hare", NOW + WEEK)
    assert [known.measure_id for known in records.measures()] == [new]


def test_measure_that_nobody_proposed_is_unknown(records: Records) -> None:
    records.record_measure("carrier-1", MeasureState.ADOPTED, **ADOPTED)

    assert records.measure("carrier-1") is None
