"""Rules that have changed while cases were open: each case is judged by the rules that it began with."""

from collections.abc import Callable

Holds = Callable[[str], bool]
"""Whether a rule that has changed holds already for this case (`workflow.patched`)."""


def always(_change: str) -> bool:
    """What is judged now is judged by all of the rules; a history that is replayed may be older than one of them."""
    return True
