"""Comparing our database with the cases that Temporal has (`client.reconciling`), one page in each activity."""

from temporalio import activity
from temporalio.client import Client

from client.cases import Engine
from client.reconciling import Progress, Reconciling
from records import Records


class Reconcile:
    """Over the Temporal server and our own database."""

    def __init__(self, client: Client, records: Records) -> None:
        self._engine = Engine(client, client.service_client.config.target_host)
        self._records = records

    @activity.defn(name="reconcile-cases")
    async def page(self, progress: Progress) -> Progress:
        """Compare the next page, heal what is wrong, and return how far the comparison has come."""
        # After a worker was killed: what it had healed is counted, and the page is compared again.
        if beats := activity.info().heartbeat_details:
            progress = Progress.model_validate(beats[0])
        await Reconciling(self._engine, self._records, activity.heartbeat).page(progress)
        return progress
