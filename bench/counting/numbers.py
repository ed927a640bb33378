"""Many measurements become a few numbers: the middle, how far they spread, and the slow ones."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of several rounds, and how far the lowest and the highest lie apart, as a share of it."""

    median: float
    spread: float


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value; the spread of one, or around zero, is 0."""
    middle = median(values)
    return Spread(middle, (max(values) - min(values)) / middle if middle else 0.0)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share (0 to 1) of all values does not exceed."""
    ordered = sorted(values)
    # A share of 0.95 of 20 values is 19 of them; rounded, for 0.95 * 20 may come out a little above 19.
    rank = -(-round(share * len(ordered), 9) // 1)
    return ordered[max(int(rank), 1) - 1]
