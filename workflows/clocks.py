"""Durable timers for what the case waits for next; `cases.progress.alarms` says what it means when one fires.

A timer is started only where none that runs is as early, and none is ever cancelled: the case is asked each time one
fires (S3, S5). Cancelling it and starting another would cost more than a timer that fires for nothing.
"""

from datetime import datetime, timedelta

from temporalio import workflow

from cases.progress.alarms import Alarm, alarms, fire
from workflows.desk import Desk


class Clocks:
    """Rings every alarm of the case when it is due; a timer in the UI bears the alarm's own words."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._running: set[datetime] = set()
        self._next_alarm: Alarm | None = None
        self._as_of = 0
        """The number of changes of the case when `_next_alarm` was derived."""

    def ring(self) -> None:
        """Ring what is due; called after every change, because what is overdue does not wait for a timer."""
        while (alarm := self._next()) is not None and alarm.at <= workflow.now():
            self._desk.apply(fire, alarm.name, workflow.now())

    def wind(self) -> None:
        """See to it that a timer runs for what comes next; called when the case is at rest."""
        alarm = self._next()
        if alarm is not None and all(at > alarm.at for at in self._running):
            self._running.add(alarm.at)
            self._desk.watch(self._wait(alarm))

    def _next(self) -> Alarm | None:
        """Return the earliest alarm, derived once for each change of the case."""
        if self._as_of != self._desk.changes:
            self._next_alarm = min(alarms(self._desk.case), key=lambda alarm: alarm.at, default=None)
            self._as_of = self._desk.changes
        return self._next_alarm

    async def _wait(self, alarm: Alarm) -> None:
        while (left := alarm.at - workflow.now()) > timedelta():
            await workflow.sleep(left, summary=alarm.summary)
        self._running.discard(alarm.at)
