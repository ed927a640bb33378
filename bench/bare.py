"""The bare case: a minimal Temporal program with as many waits and calls as a case, and default settings.

Six activities that do nothing (two of them in parallel), two timers, one signal; a dict in and a dict out.
`python -m bench.bare ADDRESS` runs its worker.
"""

import asyncio
import sys
import time
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

QUEUE = "bare"
READY = "bare worker ready"
NAP = 0.05
"""The duration of each timer in seconds. Both fire."""


@activity.defn
async def nothing(given: dict[str, Any]) -> dict[str, Any]:
    """Do nothing. Return the input with the current time."""
    return {**given, "at": time.time()}


@workflow.defn
class BareCase:
    """A case without any business logic."""

    def __init__(self) -> None:
        self._agreed: dict[str, Any] = {}

    @workflow.run
    async def run(self, complaint: dict[str, Any]) -> dict[str, Any]:
        """Return the dicts of the first and the last activity."""
        first = await _call(complaint)
        await asyncio.gather(_call(complaint), _call(complaint))
        await asyncio.sleep(NAP)
        await workflow.wait_condition(lambda: bool(self._agreed))
        await _call(complaint)
        await _call(complaint)
        await asyncio.sleep(NAP)
        last = await _call(complaint)
        return {"first": first, "last": last, **self._agreed}

    @workflow.signal
    def agree(self, how: dict[str, Any]) -> None:
        """Record the customer's consent."""
        self._agreed = how


async def _call(complaint: dict[str, Any]) -> dict[str, Any]:
    return await workflow.execute_activity(nothing, complaint, start_to_close_timeout=timedelta(seconds=10))


async def main(address: str) -> None:
    """Run the worker until it is killed."""
    client = await Client.connect(address)
    async with Worker(client, task_queue=QUEUE, workflows=[BareCase], activities=[nothing]):
        print(READY, flush=True)  # noqa: T201 (the benchmark waits for this line)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
