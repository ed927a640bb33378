"""Making a periodic review (G13): counted from our database, written into a folder, with a notice to its readers."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel
from temporalio import activity
from temporalio.exceptions import ApplicationError

from cases.partner_calls import StaffNotice
from cases.policy.policy import Policy
from records import Records
from review.making import Reader, Wanted, zone_of
from review.notice import notice
from review.period import Every, latest
from review.producing import produce, review_id


class ReviewRequest(BaseModel):
    """Which review to make: of the latest period that has ended."""

    every: Every
    line: str | None = None
    """None: every line."""


class ReviewDone(BaseModel):
    """A review that was made."""

    review_id: str
    folder: str
    decisions: int
    """How many things need a decision."""
    notice: StaffNotice


class Reviews:
    """Over the policies in force and our database.

    `folder` is where reviews are kept, `locale` the language of staff.
    """

    def __init__(self, policies: Mapping[str, Policy], records: Records, folder: Path, locale: str) -> None:
        self._policies = policies
        self._records = records
        self._folder = folder
        self._locale = locale

    @activity.defn(name="make-review")
    def make(self, request: ReviewRequest, now: datetime) -> ReviewDone:
        """Make the review of the latest period before `now`. Repeating it replaces the review with the same one."""
        if request.line is not None and request.line not in self._policies:
            known = ", ".join(sorted(self._policies))
            raise ApplicationError(f"{request.line} is not one of {known}", type="UnknownLine", non_retryable=True)
        period = latest(request.every, now, zone_of(self._policies, request.line))
        wanted = Wanted(period, now, request.line, locale=self._locale)
        known_as = review_id(wanted)
        folder = self._folder / known_as
        reader = Reader(self._records, activity.heartbeat)
        made = produce(self._records, self._policies, wanted, folder, reader)
        return ReviewDone(
            review_id=known_as,
            folder=str(folder),
            decisions=len(made.decisions),
            notice=notice(known_as, made, self._policies, folder),
        )
