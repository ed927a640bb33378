"""One durable timer for each thing that the case waits for; what it means when one fires is told by `cases.alarms`.

A timer is cancelled when what it waited for has changed, and the case is asked again when it fires (S3, S5).
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow

from cases.alarms import alarm, alarms, ring
from workflows.desk import Desk


class Clocks:
    """Keeps a timer running for every alarm of the case, named in the UI by the alarm's own words."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._kept: set[str] = set()

    def wind(self) -> None:
        """Start a timer for each alarm that has none; called after every change."""
        for name in [a.name for a in alarms(self._desk.case) if a.name not in self._kept]:
            self._kept.add(name)
            self._desk.watch(self._keep(name))

    async def _keep(self, name: str) -> None:
        while (waited_for := alarm(self._desk.case, name)) is not None:
            left = waited_for.at - workflow.now()
            if left > timedelta():
                with suppress(TimeoutError):
                    await workflow.wait_condition(
                        self._moved(name, waited_for.at), timeout=left, timeout_summary=waited_for.summary
                    )
                continue
            ring(self._desk.case, name, workflow.now())
            self._desk.changed()
        self._kept.discard(name)

    def _moved(self, name: str, at: datetime) -> Callable[[], bool]:
        """Whether the alarm is gone, or due at another time; worked out only when the case has changed."""
        seen = self._desk.revision

        def moved() -> bool:
            nonlocal seen
            if seen == self._desk.revision:
                return False
            seen = self._desk.revision
            now_waited_for = alarm(self._desk.case, name)
            return now_waited_for is None or now_waited_for.at != at

        return moved
