"""One durable timer for whatever the case waits for next; what it means when it fires is told by `cases.alarms`.

A timer is started anew only for something sooner. One whose alarm has gone, or is due later, is left to fire: that
costs less than cancelling it, and the case is asked again each time (S3, S5).
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow

from cases.alarms import Alarm, alarms, ring
from workflows.desk import Desk


class Clocks:
    """Rings every alarm of the case when it is due; the timer in the UI bears the alarm's own words."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def keep(self) -> None:
        """For as long as the case lives."""
        while True:
            await workflow.wait_condition(self._once_changed(self._due_or_known))
            alarm = self._next()
            if alarm is None:
                continue
            left = alarm.at - workflow.now()
            if left > timedelta():
                with suppress(TimeoutError):
                    await workflow.wait_condition(
                        self._once_changed(lambda at=alarm.at: self._sooner(at)),  # type: ignore[misc]
                        timeout=left,
                        timeout_summary=alarm.summary,
                    )
                continue
            ring(self._desk.case, alarm.name, workflow.now())
            self._desk.changed()

    def _next(self) -> Alarm | None:
        return min(alarms(self._desk.case), key=lambda alarm: alarm.at, default=None)

    def _due_or_known(self) -> bool:
        """Something is due, or the case is at rest and waits for something."""
        alarm = self._next()
        return alarm is not None and (self._desk.at_rest or alarm.at <= workflow.now())

    def _sooner(self, at: datetime) -> bool:
        """Something is due before the timer that runs; what lies between is not started while more may follow."""
        alarm = self._next()
        return alarm is not None and alarm.at < at and (self._desk.at_rest or alarm.at <= workflow.now())

    def _once_changed(self, holds: Callable[[], bool]) -> Callable[[], bool]:
        """The condition, worked out only when the case has changed: it is asked in every workflow task."""
        seen = -1

        def held() -> bool:
            nonlocal seen
            if seen == self._desk.revision:
                return False
            seen = self._desk.revision
            return holds()

        return held
