"""Improvement measures in our database (G13): what was proposed, and what has become of it."""

from datetime import date

from pydantic import AwareDatetime, BaseModel
from temporalio import activity
from temporalio.exceptions import ApplicationError

from cases.contract import UNKNOWN_MEASURE
from cases.measure.measure import Measure
from cases.measure.proposed import MeasureState
from cases.policy.policy import Policy
from records import Records


class MeasureRecord(BaseModel):
    """The state of a measure."""

    measure_id: str
    state: MeasureState
    owner: str | None
    due_on: date | None
    adopted_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    result: str | None


class Measures:
    """The activities of a measure's workflow."""

    def __init__(self, policies: dict[str, Policy], database: Records) -> None:
        self._policies = policies
        self._database = database

    @activity.defn(name="take-up-measure")
    def take_up(self, measure_id: str) -> Measure:
        """Return the measure as our database has it, with the terms of its line. Fails if nobody has proposed it."""
        about = self._database.measure(measure_id)
        policy = self._policies.get(about.line) if about else None
        if about is None or policy is None or policy.measures is None:
            what = f"line {about.line} has no terms for measures" if about else "no review has proposed it"
            why = f"there is no measure {measure_id}: {what}"
            raise ApplicationError(why, type=UNKNOWN_MEASURE, non_retryable=True)
        return Measure(about=about, terms=policy.measures, timezone=policy.timezone)

    @activity.defn(name="record-measure")
    def record(self, record: MeasureRecord) -> None:
        """Write what has become of the measure."""
        self._database.record_measure(**dict(record))
