"""Intervals of shares, and limits between which peers differ by chance alone (G13).

*Wilson* (1927) for one share, *Newcombe* (1998, method 10) for the difference of two. *Funnel limits* follow
Spiegelhalter, Funnel plots for comparing institutional performance (Statistics in Medicine 24, 2005, 1185-1202), and
for over-dispersion Handling over-dispersion of performance indicators (Quality and Safety in Health Care 14, 2005,
347-351): peers also differ for reasons that nobody measures, so the variance between them is estimated from winsorized
z-scores and added to that of chance. The computation is that of the R package FunnelPlotR 0.6: arcsine for shares
(`data_type = "PR"`), logarithm for observed against expected counts (`"SR"`, as the English SHMI). One thing differs:
of fewer than eleven peers, whose outermost tenth is less than one, the outermost at each end is trimmed all the same.
Otherwise a single bad one among six would hide itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import asin, exp, floor, log, sin, sqrt
from statistics import NormalDist

Z_95 = NormalDist().inv_cdf(0.975)
Z_998 = NormalDist().inv_cdf(0.999)
TRIMMED = 0.1
"""The share of z-scores at each end that counts less or not, so that outliers do not widen the limits."""


@dataclass(frozen=True)
class Interval:
    """An interval that contains the true value with a confidence of 95 %."""

    low: float
    high: float


def wilson(hits: int, n: int) -> Interval | None:
    """Return the interval of the share `hits / n`; None if there is nothing to count."""
    if n == 0:
        return None
    share, z2 = hits / n, Z_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def change(hits: int, n: int, hits_before: int, n_before: int) -> Interval | None:
    """Return the interval of the share now minus the share before; None if either has nothing to count."""
    now, before = wilson(hits, n), wilson(hits_before, n_before)
    if now is None or before is None:
        return None
    share, earlier = hits / n, hits_before / n_before
    low = share - earlier - sqrt((share - now.low) ** 2 + (before.high - earlier) ** 2)
    high = share - earlier + sqrt((now.high - share) ** 2 + (earlier - before.low) ** 2)
    return Interval(low, high)


@dataclass(frozen=True)
class Limits:
    """The values that a peer of some size keeps within by chance: in 95 of 100 cases, and in 998 of 1,000."""

    low_998: float
    low_95: float
    high_95: float
    high_998: float


@dataclass(frozen=True)
class Funnel:
    """What peers have in common, and how much they differ."""

    target: float
    """The value of all peers together."""
    phi: float
    """The dispersion ratio: 1 if the peers differ by chance alone."""
    tau2: float
    """The variance between peers, on the transformed scale."""
    z: tuple[float, ...]
    """The z-score of each peer, by chance and `tau2`. Beyond 1.96 (95 %) or 3.09 (99.8 %) it is an outlier."""


def funnel_of_shares(hits: Sequence[int], cases: Sequence[int]) -> Funnel:
    """Return the funnel of peers by their share `hits / cases`. Every one has at least one case."""
    target = sum(hits) / sum(cases)
    middle = asin(sqrt(target))
    spread = [1 / (2 * sqrt(n)) for n in cases]
    off = [asin(sqrt(h / n)) - middle for h, n in zip(hits, cases, strict=True)]
    phi, tau2 = _between(_winsorized([d / s for d, s in zip(off, spread, strict=True)]), spread)
    return Funnel(target, phi, tau2, _adjusted(off, spread, tau2))


def share_limits(target: float, tau2: float, cases: float) -> Limits:
    """Return the limits of a share, for a peer with this number of cases."""
    middle, spread = asin(sqrt(target)), sqrt(1 / (4 * cases) + tau2)
    return _limits(lambda z: sin(min(max(middle + z * spread, 0.0), asin(1.0))) ** 2)


def funnel_of_ratios(observed: Sequence[int], expected: Sequence[float]) -> Funnel:
    """Return the funnel of peers by `observed / expected`. An observed 0 counts as a half; expected is over 0."""
    spread = [1 / sqrt(e) for e in expected]
    off = [log((o or 0.5) / e) for o, e in zip(observed, expected, strict=True)]
    z = [d / s for d, s in zip(off, spread, strict=True)]
    kept = _truncated(z)
    phi, tau2 = _between([z[i] for i in kept], [spread[i] for i in kept])
    return Funnel(1.0, phi, tau2, _adjusted(off, spread, tau2))


def ratio_limits(tau2: float, expected: float) -> Limits:
    """Return the limits of observed against expected, for a peer of whom this much is expected."""
    spread = sqrt(1 / expected + tau2)
    return _limits(lambda z: exp(z * spread))


def _between(z: Sequence[float], spread: Sequence[float]) -> tuple[float, float]:
    """Return the dispersion ratio and the variance between peers, by the method of moments of DerSimonian and Laird."""
    n = len(z)
    phi = sum(each * each for each in z) / n if n else 0.0
    weights = [1 / (s * s) for s in spread]
    rest = sum(weights) - sum(w * w for w in weights) / sum(weights) if weights else 0.0
    return phi, max(0.0, (n * phi - (n - 1)) / rest) if rest > 0 else 0.0


def _adjusted(off: Sequence[float], spread: Sequence[float], tau2: float) -> tuple[float, ...]:
    return tuple(d / sqrt(s * s + tau2) for d, s in zip(off, spread, strict=True))


def _limits(at: Callable[[float], float]) -> Limits:
    return Limits(at(-Z_998), at(-Z_95), at(Z_95), at(Z_998))


def _winsorized(z: Sequence[float]) -> list[float]:
    """Return the z-scores; the outermost tenths, at least one at each end, are set to the value at their inner end."""
    trimmed = max(TRIMMED, 1 / (len(z) - 1)) if len(z) > 1 else 0.0
    low, high = _quantile(z, trimmed), _quantile(z, 1 - trimmed)
    return [min(max(each, low), high) for each in z]


def _truncated(z: Sequence[float]) -> list[int]:
    """Return the positions of the z-scores that are not in the outermost tenths, and not the outermost at an end."""
    tenths, n = 1 / TRIMMED, len(z)
    ranked = sorted(z)
    # Equal values share a rank.
    ranks = [ranked.index(each) + 1 + (ranked.count(each) - 1) / 2 for each in z]
    return [i for i, rank in enumerate(ranks) if 1 < rank < n and 0 < floor(rank * tenths / (n + 1)) < tenths - 1]


def _quantile(values: Sequence[float], share: float) -> float:
    """Return the quantile by linear interpolation, as R and NumPy do by default."""
    ranked = sorted(values)
    place = (len(ranked) - 1) * share
    below = floor(place)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (place - below) * (ranked[above] - ranked[below])
