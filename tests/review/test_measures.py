"""A review proposes a measure for each outlier, and the next ones say whether its figure has moved (G13)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cases.measure.proposed import MeasureState
from cases.policy.policy import Policy
from messages import LOCALES
from records import Records
from review.figures import Measure, Movement, Review
from review.making import make
from review.measures import propose
from review.page import page
from review.period import Period
from review.texts import Words
from tests.review.data import BAD_CARRIER, BAD_TEAM, OCTOBER, WANTED, ZONE, fill

OCTOBER_4 = OCTOBER.since + timedelta(days=3)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = fill(f"sqlite:///{tmp_path}/records.db")
    yield opened
    opened.close()


def september(records: Records, known: dict[str, Policy]) -> Review:
    """The review of September, with its proposals."""
    wanted = replace(WANTED, period=OCTOBER.before)
    return propose(records, make(records, known, wanted), Words("en", known))


def adopt(records: Records, measure_id: str) -> None:
    records.record_measure(
        measure_id, MeasureState.ADOPTED, owner="li.na", due_on=date(2026, 12, 1), adopted_at=OCTOBER.since
    )


def shown(records: Records, known: dict[str, Policy], period: Period = OCTOBER) -> list[Measure]:
    return make(records, known, replace(WANTED, period=period)).measures


def test_every_outlier_is_proposed_once(records: Records, known: dict[str, Policy]) -> None:
    """G13: the same outlier proposes the same measure, with its reason and the line that it concerns most."""
    first, again = september(records, known), september(records, known)

    ids = [each.measure for each in first.decisions if each.dimension != "line"]
    assert ids
    assert None not in ids
    assert first.decisions == again.decisions
    proposed = {each.measure_id: each for each in records.measures()}
    assert set(proposed) == set(ids)
    for each in first.decisions:
        if each.measure:
            measure = proposed[each.measure]
            assert (measure.subject, measure.proposal, measure.value) == (each.subject, each.proposal, each.value)
            assert each.subject in measure.reason or each.subject == BAD_TEAM
            assert measure.line in known


def test_a_measure_that_nobody_adopted_is_not_shown(records: Records, known: dict[str, Policy]) -> None:
    september(records, known)

    assert shown(records, known) == []


def test_the_next_review_says_whether_the_figure_has_moved(records: Records, known: dict[str, Policy]) -> None:
    """G13: with its interval. Here the team is as bad as before."""
    proposed = next(each for each in september(records, known).decisions if each.subject == BAD_TEAM)
    adopt(records, str(proposed.measure))

    [measure] = shown(records, known)

    assert (measure.then.hits, measure.then.n) == (proposed.hits, proposed.n)
    assert measure.change is not None
    assert measure.change.low < 0 < measure.change.high
    assert measure.movement == Movement.OPEN
    assert (measure.owner, measure.due_on) == ("li.na", date(2026, 12, 1))


@pytest.mark.parametrize(("state", "movement"), [("kept", Movement.BETTER), ("broken", Movement.WORSE)])
def test_a_figure_that_moved_for_certain_is_better_or_worse(
    records: Records, known: dict[str, Policy], tmp_path: Path, state: str, movement: Movement
) -> None:
    """G13"""
    proposed = next(each for each in september(records, known).decisions if each.subject == BAD_TEAM)
    adopt(records, str(proposed.measure))
    engine = create_engine(f"sqlite:///{tmp_path}/records.db")
    with engine.begin() as connection:
        of_team = text(
            "UPDATE promise_facts SET state = :state, fault = NULL WHERE due_at >= '2026-10-01'"
            " AND case_id IN (SELECT case_id FROM case_facts WHERE team = :team)"
        )
        connection.execute(of_team, {"state": state, "team": BAD_TEAM})
    engine.dispose()

    [measure] = shown(records, known)

    assert measure.movement == movement


def test_a_period_that_begins_before_the_adoption_says_nothing(records: Records, known: dict[str, Policy]) -> None:
    """G13: most of it was not under the measure."""
    proposed = next(each for each in september(records, known).decisions if each.measure)
    adopt(records, str(proposed.measure))

    [measure] = shown(records, known, Period(date(2026, 9, 15), date(2026, 10, 15), ZONE))

    assert measure.movement == Movement.EARLY


def test_a_review_of_one_line_shows_only_measures_of_its_own_figures(
    records: Records, known: dict[str, Policy]
) -> None:
    """A figure of one line is not compared with that of every line."""
    proposed = next(each for each in september(records, known).decisions if each.measure)
    adopt(records, str(proposed.measure))

    assert make(records, known, replace(WANTED, line=str(proposed.line))).measures == []


@pytest.mark.parametrize("locale", LOCALES)
def test_a_page_shows_how_to_adopt_and_what_became_of_it(
    records: Records, known: dict[str, Policy], locale: str
) -> None:
    """G13"""
    first = september(records, known)
    proposed = next(each for each in first.decisions if each.subject in (BAD_CARRIER, BAD_TEAM))
    assert f"starter.py measure adopt {proposed.measure}" in page(first, known, locale)
    adopt(records, str(proposed.measure))

    text_ = page(make(records, known, WANTED), known, locale)

    assert str(proposed.measure) in text_
    assert "li.na" in text_
