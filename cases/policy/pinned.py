"""The policy that a case is pinned to (S18). Cases with the same terms share one object in memory.

A worker keeps many cases in memory, and most cases of one line and topic have the same terms. A policy never changes
after it was read.
"""

from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter

from cases.policy.policy import Policy

_RECORDED = TypeAdapter(dict[str, Any])
SHARED = 256
"""The number of policies in the cache. They differ by line, topic, and the days off that are still relevant."""


@lru_cache(maxsize=SHARED)
def _read(recorded: bytes) -> Policy:
    return Policy.model_validate_json(recorded)


def _shared(recorded: Any) -> Any:
    """Return the shared policy for a recorded one. Other values are left to validation."""
    return _read(_RECORDED.dump_json(recorded)) if isinstance(recorded, dict) else recorded


PinnedPolicy = Annotated[Policy, BeforeValidator(_shared)]
"""A policy in a case or in the result of its admission."""
