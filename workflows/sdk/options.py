"""Time-outs and retry policies, each with its reason. A partner's HTTP time-out (8 s) is below all of them."""

from datetime import timedelta

from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

PATIENTLY = RetryPolicy(
    initial_interval=timedelta(seconds=2), backoff_coefficient=2, maximum_interval=timedelta(minutes=5)
)
"""Soon at first, for most faults pass; then rarely, so that a partner that comes back is not stormed."""

URGENT, USUAL = Priority(priority_key=1), Priority(priority_key=3)
"""An urgent case goes before everything else in the queue; 1 is first."""

NOTICED = timedelta(seconds=8)
"""A worker that gives no sign of life for so long is taken for dead, and its call is repeated elsewhere."""

QUICK = LocalActivityConfig(
    # Look-ups and messages usually take milliseconds: one try inside the workflow task costs no round trip. It is
    # cut short, so that a slow partner does not hold up the agents' messages to the case.
    start_to_close_timeout=timedelta(seconds=3),
    retry_policy=RetryPolicy(maximum_attempts=1),
)

LETTER = ActivityConfig(
    # Retried for as long as the case matters (S7): a partner that is down for a weekend delays a letter, no more.
    start_to_close_timeout=timedelta(seconds=15),
    heartbeat_timeout=NOTICED,
    retry_policy=PATIENTLY,
)

LOOK_UP = ActivityConfig(
    # A person can assess the case without it, so it is given up after a while.
    start_to_close_timeout=timedelta(seconds=15),
    schedule_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=NOTICED,
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=5), backoff_coefficient=2, maximum_interval=timedelta(minutes=5)
    ),
)

STEP = ActivityConfig(
    # The server repeats only what surely had no effect, and a repeated attempt asks before it sends. After half a
    # day a person should know, well before partners forget the key (24 h).
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(hours=12),
    heartbeat_timeout=NOTICED,
    retry_policy=PATIENTLY,
)

FIND = ActivityConfig(
    # Asking is harmless and nothing goes on without the answer: never given up.
    start_to_close_timeout=timedelta(seconds=15),
    heartbeat_timeout=NOTICED,
    retry_policy=PATIENTLY,
)

PROJECTION = ActivityConfig(
    # Our own database again. A row that cannot be written for so long is left to reconciling: it holds up no closing.
    start_to_close_timeout=timedelta(seconds=20),
    schedule_to_close_timeout=timedelta(hours=1),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
    ),
)

RECONCILE = ActivityConfig(
    # A database that is down for longer than these attempts fails the run; the next one heals.
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=3, maximum_attempts=3),
)

RECORD = ActivityConfig(
    # Our own database: it comes back, and nothing may be lost meanwhile.
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
    ),
)
