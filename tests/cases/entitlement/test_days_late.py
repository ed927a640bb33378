"""Days late are whole calendar days past the promised date, in Shanghai."""

from datetime import datetime, timedelta

import pytest

from cases.errors import InvalidInput
from cases.state.finding import Finding, PartialFinding
from cases.vocabulary import Status
from tests.cases.world import SHANGHAI, START, a_trail, late_by, open_case


@pytest.mark.parametrize(
    ("promised", "delivered", "days"),
    [
        ("2026-11-17T23:59:59+08:00", "2026-11-18T00:00:00+08:00", 1),
        ("2026-11-18T00:00:00+08:00", "2026-11-18T23:59:59+08:00", 0),
        ("2026-11-17T15:59:59+00:00", "2026-11-17T16:00:00+00:00", 1),
        ("2026-11-16T16:00:00+00:00", "2026-11-17T15:59:59+00:00", 0),
        ("2026-11-18T12:00:00+08:00", "2026-11-10T12:00:00+08:00", 0),
    ],
)
def test_days_late_turn_over_at_midnight_in_shanghai(promised: str, delivered: str, days: int) -> None:
    """§2: a second past midnight is a day, and 24 hours less a second on one date are none; early is not late."""
    received = datetime(2026, 11, 20, 9, tzinfo=SHANGHAI)
    trail = a_trail(state="signed", promised_at=promised, delivered_at=delivered)

    assert open_case("transport.delay", received=received, trail=trail).case.finding.days_late == days


def test_days_late_count_to_today_while_it_has_not_arrived() -> None:
    """§2: and to delivery once it has."""
    promised = START - timedelta(days=6)
    arrived = START - timedelta(days=4)

    assert late_by(6).case.finding.days_late == 6
    trail = a_trail(state="signed", promised_at=promised, delivered_at=arrived)
    assert open_case("transport.delay", trail=trail).case.finding.days_late == 2


def test_the_order_says_what_was_promised_where_the_trail_does_not() -> None:
    """G3, §2."""
    world = open_case(
        "transport.delay", trail=a_trail(), order={"promised_at": (START - timedelta(days=4)).isoformat()}
    )

    assert world.case.finding.days_late == 4
    assert world.offer.rule == "B14"


def test_an_agents_days_late_override_the_trails_and_both_stay_on_record() -> None:
    """G3."""
    world = late_by(4)

    world.says("assess", days_late=7, by="li")

    assert world.offer.rule == "B15"
    said = [(fact.source, fact.value) for fact in world.case.finding.facts if fact.field == "days_late"]
    assert said == [("trail", 4), ("agent", 7)]


def test_a_late_look_up_does_not_override_what_an_agent_said() -> None:
    """G3: an agent's entry overrides a derived fact, whichever came first."""
    finding = Finding().with_facts(PartialFinding(days_late=7), source="agent", at=START)

    finding = finding.with_facts(PartialFinding(days_late=4, lost=False), source="trail", at=START)

    assert (finding.days_late, finding.lost) == (7, False)
    assert [fact.value for fact in finding.facts if fact.field == "days_late"] == [7, 4]


@pytest.mark.parametrize("promised", ["2000-01-01T00:00:00+08:00", "2100-12-31T23:59:59-05:00"])
def test_a_promised_date_far_away_does_not_stop_the_case(promised: str) -> None:
    """G3: the look-up can handle every accepted complaint."""
    world = open_case("transport.delay", trail=a_trail(), order={"promised_at": promised})

    assert world.status is not Status.RECEIVED


@pytest.mark.parametrize(
    "promised", ["1999-12-31T23:59:59+08:00", "9999-12-31T23:59:59-05:00", "2101-01-01T00:00:00+08:00"]
)
def test_a_promised_date_out_of_all_reason_is_refused_at_the_door(promised: str) -> None:
    """Contract: by its field."""
    with pytest.raises(InvalidInput, match=r"order\.promised_at"):
        open_case("transport.delay", order={"promised_at": promised})


def test_a_partners_long_cause_does_not_stop_the_case() -> None:
    """G3: everything that a partner's port accepts fits into the finding."""
    world = open_case("transport.delay", trail=a_trail(promised_at=START, cause="x" * 1_001))

    assert world.case.finding.cause is not None
