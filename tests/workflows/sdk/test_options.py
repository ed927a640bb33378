"""Priorities of cases in task queues."""

import pytest
from temporalio.common import Priority

from workflows.sdk.options import KEY_BYTES, URGENT, USUAL, priority


@pytest.mark.parametrize(("urgent", "key"), [(True, URGENT), (False, USUAL)])
def test_priority_puts_urgent_cases_first_and_separates_lines(*, urgent: bool, key: int) -> None:
    """§3."""
    assert priority("express", urgent=urgent) == Priority(priority_key=key, fairness_key="express")


@pytest.mark.parametrize("line", ["a" * 200, "有机食品" * 50, "a" + "有" * 199])
def test_key_of_a_line_with_a_long_name_fits(line: str) -> None:
    """The server refuses longer keys, so the case could not be started."""
    key = priority(line, urgent=False).fairness_key

    assert key is not None
    assert line.startswith(key)
    assert KEY_BYTES - 3 < len(key.encode()) <= KEY_BYTES
