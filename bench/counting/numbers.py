"""Statistics of measurements: median, spread and percentiles."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of several rounds, and the distance between the lowest and the highest as a share of it."""

    median: float
    spread: float


def spread(values: Sequence[float]) -> Spread:
    """Return median and spread of at least one value. The spread of one value, or around zero, is 0."""
    middle = median(values)
    return Spread(middle, (max(values) - min(values)) / middle if middle else 0.0)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share (0 to 1) of all values does not exceed."""
    ordered = sorted(values)
    # Rounded, because floating-point 0.95 * 20 can be slightly above 19.
    rank = -(-round(share * len(ordered), 9) // 1)
    return ordered[max(int(rank), 1) - 1]
