"""Calls to partners inside a workflow task: not to a partner that answers slowly, or whose rate is limited.

Such a call saves a round trip to the server, but occupies a workflow task until it ends. A partner that answers slowly
would occupy all of them, and cases that do not need it would wait too.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from temporalio import activity

from partners.ports import TryAgain

TIME_OUTS = 3
"""After so many calls in a row without an answer in time, a partner counts as slow."""
PAUSE = 30.0
"""Seconds until one call to a slow partner is tried again inside a workflow task."""


class Shortcut:
    """Whether one partner is called inside workflow tasks. If not, the case calls it on the partner's task queue."""

    def __init__(self, *, limited: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        """`limited`: the partner has a rate limit, which counts only the calls on its task queue."""
        self._limited = limited
        self._clock = clock
        self._late = 0
        """How many calls in a row were not answered in time."""
        self._next_try = 0.0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wrap one call. Raises `TryAgain` if it must not be made inside a workflow task."""
        if not activity.info().is_local:
            yield
            return
        if self._limited:
            raise TryAgain("its rate is limited: it is called on its task queue")
        if self._late >= TIME_OUTS:
            if self._clock() < self._next_try:
                raise TryAgain("it answers slowly: it is called on its task queue")
            self._next_try = self._clock() + PAUSE
        try:
            yield
        except asyncio.CancelledError:
            self._late += 1
            self._next_try = self._clock() + PAUSE
            raise
        except BaseException:
            self._late = 0
            raise
        self._late = 0
