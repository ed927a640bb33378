"""G13: what customers said at a later call is kept with their case."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cases.later_call.later_call import LaterCallView
from records import Records

CLOSED = datetime(2026, 11, 2, 9, tzinfo=UTC)
CALLED = CLOSED + timedelta(days=31)


def call(records: Records, case_id: str, **said: Any) -> LaterCallView:
    times = {"received_at": CLOSED, "opened_at": CLOSED}
    records.open_case(case_id, "run", line="infant_formula", topic="return.quality", order_id=None, **times)
    view = LaterCallView(case_id=case_id, line="infant_formula", due_at=CLOSED + timedelta(days=30), asked=1, **said)
    records.keep_later_call(view)
    return view


def test_answer_is_kept_with_its_case_and_does_not_change(records: Records) -> None:
    kept = call(records, "HL-1", answered_at=CALLED, reached=True, score=4, comment="good", by="li.na")

    records.keep_later_call(kept.model_copy(update={"score": 1}))

    case = records.case("HL-1")
    assert case is not None
    assert case["later_call"] == kept.model_dump()


def test_review_gets_the_calls_that_ended_in_its_time(records: Records) -> None:
    """G13: answered, given up, in order of time; the end of the period is not part of it."""
    later = call(records, "HL-1", answered_at=CALLED + timedelta(days=2), reached=False, by="li.na")
    first = call(records, "HL-2", given_up_at=CALLED)
    call(records, "HL-3", answered_at=CALLED + timedelta(days=3), reached=True, score=1, comment="", by="li.na")
    call(records, "HL-4", answered_at=CALLED - timedelta(seconds=1), reached=True, score=5, comment="", by="li.na")

    assert records.later_calls(CALLED, CALLED + timedelta(days=3)) == [first, later]
    assert records.later_calls(CALLED + timedelta(days=9), CALLED + timedelta(days=10)) == []
