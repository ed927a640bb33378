"""Time-outs and retry policies, each with its reason. A partner's HTTP time-out (8 s) is below all of them."""

from datetime import timedelta

from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

BACKOFF = RetryPolicy(
    initial_interval=timedelta(seconds=2), backoff_coefficient=2, maximum_interval=timedelta(minutes=5)
)
"""Retries soon at first, because most faults are short; then rarely, so as not to overload a recovering partner."""

URGENT, USUAL = 1, 3
"""Priority keys in task queues: 1 is first. Tasks of urgent cases run before all others."""
KEY_BYTES = 64
"""A fairness key may not be longer; the server would refuse the task."""


def priority(line: str, *, urgent: bool) -> Priority:
    """Return the priority of a case: urgent cases first; among equals, lines take turns."""
    key = line.encode()[:KEY_BYTES].decode(errors="ignore")
    return Priority(priority_key=URGENT if urgent else USUAL, fairness_key=key)


HEARTBEAT_TIMEOUT = timedelta(seconds=8)
"""If a worker sends no heartbeat for this long, it counts as dead and another worker repeats its call."""

QUICK = LocalActivityConfig(
    # Look-ups and notifications usually take milliseconds, and a local activity saves a round trip to the server. Its
    # time-out is short, so that a slow partner does not delay the agents' messages to the case.
    start_to_close_timeout=timedelta(seconds=3),
    retry_policy=RetryPolicy(maximum_attempts=1),
)

LETTER = ActivityConfig(
    # No limit, so that a partner that is down for a weekend only delays a letter (S7).
    start_to_close_timeout=timedelta(seconds=15),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=BACKOFF,
)

LOOK_UP = ActivityConfig(
    # Limited, because a person can assess the case without it.
    start_to_close_timeout=timedelta(seconds=15),
    schedule_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=5), backoff_coefficient=2, maximum_interval=timedelta(minutes=5)
    ),
)

STEP = ActivityConfig(
    # The server retries only calls that certainly had no effect, and a retry asks the partner before it sends. After
    # half a day a person has to decide, well before partners forget the key (24 h).
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(hours=12),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=BACKOFF,
)

FIND = ActivityConfig(
    # No limit: asking has no effect, and the step cannot continue without the answer.
    start_to_close_timeout=timedelta(seconds=15),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=BACKOFF,
)

RECONCILE = ActivityConfig(
    # A database that is down for longer than these attempts fails the run. The next run compares everything again.
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=3, maximum_attempts=3),
)

REVIEW = ActivityConfig(
    # Counting takes seconds, but deriving the facts of all earlier cases, once, can take long. A database that is down
    # for longer than these attempts fails the run.
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=timedelta(minutes=1),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=5),
        backoff_coefficient=3,
        maximum_interval=timedelta(minutes=30),
        maximum_attempts=10,
    ),
)

RECORD = ActivityConfig(
    # No limit: our database will be available again, and nothing may be lost until then.
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
    ),
)

PROJECTION: ActivityConfig = {
    **RECORD,
    # Limited, so that a database that is down does not keep cases from closing. Reconciling writes the row later.
    "schedule_to_close_timeout": timedelta(hours=1),
}
