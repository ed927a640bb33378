"""A review counts what happened, from one population for each figure, and proposes what to do (G13)."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cases.policy.policy import Policy
from records import Records
from review.counting import FEWEST_OF_A_CAUSE
from review.figures import ALL, Level, Promises, Review, Verdict
from review.making import Reader, make
from review.outliers import FEWEST_CASES
from tests.review.data import BAD_CARRIER, BAD_TEAM, OCTOBER, WANTED, fill

GOLDEN = Path(__file__).with_name("golden.json")
"""The review of the fixed data set. Written again by `python -m tests.review.write`, and then read by a person."""


def by(review: Review, dimension: str) -> dict[str, Promises]:
    return {each.subject: each for each in review.promises if each.dimension == dimension}


def test_the_review_of_a_fixed_data_set_has_not_changed(made: Review) -> None:
    """G13"""
    found = json.loads(made.model_dump_json(exclude={"queries"}))

    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_both_databases_count_the_same(url: str, made: Review, known: dict[str, Policy]) -> None:
    """G13"""
    records = fill(url)
    try:
        found = make(records, known, WANTED)
    finally:
        records.close()

    assert found.model_dump(exclude={"queries"}) == made.model_dump(exclude={"queries"})


def test_who_is_worse_than_their_peers_is_found_with_the_cases_behind_it(made: Review, filled: Records) -> None:
    """G13: each with a proposed action."""
    found = {(each.dimension, each.subject): each for each in made.decisions}

    carrier, team = found["carrier", BAD_CARRIER], found["team", BAD_TEAM]
    assert (carrier.proposal, team.proposal) == ("change_carrier", "retrain")
    assert carrier.cases == sorted(carrier.cases)
    behind = filled.cases_behind(WANTED.scope(), "delivery", "carrier", [BAD_CARRIER], 1_000)[BAD_CARRIER]
    assert carrier.cases == behind[: len(carrier.cases)]
    assert len(behind) == carrier.hits


def test_an_outlier_is_beyond_the_limits_that_the_page_draws(made: Review) -> None:
    """G13: 95 % and 99.8 %, corrected for over-dispersion; small counts held back."""
    assert made.funnels
    for funnel in made.funnels:
        for point in funnel.points:
            assert point.n >= FEWEST_CASES
            assert (point.level == Level.ALARM) == (point.value > point.high_998)
            assert (point.level in (Level.ALARM, Level.WATCH)) == (point.value > point.high_95)
            assert bool(point.cases) == (point.level in (Level.ALARM, Level.WATCH))


def test_every_dimension_counts_each_promise_once(made: Review) -> None:
    """G13: by line, topic, promise, channel."""
    [whole] = by(made, ALL).values()

    for dimension in ("line", "topic", "promise", "rule", "channel", "team", "warehouse"):
        of_it = by(made, dimension).values()
        assert sum(each.kept.n for each in of_it) == whole.kept.n
        assert sum(each.kept.hits for each in of_it) == whole.kept.hits
    assert whole.kept.n == whole.kept.hits + whole.ours + whole.system + whole.late
    assert whole.ours > whole.system > whole.late > 0


def test_a_cause_that_few_cases_share_is_not_shown(made: Review) -> None:
    """G13: free text may be about one person."""
    causes = {each.subject: each.n for each in made.cases if each.dimension == "cause"}

    assert set(causes) == {"暴雨封路", "装车时堆压"}
    assert min(causes.values()) >= FEWEST_OF_A_CAUSE


def test_a_target_is_met_or_missed_only_if_its_interval_says_so(made: Review) -> None:
    """G13, O1, O3, O5: against the line's targets, and the same period before."""
    assert {(each.line, each.rule, each.target) for each in made.attainment} == {
        ("organic_food", "O1", 0.95),
        ("organic_food", "O3", 0.9),
        ("organic_food", "O5", 0.85),
        ("organic_food", None, 0.9),
    }
    for each in made.attainment:
        interval = each.now.interval
        if interval is None:
            assert (each.verdict, each.change) == (Verdict.OPEN, None)
        else:
            missed, met = interval.high < each.target, interval.low > each.target
            assert (each.verdict == Verdict.MISSED, each.verdict == Verdict.MET) == (missed, met)
            assert each.before.n > 0


def test_one_line_alone_counts_what_all_lines_count_of_it(
    filled: Records, made: Review, known: dict[str, Policy]
) -> None:
    """G13: by line."""
    found = make(filled, known, replace(WANTED, line="fresh_food"))

    [whole] = by(found, ALL).values()
    assert whole.kept == by(made, "line")["fresh_food"].kept
    assert found.attainment == []
    assert {each.subject for each in found.cases if each.dimension == "line"} == {"fresh_food"}


def test_each_promise_counts_in_one_period_only(filled: Records, made: Review, known: dict[str, Policy]) -> None:
    """G13: also one that was kept early."""
    september = make(filled, known, replace(WANTED, period=OCTOBER.before))

    [now], [before] = by(made, ALL).values(), by(september, ALL).values()
    assert made.kept_before == before.kept
    both = replace(WANTED, period=replace(OCTOBER, first=OCTOBER.before.first))
    [whole] = by(make(filled, known, both), ALL).values()
    assert whole.kept.n == now.kept.n + before.kept.n


def test_a_promise_that_falls_due_later_does_not_count_yet(
    filled: Records, made: Review, known: dict[str, Policy]
) -> None:
    """G13: an early answer must not count while the late ones cannot."""
    early = make(filled, known, replace(WANTED, now=WANTED.now - timedelta(days=20)))

    [found], [whole] = by(early, ALL).values(), by(made, ALL).values()
    assert 0 < found.kept.n < whole.kept.n


def test_complaints_are_compared_for_the_number_of_orders(
    filled: Records, made: Review, known: dict[str, Policy]
) -> None:
    """G13: a carrier with twice the complaints and twice the orders is no outlier."""
    complaints = {each.subject: each.n for each in made.cases if each.dimension == "carrier"}
    fair = {"carrier": {name: n * 100 for name, n in complaints.items()}}
    unfair = {"carrier": {**fair["carrier"], BAD_CARRIER: complaints[BAD_CARRIER] * 20}}

    usual, worse = (make(filled, known, replace(WANTED, volumes=volumes)) for volumes in (fair, unfair))

    assert [each for each in usual.decisions if each.figure == "complaints"] == []
    assert [each.subject for each in worse.decisions if each.figure == "complaints"] == [BAD_CARRIER]


def test_a_period_without_cases_has_no_figures_and_raises_nothing(tmp_path: Path, known: dict[str, Policy]) -> None:
    records = Records(f"sqlite:///{tmp_path}/records.db")

    found = make(records, known, WANTED)

    records.close()
    assert (found.decisions, found.funnels, found.times, found.money) == ([], [], [], [])
    assert {each.verdict for each in found.attainment} == {Verdict.OPEN}


@pytest.mark.parametrize("name", ["due_promises", "closed_cases", "money", "payback", "open_cases"])
def test_a_figure_names_the_query_behind_it(made: Review, name: str) -> None:
    """G13"""
    assert made.queries[name].startswith("SELECT")
    assert "?" not in made.queries[name].replace("??", "")


def test_progress_grows_to_the_number_of_rows(filled: Records, known: dict[str, Policy]) -> None:
    seen: list[tuple[int, int]] = []

    make(filled, known, WANTED, Reader(filled, lambda done, total: seen.append((done, total))))

    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] > 0
