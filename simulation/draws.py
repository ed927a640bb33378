"""Random numbers by name: a draw depends on the seed and its name, never on what was drawn before.

Two runs with the same seed therefore have the same complaints, customers and handling times, whatever the roster or the
policy: common random numbers. Their difference is then due to what was changed, and has a small variance.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from hashlib import blake2b
from statistics import NormalDist
from typing import TypeVar

Value = TypeVar("Value")
_NORMAL = NormalDist()
_STEPS = 1 << 53


class Draws:
    """The random numbers of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def uniform(self, *name: object) -> float:
        """Return a number between 0 and 1, both excluded."""
        text = "|".join(map(str, (self.seed, *name)))
        number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 11
        return (number + 0.5) / _STEPS

    def happens(self, chance: float, *name: object) -> bool:
        """Return True with probability `chance`."""
        return self.uniform(*name) < chance

    def one_of(self, weights: Mapping[Value, float], *name: object) -> Value:
        """Return one of the values, with a probability in proportion to its weight."""
        left = self.uniform(*name) * sum(weights.values())
        for value, weight in weights.items():
            left -= weight
            if left < 0:
                return value
        return next(reversed(list(weights)))

    def exponential(self, mean: float, *name: object) -> float:
        """Return a number from the exponential distribution."""
        return -mean * math.log(self.uniform(*name))

    def lognormal(self, mean: float, variation: float, *name: object) -> float:
        """Return a number from the lognormal distribution. `variation` is its standard deviation over its mean."""
        sigma2 = math.log1p(variation**2)
        return mean * math.exp(math.sqrt(sigma2) * _NORMAL.inv_cdf(self.uniform(*name)) - sigma2 / 2)

    def arrivals(self, per_hour: float, *name: object) -> Iterator[timedelta]:
        """Yield the times of a Poisson process within one hour."""
        at, number = 0.0, 0
        while per_hour > 0:
            at += self.exponential(3600 / per_hour, *name, number)
            if at >= 3600:  # noqa: PLR2004 (seconds of an hour)
                return
            yield timedelta(seconds=at)
            number += 1
