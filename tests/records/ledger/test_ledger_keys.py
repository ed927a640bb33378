"""A step that is tried again has another key; an earlier key is then refused (S25)."""

import pytest

from records import (
    EntryState,
    LaterTry,
    Records,
)
from tests.records.conftest import KEY, reserve, states


@pytest.mark.parametrize("state", [EntryState.RESERVED, EntryState.COMMITTED, EntryState.CONTESTED])
def test_key_that_the_step_has_moved_past_is_refused(records: Records, state: EntryState) -> None:
    """S25: a case that was reset has forgotten its later tries; the error names the last one."""
    reserve(records, KEY, "100.00")
    records.release(KEY, "refused")
    for number in (2, 11):
        reserve(records, f"{KEY}/{number}", "100.00")
    if state is EntryState.COMMITTED:
        records.commit(f"{KEY}/11", "RF-1")
    if state is EntryState.CONTESTED:
        records.contest(f"{KEY}/11", "taken back")
    before = states(records)

    with pytest.raises(LaterTry) as refused:
        reserve(records, KEY, "100.00")

    assert refused.value.args[0].params == {"key": KEY, "number": 11}
    assert states(records) == before


def test_later_try_that_was_released_does_not_matter(records: Records) -> None:
    """S25: nor does another step, another cycle or another case."""
    for other in (f"{KEY}/2", "HL-1/1/1/refund_2/3", "HL-1/2/1/refund/3", "HL-12/1/1/refund/3"):
        reserve(records, other, "100.00")
    records.release(f"{KEY}/2", "refused")

    reserve(records, KEY, "100.00")

    assert states(records)[KEY] == EntryState.RESERVED


def test_reservation_says_whether_its_key_is_known(records: Records) -> None:
    """S25: if so, the partner may know it as well."""
    known = [reserve(records, KEY, "100.00") for _ in range(2)]
    records.release(KEY, "refused")

    assert [*known, reserve(records, KEY, "100.00")] == [False, True, True]
