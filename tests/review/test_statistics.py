"""Intervals and funnel limits agree with published values, and with other programs (G13).

* Newcombe, Two-sided confidence intervals for the single proportion (Statistics in Medicine 17, 1998, 857-872),
  table I, method 3; and Interval estimation for the difference between independent proportions (same volume, 873-890),
  table II, method 10.
* The README of FunnelPlotR (github.com/nhs-r-community/FunnelPlotR): of 54 hospitals of the data set `medpar`, 9 are
  outside the limits of 99.8 % once these are corrected for over-dispersion. `medpar.csv` has the days of stay of each
  hospital, and those that the README's regression expects, by its published coefficients.
"""

import csv
from math import asin, sin, sqrt
from pathlib import Path
from statistics import NormalDist

import pytest

from review.statistics import (
    Z_95,
    Z_998,
    change,
    funnel_of_ratios,
    funnel_of_shares,
    ratio_limits,
    share_limits,
    wilson,
)

MEDPAR = Path(__file__).with_name("medpar.csv")


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_interval_of_a_share_is_the_published_one(hits: int, n: int, low: float, high: float) -> None:
    """G13"""
    found = wilson(hits, n)

    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("now", "before", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 10), 0.6075, 1.0)],
)
def test_interval_of_a_change_is_the_published_one(
    now: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    """G13"""
    found = change(*now, *before)

    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None
    assert change(1, 2, 0, 0) is None
    assert change(0, 0, 1, 2) is None


def hospitals() -> tuple[list[int], list[float]]:
    with MEDPAR.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [int(row["observed"]) for row in rows], [float(row["expected"]) for row in rows]


def test_outliers_of_a_public_data_set_are_as_many_as_published() -> None:
    """G13: 54 hospitals, 9 outliers."""
    observed, expected = hospitals()
    assert (len(observed), sum(observed)) == (54, 14732)

    found = funnel_of_ratios(observed, expected)

    assert sum(abs(z) > Z_998 for z in found.z) == 9


def test_without_the_correction_most_of_the_hospitals_would_be_outliers() -> None:
    """The control: chance alone does not explain how hospitals differ."""
    observed, expected = hospitals()
    by_chance = [ratio_limits(0.0, e) for e in expected]

    outside = [
        not limits.low_998 <= o / e <= limits.high_998
        for o, e, limits in zip(observed, expected, by_chance, strict=True)
    ]

    assert sum(outside) > 20


def test_a_subject_is_outside_its_limits_exactly_if_its_z_score_is() -> None:
    """G13: the page draws limits, and the review decides by z-scores."""
    hits, cases = [5, 9, 3, 40, 8, 7, 1], [50, 60, 40, 45, 66, 55, 90]
    found = funnel_of_shares(hits, cases)

    for h, n, z in zip(hits, cases, found.z, strict=True):
        limits = share_limits(found.target, found.tau2, n)
        assert (h / n > limits.high_998) == (z > Z_998)
        assert (h / n > limits.high_95) == (z > Z_95)
        assert limits.low_998 <= limits.low_95 <= found.target <= limits.high_95 <= limits.high_998


def test_peers_that_differ_by_chance_have_the_limits_of_chance() -> None:
    """G13: arcsine of the binomial, as in Spiegelhalter's paper."""
    found = funnel_of_shares([10, 11, 9, 10, 10], [100] * 5)

    assert found.tau2 == 0.0
    upper = sin(asin(sqrt(0.1)) + NormalDist().inv_cdf(0.999) / (2 * sqrt(100))) ** 2
    assert share_limits(found.target, found.tau2, 100).high_998 == pytest.approx(upper)


def test_limits_of_a_very_small_subject_stay_between_nothing_and_everything() -> None:
    limits = share_limits(0.02, 0.01, 1)

    assert limits.low_998 == 0.0
    assert share_limits(0.98, 0.01, 1).high_998 == 1.0


def test_subject_without_a_complaint_is_better_than_its_peers() -> None:
    """An observed 0 has no logarithm; it counts as a half."""
    found = funnel_of_ratios([0, *[29, 30, 31] * 6], [30.0] * 19)

    assert found.z[0] < -Z_998
