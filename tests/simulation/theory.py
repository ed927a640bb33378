"""What queueing theory knows: Erlang C, and how far a mean over independent runs may be from it."""

import math
from statistics import fmean, stdev


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that a customer waits, with Poisson arrivals and exponential times of service.

    `load` is the mean number of busy servers (erlangs): arrivals per hour times the mean time of service in hours.
    """
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / math.factorial(k) for k in range(servers)) + last)


def mean_wait(servers: int, per_hour: float, service: float) -> float:
    """Return the mean wait in hours, over all customers. `service`: the mean time of service, in hours."""
    return erlang_c(servers, per_hour * service) / (servers / service - per_hour)


def answered_within(hours: float, servers: int, per_hour: float, service: float) -> float:
    """Return the share of customers who wait no longer than `hours`."""
    left = servers / service - per_hour
    return 1 - erlang_c(servers, per_hour * service) * math.exp(-left * hours)


def agrees(runs: list[float], expected: float, errors: float = 3.5) -> bool:
    """Return whether the mean of independent runs is within so many standard errors of the expected value."""
    return abs(fmean(runs) - expected) <= errors * stdev(runs) / math.sqrt(len(runs))
