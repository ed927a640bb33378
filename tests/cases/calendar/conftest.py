"""The calendar of mainland China as it is known at a fixed time."""

from datetime import datetime

import pytest

import policies
from cases.calendar import CalendarTerms, WorkCalendar


@pytest.fixture(scope="module")
def china() -> WorkCalendar:
    """What the holiday library says, read in November 2026: 2027 has not been announced."""

    class November2026(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "November2026":
            return cls(2026, 11, 18, tzinfo=tz)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "datetime", November2026)
        return policies.work_calendar(CalendarTerms(country="CN"), "Asia/Shanghai")
