"""`worker.py` with other arguments for its Temporal worker. For experiments only, never for production.

`python -m bench.varied_worker '{"max_cached_workflows": "100", "workflow_runner": "sandboxed"}'`
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import uvloop
from temporalio.worker import PollerBehaviorAutoscaling, Worker

import worker

KEYWORDS: dict[str, Callable[[], Any]] = {"sandboxed": worker.sandbox, "autoscaling": PollerBehaviorAutoscaling}


def varied(given: dict[str, str]) -> dict[str, Any]:
    """Return the arguments: values are keywords of `KEYWORDS`, or JSON."""
    return {name: KEYWORDS[value]() if value in KEYWORDS else json.loads(value) for name, value in given.items()}


def vary(given: dict[str, str]) -> None:
    """Make `worker.build_workers` create its workers with these arguments in addition to its own."""

    def build(*positional: Any, **usual: Any) -> Worker:
        return Worker(*positional, **{**usual, **varied(given)})

    vars(worker)["Worker"] = partial(build)


if __name__ == "__main__":
    vary(json.loads(sys.argv[1]))
    uvloop.run(worker.main())
