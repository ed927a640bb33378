"""A promise on its own, without a case."""

from datetime import datetime

from cases.calendar import WorkCalendar
from cases.policy.policy import PromiseRule
from cases.state.promise import Promise
from cases.vocabulary import PromiseName


def promised(  # noqa: PLR0913 (a promise has as many parts)
    name: PromiseName,
    within: str,
    at: datetime,
    *,
    rule: str,
    cycle: int,
    pausable: bool,
    calendar: WorkCalendar,
) -> Promise:
    """A promise whose clock starts at `at`."""
    return Promise.of(
        PromiseRule(rule=rule, name=name, within=within, pausable=pausable), at, cycle=cycle, calendar=calendar
    )
