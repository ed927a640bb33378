"""The event calendar: what happens at which time, in order. Events at the same time happen in the order of entry."""

import heapq
from collections.abc import Callable
from datetime import datetime


class Agenda:
    """The events to come, and the simulated time."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._entered = 0
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []

    def at(self, time: datetime, event: Callable[[], None]) -> None:
        """Enter an event. One in the past happens now."""
        self._entered += 1
        heapq.heappush(self._events, (max(time, self.now), self._entered, event))

    def next(self) -> bool:
        """Let the next event happen. Return False if there is none."""
        if not self._events:
            return False
        self.now, _, event = heapq.heappop(self._events)
        event()
        return True
