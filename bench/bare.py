"""The bare case: the plainest Temporal program that does as much waiting and calling, with every setting as it comes.

Six activities that do nothing (two of them side by side), two timers, one signal; a dict in and a dict out.
`python -m bench.bare ADDRESS` is its worker.
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
"""Seconds of each of its timers; both fire."""


@activity.defn
async def nothing(given: dict[str, Any]) -> dict[str, Any]:
    """Do nothing; says when."""
    return {**given, "at": time.time()}


@workflow.defn
class BareCase:
    """What a case would be without a business."""

    def __init__(self) -> None:
        self._agreed: dict[str, Any] = {}

    @workflow.run
    async def run(self, complaint: dict[str, Any]) -> dict[str, Any]:
        """Answers with the first and the last activity's dict."""
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
        """The customer's word."""
        self._agreed = how


async def _call(complaint: dict[str, Any]) -> dict[str, Any]:
    return await workflow.execute_activity(nothing, complaint, start_to_close_timeout=timedelta(seconds=10))


async def main(address: str) -> None:
    """Work until killed."""
    client = await Client.connect(address)
    async with Worker(client, task_queue=QUEUE, workflows=[BareCase], activities=[nothing]):
        print(READY, flush=True)  # noqa: T201 (the benchmark waits for this line)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
