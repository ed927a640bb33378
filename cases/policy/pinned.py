"""The policy that a case is pinned to, as it was recorded (S18). Cases under the same terms share one in memory.

A worker keeps many cases, and most of one line and topic have the same terms. Nothing changes a policy once it is read.
"""

from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import to_json

from cases.policy.policy import Policy

SHARED = 256
"""Policies that are kept to be shared: for each line its topics, and the days off that still matter."""


@lru_cache(maxsize=SHARED)
def _read(recorded: bytes) -> Policy:
    return Policy.model_validate_json(recorded)


def _shared(recorded: Any) -> Any:
    """Return the policy that was read from the same record before; anything but a record is left to validation."""
    return _read(to_json(recorded)) if isinstance(recorded, dict) else recorded


PinnedPolicy = Annotated[Policy, BeforeValidator(_shared)]
"""A policy in a case, or in what admits it."""
