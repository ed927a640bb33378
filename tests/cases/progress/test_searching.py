"""A parcel counts as lost once a search has found nothing: E13."""

from datetime import timedelta
from typing import Any

from cases.progress.alarms import alarms
from cases.vocabulary import Outcome, Status
from tests.cases.world import START, Answer, World, a_trail, moved, open_case

DAY = timedelta(days=1)


def missing(answer: Answer = "accepted", **fields: Any) -> World:
    order = {"amount": "18.00", "freight": "18.00", "goods_value": "300.00", "items": [], "tracking_no": "SF1"}
    return open_case("transport.loss", line="express", order=order, answers={"search": answer}, **fields)


def test_a_search_begins_at_once() -> None:
    assert missing().steps == {"search": "running"}


def test_a_trail_that_moves_does_not_show_that_nothing_is_lost() -> None:
    """E13: only the search establishes it; for other topics the tracking history does (B13)."""
    world = missing(trail=a_trail(events=moved(START)))

    assert world.case.finding.lost is None
    assert world.steps == {"search": "running"}
    assert open_case("transport.loss", trail=a_trail(events=moved(START))).case.finding.lost is False


def test_a_trail_that_says_lost_needs_no_search() -> None:
    world = missing(trail=a_trail(state="lost"))

    assert world.steps == {}
    assert world.case.status is Status.AWAITING_CONSENT


def test_what_the_search_reports_is_the_finding() -> None:
    world = missing().after(days=1)

    world.says("step-reported", step="search", state="done", finding={"lost": True})

    assert world.options["pay"] == {"claim_payment": {"amount": "90.00"}, "freight_refund": {"amount": "18.00"}}


def test_a_parcel_that_turns_up_is_not_paid_for() -> None:
    """G4: not due: explanation, and closed as rejected."""
    world = missing()

    world.says("step-reported", step="search", state="done", finding={"lost": False})

    assert world.case.outcome is Outcome.REJECTED
    assert world.paid == 0


def test_after_three_days_without_a_trace_it_is_lost() -> None:
    """E13: at once, 3 days; then lost."""
    world = missing().after(days=2)
    assert world.case.finding.lost is None

    world.after(days=2)

    assert world.case.finding.lost is True
    assert str(world.step("search").reason) == "nothing found within 3 days"
    assert world.case.status is Status.AWAITING_CONSENT


def test_three_days_are_counted_from_when_the_search_was_asked_for() -> None:
    world = missing()

    [due] = [a for a in alarms(world.case) if a.name == "search"]

    assert due.at == START + 3 * DAY


def test_search_that_was_not_started_establishes_nothing() -> None:
    """E13: it goes to a person instead, however long that takes."""
    world = missing(answer="refused").after(days=10)

    assert world.case.finding.lost is None
    assert world.steps == {"search": "blocked"}


def test_agents_finding_ends_the_waiting() -> None:
    world = missing().after(days=1)

    world.says("assess", lost=True, by="Zhao")

    assert world.case.status is Status.AWAITING_CONSENT
