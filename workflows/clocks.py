"""Durable timers for the next alarm of the case. `cases.progress.alarms` has the alarms and what each one does.

A timer is started only if no running timer fires as early. Timers are never cancelled: when one fires, the case is
checked for alarms that are due (S3, S5). Replacing a timer would cost more than letting it fire for nothing.
"""

from datetime import datetime, timedelta

from temporalio import workflow

from cases.progress.alarms import Alarm, alarms, fire
from workflows.desk import Desk


class Clocks:
    """Fires each alarm of the case when it is due. In the UI, a timer shows the alarm's summary."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._running: set[datetime] = set()
        self._next_alarm: Alarm | None = None
        self._as_of = 0
        """The number of changes of the case when `_next_alarm` was derived."""

    def fire_due(self) -> None:
        """Fire all alarms that are due. Called after every change, because an overdue alarm has no timer."""
        while (alarm := self._next()) is not None and alarm.at <= workflow.now():
            self._desk.apply(fire, alarm.name, workflow.now())

    def start_timer(self) -> None:
        """Start a timer for the next alarm, unless one is running. Called when the case is at rest."""
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
