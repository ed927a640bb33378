"""Rules that changed while cases were open. Each case keeps the rules that it began with."""

from collections.abc import Callable

Holds = Callable[[str], bool]
"""Returns whether a changed rule already applies to this case (`workflow.patched`)."""


def always(_change: str) -> bool:
    """Return True: outside of workflows all current rules apply. Only a replayed history can be older than a rule."""
    return True
