"""A periodic review of cases, started by a schedule: made, and sent to its readers (G13)."""

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from cases.contract import REVIEW_WORKFLOW
from cases.vocabulary import Partner
from workflows.sdk.activity_calls import at, call, durably
from workflows.sdk.options import LETTER, REVIEW

with workflow.unsafe.imports_passed_through():
    from activities.messaging import Messaging
    from activities.review import ReviewDone, ReviewRequest, Reviews


SCHEDULED = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""Set by the server on workflows that a schedule starts."""


@workflow.defn(name=REVIEW_WORKFLOW)
class ServiceReview:
    """One review, of the latest period that had ended when it was started."""

    @workflow.run
    async def run(self, request: ReviewRequest) -> ReviewDone:
        """Make the review and notify its readers. Fails if our database is down for longer than the retries last."""
        # The time for which it was scheduled, not that of the work: a worker that was down makes the same review, and a
        # backfill makes earlier ones.
        info = workflow.info()
        started = info.typed_search_attributes.get(SCHEDULED) or info.workflow_start_time
        summary = f"review of the latest {request.every}"
        done = await durably(call(Reviews.make, request, started), summary=summary, options=REVIEW)
        notified = at(Partner.MESSAGING, call(Messaging.to_staff, done.notice))
        await durably(notified, summary="message to its readers", options=LETTER)
        return done
